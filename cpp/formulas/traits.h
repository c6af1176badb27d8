// What can be asked of a formula at compile time: parameters, which operands have a gradient, what each vjp reads.
#pragma once
#include "formulas/formula.h"

namespace gradcore::formulas {

// The gradient of operand K: unary formulas call it vjp, the others vjp_a, vjp_b, vjp_c.
template <class Op, int K, class... A> constexpr auto call_vjp(const A&... args) {
  if constexpr (Op::kArity == 1)
    return Op::vjp(args...);
  else if constexpr (K == 0)
    return Op::vjp_a(args...);
  else if constexpr (K == 1)
    return Op::vjp_b(args...);
  else
    return Op::vjp_c(args...);
}

// How many scalar parameters follow the operands.
template <class Op> constexpr int count_params() {
  [[maybe_unused]] const Uses u(0);
  if constexpr (Op::kArity == 1)
    return requires { Op::fwd(u); } ? 0 : requires { Op::fwd(u, u); } ? 1 : 2;
  else if constexpr (Op::kArity == 2)
    return requires { Op::fwd(u, u); } ? 0 : 1;
  else
    return requires { Op::fwd(u, u, u); } ? 0 : 1;
}
template <class Op> constexpr int params_of = count_params<Op>();

template <class Op> constexpr Uses forward_uses() {
  const Uses a(uses_operand(0)), b(uses_operand(1)), d(uses_operand(2)), p(0);
  constexpr int n = params_of<Op>;
  if constexpr (Op::kArity == 1) {
    if constexpr (n == 0) return Op::fwd(a);
    if constexpr (n == 1) return Op::fwd(a, p);
    if constexpr (n == 2) return Op::fwd(a, p, p);
  } else if constexpr (Op::kArity == 2) {
    if constexpr (n == 0) return Op::fwd(a, b);
    if constexpr (n == 1) return Op::fwd(a, b, p);
  } else {
    if constexpr (n == 0) return Op::fwd(a, b, d);
    if constexpr (n == 1) return Op::fwd(a, b, d, p);
  }
}

// Calls the vjp of operand K with one value for each slot: g, operands, output, parameters.
template <class Op, int K, class G, class A, class B, class C, class P>
constexpr auto vjp_with(const G& g, const A& a, const B& b, const C& d, const G& y, const P* p) {
  constexpr int n = params_of<Op>;
  if constexpr (Op::kArity == 1) {
    if constexpr (n == 0) return call_vjp<Op, K>(g, a, y);
    if constexpr (n == 1) return call_vjp<Op, K>(g, a, y, p[0]);
    if constexpr (n == 2) return call_vjp<Op, K>(g, a, y, p[0], p[1]);
  } else if constexpr (Op::kArity == 2) {
    if constexpr (n == 0) return call_vjp<Op, K>(g, a, b, y);
    if constexpr (n == 1) return call_vjp<Op, K>(g, a, b, y, p[0]);
  } else {
    if constexpr (n == 0) return call_vjp<Op, K>(g, a, b, d, y);
    if constexpr (n == 1) return call_vjp<Op, K>(g, a, b, d, y, p[0]);
  }
}

template <class Op, int K> constexpr bool has_vjp() {
  if constexpr (!Op::info.node || K >= Op::kArity) return false;
  if constexpr (K == Op::info.mask) return false;
  return true;
}

// The kUses bits of the vjp of operand K.
template <class Op, int K> constexpr unsigned vjp_uses() {
  if constexpr (!has_vjp<Op, K>()) {
    return 0;
  } else {
    const Uses p[2] = {Uses(0), Uses(0)};
    return vjp_with<Op, K>(Uses(kUsesGrad), Uses(uses_operand(0)), Uses(uses_operand(1)), Uses(uses_operand(2)),
                           Uses(kUsesOutput), p)
        .bits;
  }
}

}  // namespace gradcore::formulas
