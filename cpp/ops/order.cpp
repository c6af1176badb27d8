#include "ops/order.h"

#include <limits>

#include "kernels/portable/select.h"
#include "kernels/portable/sort.h"
#include "ops/picked.h"
#include "ops/rows.h"

namespace gradcore {

namespace {

using portable::SortArgs;

// Of rows that repeat one element, which are in order.
void first_equal_into(const ValuesIndices& out, const Tensor& t, int d, int64_t k) {
  Dims first = t.shape(), along(t.dim(), 0);
  first[d] = k;
  along[d] = 1;
  if (out.values) copy_raw(out.values, make_window(t, first, t.strides()));
  copy_raw(out.indices, make_window(arange(Scalar(0), Scalar(k), Scalar(1), DType::Int64), first, along));
}

// The first k of each sorted row of dim `d`. `values` may be undefined.
void sort_into(const ValuesIndices& out, const Tensor& t, int d, int64_t k, bool descending) {
  if (out.indices.numel() == 0) return;
  if (t.dim() && t.stride(d) == 0) return first_equal_into(out, t, d, k);
  const Tensor in = dense_rows(t, d);
  const RowsToWrite places(out.indices, d), values = out.values ? RowsToWrite(out.values, d) : RowsToWrite();
  const int64_t n = row_length(t, d);
  Kernel<SortArgs> kernel("sort", k < n ? portable::top_k : portable::sort);
  kernel.args.rows = t.numel() / n;
  kernel.args.n = n;
  kernel.args.k = k;
  kernel.args.dtype = t.dtype();
  kernel.args.descending = descending;
  kernel.reads(&SortArgs::in, in.window()).writes(&SortArgs::places, places.window());
  if (values) kernel.writes(&SortArgs::values, values.window());
  launch(kernel);
  places.finish();
  values.finish();
}

DType signed_of(DType unsigned_type) {
  return unsigned_type == DType::UInt16 ? DType::Int16 : unsigned_type == DType::UInt32 ? DType::Int32 : DType::Int64;
}
// The other way round as well.
Tensor with_sign_bit_flipped(const Tensor& t) {
  const int bits = 8 * static_cast<int>(item_size(t.dtype()));
  return bitwise_xor(t, Scalar(std::numeric_limits<int64_t>::min() >> (64 - bits)));
}

}  // namespace

Tensor in_signed_order(const Tensor& t) {
  if (!is_wide_unsigned(t.dtype())) return t;
  return with_sign_bit_flipped(view_dtype(t, signed_of(t.dtype())));
}

ValuesIndices sort(const Tensor& t, int64_t dim, bool descending, bool asked) {
  if (is_wide_unsigned(t.dtype())) {
    const ValuesIndices r = sort(in_signed_order(t), dim, descending, asked);
    const Tensor values = view_dtype(with_sign_bit_flipped(r.values), t.dtype());
    return {make_window(values, values.shape(), values.strides()), r.indices};
  }
  const int d = wrap_dim(dim, t.dim());
  const auto compute = [&](int batch, const Tensor& x) {
    const ValuesIndices out{empty_like(x, x.dtype()), empty_like(x, DType::Int64)};
    sort_into(out, x, d + batch, row_length(x, d + batch), descending);
    return out;
  };
  const ValuesIndices r = picked_along(compute, t);
  if (is_floating(t.dtype()) && should_record(t))
    record(r.values, {&t}, PickedVjp{t.shape(), Saved(r.indices), d, {}, asked ? "SortBackward1" : "SortBackward0"});
  return r;
}

Tensor argsort(const Tensor& t, int64_t dim, bool descending) {
  if (is_wide_unsigned(t.dtype())) return argsort(in_signed_order(t), dim, descending);
  const int d = wrap_dim(dim, t.dim());
  const auto compute = [&](int batch, const Tensor& x) {
    const ValuesIndices out{{}, empty_like(x, DType::Int64)};
    sort_into(out, x, d + batch, row_length(x, d + batch), descending);
    return out.indices;
  };
  return batched_along(compute, t);
}

ValuesIndices topk(const Tensor& t, int64_t k, int64_t dim, bool largest) {
  const int d = wrap_dim(dim, t.dim());
  check(t.dtype() != DType::Bool, "topk does not support bool dtypes on CPU");
  check(k >= 0 && k <= row_length(t, d), "selected index k out of range");
  const int64_t count = t.dim() ? k : 1;  // torch gives the one element of a tensor without dims for k = 0 as well
  const auto compute = [&](int batch, const Tensor& x) {
    Dims shape = x.shape();
    if (x.dim()) shape[d + batch] = count;
    const ValuesIndices out{empty(shape, x.dtype()), empty(shape, DType::Int64)};
    sort_into(out, x, d + batch, count, largest);
    return out;
  };
  const ValuesIndices r = picked_along(compute, t);
  if (is_floating(t.dtype()) && should_record(t))
    record(r.values, {&t}, PickedVjp{t.shape(), Saved(r.indices), d, {}, "TopkBackward0"});
  return r;
}

// ---- one element of each row

namespace {

using portable::SelectArgs;
using SelectKernel = void (*)(const SelectArgs&);

// What a selection is called, in words and on the tape.
struct Selection {
  const char* name;
  const char* node;
  SelectKernel kernel;
  const char* without_bools = nullptr;  // what torch says is not implemented for them
};

ValuesIndices select_rows(const Selection& s, const Tensor& t, int d, bool keepdim, int64_t k) {
  Dims kept = t.shape();
  if (t.dim()) kept[d] = 1;
  const ValuesIndices out{empty(kept, t.dtype()), empty(kept, DType::Int64)};
  if (out.values.numel()) {
    const Tensor in = dense_rows(t, d);
    const RowsToWrite values(out.values, d), places(out.indices, d);
    Kernel<SelectArgs> kernel(s.name, s.kernel);
    kernel.args.rows = out.values.numel();
    kernel.args.n = row_length(t, d);
    kernel.args.k = k;
    kernel.args.dtype = t.dtype();
    kernel.reads(&SelectArgs::in, in.window()).writes(&SelectArgs::values, values.window());
    launch(kernel.writes(&SelectArgs::places, places.window()));
    values.finish();
    places.finish();
  }
  if (keepdim || t.dim() == 0) return out;
  kept.erase(d);
  const auto without = [&](const Tensor& r) { return make_window(r, kept, contiguous_strides(kept)); };
  return {without(out.values), without(out.indices)};
}

void check_selection(const Selection& s, const Tensor& t, int d) {
  check(row_length(t, d) != 0, ErrorKind::Index, s.name, "(): Expected reduction dim ", d, " to have non-zero size.");
  if (t.dtype() == DType::Bool && s.without_bools)
    fail(ErrorKind::NotImplemented, "\"", s.without_bools, "\" not implemented for 'Bool'");
}

ValuesIndices selected(const Selection& s, const Tensor& t, int64_t dim, bool keepdim, int64_t k = 0) {
  const int d = wrap_dim(dim, t.dim());
  check_selection(s, t, d);
  const ValuesIndices r =
      picked_along([&](int batch, const Tensor& x) { return select_rows(s, x, d + batch, keepdim, k); }, t);
  if (is_floating(t.dtype()) && should_record(t))
    record(r.values, {&t}, PickedVjp{t.shape(), Saved(r.indices), d, keepdim, s.node});
  return r;
}

// Of all elements: all that equal it share its gradient.
struct MiddleVjp {
  Saved x, y;
  const char* node;
  const char* name() const { return node; }
  SavedFields fields() { return {{"self", &x}, {"result", &y}}; }
  void vjp(Node& self, std::span<Tensor> g, std::span<Tensor> out) {
    const Tensor v = x.unpack(&self), middle = y.unpack(&self);
    const Tensor share = cast(logical_or(eq(v, middle), logical_and(isnan(v), isnan(middle))), v.dtype());
    out[0] = mul(g[0], div(share, sum(share)));
  }
  auto saves() { return std::tie(x, y); }
};

Tensor middle(const Selection& s, const Tensor& t) {
  const auto compute = [&](int batch, const Tensor& x) {
    Dims flat(x.shape().span().first(static_cast<size_t>(batch)));
    if (t.numel() == 0)
      return cast(full(flat, Scalar(std::numeric_limits<double>::quiet_NaN()), DType::Float64), t.dtype());
    flat.push_back(t.numel());
    return select_rows(s, reshape(x, flat), batch, false, 0).values;
  };
  if (t.dtype() == DType::Bool && t.numel())
    fail(ErrorKind::NotImplemented, "\"median_cpu\" not implemented for 'Bool'");
  const Tensor out = batched_in_front(compute, t);
  if (is_floating(t.dtype()) && should_record(t)) record(out, {&t}, MiddleVjp{Saved(t), Saved::output(out), s.node});
  return out;
}

}  // namespace

ValuesIndices kthvalue(const Tensor& t, int64_t k, int64_t dim, bool keepdim) {
  const Selection s{"kthvalue", "KthvalueBackward0", portable::kth, t.dim() ? "kthvalue_cpu" : nullptr};
  const int d = wrap_dim(dim, t.dim());
  check_selection(s, t, d);
  check(k >= 1 && k <= row_length(t, d), "kthvalue(): selected number k out of range for dimension ", d);
  return selected(s, t, dim, keepdim, k - 1);
}
ValuesIndices median(const Tensor& t, int64_t dim, bool keepdim) {
  return selected({"median", "MedianBackward1", portable::median, "median_out"}, t, dim, keepdim);
}
ValuesIndices nanmedian(const Tensor& t, int64_t dim, bool keepdim) {
  return selected({"nanmedian", "NanmedianBackward1", portable::nanmedian, "median_out"}, t, dim, keepdim);
}
ValuesIndices mode(const Tensor& t, int64_t dim, bool keepdim) {
  return selected({"mode", "ModeBackward0", portable::mode}, t, dim, keepdim);
}
Tensor median(const Tensor& t) { return middle({"median", "MedianBackward0", portable::median}, t); }
Tensor nanmedian(const Tensor& t) { return middle({"nanmedian", "NanmedianBackward0", portable::nanmedian}, t); }

}  // namespace gradcore
