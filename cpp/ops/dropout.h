// Dropout.
#pragma once
#include "tensor/tensor.h"

namespace gradcore {

// Each element 0 with probability p, else x / (1 - p). The numbers are those of nn.functional.dropout.
Tensor dropout(const Tensor& x, double p);

}  // namespace gradcore
