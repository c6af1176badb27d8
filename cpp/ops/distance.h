// Distances between rows: cdist and pdist.
#pragma once
#include <string_view>

#include "tensor/tensor.h"

namespace gradcore {

// Of each row of `a` from each row of `b`, by the p-norm; leading dims are batches that broadcast. `mode` says whether
// Euclidean distances may come from a product of matrices, which is faster and loses digits where rows are near.
enum class CdistMode : uint8_t { ProductIfMany, Product, Exact };
CdistMode cdist_mode(std::string_view name);
Tensor cdist(const Tensor& a, const Tensor& b, double p, CdistMode mode);
// Of each row of a matrix from those behind it.
Tensor pdist(const Tensor& t, double p);

// Along dim, of tensors that are broadcast; norms below eps count as eps, without a derivative of their own.
Tensor cosine_similarity(const Tensor& a, const Tensor& b, int64_t dim, double eps);

}  // namespace gradcore
