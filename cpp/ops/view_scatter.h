// Copies with a part replaced: select_scatter, slice_scatter, diagonal_scatter, as_strided_scatter.
#pragma once
#include <optional>

#include "tensor/tensor.h"

namespace gradcore {

Tensor select_scatter(const Tensor& t, const Tensor& src, int64_t dim, int64_t index);
Tensor slice_scatter(const Tensor& t, const Tensor& src, int64_t dim, std::optional<int64_t> start,
                     std::optional<int64_t> end, int64_t step);
Tensor diagonal_scatter(const Tensor& t, const Tensor& src, int64_t offset, int64_t dim1, int64_t dim2);
Tensor as_strided_scatter(const Tensor& t, const Tensor& src, const Dims& size, const Dims& stride,
                          std::optional<int64_t> offset);

}  // namespace gradcore
