// Tensors beside each other, and one tensor rearranged into new memory.
#pragma once
#include <span>

#include "tensor/tensor.h"

namespace gradcore {

Tensor cat(std::span<const Tensor> tensors, int64_t dim);
Tensor stack(std::span<const Tensor> tensors, int64_t dim);
Tensor flip(const Tensor& t, const Dims& dims);
Tensor roll(const Tensor& t, const Dims& shifts, const Dims& dims);
Tensor repeat(const Tensor& t, const Dims& repeats);

}  // namespace gradcore
