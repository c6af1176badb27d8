// Ops on batched tensors: the same op on the physical tensors beneath. Note [Batch dims] in tensor/batch.h.
#pragma once
#include <functional>
#include <vector>

#include "ops/ops.h"
#include "ops/record.h"
#include "tensor/batch.h"

namespace gradcore {

// compute(physical tensors, number of batch dims), nothing recorded; its result is hidden again. Undefined tensors stay
// so.
template <class F> Tensor batch_to_front(std::initializer_list<const Tensor*> tensors, F&& compute) {
  const NoRecordGuard off;
  const Levels levels = levels_of(tensors);
  std::vector<Tensor> below;
  for (const Tensor* t : tensors) below.push_back(t->defined() ? physical(*t, levels) : Tensor());
  return hide(compute(std::span<const Tensor>(below), levels.count()), levels);
}

// The same for ops along a dim: a tensor without dims counts as one with a single dim of one element.
template <class F> Tensor batch_to_front_along(std::initializer_list<const Tensor*> tensors, F&& compute) {
  const NoRecordGuard off;
  const Levels levels = levels_of(tensors);
  std::vector<Tensor> below;
  bool dims = false;
  for (const Tensor* t : tensors) {
    below.push_back(t->defined() ? physical(*t, levels, 1) : Tensor());
    dims |= t->defined() && t->dim() > 0;
  }
  const Tensor out = hide(compute(std::span<const Tensor>(below), levels.count()), levels);
  return dims ? out : make_window(out, Dims(), Dims());
}

// The rules by which families of ops take batches. Each calls compute(number of batch dims, tensors...), with the
// physical tensors where one of them is batched, and records nothing. Undefined tensors stay so.

// Batch dims in front: compute() shifts its own dims by their number.
template <class F, class... T> Tensor batched_in_front(F&& compute, const T&... tensors) {
  const NoRecordGuard off;
  if (!any_batched(tensors...)) return compute(0, tensors...);
  const Levels levels = levels_of({&tensors...});
  return hide(compute(levels.count(), tensors.defined() ? physical(tensors, levels) : Tensor()...), levels);
}
// For ops along a dim: a tensor without dims counts as one with a single dim of one element.
template <class F, class... T> Tensor batched_along(F&& compute, const T&... tensors) {
  const NoRecordGuard off;
  if (!any_batched(tensors...)) return compute(0, tensors...);
  const Levels levels = levels_of({&tensors...});
  const Tensor out =
      hide(compute(levels.count(), tensors.defined() ? physical(tensors, levels, 1) : Tensor()...), levels);
  const bool dims = ((tensors.defined() && tensors.dim() > 0) || ...);
  return dims ? out : make_window(out, Dims(), Dims());
}
// The same for a compute() that writes to the first tensor, which must have all levels.
template <class F, class... T> void write_batched_along(F&& compute, const Tensor& to, const T&... tensors) {
  const NoRecordGuard off;
  if (!any_batched(to, tensors...)) return compute(0, to, tensors...);
  const Levels levels = levels_of({&to, &tensors...});
  check_levels(to, levels);
  compute(levels.count(), physical(to, levels, 1), tensors.defined() ? physical(tensors, levels, 1) : Tensor()...);
}

// An op whose course depends on elements: compute(the tensors of a sample) for each sample, the results stacked, with
// torch's warning. Nothing is recorded. Undefined tensors stay so.
Tensor sample_by_sample(const char* op, std::span<const Tensor> tensors,
                        const std::function<Tensor(std::span<const Tensor>)>& compute);

// A whole op of one tensor.
template <class F, class Vjp> Tensor record_with_batch_in_front(const Tensor& t, F&& compute, Vjp vjp) {
  const Tensor out = batch_to_front({&t}, [&](auto p, int n) { return compute(p[0], n); });
  if (should_record(t)) record(out, {&t}, std::move(vjp));
  return out;
}

// A copy that has all these levels, to be written to. Recorded.
inline Tensor widened_copy(const Tensor& t, const Levels& levels) {
  bool has_all = t->batch || levels.none();
  for (int64_t id : levels.ids) has_all &= levels_of({&t}).find(id) >= 0;
  if (has_all) return clone(t);
  if (t.dtype() == DType::Bool) return logical_or(t, full_batched(levels, Dims(), 0, t.dtype()));
  return add(t, full_batched(levels, Dims(), 0, t.dtype()));
}

// Dims of the logical tensor as dims of the physical one.
inline Dims shifted(const Dims& dims, int ndim, int by) {
  Dims out = dims;
  for (int i = 0; i < out.size(); ++i) out[i] = wrap_dim(dims[i], ndim) + by;
  return out;
}

}  // namespace gradcore
