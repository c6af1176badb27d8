#include "ops/statistics.h"

#include <cmath>
#include <limits>

#include "kernels/portable/count.h"
#include "ops/batching.h"
#include "ops/order.h"
#include "ops/underivable.h"
#include "tensor/door.h"
#include "tensor/meta.h"

namespace gradcore {

namespace {

// ---- quantile

constexpr int64_t kMostElements = 16'000'000;  // of a row: torch takes no more, as float32 cannot count them

void check_quantile(const char* name, const Tensor& t, const Tensor& q, std::string_view interpolation) {
  check(t.numel() > 0, name, "() input tensor must be non-empty");
  check(q.dim() <= 1, name, "() q must be a scalar or 1D tensor, but got dim: ", q.dim());
  check(is_floating(t.dtype()) && !is_half(t.dtype()), name, "() input tensor must be either float or double dtype");
  check(t.dtype() == q.dtype(), name, "() q tensor must be same dtype as the input tensor");
  for (const char* known : {"linear", "lower", "higher", "midpoint", "nearest"})
    if (interpolation == known) return;
  fail(name, "() interpolation must be one of linear, lower, higher, midpoint or nearest, but got ", interpolation);
}

// Where `q` is known while the program runs: not within vmap over it, nor on meta.
void check_range(const char* name, const Operand& q) {
  if (!q.is_tensor()) {
    const double v = q.scalar.to_double();
    return check(v >= 0 && v <= 1, name, "() q must be in the range [0, 1] but got ", v);
  }
  if (any_batched(*q.tensor) || q.tensor->numel() == 0 || is_meta(*q.tensor)) return;
  const NoRecordGuard off;
  const Tensor inside = logical_and(ge(*q.tensor, Scalar(0)), le(*q.tensor, Scalar(1)));
  check(*all(inside, {}, false).host<uint8_t>() != 0, name, "() q values must be in the range [0, 1]");
}

// The ranks of the quantiles in sorted rows, [..., number of quantiles]. NaNs stand last: where there are some, either
// the last of them is the result, or they do not count.
Tensor ranks_of(const Tensor& rows, const Tensor& q, bool skip_nans) {
  const int64_t n = rows.size(rows.dim() - 1);
  const Tensor nans = isnan(rows);
  if (skip_nans) {
    const Tensor count = cast(sub(Scalar(n), sum(nans, Dims{-1}, true)), q.dtype());
    return clamp_min(mul(q, sub(count, Scalar(1))), Scalar(0));
  }
  const Tensor last = narrow(nans, -1, n - 1, 1);
  return where(last, Scalar(n - 1), mul(q, Scalar(n - 1)));
}

Tensor element_at(const Tensor& rows, const Tensor& ranks) { return gather(rows, -1, cast(ranks, DType::Int64)); }

Tensor interpolated(const Tensor& rows, const Tensor& ranks, std::string_view how) {
  if (how == "lower") return element_at(rows, floor(ranks));
  if (how == "higher") return element_at(rows, ceil(ranks));
  if (how == "nearest") return element_at(rows, round(ranks));
  const Tensor below = floor(ranks);
  const Tensor weight = how == "midpoint" ? full_like(ranks, Scalar(0.5), ranks.dtype()) : sub(ranks, below);
  return lerp(element_at(rows, below), element_at(rows, ceil(ranks)), weight);
}

// The dim last, or all elements in one row; a dim of one element in its place where dims are kept.
Tensor rows_along(const Tensor& t, const QuantileOptions& o) {
  if (o.dim && t.dim()) {
    const int d = wrap_dim(*o.dim, t.dim());
    return o.keepdim ? transpose(unsqueeze(t, -1), d, -1) : movedim(t, Dims{d}, Dims{-1});
  }
  if (o.dim) wrap_dim(*o.dim, 0);
  Dims shape(o.keepdim ? t.dim() : 0, 1);
  shape.push_back(-1);
  return reshape(t, shape);
}

// From [..., quantiles] to the shape of the result.
Tensor shaped(const Tensor& found, const Tensor& q) {
  return squeeze(q.dim() ? transpose(unsqueeze(found, 0), 0, -1) : found, Dims{-1});
}

// ---- counts

void count(const Tensor& totals, const Tensor& numbers, const Tensor& weights) {
  if (totals.numel() == 0 || numbers.numel() == 0) return;
  using Args = portable::CountArgs;
  Kernel<Args> k("count", portable::count);
  k.args.n = numbers.numel();
  k.args.bins = totals.numel();
  k.args.dtype = totals.dtype();
  if (weights) k.reads(&Args::weights, weights.window());
  launch(k.reads(&Args::numbers, numbers.window()).writes(&Args::totals, totals.window()));
}

constexpr const char* kHistogram = "torch.histogramdd: ";  // torch's one-dimensional histogram is its case
void check_bins(int64_t bins) {
  check(bins > 0, "torch.histogram(): bins must be > 0, but got ", bins, " for dimension 0");
  check(bins < std::numeric_limits<int64_t>::max(), "torch.histogram(): ", bins, " bins have too many edges");
}

struct Range {
  double low, high;
};
Range range_of(const Tensor& t) {
  const NoRecordGuard off;
  const auto value = [](const Tensor& x) { return *cast(x, DType::Float64).host<double>(); };
  return {value(min(t)), value(max(t))};
}
// The range asked for, or that of the elements where its ends are equal; one of no width is widened.
Range histc_range(const Tensor& t, const Scalar& min, const Scalar& max) {
  Range r{min.to_double(), max.to_double()};
  if (r.low == r.high && t.numel()) r = range_of(t);
  if (r.low == r.high) r = {r.low - 1, r.high + 1};
  check(std::isfinite(r.low) && std::isfinite(r.high), "torch.histc: range of [", r.low, ", ", r.high,
        "] is not finite");
  check(r.low < r.high, "torch.histc: max must be larger than min");
  return r;
}

// The same of histogram: only where none is asked for, it is that of the elements.
Range histogram_range(const Tensor& t, const std::vector<Scalar>& asked) {
  check(asked.empty() || asked.size() == 2, kHistogram,
        "for a 1-dimensional histogram range should have 2 elements, but got ", asked.size());
  Range r{0, 1};
  if (!asked.empty())
    r = {asked[0].to_double(), asked[1].to_double()};
  else if (t.numel())
    r = range_of(t);
  check(std::isfinite(r.low) && std::isfinite(r.high), kHistogram, "dimension 0's range [", r.low, ", ", r.high,
        "] is not finite");
  check(r.low <= r.high, kHistogram, "min should not exceed max, but got min ", r.low, " max ", r.high,
        " for dimension 0");
  return r.low == r.high ? Range{r.low - 0.5, r.high + 0.5} : r;
}

// The number of the bin of each element, contiguous.
Tensor bins_of(const Tensor& t, const Tensor& edges, bool alike, bool exact) {
  const Tensor values = contiguous(t), numbers = empty(t.shape(), DType::Int64);
  using Args = portable::BinArgs;
  Kernel<Args> k("find_bins", portable::find_bins);
  k.args.n = t.numel();
  k.args.bins = edges.numel() - 1;
  k.args.dtype = t.dtype();
  k.args.alike = alike;
  k.args.exact = exact;
  k.reads(&Args::values, values.window()).reads(&Args::edges, edges.window());
  launch(k.writes(&Args::numbers, numbers.window()));
  return numbers;
}

void check_histogram(const Tensor& t, const Tensor& weight) {
  check(!any_batched(t, weight), "vmap: histogram() is not mapped: its bins may depend on elements");
  if (!is_floating(t.dtype()))
    fail(ErrorKind::NotImplemented, "\"histogramdd\" not implemented for '", scalar_type_name(t.dtype()), "'");
  if (!weight) return;
  check(weight.numel() == t.numel(), kHistogram,
        "if weight tensor is provided it should have the same shape as the input tensor excluding its innermost "
        "dimension, but got input with shape [",
        t.numel(), ", 1] and weight with shape ", weight.shape());
  check(weight.dtype() == t.dtype(), kHistogram,
        "if weight tensor is provided, input tensor and weight tensor should have the same dtype, but got input(",
        dtype_name(t.dtype()), "), and weight(", dtype_name(weight.dtype()), ")");
}

Named histogram_of(const Tensor& t, const Tensor& edges, bool alike, const HistogramOptions& o) {
  Tensor totals;
  {
    const NoRecordGuard off;
    totals = zeros(Dims{edges.numel() - 1}, o.weight ? t.dtype() : DType::Int64);
    if (t.numel()) count(totals, bins_of(t, edges, alike, true), o.weight ? contiguous(o.weight) : Tensor());
    totals = cast(totals, t.dtype());
    if (o.density) {
      const Tensor widths = sub(narrow(edges, 0, 1, totals.numel()), narrow(edges, 0, 0, totals.numel()));
      totals = div(totals, mul(widths, sum(totals)));
    }
  }
  return {{totals, edges}};
}

// The gradient of an extreme is shared by all elements that equal it.
struct AminmaxVjp {
  static constexpr const char* kName = "AminmaxBackward0";
  Saved x, low, high;
  std::optional<int64_t> dim;
  bool keepdim;
  SavedFields fields() {
    SavedFields f{{"self", &x}, {"min", &low}, {"max", &high}, {"keepdim", keepdim}};
    if (dim) f.push_back({"dim", *dim});
    return f;
  }
  void vjp(Node& self, std::span<Tensor> g, std::span<Tensor> out) {
    const Tensor v = x.unpack(&self);
    const auto add_share = [&](const Tensor& gradient, const Tensor& extreme) {
      if (!gradient) return;
      const Tensor hits = cast(eq(v, spread(extreme, v)), v.dtype());
      const Tensor count = v.dim() ? sum(hits, dim ? MaybeDims(Dims{*dim}) : MaybeDims(), true) : hits;
      const Tensor share = mul(spread(gradient, v), div(hits, count));
      out[0] = out[0] ? add(out[0], share) : share;
    };
    add_share(g[0], low.unpack(&self));
    add_share(g[1], high.unpack(&self));
  }
  auto saves() { return std::tie(x, low, high); }

 private:
  // With the reduced dim back in its place; what has no dims broadcasts without.
  Tensor spread(const Tensor& t, const Tensor& v) const { return dim && v.dim() && !keepdim ? unsqueeze(t, *dim) : t; }
};

}  // namespace

Tensor quantile(const Tensor& t, const Operand& q, const QuantileOptions& options) {
  const char* const name = options.skip_nans ? "nanquantile" : "quantile";
  check_range(name, q);
  const Tensor wanted = q.is_tensor() ? *q.tensor : scalar_tensor(q.scalar, t.dtype());
  check_quantile(name, t, wanted, options.interpolation);
  const Tensor in = rows_along(t, options);
  check(in.size(in.dim() - 1) <= kMostElements, name, "() input tensor is too large");
  const Tensor rows = sort(in, -1, false).values;
  const Tensor ranks = ranks_of(rows, wanted, options.skip_nans);
  return shaped(interpolated(rows, ranks, options.interpolation), wanted);
}

Tensor bincount(const Tensor& t, const Tensor& weights, int64_t minlength) {
  if (any_batched(t, weights)) {
    const Tensor given[] = {t, weights};
    const auto of_sample = [&](std::span<const Tensor> s) { return bincount(s[0], s[1], minlength); };
    return sample_by_sample("bincount", given, of_sample);
  }
  if (is_floating(t.dtype()) || t.dtype() == DType::Bool)
    fail(ErrorKind::NotImplemented, "\"bincount_cpu\" not implemented for '", scalar_type_name(t.dtype()), "'");
  check(minlength >= 0, "minlength should be >= 0");
  check(t.dim() == 1, "bincount only supports 1-d non-negative integral inputs.");
  check(!weights || same_shape(weights, t), "weights should be 1-d and have the same length as input");
  Tensor totals;
  {
    const NoRecordGuard off;
    int64_t bins = minlength;
    const Tensor numbers = contiguous(cast(t, DType::Int64));
    if (t.numel()) {
      check(*min(numbers).host<int64_t>() >= 0, "bincount only supports 1-d non-negative integral inputs.");
      const int64_t most = *max(numbers).host<int64_t>();
      check(most < std::numeric_limits<int64_t>::max(), "bincount: a number is too large");
      bins = std::max(bins, most + 1);
    }
    if (!weights || t.numel() == 0) {
      totals = zeros(Dims{bins}, DType::Int64);
      count(totals, numbers, {});
      return totals;
    }
    const DType type = weights.dtype() == DType::Float32 ? DType::Float32 : DType::Float64;
    totals = zeros(Dims{bins}, type);
    count(totals, numbers, contiguous(cast(weights, type)));
  }
  record_underivable(totals, weights, {"bincount"});
  return totals;
}

Tensor histc(const Tensor& t, int64_t bins, const Scalar& min, const Scalar& max) {
  if (any_batched(t)) {
    const auto of_sample = [&](std::span<const Tensor> s) { return histc(s[0], bins, min, max); };
    return sample_by_sample("histc", {&t, 1}, of_sample);
  }
  if (!is_floating(t.dtype()))
    fail(ErrorKind::NotImplemented, "\"histogram_cpu\" not implemented for '", scalar_type_name(t.dtype()), "'");
  check_bins(bins);
  if (is_meta(t)) return zeros(Dims{bins}, t.dtype());
  const NoRecordGuard off;
  const Range range = histc_range(t, min, max);
  const Tensor totals = zeros(Dims{bins}, DType::Int64);
  if (t.numel()) {
    const Tensor edges = linspace(Scalar(range.low), Scalar(range.high), bins + 1, t.dtype());
    count(totals, bins_of(t, edges, true, false), {});
  }
  return cast(totals, t.dtype());
}

Named aminmax(const Tensor& t, std::optional<int64_t> dim, bool keepdim) {
  if (!dim)
    check(t.numel() > 0, "aminmax(): cannot compute aminmax over an empty dimension as the operation has no identity.");
  MaybeDims dims;
  std::optional<int64_t> d;
  if (dim) {
    d = wrap_dim(*dim, t.dim());
    check(t.dim() == 0 || t.size(static_cast<int>(*d)) != 0, ErrorKind::Index, "aminmax: Expected reduction dim ", *d,
          " to have non-zero size.");
    dims = Dims{*d};
  }
  Tensor out[2];
  {
    const NoRecordGuard off;
    out[0] = amin(t, dims, keepdim);
    out[1] = amax(t, dims, keepdim);
  }
  if (is_floating(t.dtype()) && should_record(t))
    record_outputs(
        out, make_node({&t}, AminmaxVjp{Saved(t), Saved::output(out[0], 0), Saved::output(out[1], 1), d, keepdim}, 2));
  return {{out[0], out[1]}};
}

Named histogram(const Tensor& t, int64_t bins, const HistogramOptions& options) {
  check_bins(bins);
  check_histogram(t, options.weight);
  const Range range = histogram_range(t, options.range);
  const Tensor edges = linspace(Scalar(range.low), Scalar(range.high), bins + 1, t.dtype());
  const Named out = histogram_of(t, edges, true, options);
  record_underivable(out.parts, {&t, &options.weight}, {"histogram"});
  return out;
}
Named histogram(const Tensor& t, const Tensor& edges, const HistogramOptions& options) {
  check_histogram(t, options.weight);
  check(edges.dim() == 1, kHistogram, "bins tensor should have one dimension, but got ", edges.dim(),
        " dimensions in the bins tensor for dimension 0");
  check(edges.dtype() == t.dtype(), kHistogram,
        "input tensor and bins tensors should have the same dtype, but got input with dtype ", dtype_name(t.dtype()),
        " and bins for dimension 0 with dtype ", dtype_name(edges.dtype()));
  check_bins(edges.numel() - 1);
  const Named out = histogram_of(t, clone(detach(edges), true), false, options);
  record_underivable(out.parts, {&t, &edges, &options.weight}, {"histogram"});
  return out;
}

}  // namespace gradcore
