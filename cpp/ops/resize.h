// Tensors that change their shape, and their memory where it does not suffice.
#pragma once
#include "tensor/tensor.h"

namespace gradcore {

// The first elements stay as they are in memory; new ones are not initialised. Where the memory grows, other tensors
// keep the old one.
void resize_(const Tensor& t, const Dims& shape);

}  // namespace gradcore
