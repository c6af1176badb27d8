// Padding with a number.
#pragma once
#include "tensor/tensor.h"

namespace gradcore {

// pad[0] elements of `value` before the last dim and pad[1] behind it, pad[2] and pad[3] about the dim before ...;
// negative numbers cut.
Tensor constant_pad_nd(const Tensor& t, const Dims& pad, const Scalar& value);

}  // namespace gradcore
