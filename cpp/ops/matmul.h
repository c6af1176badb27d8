// Matrix products.
#pragma once
#include "tensor/tensor.h"

namespace gradcore {

Tensor mm(const Tensor& a, const Tensor& b);
Tensor bmm(const Tensor& a, const Tensor& b);
Tensor mv(const Tensor& a, const Tensor& b);
Tensor dot(const Tensor& a, const Tensor& b);
Tensor matmul(const Tensor& a, const Tensor& b);
Tensor outer(const Tensor& a, const Tensor& b);
Tensor addmm(const Tensor& t, const Tensor& a, const Tensor& b, const Scalar& beta, const Scalar& alpha);
// x @ weight.T + bias, where bias may be undefined.
Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias);

}  // namespace gradcore
