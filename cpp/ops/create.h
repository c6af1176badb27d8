// Tensors out of nothing: fills, ranges, the identity.
#pragma once
#include <optional>

#include "tensor/batch.h"
#include "tensor/tensor.h"

namespace gradcore {

Tensor full(const Dims& shape, const Scalar& value, DType dtype);
Tensor zeros(const Dims& shape, DType dtype);
Tensor full_batched(const Levels& levels, const Dims& shape, const Scalar& value, DType dtype);
Tensor ones(const Dims& shape, DType dtype);
Tensor empty_like(const Tensor& t, DType dtype);
Tensor zeros_like(const Tensor& t);
Tensor ones_like(const Tensor& t);
Tensor full_like(const Tensor& t, const Scalar& value, DType dtype);
Tensor scalar_tensor(const Scalar& value, DType dtype);
Tensor arange(const Scalar& start, const Scalar& end, const Scalar& step, std::optional<DType> dtype);
Tensor logspace(const Scalar& start, const Scalar& end, int64_t steps, double base, DType dtype);
Tensor linspace(const Scalar& start, const Scalar& end, int64_t steps, DType dtype);
Tensor eye(int64_t n, int64_t m, DType dtype);

}  // namespace gradcore
