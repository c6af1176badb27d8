// Tensors beside each other.
#pragma once
#include <span>

#include "tensor/tensor.h"

namespace gradcore {

Tensor cat(std::span<const Tensor> tensors, int64_t dim);
Tensor stack(std::span<const Tensor> tensors, int64_t dim);

}  // namespace gradcore
