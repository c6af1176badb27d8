// The scans (scan.h) that ops of other families call.
#pragma once
#include "ops/results.h"

namespace gradcore {

Tensor softmax(const Tensor& t, int64_t dim, MaybeDType dtype);
Tensor log_softmax(const Tensor& t, int64_t dim, MaybeDType dtype);
Tensor cumsum(const Tensor& t, int64_t dim, MaybeDType dtype);
Tensor cumprod(const Tensor& t, int64_t dim, MaybeDType dtype);

}  // namespace gradcore
