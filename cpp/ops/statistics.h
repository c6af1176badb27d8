// Quantiles, extremes in pairs, and counts of how often elements occur.
#pragma once
#include <optional>
#include <string_view>
#include <vector>

#include "ops/elementwise.h"
#include "ops/results.h"

namespace gradcore {

// `q` is a number, or a tensor without dims or with one, which then comes first in the result.
struct QuantileOptions {
  std::optional<int64_t> dim;  // none: of all elements
  bool keepdim = false;
  std::string_view interpolation = "linear";
  bool skip_nans = false;
};
Tensor quantile(const Tensor& t, const Operand& q, const QuantileOptions& options);

Named aminmax(const Tensor& t, std::optional<int64_t> dim, bool keepdim);

Tensor bincount(const Tensor& t, const Tensor& weights, int64_t minlength);
Tensor histc(const Tensor& t, int64_t bins, const Scalar& min, const Scalar& max);

// `bins` is a number of equal ones, in the range given or else that of the elements, or a tensor of their edges.
struct HistogramOptions {
  std::vector<Scalar> range = {};
  Tensor weight = {};
  bool density = false;
};
Named histogram(const Tensor& t, int64_t bins, const HistogramOptions& options);
Named histogram(const Tensor& t, const Tensor& edges, const HistogramOptions& options);

}  // namespace gradcore
