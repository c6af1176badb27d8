// Linear recurrences, and cumulative ops that are made of them.
#pragma once
#include "tensor/tensor.h"

namespace gradcore {

// y[i] = x[i] + a[i] y[i - 1] along a dim, of floats of one dtype and shape. The first factor is not read.
Tensor recurrence(const Tensor& x, const Tensor& a, int dim);
// The same from the end, with factors one place further on: y[i] = x[i] + a[i + 1] y[i + 1].
Tensor recurrence_from_end(const Tensor& x, const Tensor& a, int dim);
// The elements one place further on along a dim, the first one being `fill`.
Tensor delayed(const Tensor& t, int dim, double fill);

Tensor logcumsumexp(const Tensor& t, int64_t dim);

}  // namespace gradcore
