#include "ops/shapes.h"

#include <algorithm>

#include "kernels/portable/take.h"
#include "ops/batching.h"
#include "ops/rearrange.h"
#include "ops/view_copy.h"
#include "tensor/door.h"

namespace gradcore {

// ---- diagonals

Tensor diag(const Tensor& t, int64_t diagonal) {
  check(t.dim() == 1 || t.dim() == 2, "diag(): Supports 1D or 2D tensors. Got ", t.dim(), "D");
  if (t.dim() == 1) return diag_embed(t, diagonal, -2, -1);
  return copied_view("DiagonalBackward0_copy", t,
                     [&](const Tensor& x) { return gradcore::diagonal(x, diagonal, 0, 1); });
}

Tensor diagflat(const Tensor& t, int64_t offset) { return diag(view(contiguous(t), Dims{-1}), offset); }

namespace {

struct TraceVjp {
  static constexpr const char* kName = "TraceBackward0";
  Dims shape;
  SavedFields fields() { return {{"self_sym_sizes", shape}}; }
  void vjp(Node&, std::span<Tensor> g, std::span<Tensor> out) {
    out[0] = where(eye(shape[0], shape[1], DType::Bool), g[0], Scalar(0));
  }
};

struct BlockDiagVjp {
  static constexpr const char* kName = "BlockDiagBackward0";
  struct Block {
    Dims shape;  // of the tensor
    int64_t rows, columns;
    DType dtype;
  };
  std::vector<Block> blocks;
  void vjp(Node& self, std::span<Tensor> g, std::span<Tensor> out) {
    int64_t row = 0, column = 0;
    for (size_t i = 0; i < blocks.size(); ++i) {
      const Block& b = blocks[i];
      if (self.needs(static_cast<int>(i))) {
        const Tensor piece = narrow(narrow(g[0], 0, row, b.rows), 1, column, b.columns);
        out[i] = cast(reshape(piece, b.shape), b.dtype);
      }
      row += b.rows;
      column += b.columns;
    }
  }
};

BlockDiagVjp::Block block_of(const Tensor& t, size_t position) {
  check(t.dim() <= 2, "torch.block_diag: Input tensors must have 2 or fewer dimensions. Input ", position, " has ",
        t.dim(), " dimensions");
  const int64_t rows = t.dim() == 2 ? t.size(0) : 1, columns = t.dim() == 0 ? 1 : t.size(t.dim() - 1);
  return {t.shape(), rows, columns, t.dtype()};
}

}  // namespace

Tensor trace(const Tensor& t) {
  check(t.dim() == 2, "trace: expected a matrix, but got tensor with dim ", t.dim());
  if (t.dtype() == DType::Bool) fail(ErrorKind::NotImplemented, "\"trace\" not implemented for 'Bool'");
  Tensor out;
  {
    const NoRecordGuard off;
    out = sum(diagonal(t, 0, 0, 1));
  }
  if (should_record(t)) record(out, {&t}, TraceVjp{t.shape()});
  return out;
}

Tensor block_diag(std::span<const Tensor> tensors) {
  if (tensors.empty()) return empty(Dims{1, 0}, default_dtype());
  BlockDiagVjp vjp;
  DType dtype = tensors[0].dtype();
  int64_t rows = 0, columns = 0;
  bool recorded = false;
  for (size_t i = 0; i < tensors.size(); ++i) {
    vjp.blocks.push_back(block_of(tensors[i], i));
    rows += vjp.blocks.back().rows;
    columns += vjp.blocks.back().columns;
    dtype = promote_types(dtype, tensors[i].dtype());
    recorded |= should_record(tensors[i]);
  }
  Tensor out = full_batched(levels_of(tensors), Dims{rows, columns}, 0, dtype);
  std::vector<const Tensor*> inputs;
  int64_t start = 0;
  for (size_t i = 0; i < tensors.size(); ++i) {
    const Tensor& t = tensors[i];
    Dims strides{columns, 1};
    while (strides.size() > t.dim()) strides.erase(0);
    if (t.numel() > 0) copy_raw(make_window(out, t.shape(), strides, start), t);
    start += vjp.blocks[i].rows * columns + vjp.blocks[i].columns;
    inputs.push_back(&t);
  }
  if (recorded) record_output(out, make_node(std::span<const Tensor* const>(inputs), std::move(vjp)));
  return out;
}

// ---- at least so many dims. The steps are torch's, so that graphs have its nodes.

Tensor atleast_1d(const Tensor& t) { return t.dim() ? t : reshape(t, Dims{1}); }
Tensor atleast_2d(const Tensor& t) {
  if (t.dim() == 0) return reshape(t, Dims{1, 1});
  return t.dim() == 1 ? unsqueeze(t, 0) : t;
}
Tensor atleast_3d(const Tensor& t) {
  if (t.dim() == 0) return reshape(t, Dims{1, 1, 1});
  return t.dim() < 3 ? unsqueeze(atleast_2d(t), 2) : t;
}

namespace {

std::vector<Tensor> each(std::span<const Tensor> tensors, Tensor (*f)(const Tensor&)) {
  std::vector<Tensor> out;
  out.reserve(tensors.size());
  for (const Tensor& t : tensors) out.push_back(f(t));
  return out;
}

}  // namespace

std::vector<Tensor> atleast_1d(std::span<const Tensor> tensors) { return each(tensors, atleast_1d); }
std::vector<Tensor> atleast_2d(std::span<const Tensor> tensors) { return each(tensors, atleast_2d); }
std::vector<Tensor> atleast_3d(std::span<const Tensor> tensors) { return each(tensors, atleast_3d); }

// ---- grids

std::vector<Tensor> broadcast_tensors(std::span<const Tensor> tensors) {
  Dims shape;
  for (const Tensor& t : tensors) shape = broadcast_shapes(shape, t.shape());
  std::vector<Tensor> out;
  out.reserve(tensors.size());
  // As torch, one that has the shape already is not expanded.
  for (const Tensor& t : tensors) out.push_back(t.shape() == shape ? t : expand(t, shape));
  return out;
}

std::vector<Tensor> meshgrid(std::span<const Tensor> tensors, std::string_view indexing) {
  check(!tensors.empty(), "meshgrid expects a non-empty TensorList");
  check(indexing == "ij" || indexing == "xy",
        "torch.meshgrid: indexing must be one of \"xy\" or \"ij\", but received: ", indexing);
  const int n = static_cast<int>(tensors.size());
  const bool swaps = indexing == "xy" && n > 1;
  const auto dim_of = [&](int i) { return swaps && i < 2 ? 1 - i : i; };
  Dims shape(n);
  for (int i = 0; i < n; ++i) {
    const Tensor& t = tensors[static_cast<size_t>(i)];
    check(t.dtype() == tensors[0].dtype(), "meshgrid expects all tensors to have the same dtype");
    check(t.dim() <= 1, "torch.meshgrid: Expected 0D or 1D tensor in the tensor list but got one of shape ", t.shape());
    shape[dim_of(i)] = t.numel();
  }
  std::vector<Tensor> grids;
  grids.reserve(tensors.size());
  for (int i = 0; i < n; ++i) {
    Dims along(n, 1);
    along[dim_of(i)] = shape[dim_of(i)];
    grids.push_back(expand(view(tensors[static_cast<size_t>(i)], along), shape));
  }
  return grids;
}

namespace {

void check_vector(const Tensor& t) { check(t.dim() == 1, "Expect a 1D vector, but got shape ", t.shape()); }

// All lists of r indices below n that rise: the first index of each, the second ...
std::vector<Tensor> rising_indices(int64_t n, int64_t r, bool or_stay) {
  const NoRecordGuard off;
  const std::vector<Tensor> range(static_cast<size_t>(r), arange(0, n, 1, DType::Int64));
  const std::vector<Tensor> grids = meshgrid(range, "ij");
  Tensor mask = ones(Dims(static_cast<int>(r), n), DType::Bool);
  for (size_t i = 0; i + 1 < grids.size(); ++i)
    mask = logical_and(mask, or_stay ? le(grids[i], grids[i + 1]) : lt(grids[i], grids[i + 1]));
  return unbind(nonzero(mask), 1);
}

}  // namespace

Tensor cartesian_prod(std::span<const Tensor> tensors) {
  for (const Tensor& t : tensors) check_vector(t);
  if (tensors.size() == 1) return tensors[0];
  std::vector<Tensor> columns = meshgrid(tensors, "ij");
  for (Tensor& t : columns) t = flatten(t);
  return stack(columns, 1);
}

Tensor combinations(const Tensor& t, int64_t r, bool with_replacement) {
  check_vector(t);
  check(r >= 0, "Expect a non-negative number, but got ", r);
  if (r == 0) return empty(Dims{0}, t.dtype());
  check(r <= kMaxDims, "combinations: ", r, " elements at a time are more than ", kMaxDims);
  std::vector<Tensor> columns = rising_indices(t.numel(), r, with_replacement);
  for (Tensor& column : columns) column = index_select(t, 0, column);
  return stack(columns, 1);
}

Tensor vander(const Tensor& t, std::optional<int64_t> count, bool increasing) {
  check(t.dim() == 1, "x must be a one-dimensional tensor.");
  const int64_t rows = t.size(0), columns = count.value_or(rows);
  check(columns >= 0, "N must be non-negative.");
  const Tensor x = is_floating(t.dtype()) ? t : cast(t, DType::Int64);
  if (columns == 0) return empty(Dims{rows, 0}, x.dtype());
  const Tensor powers[] = {ones(Dims{rows, 1}, x.dtype()),
                           cumprod(expand(unsqueeze(x, 1), Dims{rows, columns - 1}), 1, {})};
  const Tensor out = cat(powers, 1);
  return increasing ? out : flip(out, Dims{1});
}

// ---- turning

Tensor flipud(const Tensor& t) {
  check(t.dim() >= 1, "Input must be >= 1-d.");
  return flip(t, Dims{0});
}
Tensor fliplr(const Tensor& t) {
  check(t.dim() >= 2, "Input must be >= 2-d.");
  return flip(t, Dims{1});
}

namespace {

struct Rot90Vjp {
  static constexpr const char* kName = "Rot90Backward0";
  int64_t k;
  Dims dims;
  SavedFields fields() { return {{"k", k}, {"dims", dims}}; }
  void vjp(Node&, std::span<Tensor> g, std::span<Tensor> out) { out[0] = rot90(g[0], -(k % 4), dims); }
};

Tensor turned(const Tensor& t, int64_t quarters, const Dims& dims) {
  const NoRecordGuard off;
  if (quarters == 0) return clone(t, true);
  if (quarters == 2) return flip(t, dims);
  const Tensor mirrored = flip(t, Dims{dims[quarters == 1 ? 1 : 0]});
  return alias_of(transpose(mirrored, dims[0], dims[1]));  // no view of anything, as in torch
}

}  // namespace

Tensor rot90(const Tensor& t, int64_t k, const Dims& dims) {
  check(dims.size() == 2, "expected total rotation dims == 2, but got dims = ", dims.size());
  check(t.dim() >= 2, "expected total dims >= 2, but got total dims = ", t.dim());
  check(wrap_dim(dims[0], t.dim()) != wrap_dim(dims[1], t.dim()),
        "expected rotation dims to be different, but got dim0 = ", dims[0], " and dim1 = ", dims[1]);
  const Tensor out = turned(t, (k % 4 + 4) % 4, dims);
  if (should_record(t)) record(out, {&t}, Rot90Vjp{k, dims});
  return out;
}

// ---- repeat_interleave

static int64_t sum_of_repeats(const Tensor& counts) {
  const Tensor total = empty(Dims(), DType::Int64);
  using Args = portable::CountRepeatsArgs;
  Kernel<Args> k("count_repeats", portable::count_repeats, {nullptr, counts.numel(), nullptr});
  launch(k.reads(&Args::counts, counts.window()).writes(&Args::total, total.window()).may_raise());
  return *total.host<int64_t>();
}

Tensor repeat_interleave(const Tensor& repeats, std::optional<int64_t> output_size) {
  check(repeats.dim() == 1, "repeat_interleave only accept 1D vector as repeat");
  if (repeats.dtype() != DType::Int64 && repeats.dtype() != DType::Int32)
    fail(ErrorKind::NotImplemented, "\"repeat_interleave_cpu\" not implemented for '",
         scalar_type_name(repeats.dtype()), "'");
  if (any_batched(repeats))
    fail(
        "vmap: how large the result of repeat_interleave is would depend on the sample where `repeats` is mapped "
        "over.");
  const NoRecordGuard off;
  const Tensor counts = contiguous(cast(repeats, DType::Int64));
  const int64_t size = sum_of_repeats(counts);
  check(!output_size || *output_size == size, "allocated size does not match required size");
  const Tensor out = empty(Dims{size}, DType::Int64);
  using Args = portable::RepeatIndexArgs;
  Kernel<Args> k("repeat_index", portable::repeat_index, {nullptr, counts.numel(), nullptr, size});
  launch(k.reads(&Args::counts, counts.window()).writes(&Args::out, out.window()));
  return cast(out, repeats.dtype());
}

Tensor repeat_interleave(const Tensor& t, const Tensor& repeats, std::optional<int64_t> dim,
                         std::optional<int64_t> output_size) {
  const Tensor from = dim ? t : flatten(t);
  check(from.dim() > 0, ErrorKind::Index, "Dimension specified as 0 but tensor has no dimensions");
  const int d = wrap_dim(dim.value_or(0), from.dim());
  check(repeats.dim() <= 1, "repeats must be 0-dim or 1-dim tensor");
  const bool one = repeats.numel() == 1;
  check(one || repeats.size(0) == from.size(d),
        "repeats must have the same size as input along dim, but got repeats.size(0) = ", repeats.numel(),
        " and input.size(", d, ") = ", from.size(d));
  const Tensor counts = one ? expand(reshape(repeats, Dims{1}), Dims{from.size(d)}) : repeats;
  return index_select(from, d, repeat_interleave(counts, output_size));
}

Tensor repeat_interleave(const Tensor& t, int64_t repeats, std::optional<int64_t> dim,
                         std::optional<int64_t> output_size) {
  const Tensor from = dim ? t : flatten(t);
  check(from.dim() > 0, ErrorKind::Index, "Dimension specified as 0 but tensor has no dimensions");
  const int d = wrap_dim(dim.value_or(0), from.dim());
  check(repeats >= 0, "Repeats must be non-negative");
  Dims shape = from.shape();
  shape.insert(d + 1, repeats);
  const int64_t size = checked_numel(Dims{from.size(d), repeats});
  check(!output_size || *output_size == size, "repeat_interleave: Invalid output_size, expected ", size, " but got ",
        output_size.value_or(0));
  return flatten(clone(expand(unsqueeze(from, d + 1), shape), true), d, d + 1);
}

}  // namespace gradcore
