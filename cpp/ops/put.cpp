#include "ops/put.h"

#include "ops/indexing.h"

namespace gradcore {

namespace {

Tensor in_a_row(const Tensor& t) { return reshape(t, Dims{t.numel()}); }

struct TakeVjp {
  static constexpr const char* kName = "TakeBackward0";
  Dims shape;
  Saved index;
  SavedFields fields() { return {{"index", &index}, {"self_sym_sizes", shape}}; }
  void vjp(Node& self, std::span<Tensor> g, std::span<Tensor> out) {
    const Tensor at = index.unpack(&self);
    out[0] = put(full_batched(levels_of({&g[0], &at}), shape, 0, g[0].dtype()), at, g[0], true);
  }
  auto saves() { return std::tie(index); }
};

struct PutVjp {
  static constexpr const char* kName = "PutBackward0";
  bool accumulate;
  Dims source_shape;
  Saved index, source;  // the latter for viewers of graphs alone
  SavedFields fields() { return {{"index", &index}, {"accumulate", accumulate}, {"source", &source}}; }
  void vjp(Node& self, std::span<Tensor> g, std::span<Tensor> out) {
    const Tensor at = index.unpack(&self);
    if (self.needs(0)) out[0] = accumulate ? g[0] : put(g[0], at, zeros(at.shape(), g[0].dtype()), false);
    if (self.needs(1)) out[1] = reshape(take(g[0], at), source_shape);
  }
  // Not the transpose, as for index_put_: of several values for one place the last stays.
  Tensor jvp(Node& self, std::span<const Tensor> tangents, const Tensor& out) {
    const Tensor at = index.unpack(&self);
    const Tensor values = tangents[1] ? tangents[1] : zeros(source_shape, out.dtype());
    return put(tangents[0] ? tangents[0] : zeros_like(out), at, values, accumulate);
  }
  auto saves() { return std::tie(index, source); }
};

void check_put(const Tensor& t, const Tensor& index, const Tensor& source) {
  check(index.dtype() == DType::Int64, "put_(): Expected a long tensor for index, but got ",
        scalar_type_name(index.dtype()));
  check(t.dtype() == source.dtype(),
        "put_(): self and source expected to have the same dtype, but got self.dtype = ", scalar_type_name(t.dtype()),
        " and source.dtype = ", scalar_type_name(source.dtype()));
  check(source.numel() == index.numel(), ErrorKind::Index,
        "put_(): Expected source and index to have the same number of elements, but got source.numel() = ",
        source.numel(), ", index.numel() = ", index.numel());
  check(t.numel() > 0 || index.numel() == 0, ErrorKind::Index, "put_(): tried to put elements into an empty tensor");
}

// put() without checks of types, and without history.
void put_into(const Tensor& t, const Tensor& index, const Tensor& source, bool accumulate) {
  const NoRecordGuard off;
  if (index.numel() == 0) return;
  const Tensor row = in_a_row(t.is_contiguous() ? alias_of(t) : clone(t, true));
  const Tensor at[] = {in_a_row(index)};
  put(row, at, in_a_row(apart_from(source, t)), accumulate ? Put::Add : Put::Assign);
  if (!t.is_contiguous()) copy_raw(t, reshape(row, t.shape()));
}

Ref<Node> put_node(const Tensor& t, const Tensor& index, const Tensor& source, bool accumulate) {
  if (!is_floating(t.dtype()) || !should_record(t, source)) return {};
  return make_node({&t, &source}, PutVjp{accumulate, source.shape(), Saved(index), Saved(source)});
}

}  // namespace

Tensor take(const Tensor& t, const Tensor& index) {
  check(index.dtype() == DType::Int64, "take(): Expected a long tensor for index, but got ",
        scalar_type_name(index.dtype()));
  check(t.numel() > 0 || index.numel() == 0, ErrorKind::Index, "take(): tried to take from an empty tensor");
  Tensor out;
  {
    const NoRecordGuard off;
    const Tensor at[] = {in_a_row(index)};
    out = alias_of(reshape(gradcore::index(in_a_row(contiguous(t)), at), index.shape()));
  }
  if (should_record(t)) record(out, {&t}, TakeVjp{t.shape(), Saved(index)});
  return out;
}

void put_(const Tensor& t, const Tensor& index, const Tensor& source, bool accumulate) {
  const auto check = [&] {
    check_inplace(t, needs_history(t, source));
    check_put(t, index, source);
  };
  write_in_place(
      t, check, [&] { return put_node(t, index, source, accumulate); },
      [&](const Tensor& to) { put_into(to, index, source, accumulate); });
}
Tensor put(const Tensor& t, const Tensor& index, const Tensor& source, bool accumulate) {
  check_put(t, index, source);
  return write_to_copy(
      t, levels_of({&t, &index, &source}), false, [&] { return put_node(t, index, source, accumulate); },
      [&](const Tensor& to) { put_into(to, index, source, accumulate); });
}

Tensor take_along_dim(const Tensor& t, const Tensor& indices, std::optional<int64_t> dim) {
  check(indices.dtype() == DType::Int64 || (!dim && indices.numel() == 0),
        "torch.take_along_dim(): dtype of indices should be Long but got ", scalar_type_name(indices.dtype()));
  if (!dim) return gather(in_a_row(t), 0, in_a_row(indices));
  check(t.dim() == indices.dim(),
        "torch.take_along_dim(): input and indices should have the same number of dimensions, but got ", t.dim(),
        " dimensions for input, and ", indices.dim(), " dimensions for indices");
  const int d = wrap_dim(*dim, t.dim());
  Dims of_t = t.shape(), of_indices = indices.shape();
  if (t.dim() > 0) {
    of_t[d] = 1;
    of_indices[d] = 1;
  }
  Dims shape = broadcast_shapes(of_t, of_indices);
  const auto expanded = [&](const Tensor& x) {
    if (x.dim() == 0) return x;
    shape[d] = x.size(d);
    return x.shape() == shape ? x : expand(x, shape);
  };
  const Tensor from = expanded(t);
  const Scalar size = t.dim() ? t.size(d) : 1;
  return gather(from, d, expanded(remainder(indices, size)));  // counted around the dim, as torch does
}

// ---- masked_scatter

namespace {

struct MaskedScatterVjp {
  static constexpr const char* kName = "MaskedScatterBackward0";
  Dims shape, source_shape;
  Saved mask;
  SavedFields fields() { return {{"mask", &mask}, {"source_sym_sizes", source_shape}}; }
  void vjp(Node& self, std::span<Tensor> g, std::span<Tensor> out) {
    const Tensor where_true = mask.unpack(&self);
    if (self.needs(0)) out[0] = masked_fill(g[0], where_true, Scalar(0));
    if (!self.needs(1)) return;
    const Tensor picked = masked_select(g[0], where_true);
    const Tensor parts[] = {picked, zeros(Dims{numel_of(source_shape) - picked.size(0)}, g[0].dtype())};
    out[1] = reshape(cat(parts, 0), source_shape);
  }
  auto saves() { return std::tie(mask); }
};

void check_masked_scatter(const Tensor& t, const Tensor& mask, const Tensor& source) {
  check(t.dtype() == source.dtype(), "masked_scatter: expected self and source to have same dtypes but got ",
        scalar_type_name(t.dtype()), " and ", scalar_type_name(source.dtype()));
  check(mask.dtype() == DType::Bool, "masked_scatter_ only supports boolean masks, but got mask with dtype ",
        scalar_type_name(mask.dtype()));
}

void scatter_masked(const Tensor& t, const Tensor& mask, const Tensor& source) {
  const NoRecordGuard off;
  const Tensor whole = contiguous(expand(mask, t.shape()));
  const int64_t count = true_elements(whole).count;
  check(source.numel() >= count, "Number of elements of source < number of ones in mask");
  if (count == 0) return;
  const Tensor values = narrow(in_a_row(contiguous(apart_from(source, t))), 0, 0, count);
  if (t.dim() == 0) return copy_raw(t, reshape(values, Dims()));
  const Tensor at[] = {whole};
  put(t, at, values, Put::Assign);
}

// With a mask that vmap maps: each place takes the element whose number is that of the trues before it.
Tensor scatter_by_rank(const Tensor& t, const Tensor& mask, const Tensor& source) {
  const Dims shape = broadcast_shapes(t.shape(), mask.shape());
  const Tensor whole = expand(mask, shape);
  const Tensor upto = cumsum(reshape(whole, Dims{-1}), 0, DType::Int64);
  {
    const NoRecordGuard off;
    const Tensor counts = physical(upto);
    const int64_t most = counts.numel() ? *max(counts).host<int64_t>() : 0;
    check(source.numel() >= most, "Number of elements of source < number of ones in mask");
    if (most == 0) return clone(expand(t, shape));
  }
  const Tensor places = clamp_min(sub(upto, Scalar(int64_t{1})), Scalar(int64_t{0}));
  return where(whole, reshape(gather(reshape(source, Dims{-1}), 0, places), shape), expand(t, shape));
}

Ref<Node> masked_scatter_node(const Tensor& t, const Tensor& mask, const Tensor& source) {
  if (!is_floating(t.dtype()) || !should_record(t, source)) return {};
  return make_node({&t, &source}, MaskedScatterVjp{t.shape(), source.shape(), Saved(mask)});
}

}  // namespace

void masked_scatter_(const Tensor& t, const Tensor& mask, const Tensor& source) {
  if (any_batched(mask)) {
    check_masked_scatter(t, mask, source);
    return copy_(t, scatter_by_rank(t, mask, source));
  }
  const auto check = [&] {
    check_inplace(t, needs_history(t, source));
    check_masked_scatter(t, mask, source);
  };
  write_in_place(
      t, check, [&] { return masked_scatter_node(t, mask, source); },
      [&](const Tensor& to) { scatter_masked(to, mask, source); });
}
Tensor masked_scatter(const Tensor& t, const Tensor& mask, const Tensor& source) {
  check_masked_scatter(t, mask, source);
  if (any_batched(mask)) return scatter_by_rank(t, mask, source);
  const Dims shape = broadcast_shapes(t.shape(), mask.shape());
  const Tensor wide = t.shape() == shape ? t : expand(t, shape);
  const Tensor whole = mask.shape() == shape ? mask : expand(mask, shape);
  return write_to_copy(
      wide, levels_of({&wide, &whole, &source}), true, [&] { return masked_scatter_node(wide, whole, source); },
      [&](const Tensor& to) { scatter_masked(to, whole, source); });
}

}  // namespace gradcore
