// Graphs of gradients that reach further than the gradients themselves.
#pragma once
#include "ops/ops.h"

namespace gradcore {

// `value` with a graph that reaches x, of the same shape, though no gradient comes through: torch's backward takes the
// input itself, and so its gradients require grad wherever the input does.
inline Tensor with_graph_of(const Tensor& x, const Tensor& value) {
  return modes.tracking() ? where(ones_like(ge(x, x)), value, x) : value;
}

}  // namespace gradcore
