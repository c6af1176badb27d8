// The windows of images as columns, and back.
#pragma once
#include "tensor/tensor.h"

namespace gradcore {

// (N, C, H, W) to (N, C * kernel, windows), or both without N.
Tensor unfold_windows(const Tensor& x, const Dims& kernel, const Dims& dilation, const Dims& padding,
                      const Dims& stride);
// Its transpose: (N, C * kernel, windows) to (N, C, *size).
Tensor fold_windows(const Tensor& x, const Dims& size, const Dims& kernel, const Dims& dilation, const Dims& padding,
                    const Dims& stride);

}  // namespace gradcore
