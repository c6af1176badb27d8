// Start at with_part(): each op but the last is a view, the part that its source takes the place of.
#include "ops/view_scatter.h"

#include "ops/batching.h"
#include "ops/ops.h"
#include "ops/put.h"
#include "ops/record.h"

namespace gradcore {

namespace {

// ---- the parts: which view of a tensor, and what the node shows of it

struct SelectPart {
  static constexpr const char* kName = "SelectScatterBackward0";
  int64_t dim, index;
  Tensor of(const Tensor& t) const { return select(t, dim, index); }
  SavedFields fields() const { return {{"dim", dim}, {"index", index}}; }
};
struct SlicePart {
  static constexpr const char* kName = "SliceScatterBackward0";
  int64_t dim, start, end, step;
  Tensor of(const Tensor& t) const { return slice(t, dim, start, end, step); }
  SavedFields fields() const { return {{"dim", dim}, {"step", step}}; }
};
struct DiagonalPart {
  static constexpr const char* kName = "DiagonalScatterBackward0";
  int64_t offset, dim1, dim2;
  Tensor of(const Tensor& t) const { return diagonal(t, offset, dim1, dim2); }
  SavedFields fields() const { return {{"offset", offset}, {"dim1", dim1}, {"dim2", dim2}}; }
};
template <class Part> Tensor with_part(const Tensor& t, const Tensor& src, const Part& part);

void check_source(const Tensor& src, const Dims& shape) {
  if (src.shape() != shape)
    fail("expected src to have a size equal to the slice of self. src size = ", src.shape(), ", slice size = ", shape);
}

// As torch's, the copy keeps the strides, but those of elements that share a place.
Tensor copy_with_strides(const Tensor& t) {
  for (int d = 0; d < t.dim(); ++d)
    if (t.size(d) > 1 && t.stride(d) == 0) return clone(t);
  if (t.numel() == 0) return clone(t);
  const Tensor out = empty_strided(t.shape(), t.strides(), t.dtype());
  copy_raw(out, t);
  return out;
}

template <class Part> struct PartVjp {
  static constexpr const char* kName = Part::kName;
  Part part;
  Dims source_shape;
  SavedFields fields() { return part.fields(); }
  void vjp(Node& self, std::span<Tensor> g, std::span<Tensor> out) {
    if (self.needs(0)) out[0] = with_part(g[0], zeros(source_shape, g[0].dtype()), part);
    if (self.needs(1)) out[1] = part.of(g[0]);
  }
};

template <class Part> Tensor with_part(const Tensor& t, const Tensor& src, const Part& part) {
  Tensor out;
  {
    const NoRecordGuard off;
    const Levels levels = levels_of({&t, &src});
    out = levels.none() ? copy_with_strides(t) : widened_copy(t, levels);
    const Tensor place = part.of(out);
    check_source(src, place.shape());
    copy_raw(place, src);
    out.as_new();
  }
  if (should_record(t, src)) record(out, {&t, &src}, PartVjp<Part>{part, src.shape()});
  return out;
}

}  // namespace

Tensor select_scatter(const Tensor& t, const Tensor& src, int64_t dim, int64_t index) {
  return with_part(t, src, SelectPart{dim, index});
}
Tensor slice_scatter(const Tensor& t, const Tensor& src, int64_t dim, std::optional<int64_t> start,
                     std::optional<int64_t> end, int64_t step) {
  return with_part(t, src, SlicePart{dim, start.value_or(0), end.value_or(INT64_MAX), step});
}
Tensor diagonal_scatter(const Tensor& t, const Tensor& src, int64_t offset, int64_t dim1, int64_t dim2) {
  return with_part(t, src, DiagonalPart{offset, dim1, dim2});
}
Tensor as_strided_scatter(const Tensor& t, const Tensor& src, const Dims& size, const Dims& stride,
                          std::optional<int64_t> offset) {
  // The numbers of the elements that it stands for.
  const Tensor places = as_strided(arange(0, t.numel(), 1, DType::Int64), size, stride, offset);
  check_source(src, places.shape());
  return put(t, places, cast(src, t.dtype()), false);
}

}  // namespace gradcore
