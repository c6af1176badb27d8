// Products that are added to a tensor: addmm's kin. (addmm itself stands in matmul.cpp.) A term whose factor is 0 is
// not read: NaN there stays there.
#pragma once
#include "ops/ops.h"
#include "tensor/batch.h"

namespace gradcore {

// beta * t + alpha * product.
Tensor addmv(const Tensor& t, const Tensor& matrix, const Tensor& vector, const Scalar& beta, const Scalar& alpha);
Tensor addr(const Tensor& t, const Tensor& a, const Tensor& b, const Scalar& beta, const Scalar& alpha);
Tensor baddbmm(const Tensor& t, const Tensor& a, const Tensor& b, const Scalar& beta, const Scalar& alpha);
Tensor addbmm(const Tensor& t, const Tensor& a, const Tensor& b, const Scalar& beta, const Scalar& alpha);
void addmm_(const Tensor& t, const Tensor& a, const Tensor& b, const Scalar& beta, const Scalar& alpha);
void addmv_(const Tensor& t, const Tensor& matrix, const Tensor& vector, const Scalar& beta, const Scalar& alpha);
void addr_(const Tensor& t, const Tensor& a, const Tensor& b, const Scalar& beta, const Scalar& alpha);
void baddbmm_(const Tensor& t, const Tensor& a, const Tensor& b, const Scalar& beta, const Scalar& alpha);
void addbmm_(const Tensor& t, const Tensor& a, const Tensor& b, const Scalar& beta, const Scalar& alpha);

// A factor of a tensor of this dtype. As torch's, one of integers loses what stands behind the point, and True is 1.
inline Scalar factor_for(DType dtype, const Scalar& factor) {
  return is_floating(dtype) && factor.kind() != Category::Bool ? factor : Scalar(factor.to_int());
}

// The sum as a new tensor, without history. `shape`, to which `t` broadcasts, is the product's.
template <class F>
Tensor weighted_sum(const Tensor& t, const Dims& shape, const Scalar& beta, const Scalar& alpha, F&& product) {
  const NoRecordGuard off;
  const Scalar b = factor_for(t.dtype(), beta), a = factor_for(t.dtype(), alpha);
  if (!is_floating(t.dtype())) check_fits(a, t.dtype());
  Tensor out = a.is_zero() ? zeros(shape, t.dtype()) : product();
  if (!a.is_zero() && !a.is_one()) mul_(out, a);
  if (b.is_zero()) return out.as_new();
  if (any_batched(t)) return add(out, t, b);
  add_(out, t, b);
  return out.as_new();
}

// A gradient times the factor of its term.
inline Tensor times_factor(const Tensor& g, const Scalar& factor) { return factor.is_one() ? g : mul(g, factor); }

}  // namespace gradcore
