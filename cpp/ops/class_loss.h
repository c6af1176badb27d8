// Losses with classes: of scores, and of log probabilities.
#pragma once
#include "ops/options.h"
#include "tensor/tensor.h"

namespace gradcore {

// x: (C), (N, C) or (N, C, d1, ...); target: of x's shape without C; weight: (C) or undefined.
Tensor nll_loss(const Tensor& x, const Tensor& target, const Tensor& weight, int64_t ignored, Reduction reduction);
// nll_loss(log_softmax(x)); `smoothing` is the share of the uniform distribution in the target.
Tensor cross_entropy(const Tensor& x, const Tensor& target, const Tensor& weight, int64_t ignored, Reduction reduction,
                     double smoothing);

}  // namespace gradcore
