#include "ops/differences.h"

#include <vector>

#include "core/warning.h"
#include "ops/ops.h"

namespace gradcore {

// ---- diff

namespace {

void check_joined(const Tensor& t, const Tensor& other, int d) {
  check(other.dim() == t.dim(), "diff expects prepend or append to be the same dimension as input");
  for (int i = 0; i < t.dim(); ++i)
    check(i == d || other.size(i) == t.size(i),
          "diff expects the shape of tensor to prepend or append to match that of input except along the differencing "
          "dimension; input.size(",
          i, ") = ", t.size(i), ", but got tensor.size(", i, ") = ", other.size(i));
}

Tensor all_but_last(const Tensor& t, int d) { return slice(t, d, 0, std::max<int64_t>(t.size(d) - 1, 0), 1); }
Tensor all_but_first(const Tensor& t, int d) { return slice(t, d, 1, t.size(d), 1); }

}  // namespace

Tensor diff(const Tensor& t, int64_t n, int64_t dim, const Tensor& prepend, const Tensor& append) {
  check(t.dim() > 0, "diff expects input to be at least one-dimensional");
  check(n >= 0, "order must be non-negative but got ", n);
  if (n == 0) return clone(t);
  const int d = wrap_dim(dim, t.dim());
  std::vector<Tensor> parts;
  for (const Tensor* part : {&prepend, &t, &append}) {
    if (!part->defined()) continue;
    check_joined(t, *part, d);
    parts.push_back(*part);
  }
  Tensor out = parts.size() == 1 ? t : cat(parts, d);
  const int64_t most = out.size(d);  // after as many times nothing is left
  for (int64_t i = 0; i < std::min(n, most); ++i) {
    const Tensor next = all_but_first(out, d), before = all_but_last(out, d);
    out = out.dtype() == DType::Bool ? logical_xor(next, before) : sub(next, before);
  }
  return most == 0 ? clone(out) : out;
}

// ---- integrals

namespace {

void check_sampled(const Tensor& t, const char* op, const char* name) {
  check(t.dtype() != DType::Bool, op, ": received a bool input for `", name, "`, but bool is not supported");
}

// The distances of places along dim d, as a tensor that broadcasts with y's neighbours.
Tensor steps_of(const Tensor& x, const Tensor& y, int d, const char* op) {
  Dims shape = x.shape();
  if (x.dim() == 1) {
    check(x.size(0) == y.size(d), op, ": There must be one `x` value for each sample point");
    shape = Dims(y.dim(), 1);
    shape[d] = x.size(0);
  }
  while (shape.size() < y.dim()) shape.insert(0, 1);
  const Tensor places = x.shape() == shape ? x : view(x, shape);
  return sub(all_but_first(places, d), all_but_last(places, d));
}

Tensor sums_of_neighbours(const Tensor& y, int d) { return add(all_but_last(y, d), all_but_first(y, d)); }

// The integral of nothing.
Tensor zeros_without(const Tensor& y, int d) {
  Dims shape = y.shape();
  shape.erase(d);
  return full_batched(levels_of({&y}), shape, 0, y.dtype());
}

}  // namespace

Tensor trapezoid(const Tensor& y, const Tensor& x, int64_t dim) {
  const int d = wrap_dim(dim, y.dim(), false);
  if (y.size(d) == 0) return zeros_without(y, d);
  check_sampled(y, "trapezoid", "y");
  check_sampled(x, "trapezoid", "x");
  return div(sum(mul(sums_of_neighbours(y, d), steps_of(x, y, d, "trapezoid")), Dims{d}), Scalar(2.0));
}
Tensor trapezoid(const Tensor& y, const Scalar& dx, int64_t dim) {
  const int d = wrap_dim(dim, y.dim(), false);
  if (y.size(d) == 0) return zeros_without(y, d);
  check_sampled(y, "trapezoid", "y");
  const Tensor ends = add(select(y, d, 0), select(y, d, -1));
  return mul(sub(sum(y, Dims{d}), mul(ends, Scalar(0.5))), Scalar(dx.to_double()));
}
Tensor cumulative_trapezoid(const Tensor& y, const Tensor& x, int64_t dim) {
  check_sampled(y, "cumulative_trapezoid", "y");
  check(y.dim() > 0, ErrorKind::Index, "slice() cannot be applied to a 0-dim tensor.");
  const int d = wrap_dim(dim, y.dim());
  check_sampled(x, "cumulative_trapezoid", "x");
  const Tensor steps = steps_of(x, y, d, "cumulative_trapezoid");
  return div(cumsum(mul(sums_of_neighbours(y, d), steps), d, {}), Scalar(2.0));
}
Tensor cumulative_trapezoid(const Tensor& y, const Scalar& dx, int64_t dim) {
  check_sampled(y, "cumulative_trapezoid", "y");
  check(y.dim() > 0, ErrorKind::Index, "slice() cannot be applied to a 0-dim tensor.");
  const int d = wrap_dim(dim, y.dim());
  return cumsum(mul(sums_of_neighbours(y, d), Scalar(dx.to_double() / 2)), d, {});
}

// ---- covariances

namespace {

// `name` is fweights or aweights.
void check_weights(const Tensor& weights, const char* name, int64_t observations, bool integral) {
  check(weights.dim() <= 1, "cov(): expected ", name, " to have one or fewer dimensions but got ", name, " with ",
        weights.dim(), " dimensions");
  check(integral ? is_integral(weights.dtype()) : is_floating(weights.dtype()), "cov(): expected ", name, " to have ",
        integral ? "integral" : "floating point", " dtype but got ", name, " with ", scalar_type_name(weights.dtype()),
        " dtype");
  check(weights.numel() == observations, "cov(): expected ", name,
        " to have the same numel as there are observations in the input but got ", weights.numel(),
        " != ", observations);
  if (any_batched(weights)) return;  // there are no values to decide by
  const NoRecordGuard off;
  check(weights.numel() == 0 || *any(lt(weights, Scalar(0)), {}, false).host<uint8_t>() == 0, "cov(): ", name,
        " cannot be negative");
}

// By how much a sum of products is divided: a number, or with weights a tensor.
struct Observations {
  Tensor weights;  // undefined without any
  Tensor total;    // of the weights
  Tensor freedom;  // divides the products
};

void warn_without_freedom() {
  warn("cov(): degrees of freedom is <= 0. Correction should be strictly less than the number of observations.");
}
Observations observations_of(int64_t count, int64_t correction, const Tensor& fweights, const Tensor& aweights) {
  Observations o;
  if (fweights) o.weights = fweights;
  if (aweights) o.weights = fweights ? mul(fweights, aweights) : aweights;
  if (!o.weights) {
    o.total = scalar_tensor(count, DType::Int64);
    int64_t freedom;
    if (__builtin_sub_overflow(count, correction, &freedom)) freedom = std::numeric_limits<int64_t>::max();
    if (freedom <= 0) warn_without_freedom();
    o.freedom = scalar_tensor(std::max<int64_t>(freedom, 0), DType::Int64);
    return o;
  }
  o.total = sum(o.weights);
  if (!any_batched(o.total)) {
    const NoRecordGuard off;
    check(*ne(o.total, Scalar(0)).host<uint8_t>(), "cov(): weights sum to zero, can't be normalized");
  }
  if (aweights && correction != 0)
    o.freedom = sub(o.total, div(mul(sum(mul(o.weights, aweights)), Scalar(correction)), o.total));
  else
    o.freedom = sub(o.total, Scalar(correction));
  if (any_batched(o.freedom)) {
    o.freedom = clamp_min(o.freedom, Scalar(0));
  } else {
    const NoRecordGuard off;
    if (!*le(o.freedom, Scalar(0)).host<uint8_t>()) return o;
    warn_without_freedom();
    o.freedom = zeros_like(o.freedom);
  }
  return o;
}

}  // namespace

Tensor cov(const Tensor& t, int64_t correction, const Tensor& fweights, const Tensor& aweights) {
  check(t.dim() <= 2, "cov(): expected input to have two or fewer dimensions but got an input with ", t.dim(),
        " dimensions");
  check(t.dtype() != DType::Bool, "cov(): bool dtype is not supported for input");
  const Tensor x = t.dim() < 2 ? view(contiguous(t), Dims{1, -1}) : t;
  if (fweights) check_weights(fweights, "fweights", x.size(1), true);
  if (aweights) check_weights(aweights, "aweights", x.size(1), false);
  const Observations o = observations_of(x.size(1), correction, fweights, aweights);
  const auto weighted = [&](const Tensor& rows) { return o.weights ? mul(rows, o.weights) : rows; };
  const Tensor mean = div(sum(weighted(x), Dims{1}), o.total);
  const Tensor rest = sub(x, unsqueeze(mean, 1));
  return squeeze(div(mm(rest, gradcore::t(weighted(rest))), o.freedom));
}

Tensor corrcoef(const Tensor& t) {
  check(t.dim() <= 2, "corrcoef(): expected input to have two or fewer dimensions but got an input with ", t.dim(),
        " dimensions");
  const Tensor c = cov(t, 1, {}, {});
  if (c.dim() == 0) return div(c, c);
  const Tensor deviation = sqrt(diagonal(c, 0, 0, 1));
  const Tensor scaled = div(div(c, view(deviation, Dims{-1, 1})), view(deviation, Dims{1, -1}));
  return clamp(scaled, Operand(Scalar(-1)), Operand(Scalar(1)));  // a correlation, whatever rounding did
}

// ---- renorm

Tensor renorm(const Tensor& t, double p, int64_t dim, double most) {
  check(p > 0, "renorm: non-positive-norm not supported");
  check(most >= 0, "renorm: expected maxnorm to be >= 0 but got ", most);
  check(t.dim() >= 2, "renorm: input needs at least 2 dimensions, got ", t.dim(), " dimensions");
  const int d = wrap_dim(dim, t.dim());
  check(is_floating(t.dtype()), "linalg.vector_norm: Expected a floating point or complex tensor as input. Got ",
        scalar_type_name(t.dtype()));
  Dims others;
  for (int i = 0; i < t.dim(); ++i)
    if (i != d) others.push_back(i);
  Tensor size = norm(detach(t), p, others, true, {});
  const Tensor large = gt(size, Scalar(most));
  // Only what is scaled has a gradient through its norm: it would be NaN beside a NaN.
  if (should_record(t)) size = norm(where(large, t, Scalar(0.0)), p, others, true, {});
  // torch's number beside the norm, which keeps the scale finite.
  const Tensor scale = mul(reciprocal(add(size, Scalar(1e-7))), Scalar(most));
  return contiguous(mul(t, where(large, scale, Scalar(1.0))));
}
void renorm_(const Tensor& t, double p, int64_t dim, double most) { copy_(t, renorm(clone(t), p, dim, most)); }

}  // namespace gradcore
