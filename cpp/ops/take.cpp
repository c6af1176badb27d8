// Offsets as tensors, and the launches of the loops in kernels/portable/take.h. Read Note [Take and put] there.
#include "kernels/portable/elements.h"
#include "ops/indexing.h"
#include "tensor/door.h"

namespace gradcore {

Tensor dense(const Tensor& t) {
  if (t.is_contiguous()) return t;
  const NoRecordGuard off;
  return clone(t, true);
}

Tensor apart_from(const Tensor& source, const Tensor& target, bool may) {
  if (source->storage.get() != target->storage.get()) return source;
  check(may || overlap_of(target, source) == Overlap::None,
        "unsupported operation: some elements of the input tensor and the written-to tensor refer to a single memory "
        "location. Please clone() the tensor before performing the operation.");
  const NoRecordGuard off;
  return clone(source);
}

Offsets offsets_of(std::span<const int64_t> shape, std::span<const int64_t> strides) {
  Offsets o;
  o.count = numel_of(shape);
  if (o.count == 0 || shape.empty()) return o;
  // Dims that step evenly into each other are one.
  Dims size, step;
  for (size_t d = 0; d < shape.size(); ++d) {
    if (shape[d] == 1) continue;
    if (!size.empty() && step.back() == strides[d] * shape[d]) {
      size[size.size() - 1] *= shape[d];
      step[step.size() - 1] = strides[d];
    } else {
      size.push_back(shape[d]);
      step.push_back(strides[d]);
    }
  }
  if (size.size() <= 1) {
    o.step = size.empty() ? 0 : step[0];
    return o;
  }
  o.table = empty(Dims{o.count}, DType::Int64);
  int64_t done = 1;  // from the innermost dim outwards
  for (int d = size.size() - 1; d >= 0; --d) {
    using Args = portable::OffsetDimArgs;
    Kernel<Args> k("offsets", portable::add_offset_dim, {nullptr, done, size[d], step[d]});
    launch(k.writes(&Args::offsets, o.table.window()));
    done *= size[d];
  }
  return o;
}

Offsets offsets_of(const Tensor& t, int begin, int end) {
  const size_t first = static_cast<size_t>(begin), count = static_cast<size_t>(end - begin);
  return offsets_of(t.shape().span().subspan(first, count), t.strides().span().subspan(first, count));
}

Tensor offsets_from(const Tensor& index, int64_t size, int64_t stride, bool from_end, ErrorKind error, int dim) {
  const Tensor out = empty(index.shape(), DType::Int64);
  copy_raw(out, index);
  using Args = portable::WrapIndexArgs;
  Kernel<Args> k("wrap_index", portable::wrap_index, {nullptr, out.numel(), size, stride, from_end, error, dim});
  launch(k.writes(&Args::index, out.window()).may_raise());
  return out;
}

IndexPlan plan_along(const Tensor& t, int d, const Tensor& offsets) {
  IndexPlan plan;
  plan.index.count = offsets.numel();
  plan.index.table = offsets;
  if (t.numel() == 0) plan.outer.count = 0;
  if (t.dim() == 0 || t.numel() == 0) return plan;
  plan.outer = offsets_of(t, 0, d);
  plan.inner = offsets_of(t, d + 1, t.dim());
  return plan;
}

namespace {

using Args = portable::TakeArgs;

void add_offsets(Kernel<Args>& k, const IndexPlan& plan) {
  k.args.outer_count = plan.outer.count;
  k.args.index_count = plan.index.count;
  k.args.inner_count = plan.inner.count;
  k.args.outer_step = plan.outer.step;
  k.args.inner_step = plan.inner.step;
  if (plan.outer.table) k.reads(&Args::outer, plan.outer.table.window());
  if (plan.index.table) k.reads(&Args::index, plan.index.table.window());
  if (plan.inner.table) k.reads(&Args::inner, plan.inner.table.window());
}

}  // namespace

void take(const Tensor& out, const Tensor& t, const IndexPlan& plan) {
  if (out.numel() == 0) return;
  check(out.dtype() == t.dtype() && out.numel() == plan.numel(), "a result of shape ", out.shape(), " does not fit ",
        plan.numel(), " places: the tensor was given other data while it was in use");
  Kernel<Args> k("take", portable::take);
  k.args.dtype = t.dtype();
  add_offsets(k, plan);
  launch(k.reads(&Args::tensor, t.window()).writes(&Args::list, out.window()));
}

void put(const Tensor& t, const IndexPlan& plan, const Tensor& values, bool one_value, Put how) {
  if (plan.numel() == 0) return;
  check(values.dtype() == t.dtype() && values.numel() == (one_value ? 1 : plan.numel()), "a source of shape ",
        values.shape(), " does not fit ", plan.numel(), " places: it was given other data while it was in use");
  Kernel<Args> k("put", how == Put::Add ? portable::put_add : portable::put);
  k.args.dtype = t.dtype();
  k.args.one_value = one_value;
  add_offsets(k, plan);
  launch(k.reads(&Args::list, values.window()).writes(&Args::tensor, t.window()));
}

}  // namespace gradcore
