// Sums of products over named dims: einsum, tensordot.
#pragma once
#include <span>
#include <string_view>

#include "tensor/tensor.h"

namespace gradcore {

// torch's notation as one string. `path`: the pairs to contract one after the other, in opt_einsum's numbers (a result
// takes the last place); empty: from left to right.
Tensor einsum(std::string_view equation, std::span<const Tensor> operands, const Dims& path);
// The sum of products over dims of `a` and dims of `b`, pair by pair.
Tensor tensordot(const Tensor& a, const Tensor& b, const Dims& dims_a, const Dims& dims_b);

}  // namespace gradcore
