#include "ops/recurrence.h"

#include "kernels/portable/recurrence.h"

#include "ops/batching.h"
#include "ops/rearrange.h"
#include "ops/scan.h"
#include "tensor/door.h"

namespace gradcore {

namespace {

Tensor run(const Tensor& x, const Tensor& a, int dim) {
  const auto compute = [&](int batch, const Tensor& in, const Tensor& factors) {
    const Tensor terms = contiguous(in), by = contiguous(factors), out = empty(terms.shape(), terms.dtype());
    if (out.numel() == 0) return out;
    using Args = portable::RecurrenceArgs;
    Kernel<Args> k("recurrence", portable::recur);
    k.args.dtype = out.dtype();
    k.args.outer = k.args.inner = 1;
    k.args.n = out.size(dim + batch);
    for (int i = 0; i < out.dim(); ++i) {
      if (i < dim + batch) k.args.outer *= out.size(i);
      if (i > dim + batch) k.args.inner *= out.size(i);
    }
    launch(k.reads(&Args::x, terms.window()).reads(&Args::a, by.window()).writes(&Args::y, out.window()));
    return out;
  };
  return batched_in_front(compute, x, a);
}

// The last element being 0.
Tensor advanced(const Tensor& t, int dim) {
  const Tensor parts[] = {narrow(t, dim, 1, t.size(dim) - 1), zeros_like(narrow(t, dim, 0, 1))};
  return cat(parts, dim);
}

struct RecurrenceVjp {
  static constexpr const char* kName = "RecurrenceBackward";
  Saved a, y;
  int dim;
  void vjp(Node& self, std::span<Tensor> g, std::span<Tensor> out) {
    const Tensor to_x = recurrence_from_end(g[0], a.unpack(&self), dim);
    if (self.needs(0)) out[0] = to_x;
    if (self.needs(1)) out[1] = mul(to_x, delayed(y.unpack(&self), dim, 0));
  }
  auto saves() { return std::tie(a, y); }
};

// exp(a - b), where infinities less themselves are 0.
Tensor exp_of_difference(const Tensor& a, const Tensor& b) {
  return exp(where(logical_and(eq(a, b), isinf(a)), Scalar(0.0), sub(a, b)));
}

// exp(x - top), where infinities less themselves are 0 but an element that is -inf adds nothing to its sum.
Tensor terms_of(const Tensor& x, const Tensor& top) {
  return masked_fill(exp_of_difference(x, top), eq(x, Scalar(-HUGE_VAL)), Scalar(0.0));
}

// The sums of exponentials that derivatives of logcumsumexp() need, relative to the greatest element so far: a sum goes
// on with `decay` = exp(greatest before - greatest) of it, and with its element's term.
struct RelativeSums {
  Tensor top, terms, decay, sums;
  RelativeSums(const Tensor& x, int dim) {
    {
      const NoRecordGuard off;  // no derivative depends on what the sums are relative to
      top = cummax(x, dim).values;
      decay = exp_of_difference(delayed(top, dim, -HUGE_VAL), top);
    }
    terms = terms_of(x, top);
    sums = recurrence(terms, decay, dim);
  }
};

// With the share w[i] that an element has in its own sum, and the share a[i] that the sum before has in the next,
// dy[i] = w[i] dx[i] + a[i] dy[i - 1]. They come from the sums themselves: beside a large y their logarithm is lost.
struct Shares {
  Tensor w, a;
  Shares(const Tensor& x, int dim) {
    const RelativeSums of(x, dim);
    const Tensor unit = masked_fill(of.sums, eq(of.sums, Scalar(0.0)), Scalar(1.0));
    w = div(of.terms, unit);
    a = div(mul(delayed(of.sums, dim, 0), of.decay), unit);
  }
};

struct LogcumsumexpVjp {
  static constexpr const char* kName = "LogcumsumexpBackward0";
  Saved x, y;
  int dim;
  SavedFields fields() { return {{"self", &x}, {"result", &y}, {"dim", dim}}; }
  void vjp(Node& self, std::span<Tensor> g, std::span<Tensor> out) {
    const Tensor v = x.unpack(&self);
    if (v.dim() == 0 || v.numel() == 0) {
      out[0] = g[0];
      return;
    }
    const Shares shares(v, dim);
    out[0] = mul(shares.w, recurrence_from_end(g[0], shares.a, dim));
  }
  Tensor jvp(Node& self, std::span<const Tensor> tangents, const Tensor&) {
    const Tensor v = x.unpack(&self);
    if (v.dim() == 0 || v.numel() == 0) return tangents[0];
    const Shares shares(v, dim);
    return recurrence(mul(shares.w, tangents[0]), shares.a, dim);
  }
  auto saves() { return std::tie(x, y); }
};

}  // namespace

Tensor delayed(const Tensor& t, int dim, double fill) {
  const Tensor parts[] = {full_like(narrow(t, dim, 0, 1), Scalar(fill), t.dtype()), narrow(t, dim, 0, t.size(dim) - 1)};
  return cat(parts, dim);
}

Tensor recurrence(const Tensor& x, const Tensor& a, int dim) {
  if (is_half(x.dtype())) return rounded(recurrence(cast(x, DType::Float32), cast(a, DType::Float32), dim), x.dtype());
  const Tensor out = run(x, a, dim);
  if (should_record(x, a)) record(out, {&x, &a}, RecurrenceVjp{Saved(a), Saved::output(out), dim});
  return out;
}

Tensor recurrence_from_end(const Tensor& x, const Tensor& a, int dim) {
  const Dims along{dim};
  return flip(recurrence(flip(x, along), flip(advanced(a, dim), along), dim), along);
}

Tensor logcumsumexp(const Tensor& t, int64_t dim) {
  if (!is_floating(t.dtype()))
    fail(ErrorKind::NotImplemented, "\"logcumsumexp_out_cpu\" not implemented for '", scalar_type_name(t.dtype()), "'");
  const int d = wrap_dim(dim, t.dim());
  const Tensor out = log_cumulative_sums(t, d);
  if (should_record(t)) record(out, {&t}, LogcumsumexpVjp{Saved(t), Saved::output(out), d});
  return out;
}

}  // namespace gradcore
