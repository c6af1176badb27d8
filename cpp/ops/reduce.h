// Reductions.
#pragma once
#include <optional>
#include <vector>

#include "tensor/tensor.h"

namespace gradcore {

using MaybeDims = std::optional<Dims>;
using MaybeDType = std::optional<DType>;
struct ValuesIndices {
  Tensor values, indices;
};
Tensor sum(const Tensor& t, const MaybeDims& dim = {}, bool keepdim = false, MaybeDType dtype = {});
Tensor nansum(const Tensor& t, const MaybeDims& dim, bool keepdim, MaybeDType dtype);
Tensor mean(const Tensor& t, const MaybeDims& dim = {}, bool keepdim = false, MaybeDType dtype = {});
Tensor prod(const Tensor& t, std::optional<int64_t> dim = {}, bool keepdim = false, MaybeDType dtype = {});
Tensor var(const Tensor& t, const MaybeDims& dim, double correction, bool keepdim);
Tensor std(const Tensor& t, const MaybeDims& dim, double correction, bool keepdim);
// The same within another op, which a warning names.
Tensor var_within(const char* op, const Tensor& t, const MaybeDims& dim, double correction, bool keepdim);
Tensor std_within(const char* op, const Tensor& t, const MaybeDims& dim, double correction, bool keepdim);
Tensor max(const Tensor& t);
Tensor min(const Tensor& t);
ValuesIndices max(const Tensor& t, int64_t dim, bool keepdim);
ValuesIndices min(const Tensor& t, int64_t dim, bool keepdim);
Tensor amax(const Tensor& t, const MaybeDims& dim, bool keepdim);
Tensor amin(const Tensor& t, const MaybeDims& dim, bool keepdim);
Tensor argmax(const Tensor& t, std::optional<int64_t> dim, bool keepdim);
Tensor argmin(const Tensor& t, std::optional<int64_t> dim, bool keepdim);
Tensor any(const Tensor& t, const MaybeDims& dim, bool keepdim);
Tensor all(const Tensor& t, const MaybeDims& dim, bool keepdim);
Tensor norm(const Tensor& t, double p, const MaybeDims& dim, bool keepdim, MaybeDType dtype);
// The norm of each tensor over all of its elements.
// The square of what norm() has recorded, with the right second derivative at 0; undefined for any other tensor.
Tensor square_of_norm(const Tensor& n);
std::vector<Tensor> norms(std::span<const Tensor> tensors, double p, MaybeDType dtype);
Tensor logsumexp(const Tensor& t, const Dims& dim, bool keepdim);
Tensor count_nonzero(const Tensor& t, const MaybeDims& dim);
Tensor isclose(const Tensor& a, const Tensor& b, double rtol, double atol, bool equal_nan);

}  // namespace gradcore
