// Ops along one dim that keep its length.
#pragma once
#include "ops/reduce.h"

namespace gradcore {

Tensor softmax(const Tensor& t, int64_t dim, MaybeDType dtype);
Tensor log_softmax(const Tensor& t, int64_t dim, MaybeDType dtype);
Tensor cumsum(const Tensor& t, int64_t dim, MaybeDType dtype);
Tensor cumprod(const Tensor& t, int64_t dim, MaybeDType dtype);
// logcumsumexp() without its node.
Tensor log_cumulative_sums(const Tensor& t, int dim);
// The extreme so far, and where it was last met.
ValuesIndices cummax(const Tensor& t, int64_t dim);
ValuesIndices cummin(const Tensor& t, int64_t dim);

}  // namespace gradcore
