// Pools over the last dims, and their way back.
#pragma once
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "ops/reduce_core.h"
#include "tensor/tensor.h"

namespace gradcore {

using TensorOrTensors = std::variant<Tensor, std::vector<Tensor>>;

// The windows of a pool over `dims` dims: a size for each dim or one for all; no stride stands for the kernel's.
struct PoolWindows {
  Dims kernel, stride, padding, dilation;
  bool ceil_mode = false;
};
Tensor max_pool(int dims, const Tensor& x, const PoolWindows& w);
std::pair<Tensor, Tensor> max_pool_with_indices(int dims, const Tensor& x, const PoolWindows& w);
// Means; `divisor` takes the place of the number of elements.
Tensor avg_pool(int dims, const Tensor& x, const PoolWindows& w, bool counts_padding, std::optional<int64_t> divisor);

Tensor adaptive_avg_pool(int dims, const Tensor& x, const Dims& out);
std::pair<Tensor, Tensor> adaptive_max_pool(int dims, const Tensor& x, const Dims& out);
// Of x (N, C, *sizes) by a sample from [0, 1) for each plane and dim; with where in its plane each maximum lies.
std::pair<Tensor, Tensor> fractional_max_pool(const Tensor& x, const Tensor& samples, const Dims& kernel,
                                              const Dims& out);
// Elements at their places in the last dims, whose sizes are `out`; 0 elsewhere.
Tensor max_unpool(int dims, const Tensor& x, const Tensor& index, const Dims& out);

}  // namespace gradcore
