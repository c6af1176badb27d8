// The reads and writes by index (index.h) that ops of other families call.
#pragma once
#include <span>

#include "ops/elementwise.h"

namespace gradcore {

Tensor index_select(const Tensor& t, int64_t dim, const Tensor& index);
Tensor gather(const Tensor& t, int64_t dim, const Tensor& index);
Tensor scatter(const Tensor& t, int64_t dim, const Tensor& index, const Operand& src);
void scatter_(const Tensor& t, int64_t dim, const Tensor& index, const Operand& src);
Tensor scatter_add(const Tensor& t, int64_t dim, const Tensor& index, const Tensor& src);
Tensor index_add(const Tensor& t, int64_t dim, const Tensor& index, const Tensor& src, const Scalar& alpha);
Tensor nonzero(const Tensor& t);
Tensor masked_select(const Tensor& t, const Tensor& mask);
// Advanced indexing: an undefined tensor stands for a full slice of its dim.
Tensor index(const Tensor& t, std::span<const Tensor> indices);
void index_put_(const Tensor& t, std::span<const Tensor> indices, const Tensor& values, bool accumulate);
// masked_fill_ of a tensor with elements that share memory.
void masked_put_expanded(const Tensor& t, const Tensor& mask, const Tensor& number);

// Adds `t` to what `out` is broadcast from, element by element in order: safe for windows that overlap themselves.
void add_raw_overlapping(const Tensor& out, const Tensor& t);

}  // namespace gradcore
