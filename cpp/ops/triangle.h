// The part of each matrix on one side of a diagonal, zeros on the other.
#pragma once
#include "tensor/tensor.h"

namespace gradcore {

Tensor tril(const Tensor& t, int64_t diagonal);
Tensor triu(const Tensor& t, int64_t diagonal);

}  // namespace gradcore
