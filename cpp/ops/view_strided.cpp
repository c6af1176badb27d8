// as_strided and its gradient. Geometries here have offsets from the storage's first element.
//
// Note [Through a storage]
// as_strided() looks at its input's memory through another geometry: in -> memory -> out. Two windows that
// overlap themselves make that more than a selection. Backward adds the gradient through `out` into a stretch
// of zeros that stands for the memory and reads it through `in`:
//     grad_in = read_in(add_out(grad) / n_in)
// where n_in counts how many elements of the input share a place: the input's elements there are one number,
// so each gets an equal part. The transpose of this is the same walk with `in` and `out` exchanged, divided
// by the same n_in; so one function serves both, and each is the other's vjp to any order.
#include <algorithm>

#include "ops/view.h"
#include "ops/viewing.h"

namespace gradcore {

namespace {

// One past the last element of a geometry that has elements.
int64_t end_of(const Geometry& g) {
  int64_t last = g.offset;
  for (int i = 0; i < g.shape.size(); ++i) last += (g.shape[i] - 1) * g.strides[i];
  return last + 1;
}

// Whether two indices may share a place. It may err on the side of yes.
bool may_overlap(const Geometry& g) {
  int order[kMaxDims], n = 0;
  for (int i = 0; i < g.shape.size(); ++i)
    if (g.shape[i] > 1) order[n++] = i;
  std::sort(order, order + n, [&](int a, int b) { return g.strides[a] < g.strides[b]; });
  int64_t reach = 0;
  for (int i = 0; i < n; ++i) {
    if (g.strides[order[i]] <= reach) return true;
    reach += (g.shape[order[i]] - 1) * g.strides[order[i]];
  }
  return false;
}

Tensor walk(const Tensor& g, const Geometry& in, const Geometry& out, bool backward);

struct AsStridedVjp {
  Geometry in, result;
  bool in_place = false;
  const char* name() const { return in_place ? "AsStridedBackward1" : "AsStridedBackward0"; }
  SavedFields fields() { return {{"size", result.shape}, {"stride", result.strides}}; }
  void vjp(Node&, std::span<Tensor> g, std::span<Tensor> out) { out[0] = walk(g[0], in, result, true); }
};

struct WalkVjp {
  static constexpr const char* kName = "AsStridedBackwardBackward0";
  Geometry in, result;
  bool backward;
  void vjp(Node&, std::span<Tensor> g, std::span<Tensor> out) { out[0] = walk(g[0], in, result, !backward); }
};

Tensor walk_raw(const Tensor& g, const Geometry& in, const Geometry& from, const Geometry& to) {
  const Levels levels = levels_of({&g});
  if (numel_of(from.shape) == 0 || numel_of(to.shape) == 0) return full_batched(levels, to.shape, 0, g.dtype());
  const NoRecordGuard off;
  const int64_t low = std::min(from.offset, to.offset);
  const Dims length{std::max(end_of(from), end_of(to)) - low};
  Tensor memory = full_batched(levels, length, 0, g.dtype());
  const auto through = [&](const Tensor& m, const Geometry& w) {
    return make_window(m, w.shape, w.strides, w.offset - low);
  };
  if (may_overlap(from))
    add_raw_overlapping(through(memory, from), g);
  else
    copy_raw(through(memory, from), g);
  if (may_overlap(in)) {
    const Tensor count = zeros(length, g.dtype());
    add_raw_overlapping(through(count, in), ones(Dims{}, g.dtype()));
    div_(memory, maximum(count, Scalar(1.0)));
  }
  const Tensor result = through(memory, to);
  return may_overlap(to) ? clone(result, true) : result;
}

Tensor walk(const Tensor& g, const Geometry& in, const Geometry& out, bool backward) {
  Tensor result = backward ? walk_raw(g, in, out, in) : walk_raw(g, in, in, out);
  if (should_record(g)) record(result, {&g}, WalkVjp{in, out, backward});
  return result;
}

}  // namespace

Tensor as_strided(const Tensor& t, const Dims& shape, const Dims& strides, std::optional<int64_t> offset) {
  const int64_t start = offset.value_or(t.offset());
  Tensor v = as_view(t, checked_window(t, shape, strides, start));
  if (should_record(t)) record(v, {&t}, AsStridedVjp{{t.shape(), t.strides(), t.offset()}, {shape, strides, start}});
  return v;
}

Tensor as_strided_backward(const Tensor& grad, const Dims& in_shape, const Dims& in_strides, int64_t in_offset,
                           const Dims& out_shape, const Dims& out_strides, int64_t out_offset) {
  return walk(grad, {in_shape, in_strides, in_offset}, {out_shape, out_strides, out_offset}, true);
}

}  // namespace gradcore
