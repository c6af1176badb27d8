// Losses.
#pragma once
#include <string_view>

#include "tensor/tensor.h"

namespace gradcore {

// -log(softmax(x)[target]) for each row of x; reduction: "none", "mean" over the rows that are not ignored, or "sum".
Tensor cross_entropy(const Tensor& x, const Tensor& target, int64_t ignored, std::string_view reduction);

}  // namespace gradcore
