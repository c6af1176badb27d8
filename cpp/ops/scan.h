// Ops along one dim that keep its length.
#pragma once
#include "ops/scan_core.h"

namespace gradcore {

// logcumsumexp() without its node.
Tensor log_cumulative_sums(const Tensor& t, int dim);
// The extreme so far, and where it was last met.
ValuesIndices cummax(const Tensor& t, int64_t dim);
ValuesIndices cummin(const Tensor& t, int64_t dim);

}  // namespace gradcore
