// Scattering that joins what meets in one place: scatter(reduce=), scatter_reduce, index_reduce.
#pragma once
#include <string_view>

#include "ops/elementwise.h"

namespace gradcore {

// `reduce` is "add" or "multiply"; not differentiable, as in torch.
Tensor scatter(const Tensor& t, int64_t dim, const Tensor& index, const Operand& src, std::string_view reduce);
void scatter_(const Tensor& t, int64_t dim, const Tensor& index, const Operand& src, std::string_view reduce);
// `reduce` is "sum", "prod", "mean", "amax" or "amin". What the tensor held takes part where `include_self`.
Tensor scatter_reduce(const Tensor& t, int64_t dim, const Tensor& index, const Tensor& src, std::string_view reduce,
                      bool include_self);
void scatter_reduce_(const Tensor& t, int64_t dim, const Tensor& index, const Tensor& src, std::string_view reduce,
                     bool include_self);
// The same with whole slices of `source` and one index for each, without "sum".
Tensor index_reduce(const Tensor& t, int64_t dim, const Tensor& index, const Tensor& source, std::string_view reduce,
                    bool include_self);
void index_reduce_(const Tensor& t, int64_t dim, const Tensor& index, const Tensor& source, std::string_view reduce,
                   bool include_self);

}  // namespace gradcore
