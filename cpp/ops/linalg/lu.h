// LU factors as the ops that are made of them see them. Nothing here is recorded.
#pragma once
#include "ops/linalg/matrices.h"

namespace gradcore::linalg {

struct Factors {
  Tensor lu, pivots, info;
};
Factors lu_raw(const Tensor& a);
// The solution of A X = B, or of X A = B where not `left`, with A' in place of A where `adjoint`. Of the same batch.
// Without B: the inverse.
Tensor lu_solve_raw(const Tensor& lu, const Tensor& pivots, const Tensor& b, bool left, bool adjoint);

}  // namespace gradcore::linalg
