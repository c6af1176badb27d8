// Eigenvalues and singular values of large matrices, for which LAPACK has faster algorithms than kernels/linalg.
//
// Note [Large matrices]
// LAPACK comes from NumPy, which the bindings call (bindings/lapack.cpp); this layer knows two functions that they fill
// in. Both are given dense matrices by rows that nobody else sees, and take the GIL where they are called without it.
// An op hands over in the place where it would run its kernel: what is recorded, and what vmap hides, is the same for
// both.
#pragma once
#include <algorithm>
#include <cstdint>

#include "core/dtype.h"

namespace gradcore::linalg {

// Whether LAPACK is the faster one: of long matrices earlier. Measured: see docs/adr.
inline bool is_large(DType dtype, int64_t m, int64_t n) {
  constexpr int64_t kLeast = 64;  // of the smaller dim
  const bool is_long = std::max(m, n) > 2 * std::min(m, n), single = dtype == DType::Float32;
  const int64_t most = is_long ? (single ? 300'000 : 20'000) : (single ? 1'000'000 : 90'000);
  return m >= kLeast && n >= kLeast && m * n > most;
}

// Results are arrays by rows. Null: not wanted. large_eigh() gives false where it does not converge, large_svd() what
// LAPACK says.
struct EighCall {
  DType dtype;
  int64_t batch, n;
  bool upper;
  const void* a;
  void *values, *vectors;
};
struct SvdCall {
  DType dtype;
  int64_t batch, m, n;
  bool full;
  const void* a;
  void *u, *values, *vh;
};
inline bool (*large_eigh)(const EighCall&) = nullptr;
inline int32_t (*large_svd)(const SvdCall&) = nullptr;

}  // namespace gradcore::linalg
