// The elementwise ops (pointwise.h) that ops of other families call, and the lists of those that are just a formula.
// An Operand is a tensor or a number.
#pragma once
#include <optional>

#include "ops/elementwise.h"

namespace gradcore {

// One function for each formula, f and in-place f_.
// clang-format off: lists
#define GC_UNARY_OPS(X) \
  X(neg, Neg) X(abs, Abs) X(sign, Sign) X(reciprocal, Reciprocal) X(sqrt, Sqrt) \
  X(rsqrt, Rsqrt) X(exp, Exp) X(expm1, Expm1) X(log, Log) X(log1p, Log1p) \
  X(log2, Log2) X(log10, Log10) X(sin, Sin) X(cos, Cos) X(tan, Tan) \
  X(asin, Asin) X(acos, Acos) X(atan, Atan) X(sinh, Sinh) X(cosh, Cosh) \
  X(tanh, Tanh) X(sigmoid, Sigmoid) X(erf, Erf) X(erfc, Erfc) X(relu, Relu) \
  X(floor, Floor) X(ceil, Ceil) X(round, Round) X(trunc, Trunc) \
  X(logical_not, LogicalNot) X(bitwise_not, BitwiseNot)
#define GC_BINARY_OPS(X) \
  X(mul, Mul) X(div, Div) X(floor_divide, FloorDivide) X(div_floor, DivFloor) \
  X(div_trunc, DivTrunc) X(relu_backward, ReluBackward) X(remainder, Remainder) \
  X(fmod, Fmod) X(atan2, Atan2) X(hypot, Hypot) X(ldexp, Ldexp) X(maximum, Maximum) X(minimum, Minimum) \
  X(eq, Eq) X(ne, Ne) X(lt, Lt) X(le, Le) X(gt, Gt) X(ge, Ge) \
  X(logical_and, LogicalAnd) X(logical_or, LogicalOr) \
  X(logical_xor, LogicalXor) X(bitwise_and, BitwiseAnd) \
  X(bitwise_or, BitwiseOr) X(bitwise_xor, BitwiseXor) \
  X(bitwise_left_shift, LeftShift) X(bitwise_right_shift, RightShift)
// clang-format on
#define GC_DECLARE(f, Op)    \
  Tensor f(const Tensor& a); \
  void f##_(const Tensor& a);
GC_UNARY_OPS(GC_DECLARE)
#undef GC_DECLARE
#define GC_DECLARE(f, Op)                       \
  Tensor f(const Operand& a, const Operand& b); \
  void f##_(const Tensor& a, const Operand& b);
GC_BINARY_OPS(GC_DECLARE)
#undef GC_DECLARE
Tensor add(const Operand& a, const Operand& b, const Scalar& alpha = 1);
Tensor plus(const Operand& a, const Operand& b);  // add() without a factor: every a + b
void add_(const Tensor& a, const Operand& b, const Scalar& alpha = 1);
Tensor sub(const Operand& a, const Operand& b, const Scalar& alpha = 1);
void sub_(const Tensor& a, const Operand& b, const Scalar& alpha = 1);
Tensor pow(const Operand& a, const Operand& b);
Tensor square(const Tensor& t);
using MaybeNumber = std::optional<double>;
Tensor isnan(const Tensor& t);
Tensor isinf(const Tensor& t);
Tensor isfinite(const Tensor& t);
Tensor isneginf(const Tensor& t);
Tensor nan_to_num(const Tensor& t, const MaybeNumber& nan, const MaybeNumber& positive, const MaybeNumber& negative);
Tensor where(const Tensor& condition, const Operand& a, const Operand& b);
Tensor masked_fill(const Tensor& t, const Tensor& mask, const Operand& value);
Tensor addcmul(const Tensor& t, const Operand& a, const Operand& b, const Scalar& value = 1);
Tensor lerp(const Tensor& a, const Tensor& b, const Operand& weight);
using Bound = std::optional<Operand>;
Tensor clamp(const Tensor& t, const Bound& lo, const Bound& hi);
Tensor clamp_min(const Tensor& t, const Operand& lo);
Tensor clamp_max(const Tensor& t, const Operand& hi);
void pow_(const Tensor& a, const Operand& b);
void lerp_(const Tensor& a, const Tensor& b, const Operand& weight);

// The same ops as calls that have not run yet: foreach.cpp runs many of them together. Making one raises what the op
// raises, but for shapes and for types that no kernel takes.
namespace calls {
#define GC_DECLARE(f, Op) ElementwiseCall f(const Tensor& a);
GC_UNARY_OPS(GC_DECLARE)
#undef GC_DECLARE
#define GC_DECLARE(f, Op) ElementwiseCall f(const Operand& a, const Operand& b);
GC_BINARY_OPS(GC_DECLARE)
#undef GC_DECLARE
ElementwiseCall add(const Operand& a, const Operand& b, const Scalar& alpha);
ElementwiseCall sub(const Operand& a, const Operand& b, const Scalar& alpha);
ElementwiseCall pow(const Operand& a, const Operand& b);
ElementwiseCall addcmul(const Operand& t, const Operand& a, const Operand& b, const Scalar& value);
ElementwiseCall addcdiv(const Operand& t, const Operand& a, const Operand& b, const Scalar& value);
ElementwiseCall lerp(const Tensor& a, const Tensor& b, const Operand& weight);
ElementwiseCall clamp_min(const Tensor& t, const Operand& lo);
ElementwiseCall clamp_max(const Tensor& t, const Operand& hi);
}  // namespace calls

}  // namespace gradcore
