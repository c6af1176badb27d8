// Normalisations.
#pragma once
#include "tensor/tensor.h"

namespace gradcore {

// Over the last dims, whose sizes are `shape`; weight and bias have that shape, or are undefined.
Tensor layer_norm(const Tensor& x, const Dims& shape, const Tensor& weight, const Tensor& bias, double eps);

}  // namespace gradcore
