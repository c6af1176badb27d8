// Tensors that change their shape, and their memory where it does not suffice.
#pragma once
#include "ops/options.h"
#include "tensor/tensor.h"

namespace gradcore {

// The first elements stay as they are in memory; new ones are not initialised. Where the memory grows, other tensors
// keep the old one. `format` orders the strides; without it they are contiguous, or as they were where the shape stays.
void resize_(const Tensor& t, const Dims& shape, std::optional<MemoryFormat> format = {});
// To the shape of `other`, and with Preserve to the order that results of it have.
void resize_as_(const Tensor& t, const Tensor& other, std::optional<MemoryFormat> format);

}  // namespace gradcore
