#include "ops/recurrence.h"

#include "kernels/portable/recurrence.h"

#include "ops/batching.h"
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

// With the weight w[i] = exp(x[i] - y[i]) of an element in its own sum, and the share a[i] = exp(y[i - 1] - y[i]) that
// the sum before has in the next, dy[i] = w[i] dx[i] + a[i] dy[i - 1].
struct LogcumsumexpVjp {
  static constexpr const char* kName = "LogcumsumexpBackward0";
  Saved x, y;
  int dim;
  SavedFields fields() { return {{"self", &x}, {"result", &y}, {"dim", dim}}; }
  void vjp(Node& self, std::span<Tensor> g, std::span<Tensor> out) {
    const Tensor v = x.unpack(&self), result = y.unpack(&self);
    if (v.dim() == 0 || v.numel() == 0) {
      out[0] = g[0];
      return;
    }
    out[0] = mul(exp(sub(v, result)), recurrence_from_end(g[0], share(result), dim));
  }
  Tensor jvp(Node& self, std::span<const Tensor> tangents, const Tensor& result) {
    if (result.dim() == 0 || result.numel() == 0) return tangents[0];
    return recurrence(mul(exp(sub(x.unpack(&self), result)), tangents[0]), share(result), dim);
  }
  auto saves() { return std::tie(x, y); }

 private:
  Tensor share(const Tensor& result) const { return exp_of_difference(delayed(result, dim, 0), result); }
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

// The greatest element so far, and the logarithm of the sum of exponentials relative to it: a sum goes on with
// exp(greatest before - greatest) of it, and exp(x - greatest).
Tensor logcumsumexp(const Tensor& t, int64_t dim) {
  if (!is_floating(t.dtype()))
    fail(ErrorKind::NotImplemented, "\"logcumsumexp_out_cpu\" not implemented for '", scalar_type_name(t.dtype()), "'");
  const int d = wrap_dim(dim, t.dim());
  Tensor out;
  {
    const NoRecordGuard off;
    if (t.dim() == 0 || t.numel() == 0) {
      out = clone(t, true);
    } else {
      const Tensor top = cummax(t, d).values;
      const Tensor sums = recurrence(exp_of_difference(t, top), exp_of_difference(delayed(top, d, 0), top), d);
      out = add(log(sums), top);
    }
  }
  if (should_record(t)) record(out, {&t}, LogcumsumexpVjp{Saved(t), Saved::output(out), d});
  return out;
}

}  // namespace gradcore
