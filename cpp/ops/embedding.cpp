#include "ops/embedding.h"

#include "kernels/portable/rows.h"
#include "ops/batching.h"
#include "ops/ops.h"
#include "ops/record.h"
#include "tensor/door.h"

namespace gradcore {

namespace {

struct EmbeddingVjp {
  static constexpr const char* kName = "EmbeddingBackward0";
  Dims table;  // its shape
  int64_t padding;
  bool scaled;
  Saved index;
  SavedFields fields() {
    return {{"indices", &index},
            {"padding_idx", Scalar(padding)},
            {"scale_grad_by_freq", Scalar(scaled)},
            {"sparse", Scalar(false)},
            {"weight_sym_argsize_0", Scalar(table[0])}};
  }
  auto saves() { return std::tie(index); }

  void vjp(Node& self, std::span<Tensor> g, std::span<Tensor> out) {
    const Tensor at = index.unpack(&self);
    out[0] = modes.tracking() || any_batched(g[0], at) ? by_ops(g[0], at) : add_rows(g[0], at, table, padding, scaled);
  }
  // As in torch a tangent is taken whole: padding and scale are the gradient's alone.
  Tensor jvp(Node& self, std::span<const Tensor> tangents, const Tensor&) {
    return embedding(tangents[0], index.unpack(&self), -1, false, false);
  }
  Tensor by_ops(const Tensor& g, const Tensor& at) const {
    const Tensor flat = cast(reshape(at, {-1}), DType::Int64);
    Tensor rows = reshape(g, {flat.size(0), table[1]});
    if (scaled) {
      const Tensor uses =
          index_add(zeros({table[0]}, g.dtype()), 0, flat, ones(flat.shape(), g.dtype()), Scalar(int64_t{1}));
      rows = div(rows, unsqueeze(index_select(uses, 0, flat), 1));
    }
    if (padding >= 0) rows = masked_fill(rows, unsqueeze(eq(flat, Scalar(padding)), 1), Scalar(0.0));
    return index_add(zeros(table, g.dtype()), 0, flat, rows, Scalar(int64_t{1}));
  }
};

Tensor taken(const Tensor& table, const Tensor& index) {
  const NoRecordGuard off;
  const Tensor flat = index.dim() == 1 ? index : reshape(index, {-1});
  Tensor rows;
  try {
    rows = index_select(table, 0, flat);
  } catch (const Error&) {
    fail(ErrorKind::Index, "index out of range in self");
  }
  if (index.dim() == 1) return rows;
  Dims shape = index.shape();
  shape.push_back(table.size(1));
  return rows->batch ? clone(reshape(rows, shape)) : make_window(rows, shape, contiguous_strides(shape));
}

}  // namespace

Tensor add_rows(const Tensor& rows, const Tensor& index, const Dims& table, int64_t padding, bool scaled) {
  const NoRecordGuard off;
  const Tensor dense = contiguous(rows), flat = contiguous(cast(index, DType::Int64)), out = empty(table, rows.dtype());
  Kernel<portable::AddRowsArgs> k("add_rows", portable::add_rows);
  k.args.count = flat.numel(), k.args.rows = table[0], k.args.width = table[1];
  k.args.skipped = padding >= 0 ? padding : -1;
  k.args.scaled = scaled;
  k.args.dtype = rows.dtype();
  k.reads(&portable::AddRowsArgs::index, flat.window()).reads(&portable::AddRowsArgs::rows_of, dense.window());
  launch(k.writes(&portable::AddRowsArgs::table, out.window()));
  return out;
}

Tensor embedding(const Tensor& table, const Tensor& index, int64_t padding, bool scaled, bool sparse) {
  check(table.dim() == 2, "'weight' must be 2-D");
  check(
      index.dtype() == DType::Int64 || index.dtype() == DType::Int32,
      "Expected tensor for argument #1 'indices' to have one of the following scalar types: Long, Int; but got torch.",
      scalar_type_name(index.dtype()), "Tensor instead (while checking arguments for embedding)");
  check(!sparse, ErrorKind::NotImplemented,
        "embedding: gradcore has no sparse gradients; sparse=False gives the same numbers");
  const Tensor out = taken(table, index);
  if (is_floating(table.dtype()) && should_record(table))
    record(out, {&table}, EmbeddingVjp{table.shape(), padding, scaled, Saved(index)});
  return out;
}

}  // namespace gradcore
