// Channels and pixels in other orders, and classes as rows of zeros and a one.
#pragma once
#include "tensor/tensor.h"

namespace gradcore {

// (..., C * r^2, H, W) to (..., C, H * r, W * r), and back.
Tensor pixel_shuffle(const Tensor& x, int64_t r);
Tensor pixel_unshuffle(const Tensor& x, int64_t r);
// (N, C, ...): channels in the order 0, C / groups, 2 C / groups, ..., 1 ...
Tensor channel_shuffle(const Tensor& x, int64_t groups);
// int64 classes; their number is -1 where the largest tells it.
Tensor one_hot(const Tensor& classes, int64_t count);

}  // namespace gradcore
