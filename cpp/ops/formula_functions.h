// Formulas as functions, found by type: elementwise.cpp makes them for every formula, and bindings/ops/elementwise.cpp
// makes rows of them. A formula needs no other declaration.
#pragma once
#include "ops/elementwise.h"

namespace gradcore {

template <class Op> Tensor unary(const Tensor& a);
template <class Op> void unary_(const Tensor& a);
template <class Op> ElementwiseCall unary_call(const Tensor& a);

template <class Op> Tensor binary(const Operand& a, const Operand& b);
template <class Op> void binary_(const Tensor& a, const Operand& b);
template <class Op> ElementwiseCall binary_call(const Operand& a, const Operand& b);

// Of operands and the numbers that follow them. What is not given is NaN.
template <class Op> ElementwiseCall call_with(const Tensor& a, std::span<const Scalar> params);
template <class Op> ElementwiseCall call_with(const Operand& a, const Operand& b, std::span<const Scalar> params);
inline Scalar as_param(const std::optional<double>& v) { return v.value_or(__builtin_nan("")); }
inline Scalar as_param(const Scalar& v) { return v; }
inline Scalar as_param(double v) { return v; }
template <class Op, class... P> Tensor with_params(const Tensor& a, const P&... params) {
  return elementwise(call_with<Op>(a, {{as_param(params)...}}));
}
template <class Op, class... P> Tensor binary_with(const Operand& a, const Operand& b, const P&... params) {
  return elementwise(call_with<Op>(a, b, {{as_param(params)...}}));
}
template <class Op, class... P> void with_params_(const Tensor& a, const P&... params) {
  elementwise_(call_with<Op>(a, {{as_param(params)...}}), a);
}

}  // namespace gradcore
