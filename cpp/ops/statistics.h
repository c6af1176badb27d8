// Quantiles, and counts of how often elements occur.
#pragma once
#include <optional>
#include <string_view>
#include <vector>

#include "ops/elementwise.h"

namespace gradcore {

// `q` is a number, or a tensor without dims or with one, which then comes first in the result.
struct QuantileOptions {
  std::optional<int64_t> dim;  // none: of all elements
  bool keepdim = false;
  std::string_view interpolation = "linear";
  bool skip_nans = false;
};
Tensor quantile(const Tensor& t, const Operand& q, const QuantileOptions& options);

Tensor bincount(const Tensor& t, const Tensor& weights, int64_t minlength);
Tensor histc(const Tensor& t, int64_t bins, const Scalar& min, const Scalar& max);

}  // namespace gradcore
