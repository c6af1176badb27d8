// The types of elementwise ops: torch's promotion between tensors with dims, without dims, and numbers.
#pragma once
#include "ops/elementwise.h"

namespace gradcore {

// The type in which an op computes, and the one of its result.
struct Types {
  DType compute, result;
};
Types types_of(const ElementwiseOp& op, std::span<const Operand> in);
Types types_of(const ElementwiseCall& c);

}  // namespace gradcore
