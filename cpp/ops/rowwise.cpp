// Ops along one dim that keep its length: softmax, log_softmax, cumulative sums, products and extremes.
#include "ops/picked.h"
#include "ops/rearrange.h"
#include "ops/recurrence.h"
#include "ops/scan.h"
#include "tensor/door.h"

namespace gradcore {

namespace {

Kernel<RowArgs> rows_kernel(RowOp op, const Tensor& in, const Tensor& out, int dim) {
  Kernel<RowArgs> k("rows", kernels().scan[op][in.dtype()]);
  k.reads(&RowArgs::in, in.window()).writes(&RowArgs::out, out.window());
  k.args.outer = k.args.inner = 1;
  k.args.n = in.dim() ? in.size(dim) : 1;
  for (int i = 0; i < in.dim(); ++i) {
    if (i < dim) k.args.outer *= in.size(i);
    if (i > dim) k.args.inner *= in.size(i);
  }
  return k;
}

// What a kernel reads: `in`, or its elements in their order, copied to where the results go. All kernels may work in
// place.
Tensor in_order(const Tensor& in, const Tensor& out) {
  if (in.is_contiguous()) return in;
  copy_raw(out, in);
  return out;
}

Tensor run(RowOp op, const Tensor& in, const Tensor& in2, int dim) {
  if (any_batched(in, in2))
    return batch_to_front_along({&in, &in2}, [&](auto p, int n) { return run(op, p[0], p[1], dim + n); });
  const Tensor out = empty(in.shape(), in.dtype()), b = in2 ? contiguous(in2) : Tensor();
  if (in.numel() == 0) return out;
  Kernel<RowArgs> k = rows_kernel(op, in_order(in, out), out, dim);
  if (b) k.reads(&RowArgs::in2, b.window());
  launch(k);
  return out;
}

ValuesIndices run_extreme(RowOp op, const Tensor& t, int dim) {
  const ValuesIndices r{empty(t.shape(), t.dtype()), empty(t.shape(), DType::Int64)};
  if (t.numel() == 0) return r;
  Kernel<RowArgs> k = rows_kernel(op, in_order(t, r.values), r.values, dim);
  launch(k.writes(&RowArgs::index, r.indices.window()));
  return r;
}

Tensor run_quietly(RowOp op, const Tensor& in, const Tensor& in2, int dim) {
  const NoRecordGuard off;
  return run(op, in, in2, dim);
}

Tensor along(const Tensor& t, int dim) { return t.dim() ? sum(t, Dims{dim}, true) : t; }

struct SoftmaxVjp {
  static constexpr const char* kName = "SoftmaxBackward0";
  Saved y;
  int dim;
  SavedFields fields() { return {{"result", &y}, {"dim", dim}}; }
  void vjp(Node& self, std::span<Tensor> g, std::span<Tensor> out) {
    const Tensor v = y.unpack(&self);
    if (!modes.tracking()) {
      out[0] = run(RowOp::SoftmaxBackward, g[0], v, dim);
      return;
    }
    const Tensor weighted = mul(g[0], v);
    out[0] = sub(weighted, mul(v, along(weighted, dim)));
  }
  auto saves() { return std::tie(y); }
};

struct LogSoftmaxVjp {
  static constexpr const char* kName = "LogSoftmaxBackward0";
  Saved y;
  int dim;
  SavedFields fields() { return {{"result", &y}, {"dim", dim}}; }
  void vjp(Node& self, std::span<Tensor> g, std::span<Tensor> out) {
    const Tensor v = y.unpack(&self);
    out[0] = modes.tracking() ? recorded(g[0], v) : run(RowOp::LogSoftmaxBackward, g[0], v, dim);
  }
  // g - p sum(g), as the kernel does it: Note [Nearly all of the mass].
  Tensor recorded(const Tensor& g, const Tensor& v) const {
    const Tensor p = exp(v), heavy = gt(p, Scalar(0.75)), total = along(g, dim);
    const auto of_others = [&](const Tensor& t) { return along(masked_fill(t, heavy, Scalar(0.0)), dim); };
    return where(heavy, sub(mul(total, of_others(p)), of_others(g)), sub(g, mul(p, total)));
  }
  auto saves() { return std::tie(y); }
};

// The sum of everything from an element on.
Tensor sum_from_here(const Tensor& g, int dim) {
  if (g.dim() == 0) return g;
  return flip(cumsum(flip(g, Dims{dim}), dim, {}), Dims{dim});
}

struct CumsumVjp {
  static constexpr const char* kName = "CumsumBackward0";
  int dim;
  SavedFields fields() { return {{"dim", dim}}; }
  void vjp(Node&, std::span<Tensor> g, std::span<Tensor> out) { out[0] = sum_from_here(g[0], dim); }
};

// The gradient of x[i] is the product before it, times the sum over k >= i of g[k] x[i + 1] ... x[k]. Nothing is
// divided by x, which may be zero.
struct CumprodVjp {
  static constexpr const char* kName = "CumprodBackward0";
  Saved x, y;
  int dim;
  SavedFields fields() { return {{"self", &x}, {"result", &y}, {"dim", dim}}; }
  void vjp(Node& self, std::span<Tensor> g, std::span<Tensor> out) {
    const Tensor v = x.unpack(&self), p = y.unpack(&self);
    if (v.dim() == 0 || v.numel() == 0) {
      out[0] = g[0];
      return;
    }
    out[0] = mul(delayed(p, dim, 1), recurrence_from_end(g[0], v, dim));
  }
  auto saves() { return std::tie(x, y); }
};

// torch keeps the input, although its shape would do.
struct CumExtremeVjp {
  const char* node;
  Saved x, index;
  int dim;
  const char* name() const { return node; }
  SavedFields fields() { return {{"self", &x}, {"indices", &index}, {"dim", dim}}; }
  void vjp(Node& self, std::span<Tensor> g, std::span<Tensor> out) {
    const Tensor v = x.unpack(&self), at = index.unpack(&self);
    if (v.numel() == 0) {
      out[0] = v;  // as torch does: it requires grad
      return;
    }
    out[0] = v.dim() ? scatter_add(zeros_like(v), dim, at, g[0]) : g[0];
  }
  auto saves() { return std::tie(x, index); }
};

ValuesIndices cumulative_extreme(RowOp op, const Tensor& t, int64_t dim, const char* node) {
  const int d = wrap_dim(dim, t.dim());
  const ValuesIndices r = picked_along([&](int batch, const Tensor& x) { return run_extreme(op, x, d + batch); }, t);
  if (is_floating(t.dtype()) && should_record(t))
    record(r.values, {&t}, CumExtremeVjp{node, Saved(t), Saved(r.indices), d});
  return r;
}

Tensor floating(const Tensor& t, const MaybeDType& dtype, const char* name) {
  const DType type = dtype.value_or(t.dtype());
  if (!is_floating(type))
    fail(ErrorKind::NotImplemented, "\"", name, "\" not implemented for '", scalar_type_name(type), "'");
  return t.dtype() == type ? t : cast(t, type);
}

// Integers accumulate in int64.
Tensor accumulating(const Tensor& t, const MaybeDType& dtype) {
  const DType type = dtype.value_or(is_floating(t.dtype()) ? t.dtype() : DType::Int64);
  return t.dtype() == type ? t : cast(t, type);
}

// The kernels know float and int64; other integer types are computed there and converted.
Tensor cumulative(RowOp op, const Tensor& x, int dim) {
  const NoRecordGuard off;
  if ((x.dtype() == DType::Bool || is_wide_unsigned(x.dtype())) && x.dim() && x.numel())
    fail(ErrorKind::NotImplemented, op == RowOp::CumSum ? "\"cumsum_out_cpu\"" : "\"cumprod_out_cpu\"",
         " not implemented for '", scalar_type_name(x.dtype()), "'");
  if (is_floating(x.dtype()) || x.dtype() == DType::Int64) return run(op, x, {}, dim);
  return cast(run(op, cast(x, DType::Int64), {}, dim), x.dtype());
}

}  // namespace

Tensor softmax(const Tensor& t, int64_t dim, MaybeDType dtype) {
  const Tensor x = floating(t, dtype, "softmax_lastdim_kernel_impl");
  const int d = wrap_dim(dim, x.dim());
  const Tensor out = run_quietly(RowOp::Softmax, x, {}, d);
  if (should_record(x)) record(out, {&x}, SoftmaxVjp{Saved::output(out), d});
  return out;
}

Tensor log_softmax(const Tensor& t, int64_t dim, MaybeDType dtype) {
  const Tensor x = floating(t, dtype, "log_softmax_lastdim_kernel_impl");
  const int d = wrap_dim(dim, x.dim());
  const Tensor out = run_quietly(RowOp::LogSoftmax, x, {}, d);
  if (should_record(x)) record(out, {&x}, LogSoftmaxVjp{Saved::output(out), d});
  return out;
}

Tensor cumsum(const Tensor& t, int64_t dim, MaybeDType dtype) {
  const Tensor x = accumulating(t, dtype);
  const int d = wrap_dim(dim, x.dim());
  const Tensor out = cumulative(RowOp::CumSum, x, d);
  if (is_floating(x.dtype()) && should_record(x)) record(out, {&x}, CumsumVjp{d});
  return out;
}

Tensor cumprod(const Tensor& t, int64_t dim, MaybeDType dtype) {
  const Tensor x = accumulating(t, dtype);
  const int d = wrap_dim(dim, x.dim());
  const Tensor out = cumulative(RowOp::CumProd, x, d);
  if (is_floating(x.dtype()) && should_record(x)) record(out, {&x}, CumprodVjp{Saved(x), Saved::output(out), d});
  return out;
}

Tensor log_cumulative_sums(const Tensor& t, int dim) { return run_quietly(RowOp::LogCumSumExp, t, {}, dim); }

ValuesIndices cummax(const Tensor& t, int64_t dim) {
  return cumulative_extreme(RowOp::CumMax, t, dim, "CummaxBackward0");
}
ValuesIndices cummin(const Tensor& t, int64_t dim) {
  return cumulative_extreme(RowOp::CumMin, t, dim, "CumminBackward0");
}

}  // namespace gradcore
