// Elements by their number in row-major order, and by masks: take, put, take_along_dim, masked_scatter.
#pragma once
#include <optional>

#include "tensor/tensor.h"

namespace gradcore {

Tensor take(const Tensor& t, const Tensor& index);
Tensor put(const Tensor& t, const Tensor& index, const Tensor& source, bool accumulate);
void put_(const Tensor& t, const Tensor& index, const Tensor& source, bool accumulate);
// gather() where the other dims broadcast; without a dim of all elements in a row.
Tensor take_along_dim(const Tensor& t, const Tensor& indices, std::optional<int64_t> dim);
// The elements of `source`, in order, where the mask is true.
Tensor masked_scatter(const Tensor& t, const Tensor& mask, const Tensor& source);
void masked_scatter_(const Tensor& t, const Tensor& mask, const Tensor& source);

}  // namespace gradcore
