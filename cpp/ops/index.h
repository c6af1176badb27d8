// Reading and writing through index tensors and masks.
#pragma once
#include "ops/index_core.h"

namespace gradcore {

void scatter_add_(const Tensor& t, int64_t dim, const Tensor& index, const Tensor& src);
void index_add_(const Tensor& t, int64_t dim, const Tensor& index, const Tensor& src, const Scalar& alpha);
Tensor index_copy(const Tensor& t, int64_t dim, const Tensor& index, const Tensor& src);
void index_copy_(const Tensor& t, int64_t dim, const Tensor& index, const Tensor& src);
Tensor index_fill(const Tensor& t, int64_t dim, const Tensor& index, const Operand& value);
void index_fill_(const Tensor& t, int64_t dim, const Tensor& index, const Operand& value);
Tensor index_put(const Tensor& t, std::span<const Tensor> indices, const Tensor& values, bool accumulate);

}  // namespace gradcore
