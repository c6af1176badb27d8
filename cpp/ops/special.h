// Special functions, and functions of a number's parts, that are more than a formula.
#pragma once
#include "ops/pointwise_core.h"
#include "ops/results.h"

namespace gradcore {

// The logarithm of the multivariate gamma function of dimension p.
Tensor mvlgamma(const Tensor& t, int64_t p);
void mvlgamma_(const Tensor& t, int64_t p);
Tensor ndtr(const Tensor& t);
// Powers in float64.
Tensor float_power(const Operand& a, const Operand& b);
void float_power_(const Tensor& a, const Operand& b);
// Mantissa and exponent.
Named frexp(const Tensor& t);
bool is_nonzero(const Tensor& t);

}  // namespace gradcore
