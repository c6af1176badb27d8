// Where advanced indices point to. Start at resolve().
#include <vector>

#include "ops/indexing.h"
#include "tensor/plan.h"

namespace gradcore {

namespace {

// How many dims of the tensor an index stands for.
int dims_of(const Tensor& index) { return index && is_mask(index) ? index.dim() : 1; }

}  // namespace

void check_indices(const Tensor& t, std::span<const Tensor> indices) {
  int dim = 0;
  bool any = false;
  for (const Tensor& index : indices) {
    if (index && !is_mask(index) && index.dtype() != DType::Int64 && index.dtype() != DType::Int32)
      fail(ErrorKind::Index, "tensors used as indices must be long, int, byte or bool tensors");
    any |= index.defined();
    dim += dims_of(index);
  }
  check(any, ErrorKind::Index, "at least one index must be provided");
  if (dim > t.dim()) fail(ErrorKind::Index, "too many indices for tensor of dimension ", t.dim(), " (got ", dim, ")");
  dim = 0;
  for (const Tensor& index : indices) {
    for (int i = 0; index && is_mask(index) && i < index.dim(); ++i)
      if (index.size(i) != t.size(dim + i))
        fail(ErrorKind::Index, "The shape of the mask ", index.shape(), " at index ", i,
             " does not match the shape of the indexed tensor ", t.shape(), " at index ", dim + i);
    dim += dims_of(index);
  }
}

namespace {

// One index tensor and the dims of the indexed tensor that it stands for.
struct ResolvedIndex {
  int dim, dims;   // the first of them, and how many
  Dims shape;      // of the index, which broadcasts with the others'
  Dims strides;    // of the index: the layout of the result follows it
  Tensor index;    // integers; or
  Tensor offsets;  // those of a mask's true elements
  bool covers(int d) const { return d >= dim && d < dim + dims; }
};

ResolvedIndex resolve_mask(const Tensor& t, const Tensor& mask, int dim) {
  const TrueElements e = true_elements(mask);
  const Offsets places = t.numel() > 0 ? offsets_of(t, dim, dim + mask.dim()) : Offsets{};
  const Tensor offsets = offsets_where(e, places);
  return {dim, mask.dim(), offsets.shape(), Dims{1}, {}, offsets};
}

struct ResolvedIndices {
  std::vector<ResolvedIndex> list;
  bool neighbours = true;  // whether the indexed dims lie beside each other
};

ResolvedIndices resolve_each(const Tensor& t, std::span<const Tensor> indices) {
  ResolvedIndices resolved;
  int dim = 0;
  size_t last = 0;
  for (size_t i = 0; i < indices.size(); ++i) {
    const Tensor& index = indices[i];
    if (index) {
      resolved.neighbours &= resolved.list.empty() || last + 1 == i;
      last = i;
      if (is_mask(index))
        resolved.list.push_back(resolve_mask(t, index, dim));
      else
        resolved.list.push_back({dim, 1, index.shape(), index.strides(), index, {}});
    }
    dim += dims_of(index);
  }
  return resolved;
}

// The strides of the result: torch lets it follow the memory order of the tensor and of the indices.
Dims result_layout(const Tensor& t, std::span<const ResolvedIndex> resolved, const Dims& shape, const Dims& t_strides,
                   int lead, int block_dims) {
  bool contiguous = t.is_contiguous();
  for (const ResolvedIndex& p : resolved) contiguous &= is_contiguous(p.shape, p.strides);
  if (contiguous) return contiguous_strides(shape);
  std::vector<Tensor> windows{make_window(t, shape, t_strides)};
  for (const ResolvedIndex& p : resolved) {
    Dims strides(shape.size(), 0);
    const int first = lead + block_dims - p.shape.size();
    for (int d = 0; d < p.shape.size(); ++d)
      if (p.shape[d] != 1 || shape[first + d] == 1) strides[first + d] = p.strides[d];
    windows.push_back(make_window(t, shape, strides));
  }
  std::vector<const Tensor*> operands;
  for (const Tensor& w : windows) operands.push_back(&w);
  return result_strides(shape, operands.data(), static_cast<int>(operands.size()));
}

Dims broadcast_indices(std::span<const ResolvedIndex> resolved) {
  Dims block;
  for (const ResolvedIndex& p : resolved) {
    try {
      block = broadcast_shapes(block, p.shape);
    } catch (const Error&) {
      std::string shapes;
      for (const ResolvedIndex& q : resolved) shapes += (shapes.empty() ? "" : ", ") + q.shape.str();
      fail(ErrorKind::Index, "shape mismatch: indexing tensors could not be broadcast together with shapes ", shapes);
    }
  }
  return block;
}

// The dims that no index stands for: left of the block of indices in the result, and right of it.
struct FreeDims {
  Dims left, left_strides, right, right_strides;
};

FreeDims free_dims(const Tensor& t, const ResolvedIndices& resolved) {
  FreeDims free;
  for (int d = 0; d < t.dim(); ++d) {
    bool covered = false, passed = !resolved.neighbours;
    for (const ResolvedIndex& p : resolved.list) {
      covered |= p.covers(d);
      passed |= d >= p.dim;
    }
    if (covered) continue;
    (passed ? free.right : free.left).push_back(t.size(d));
    (passed ? free.right_strides : free.left_strides).push_back(t.stride(d));
  }
  return free;
}

void append(Dims& to, std::span<const int64_t> dims) {
  for (int64_t d : dims) to.push_back(d);
}

// The offsets of all indices together.
Tensor sum_of_offsets(const Tensor& t, ResolvedIndices& resolved) {
  const NoRecordGuard off;
  Tensor sum;
  for (ResolvedIndex& p : resolved.list) {
    if (p.index) p.offsets = offsets_from(p.index, t.size(p.dim), t.stride(p.dim), true, ErrorKind::Index, p.dim);
    sum = sum ? add(sum, p.offsets) : p.offsets;
  }
  return dense(sum);
}

}  // namespace

Resolved resolve(const Tensor& t, std::span<const Tensor> indices, const Tensor* values) {
  ResolvedIndices resolved = resolve_each(t, indices);
  const Dims block = broadcast_indices(resolved.list);
  const int64_t count = checked_numel(block);
  const FreeDims free = free_dims(t, resolved);

  Resolved r;
  Dims t_strides = free.left_strides;
  r.shape = free.left;
  append(r.shape, block);
  append(t_strides, Dims(block.size(), 0));
  append(r.shape, free.right);
  append(t_strides, free.right_strides);
  const int64_t numel = checked_numel(r.shape);
  if (values && !broadcastable_to(values->shape(), r.shape))
    fail("shape mismatch: value tensor of shape ", values->shape(), " cannot be broadcast to indexing result of shape ",
         r.shape);
  r.strides = result_layout(t, resolved.list, r.shape, t_strides, free.left.size(), block.size());
  r.plan.index.count = count;

  for (const ResolvedIndex& p : resolved.list)
    check(!p.index || count == 0 || t.size(p.dim) > 0, ErrorKind::Index,
          "index is out of bounds for dimension with size 0");
  if (numel == 0) {
    r.plan.outer.count = 0;
    return r;
  }
  r.plan.outer = offsets_of(free.left, free.left_strides);
  r.plan.inner = offsets_of(free.right, free.right_strides);
  r.plan.index.table = sum_of_offsets(t, resolved);
  return r;
}

}  // namespace gradcore
