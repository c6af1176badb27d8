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
template <class Op> constexpr int count_arguments() {
  [[maybe_unused]] const Uses u(0);
  if constexpr (requires { Op::fwd(u); }) return 1;
  if constexpr (requires { Op::fwd(u, u); }) return 2;
  if constexpr (requires { Op::fwd(u, u, u); }) return 3;
  if constexpr (requires { Op::fwd(u, u, u, u); }) return 4;
}
template <class Op> constexpr int params_of = count_arguments<Op>() - Op::kArity;

// f(p[0], ... p[n - 1])
template <int n, class P, class F> __attribute__((always_inline)) constexpr auto spread(const P* p, const F& f) {
  static_assert(n <= kMaxParams);
  if constexpr (n == 0) return f();
  if constexpr (n == 1) return f(p[0]);
  if constexpr (n == 2) return f(p[0], p[1]);
  if constexpr (n == 3) return f(p[0], p[1], p[2]);
}

template <class Op, class P, class... V>
__attribute__((always_inline)) constexpr auto forward_with(const P* p, const V&... x) {
  return spread<params_of<Op>>(p, [&](const auto&... q) __attribute__((always_inline)) { return Op::fwd(x..., q...); });
}

template <class Op> constexpr Uses forward_uses() {
  const Uses a(uses_operand(0)), b(uses_operand(1)), d(uses_operand(2)), p[kMaxParams] = {};
  if constexpr (Op::kArity == 1) return forward_with<Op>(p, a);
  if constexpr (Op::kArity == 2) return forward_with<Op>(p, a, b);
  if constexpr (Op::kArity == 3) return forward_with<Op>(p, a, b, d);
}

// Calls the vjp of operand K with one value for each slot: g, operands, output, parameters.
template <class Op, int K, class G, class A, class B, class C, class P>
constexpr auto vjp_with(const G& g, const A& a, const B& b, const C& d, const G& y, const P* p) {
  return spread<params_of<Op>>(p, [&](const auto&... q) __attribute__((always_inline)) {
    if constexpr (Op::kArity == 1) return call_vjp<Op, K>(g, a, y, q...);
    if constexpr (Op::kArity == 2) return call_vjp<Op, K>(g, a, b, y, q...);
    if constexpr (Op::kArity == 3) return call_vjp<Op, K>(g, a, b, d, y, q...);
  });
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
    const Uses p[kMaxParams] = {};
    return vjp_with<Op, K>(Uses(kUsesGrad), Uses(uses_operand(0)), Uses(uses_operand(1)), Uses(uses_operand(2)),
                           Uses(kUsesOutput), p)
        .bits;
  }
}

}  // namespace gradcore::formulas
