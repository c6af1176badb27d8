// Ops with a list of indices along one dim: index_select, index_add, index_copy, index_fill. In a batch they are
// advanced indexing with one index.
#include <vector>

#include "kernels/portable/rows.h"
#include "ops/index.h"
#include "ops/indexing.h"
#include "tensor/door.h"

namespace gradcore {

namespace {

struct IndexSelectVjp {
  static constexpr const char* kName = "IndexSelectBackward0";
  Dims shape;
  int64_t dim;
  Saved index;
  SavedFields fields() { return {{"index", &index}, {"dim", dim}, {"self_sym_sizes", shape}}; }
  void vjp(Node& self, std::span<Tensor> g, std::span<Tensor> out) {
    out[0] = full_batched(levels_of({&g[0]}), shape, 0, g[0].dtype());
    index_add_(out[0], dim, index.unpack(&self), g[0], 1);
  }
  auto saves() { return std::tie(index); }
};

struct IndexAddVjp {
  static constexpr const char* kName = "IndexAddBackward0";
  Dims source_shape;
  int64_t dim;
  Scalar alpha;
  Saved index;  // for the source's gradient alone
  IndexAddVjp(const Tensor& source, int64_t d, const Scalar& factor, const Tensor& at)
      : source_shape(source.shape()), dim(d), alpha(factor) {
    if (should_record(source)) index = Saved(at);
  }
  SavedFields fields() {
    return {{"index", &index}, {"dim", dim}, {"alpha", alpha}, {"source_dim", source_shape.size()}};
  }
  void vjp(Node& self, std::span<Tensor> g, std::span<Tensor> out) {
    if (self.needs(0)) out[0] = g[0];
    if (!self.needs(1)) return;
    Tensor r = index_select(g[0], dim, index.unpack(&self));
    if (r.shape() != source_shape) r = reshape(r, source_shape);
    out[1] = alpha.to_double() == 1 ? r : mul(r, alpha);
  }
  auto saves() { return std::tie(index); }
};

// index_copy and index_fill: what was overwritten has no gradient.
enum class IndexWrite : uint8_t { Copy, FillNumber, FillTensor };
struct IndexWriteVjp {
  IndexWrite kind;
  int64_t dim;
  Dims source_shape;
  Saved index;
  const char* name() const {
    static constexpr const char* kNames[] = {"IndexCopyBackward0", "IndexFillBackward0", "IndexFillBackward1"};
    return kNames[static_cast<int>(kind)];
  }
  SavedFields fields() {
    SavedFields f{{"index", &index}, {"dim", dim}};
    if (kind == IndexWrite::Copy) f.push_back({"source_dim", source_shape.size()});
    return f;
  }
  void vjp(Node& self, std::span<Tensor> g, std::span<Tensor> out) {
    const Tensor at = index.unpack(&self);
    if (self.needs(0)) out[0] = index_fill(g[0], dim, at, Scalar(0));
    if (kind == IndexWrite::FillNumber || !self.needs(1)) return;
    if (kind == IndexWrite::Copy) {
      out[1] = reshape(index_select(g[0], dim, at), source_shape);
      return;
    }
    // The places written to, each once however often it was.
    const Tensor kept = index_fill(full_like(g[0], 1, DType::Bool), dim, at, Scalar(0));
    out[1] = sum(masked_fill(g[0], kept, Scalar(0)));
  }
  auto saves() { return std::tie(index); }
};

// A tensor without dims as one with a single dim.
Tensor with_dim(const Tensor& t) { return t.dim() ? t : unsqueeze(t, 0); }

// A list of indices with just one, which stands for dim `d`.
std::vector<Tensor> at_dim(int d, const Tensor& index) {
  std::vector<Tensor> list(static_cast<size_t>(d) + 1);
  list.back() = with_dim(index);
  return list;
}

Tensor scaled(const Tensor& t, const Scalar& alpha) {
  if (alpha.to_double() == 1) return t;
  if (is_floating(t.dtype())) return mul(t, alpha);
  if (t.dtype() == DType::Bool) return alpha.is_zero() ? zeros(t.shape(), DType::Bool) : t;
  check_fits(alpha, t.dtype());
  return mul(t, Scalar(alpha.to_int()));
}

void check_index_add(const Tensor& t, int d, const Tensor& index, const Tensor& src) {
  if (index.dim() > 1)
    fail(ErrorKind::Index, "index_add_(): Index is supposed to be a vector, but got dim: ", index.dim(),
         " with type: ", scalar_type_name(index.dtype()), " and size: ", index.shape());
  check(is_index_dtype(index),
        "index_add_(): Expected dtype int32/int64 for index but got: ", scalar_type_name(index.dtype()));
  if (src.dtype() != t.dtype())
    fail("index_add_(): self (", scalar_type_name(t.dtype()), ") and source (", scalar_type_name(src.dtype()),
         ") must have the same scalar type");
  if (src.dim() == t.dim() && index.numel() != size_along(src, d))
    fail("index_add_(): Number of indices (", index.numel(), ") should be equal to source.size(dim): (",
         size_along(src, d), "), for dim: ", d);
  bool alike = src.dim() == t.dim();
  for (int i = 0; alike && i < t.dim(); ++i) alike = i == d || src.size(i) == t.size(i);
  if (!alike)
    fail(
        "source tensor shape must match self tensor shape, excluding the specified dimension. Got self.shape "
        "= ",
        t.shape(), " source.shape = ", src.shape());
}

// index_add_ without checks of shapes and types, and without history.
void add_along(const Tensor& t, int d, const Tensor& index, const Tensor& src, const Scalar& alpha) {
  const NoRecordGuard off;
  if (any_batched(t, index, src)) return put(with_dim(t), at_dim(d, index), with_dim(scaled(src, alpha)), Put::Add);
  // torch takes two ways here, with an error of its own on each.
  const bool named = t.dim() > 1 && (d == 0 || d == t.dim() - 1) && alpha.to_double() == 1;
  const Tensor offsets = offsets_from(index, size_along(t, d), stride_along(t, d), false,
                                      named ? ErrorKind::Runtime : ErrorKind::Index, named ? d : -1);
  put(t, plan_along(t, d, offsets), dense(scaled(apart_from(src, t), alpha)), false, Put::Add);
}

Ref<Node> index_add_node(const Tensor& t, int d, const Tensor& index, const Tensor& src, const Scalar& alpha) {
  if (!is_floating(t.dtype()) || !should_record(t, src)) return {};
  return make_node({&t, &src}, IndexAddVjp(src, d, alpha, index));
}

bool same_but_for(const Tensor& a, const Tensor& b, int dim) {
  for (int i = 0; i < b.dim(); ++i)
    if (i != dim && a.size(i) != b.size(i)) return false;
  return true;
}

// Of index_copy_ and index_fill_.
void check_index_write(const Tensor& t, int d, const Tensor& index, const Tensor& src, IndexWrite kind_of_write) {
  const bool fill = kind_of_write != IndexWrite::Copy;
  const char* op = fill ? "index_fill_" : "index_copy_";
  const ErrorKind kind = fill ? ErrorKind::Runtime : ErrorKind::Index;
  check(index.dim() <= 1, kind, op, "(): Index should have dimension 1 or 0 (got ", index.dim(), ")");
  check(index.dtype() == DType::Int64, fill ? ErrorKind::Index : ErrorKind::Runtime, op,
        "(): Expected a long tensor for index, but got ", scalar_type_name(index.dtype()));
  if (fill) return;
  check(src.dtype() == t.dtype(), op, "(): self and source expected to have the same dtype, but got (self) ",
        scalar_type_name(t.dtype()), " and (source) ", scalar_type_name(src.dtype()));
  const bool alike = src.dim() == t.dim() || src.dim() == 0 || t.dim() == 0;
  const bool same_slices = !alike || src.dim() == 0 || t.dim() == 0 || same_but_for(src, t, d);
  check(same_slices, op, "(): Source/destination tensor must have same slice shapes, got ", src.shape(),
        " for a tensor of shape ", t.shape(), " at dimension ", d);
  check(alike && index.numel() == size_along(src, src.dim() ? d : 0), kind, op, "(): Number of indices (",
        index.numel(), ") and source of shape ", src.shape(), " do not fit a tensor of shape ", t.shape());
  check(src.dim() || t.numel() == size_along(t, d), op,
        "(): Source/destination tensor must have same slice shapes, got a scalar for a tensor of shape ", t.shape());
}

// index_copy_ and index_fill_ without those checks, and without history. Only the latter counts from the end as well.
void write_along(const Tensor& t, int d, const Tensor& index, const Tensor& src, IndexWrite kind) {
  const NoRecordGuard off;
  if (any_batched(t, index, src)) return put(with_dim(t), at_dim(d, index), src, Put::Assign);
  const Tensor offsets =
      offsets_from(index, size_along(t, d), stride_along(t, d), kind != IndexWrite::Copy, ErrorKind::Index, d);
  put(t, plan_along(t, d, offsets), dense(apart_from(src, t)), src.numel() == 1, Put::Assign);
}

Ref<Node> index_write_node(const Tensor& t, int d, const Tensor& index, const Tensor& src, IndexWrite kind) {
  if (!is_floating(t.dtype()) || !should_record(t, src)) return {};
  IndexWriteVjp vjp{kind, d, src.shape(), Saved(index)};
  return kind == IndexWrite::FillNumber ? make_node({&t}, std::move(vjp)) : make_node({&t, &src}, std::move(vjp));
}

void index_write_(const Tensor& t, int64_t dim, const Tensor& index, const Tensor& src, IndexWrite kind) {
  int d = 0;
  const auto check = [&] {
    d = wrap_dim(dim, t.dim());
    check_inplace(t, needs_history(t, src), kind != IndexWrite::Copy);
    check_index_write(t, d, index, src, kind);
  };
  write_in_place(
      t, check, [&] { return index_write_node(t, d, index, src, kind); },
      [&](const Tensor& to) { write_along(to, d, index, src, kind); });
}

Tensor index_write(const Tensor& t, int64_t dim, const Tensor& index, const Tensor& src, IndexWrite kind) {
  const int d = wrap_dim(dim, t.dim());
  check_index_write(t, d, index, src, kind);
  return write_to_copy(
      t, levels_of({&t, &index, &src}), kind == IndexWrite::Copy,
      [&] { return index_write_node(t, d, index, src, kind); },
      [&](const Tensor& to) { write_along(to, d, index, src, kind); });
}

IndexWrite fill_by(const Operand& value) { return value.is_tensor() ? IndexWrite::FillTensor : IndexWrite::FillNumber; }
Tensor fill_value(const Tensor& t, const Operand& value) {
  if (!value.is_tensor()) {
    check_fits(value.scalar, t.dtype());
    return scalar_tensor(value.scalar, t.dtype());
  }
  check(value.tensor->dim() == 0, "index_fill_ only supports a 0-dimensional value tensor, but got tensor with ",
        value.tensor->dim(), " dimension(s).");
  return cast(*value.tensor, t.dtype());
}

int64_t bytes_of_row(const Tensor& t) { return t.numel() / t.size(0) * item_size(t.dtype()); }
// Dense rows that are worth a copy each.
bool has_long_rows(const Tensor& t) {
  return t.dim() > 1 && t.numel() > 0 && t.is_contiguous() && bytes_of_row(t) >= 16;
}
void take_rows(const Tensor& out, const Tensor& t, const Tensor& index) {
  using Args = portable::TakeRowsArgs;
  Kernel<Args> k("take_rows", portable::take_rows);
  k.args.count = index.numel(), k.args.rows = t.size(0), k.args.bytes = bytes_of_row(t);
  k.reads(&Args::index, index.window()).reads(&Args::table, t.window()).writes(&Args::out, out.window());
  launch(k.may_raise());
}

}  // namespace

Tensor index_select(const Tensor& t, int64_t dim, const Tensor& index) {
  const int d = wrap_dim(dim, t.dim());
  check(index.dim() <= 1, ErrorKind::Index, "index_select(): Index is supposed to be a vector");
  if (any_batched(t, index)) {
    const Tensor out = gradcore::index(with_dim(t), at_dim(d, index));
    return t.dim() ? out : squeeze(out, Dims{0});
  }
  check(is_index_dtype(index), "index_select(): Expected dtype int32 or int64 for index");
  if (t.dim() == 0)
    check(index.numel() == 1, "index_select(): Index to scalar can have only 1 value, got ", index.numel(),
          " value(s)");
  const int64_t size = size_along(t, d);
  check(size > 0 || index.numel() == 0, "index_select(): self indexing axis dim should be positive");
  Dims shape = t.shape();
  if (t.dim() > 0) shape[d] = index.numel();
  const Tensor out = empty(shape, t.dtype());
  if (d == 0 && has_long_rows(t) && index.dtype() == DType::Int64 && index.is_contiguous())
    take_rows(out, t, index);
  else
    take(out, t, plan_along(t, d, offsets_from(index, size, stride_along(t, d), false, ErrorKind::Index, -1)));
  if (should_record(t)) record(out, {&t}, IndexSelectVjp{t.shape(), d, Saved(index)});
  return out;
}

void index_add_(const Tensor& t, int64_t dim, const Tensor& index, const Tensor& src, const Scalar& alpha) {
  int d = 0;
  const auto check = [&] {
    check_inplace(t, needs_history(t, src));
    d = wrap_dim(dim, t.dim());
    check_index_add(t, d, index, src);
  };
  write_in_place(
      t, check, [&] { return index_add_node(t, d, index, src, alpha); },
      [&](const Tensor& to) { add_along(to, d, index, src, alpha); });
}
Tensor index_add(const Tensor& t, int64_t dim, const Tensor& index, const Tensor& src, const Scalar& alpha) {
  const int d = wrap_dim(dim, t.dim());
  check_index_add(t, d, index, src);
  return write_to_copy(
      t, levels_of({&t, &index, &src}), true, [&] { return index_add_node(t, d, index, src, alpha); },
      [&](const Tensor& to) { add_along(to, d, index, src, alpha); });
}

void index_copy_(const Tensor& t, int64_t dim, const Tensor& index, const Tensor& src) {
  index_write_(t, dim, index, src, IndexWrite::Copy);
}
Tensor index_copy(const Tensor& t, int64_t dim, const Tensor& index, const Tensor& src) {
  return index_write(t, dim, index, src, IndexWrite::Copy);
}
void index_fill_(const Tensor& t, int64_t dim, const Tensor& index, const Operand& value) {
  if (overlaps_itself(t)) [[unlikely]]
    warn_of_filling_expanded("index_fill_");
  index_write_(t, dim, index, fill_value(t, value), fill_by(value));
}
Tensor index_fill(const Tensor& t, int64_t dim, const Tensor& index, const Operand& value) {
  return index_write(t, dim, index, fill_value(t, value), fill_by(value));
}

}  // namespace gradcore
