// Products of tensors made of others: kron, inner, cross, chains of matrices, distances between rows.
#pragma once
#include <optional>
#include <span>

#include "tensor/tensor.h"

namespace gradcore {

Tensor kron(const Tensor& a, const Tensor& b);
Tensor inner(const Tensor& a, const Tensor& b);
// Of vectors of three elements along `dim`.
Tensor linalg_cross(const Tensor& a, const Tensor& b, int64_t dim);
// The same; without a dim along the first one of three elements.
Tensor cross(const Tensor& a, const Tensor& b, std::optional<int64_t> dim);
// The product of matrices, in the order that takes the fewest multiplications.
Tensor chain_matmul(std::span<const Tensor> matrices);
Tensor dist(const Tensor& a, const Tensor& b, double p);

}  // namespace gradcore
