// Results that are elements of the input, and their places along a dim: extremes, sorted rows, medians.
#pragma once
#include "ops/batching.h"
#include "ops/ops.h"
#include "ops/record.h"

namespace gradcore {

// All of the gradient goes to the places that were returned.
struct PickedVjp {
  Dims shape;
  Saved index;
  int dim;
  std::optional<bool> keepdim;  // of a reduction; other ops keep the dim
  const char* node;
  const char* name() const { return node; }
  SavedFields fields() {
    SavedFields f{{"self_sym_sizes", shape}, {"indices", &index}, {"dim", dim}};
    if (keepdim) f.push_back({"keepdim", *keepdim});
    return f;
  }
  void vjp(Node& self, std::span<Tensor> g, std::span<Tensor> out) {
    const Tensor at = index.unpack(&self);
    out[0] = shape.empty() ? g[0] : scatter_add(zeros(shape, g[0].dtype()), dim, with_dim(at), with_dim(g[0]));
  }
  auto saves() { return std::tie(index); }

 private:
  Tensor with_dim(const Tensor& t) const { return keepdim.value_or(true) ? t : unsqueeze(t, dim); }
};

// compute(number of batch dims, physical tensor) of an op along a dim, nothing recorded: batch dims in front, and a
// tensor without dims as one with a single dim of one element.
template <class F> ValuesIndices picked_along(F&& compute, const Tensor& t) {
  const NoRecordGuard off;
  if (!any_batched(t)) return compute(0, t);
  const Levels levels = levels_of({&t});
  const ValuesIndices r = compute(levels.count(), physical(t, levels, 1));
  const auto hidden = [&](const Tensor& below) {
    const Tensor out = hide(below, levels);
    return t.dim() ? out : make_window(out, Dims(), Dims());
  };
  return {hidden(r.values), hidden(r.indices)};
}

}  // namespace gradcore
