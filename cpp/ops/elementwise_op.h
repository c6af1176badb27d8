// What the driver knows of an op, made from its formula at compile time. Start at op_of.
#pragma once
#include "formulas/all.h"
#include "formulas/traits.h"
#include "ops/elementwise.h"
#include "ops/formula_ops.h"

namespace gradcore {

template <class Op, int K> Sym recorded_vjp(const Sym* v, const Sym* params) {
  return formulas::vjp_with<Op, K>(v[0], v[1], v[2], v[3], v[4], params);
}

template <class Op, int K> constexpr auto recorded_vjp_or_null() -> Sym (*)(const Sym*, const Sym*) {
  if constexpr (formulas::has_vjp<Op, K>())
    return recorded_vjp<Op, K>;
  else
    return nullptr;
}

template <class Op> constexpr ElementwiseOp make_op() {
  return {&Op::info,
          Op::kArity,
          formulas::params_of<Op>,
          formulas::place_of<Op>.group,
          formulas::place_of<Op>.index,
          {formulas::vjp_uses<Op, 0>(), formulas::vjp_uses<Op, 1>(), formulas::vjp_uses<Op, 2>()},
          {recorded_vjp_or_null<Op, 0>(), recorded_vjp_or_null<Op, 1>(), recorded_vjp_or_null<Op, 2>()}};
}

template <class Op> inline constexpr ElementwiseOp op_of = make_op<Op>();

// An alpha or a value that changes nothing.
// A number 1, which True is not: as alpha it is refused.
inline bool is_one(const Scalar& s) {
  return s.is_float() ? s.to_double() == 1 : s.to_int() == 1 && s.kind() != Category::Bool;
}

}  // namespace gradcore
