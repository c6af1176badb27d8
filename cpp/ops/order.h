// Ops that put elements in order. NaNs come last, and equal elements keep their order: every sort is stable.
#pragma once
#include "ops/results.h"

namespace gradcore {

// `asked`: whether the program said stable=, by which torch's nodes differ and nothing else here.
ValuesIndices sort(const Tensor& t, int64_t dim, bool descending, bool asked = false);
Tensor argsort(const Tensor& t, int64_t dim, bool descending);
// uint16, uint32 and uint64 as signed integers in the same order, which kernels of order know; other dtypes as they
// are.
Tensor in_signed_order(const Tensor& t);
// The k greatest or least along a dim, in order.
ValuesIndices topk(const Tensor& t, int64_t k, int64_t dim, bool largest);

ValuesIndices kthvalue(const Tensor& t, int64_t k, int64_t dim, bool keepdim);  // k counts from 1
// The lower one of the two in the middle.
ValuesIndices median(const Tensor& t, int64_t dim, bool keepdim);
ValuesIndices nanmedian(const Tensor& t, int64_t dim, bool keepdim);
Tensor median(const Tensor& t);
Tensor nanmedian(const Tensor& t);
ValuesIndices mode(const Tensor& t, int64_t dim, bool keepdim);

}  // namespace gradcore
