// Reductions.
#pragma once
#include <span>

#include "ops/reduce_core.h"

namespace gradcore {

Tensor nansum(const Tensor& t, const MaybeDims& dim, bool keepdim, MaybeDType dtype);
Tensor std(const Tensor& t, const MaybeDims& dim, double correction, bool keepdim);
// The same within another op, which a warning names.
Tensor var_within(const char* op, const Tensor& t, const MaybeDims& dim, double correction, bool keepdim);
Tensor std_within(const char* op, const Tensor& t, const MaybeDims& dim, double correction, bool keepdim);
Tensor argmax(const Tensor& t, std::optional<int64_t> dim, bool keepdim);
Tensor argmin(const Tensor& t, std::optional<int64_t> dim, bool keepdim);
// The norm of each tensor over all of its elements.
std::vector<Tensor> norms(std::span<const Tensor> tensors, double p, MaybeDType dtype);
Tensor count_nonzero(const Tensor& t, const MaybeDims& dim);
Tensor isclose(const Tensor& a, const Tensor& b, double rtol, double atol, bool equal_nan);

}  // namespace gradcore
