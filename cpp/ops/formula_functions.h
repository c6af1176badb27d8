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

}  // namespace gradcore
