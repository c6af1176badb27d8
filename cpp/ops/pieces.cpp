#include "ops/pieces.h"

#include <algorithm>

#include "ops/viewing.h"

namespace gradcore {

// ---- unfold

namespace {

Tensor unfold_backward(const Tensor& g, const Dims& shape, int dim, int64_t size, int64_t step);

struct UnfoldVjp {
  static constexpr const char* kName = "UnfoldBackward0";
  Dims shape;
  int dim;
  int64_t size, step;
  SavedFields fields() { return {{"dimension", dim}, {"size", size}, {"step", step}, {"self_sym_sizes", shape}}; }
  void vjp(Node&, std::span<Tensor> g, std::span<Tensor> out) {
    out[0] = unfold_backward(g[0], shape, dim, size, step);
  }
};
struct UnfoldBackwardVjp {
  static constexpr const char* kName = "UnfoldBackwardBackward0";
  int dim;
  int64_t size, step;
  void vjp(Node&, std::span<Tensor> g, std::span<Tensor> out) { out[0] = unfold(g[0], dim, size, step); }
};

Geometry windows_of(const Tensor& t, int dim, int64_t size, int64_t step) {
  Geometry w{t.shape(), t.strides(), 0};
  if (t.dim() == 0) {
    w.shape = Dims{size};
    w.strides = Dims{1};
    return w;
  }
  w.shape[dim] = (t.size(dim) - size) / step + 1;
  w.strides[dim] = times(t.stride(dim), step);
  w.shape.push_back(size);
  w.strides.push_back(t.stride(dim));
  return w;
}

// Windows overlap: what they say of one element adds up.
Tensor unfold_backward(const Tensor& g, const Dims& shape, int dim, int64_t size, int64_t step) {
  const Tensor out = full_batched(levels_of({&g}), shape, 0, g.dtype());
  const Geometry w = windows_of(out, dim, size, step);
  add_raw_overlapping(make_window(out, w.shape, w.strides), g);
  if (should_record(g)) record(out, {&g}, UnfoldBackwardVjp{dim, size, step});
  return out;
}

}  // namespace

Tensor unfold(const Tensor& t, int64_t dim, int64_t size, int64_t step) {
  const int d = wrap_dim(dim, t.dim());
  const int64_t most = t.dim() == 0 ? 1 : t.size(d);
  check(size >= 0, "size is ", size, " but must be >= 0");
  check(size <= most, "maximum size for tensor at dimension ", d, " is ", most, " but size is ", size);
  check(step > 0, "step is ", step, " but must be > 0");
  const Geometry w = windows_of(t, d, size, step);
  return view_with(t, w.shape, w.strides, UnfoldVjp{t.shape(), d, size, step});
}

// ---- parts along a dim

std::vector<Tensor> tensor_split(const Tensor& t, int64_t sections, int64_t dim) {
  check(t.dim() > 0, "tensor_split expected at least a 1-dimensional tensor, but got a tensor with 0 dims");
  const int d = wrap_dim(dim, t.dim());
  check(sections > 0, "number of sections must be larger than 0, got ", sections);
  check(sections <= INT32_MAX, "tensor_split: ", sections, " sections are too many");
  const int64_t size = t.size(d) / sections, longer = t.size(d) % sections;
  std::vector<Tensor> parts;
  int64_t start = 0;
  for (int64_t i = 0; i < sections; ++i) {
    const int64_t end = start + size + (i < longer);
    parts.push_back(slice(t, d, start, end, 1));
    start = end;
  }
  return parts;
}
std::vector<Tensor> tensor_split(const Tensor& t, const Dims& indices, int64_t dim) {
  check(t.dim() > 0, "tensor_split expected at least a 1-dimensional tensor, but got a tensor with 0 dims");
  const int d = wrap_dim(dim, t.dim());
  std::vector<Tensor> parts;
  int64_t start = 0;
  for (const int64_t end : indices) {
    parts.push_back(slice(t, d, start, end, 1));
    start = end;
  }
  parts.push_back(slice(t, d, start, t.size(d), 1));
  return parts;
}

// The elements of a tensor of int64.
static Dims int64s_of(const Tensor& t) {
  const NoRecordGuard off;
  const Tensor list = contiguous(t);
  return Dims(std::span<const int64_t>(list.host<int64_t>(), static_cast<size_t>(list.numel())));
}

std::vector<Tensor> tensor_split(const Tensor& t, const Tensor& indices_or_sections, int64_t dim) {
  const Tensor& given = indices_or_sections;
  check(given.dtype() == DType::Int64,
        "tensor_split expected tensor_indices_or_sections to have dtype of long, but got ",
        scalar_type_name(given.dtype()));
  check(given.dim() <= 1,
        "tensor_split expected tensor_indices_or_sections to be a zero-dimensional or one-dimensional tensor, but got "
        "a tensor with ",
        given.dim(), " dims");
  const Dims numbers = int64s_of(given);
  return given.dim() == 0 ? tensor_split(t, numbers[0], dim) : tensor_split(t, numbers, dim);
}

namespace {

struct Cut {
  const char* name;
  int least_dims;
  int dim;
};
constexpr Cut kColumns{"hsplit", 1, 1}, kRows{"vsplit", 2, 0}, kDepth{"dsplit", 3, 2};

int dim_of(const Tensor& t, const Cut& cut) {
  check(t.dim() >= cut.least_dims, "torch.", cut.name, " requires a tensor with at least ", cut.least_dims,
        " dimension, but got a tensor with ", t.dim(), " dimensions!");
  return t.dim() == 1 ? 0 : cut.dim;
}
std::vector<Tensor> cut_by(const Tensor& t, int64_t sections, const Cut& cut) {
  const int d = dim_of(t, cut);
  check(sections != 0 && t.size(d) % sections == 0, "torch.", cut.name, " attempted to split along dimension ", d,
        ", but the size of the dimension ", t.size(d), " is not divisible by the split_size ", sections, "!");
  return tensor_split(t, sections, d);
}

// A write to one part is not seen in the others, nor in the whole, whatever they were saved for.
std::vector<Tensor> not_views(std::vector<Tensor> parts, const char* node) {
  for (Tensor& part : parts) {
    part = alias_without_base(part, node);
    count_versions_apart(part);
  }
  return parts;
}

}  // namespace

std::vector<Tensor> hsplit(const Tensor& t, int64_t sections) { return cut_by(t, sections, kColumns); }
std::vector<Tensor> hsplit(const Tensor& t, const Dims& indices) {
  return tensor_split(t, indices, dim_of(t, kColumns));
}
std::vector<Tensor> vsplit(const Tensor& t, int64_t sections) { return cut_by(t, sections, kRows); }
std::vector<Tensor> vsplit(const Tensor& t, const Dims& indices) { return tensor_split(t, indices, dim_of(t, kRows)); }
std::vector<Tensor> dsplit(const Tensor& t, int64_t sections) { return cut_by(t, sections, kDepth); }
std::vector<Tensor> dsplit(const Tensor& t, const Dims& indices) { return tensor_split(t, indices, dim_of(t, kDepth)); }

std::vector<Tensor> unsafe_split(const Tensor& t, int64_t size, int64_t dim) {
  return not_views(split(t, size, dim), "UnsafeSplitBackward0");
}
std::vector<Tensor> unsafe_split(const Tensor& t, const Dims& sizes, int64_t dim) {
  return not_views(split(t, sizes, dim), "UnsafeSplitWithSizesBackward0");
}
std::vector<Tensor> unsafe_chunk(const Tensor& t, int64_t chunks, int64_t dim) {
  return not_views(chunk(t, chunks, dim), "UnsafeSplitBackward0");
}

}  // namespace gradcore
