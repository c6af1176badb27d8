// Elementwise ops: those that are just a formula (elementwise.cpp), and those with more to say (pointwise.cpp).
#pragma once
#include "ops/pointwise_core.h"

namespace gradcore {

void square_(const Tensor& t);
Tensor polygamma(const Tensor& t, int64_t n);
void polygamma_(const Tensor& t, int64_t n);
Tensor round_to(const Tensor& t, int64_t decimals);
Tensor isposinf(const Tensor& t);
void nan_to_num_(const Tensor& t, const MaybeNumber& nan, const MaybeNumber& positive, const MaybeNumber& negative);
Tensor heaviside(const Tensor& t, const Tensor& values);
void heaviside_(const Tensor& t, const Tensor& values);
Tensor nextafter(const Tensor& a, const Tensor& b);
void nextafter_(const Tensor& a, const Tensor& b);
void masked_fill_(const Tensor& t, const Tensor& mask, const Operand& value);
void addcmul_(const Tensor& t, const Operand& a, const Operand& b, const Scalar& value = 1);
Tensor addcdiv(const Tensor& t, const Operand& a, const Operand& b, const Scalar& value = 1);
void addcdiv_(const Tensor& t, const Operand& a, const Operand& b, const Scalar& value = 1);
void clamp_(const Tensor& t, const Bound& lo, const Bound& hi);

}  // namespace gradcore
