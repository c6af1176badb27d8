// Dropout.
#pragma once
#include <optional>
#include <utility>

#include "tensor/tensor.h"

namespace gradcore {

// Each element 0 with probability p, else x / (1 - p). The numbers are those of nn.functional.dropout.
Tensor dropout(const Tensor& x, double p);

// With the mask; without training, where `train` says so, that of ones and a copy.
std::pair<Tensor, Tensor> native_dropout(const Tensor& x, double p, std::optional<bool> train);

}  // namespace gradcore
