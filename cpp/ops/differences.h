// Differences and integrals of sampled functions, covariances, norms that are bounded.
#pragma once
#include <optional>

#include "tensor/tensor.h"

namespace gradcore {

// The n-th differences along `dim`; what is given in front and behind is joined to the tensor first.
Tensor diff(const Tensor& t, int64_t n, int64_t dim, const Tensor& prepend, const Tensor& append);
// Integrals by the trapezoidal rule: over the places `x`, or over evenly spaced ones.
Tensor trapezoid(const Tensor& y, const Tensor& x, int64_t dim);
Tensor trapezoid(const Tensor& y, const Scalar& dx, int64_t dim);
Tensor cumulative_trapezoid(const Tensor& y, const Tensor& x, int64_t dim);
Tensor cumulative_trapezoid(const Tensor& y, const Scalar& dx, int64_t dim);
// Of variables in rows; the weights may be undefined.
Tensor cov(const Tensor& t, int64_t correction, const Tensor& fweights, const Tensor& aweights);
Tensor corrcoef(const Tensor& t);
// Each slice along `dim` is scaled down so that its p-norm is `most` at the most.
Tensor renorm(const Tensor& t, double p, int64_t dim, double most);
void renorm_(const Tensor& t, double p, int64_t dim, double most);

}  // namespace gradcore
