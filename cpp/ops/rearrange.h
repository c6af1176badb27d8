// One tensor rearranged into new memory.
#pragma once
#include "tensor/tensor.h"

namespace gradcore {

Tensor flip(const Tensor& t, const Dims& dims);
Tensor roll(const Tensor& t, const Dims& shifts, const Dims& dims);
Tensor repeat(const Tensor& t, const Dims& repeats);
// The part of each matrix on one side of a diagonal, zeros on the other.
Tensor tril(const Tensor& t, int64_t diagonal);
Tensor triu(const Tensor& t, int64_t diagonal);

}  // namespace gradcore
