// The reductions (reduce.h) that ops of other families call.
#pragma once
#include "ops/results.h"

namespace gradcore {

Tensor sum(const Tensor& t, const MaybeDims& dim = {}, bool keepdim = false, MaybeDType dtype = {});
Tensor mean(const Tensor& t, const MaybeDims& dim = {}, bool keepdim = false, MaybeDType dtype = {});
Tensor prod(const Tensor& t, std::optional<int64_t> dim = {}, bool keepdim = false, MaybeDType dtype = {});
Tensor var(const Tensor& t, const MaybeDims& dim, double correction, bool keepdim);
Tensor max(const Tensor& t);
Tensor min(const Tensor& t);
ValuesIndices max(const Tensor& t, int64_t dim, bool keepdim);
ValuesIndices min(const Tensor& t, int64_t dim, bool keepdim);
Tensor amax(const Tensor& t, const MaybeDims& dim, bool keepdim);
Tensor amin(const Tensor& t, const MaybeDims& dim, bool keepdim);
Tensor any(const Tensor& t, const MaybeDims& dim, bool keepdim);
Tensor all(const Tensor& t, const MaybeDims& dim, bool keepdim);
Tensor norm(const Tensor& t, double p, const MaybeDims& dim, bool keepdim, MaybeDType dtype);
// The square of what norm() has recorded, with the right second derivative at 0; undefined for any other tensor.
Tensor square_of_norm(const Tensor& n);
Tensor logsumexp(const Tensor& t, const Dims& dim, bool keepdim);

}  // namespace gradcore
