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

// What torch's node saves even where no formula will be asked for it, so that a second backward and a write to it are
// refused there as well: the result, what several formulas read, and all that an only one reads. Bit k of `absent`:
// operand k is a number, and so no input.
constexpr unsigned used_anyway(const unsigned (&uses)[3], unsigned absent) {
  unsigned once = 0, twice = 0;
  int count = 0;
  for (int k = 0; k < 3; ++k) {
    if (!uses[k] || (absent >> k & 1)) continue;
    ++count;
    twice |= once & uses[k];
    once |= uses[k];
  }
  return count == 1 ? once : twice | (once & formulas::kUsesOutput);
}

template <class Op> constexpr ElementwiseOp make_op() {
  constexpr unsigned uses[] = {formulas::vjp_uses<Op, 0>(), formulas::vjp_uses<Op, 1>(), formulas::vjp_uses<Op, 2>()};
  return {&Op::info,
          Op::kArity,
          formulas::params_of<Op>,
          formulas::place_of<Op>.group,
          formulas::place_of<Op>.index,
          {uses[0], uses[1], uses[2]},
          used_anyway(uses, 0),
          {recorded_vjp_or_null<Op, 0>(), recorded_vjp_or_null<Op, 1>(), recorded_vjp_or_null<Op, 2>()}};
}

template <class Op> inline constexpr ElementwiseOp op_of = make_op<Op>();

}  // namespace gradcore
