// Formulas on tensors: Sym is the value type on which a formula records ops instead of computing, which is how a
// derivative gets its own derivative. Numbers stay numbers, so that they neither cost a tensor nor change a dtype.
#pragma once
#include <cmath>

#include "formulas/formula.h"
#include "ops/ops.h"

namespace gradcore {

struct Sym {
  Tensor t;
  Scalar s;
  Sym() = default;
  Sym(Tensor tensor) : t(std::move(tensor)) {}
  explicit Sym(double v) : s(v) {}
  explicit Sym(const Scalar& v) : s(v) {}
  explicit Sym(const Operand& o) : s(o.scalar) {
    if (o.is_tensor()) t = *o.tensor;
  }
  bool is_tensor() const { return t.defined(); }
  double number() const { return s.to_double(); }
  Operand operand() const { return is_tensor() ? Operand(t) : Operand(s); }
};

#define GC_SYM_UNARY(f, number_f) \
  inline Sym f(const Sym& a) { return a.is_tensor() ? Sym(gradcore::f(a.t)) : Sym(number_f(a.number())); }
GC_SYM_UNARY(exp, std::exp)
GC_SYM_UNARY(log, std::log)
GC_SYM_UNARY(sin, std::sin)
GC_SYM_UNARY(cos, std::cos)
GC_SYM_UNARY(sinh, std::sinh)
GC_SYM_UNARY(cosh, std::cosh)
GC_SYM_UNARY(tanh, std::tanh)
GC_SYM_UNARY(sqrt, std::sqrt)
GC_SYM_UNARY(rsqrt, 1 / std::sqrt)
GC_SYM_UNARY(abs, std::fabs)
#undef GC_SYM_UNARY
inline Sym sign(const Sym& a) {
  return a.is_tensor() ? Sym(gradcore::sign(a.t)) : Sym(double((a.number() > 0) - (a.number() < 0)));
}
inline Sym operator-(const Sym& a) { return a.is_tensor() ? Sym(neg(a.t)) : Sym(-a.number()); }
inline Sym zeros_of(const Sym& a) { return zeros_like(a.t); }
inline Sym relu_backward(const Sym& g, const Sym& y) { return gradcore::relu_backward(g.operand(), y.operand()); }

#define GC_SYM_BINARY(name, op, number_result)                                         \
  inline Sym name(const Sym& a, const Sym& b) {                                        \
    if (a.is_tensor() || b.is_tensor()) return gradcore::op(a.operand(), b.operand()); \
    const double x = a.number(), y = b.number();                                       \
    return Sym(static_cast<double>(number_result));                                    \
  }
GC_SYM_BINARY(operator+, add, x + y)
GC_SYM_BINARY(operator-, sub, x - y)
GC_SYM_BINARY(operator*, mul, x* y)
GC_SYM_BINARY(operator/, div, x / y)
GC_SYM_BINARY(pow, pow, std::pow(x, y))
GC_SYM_BINARY(floor_divide, div_floor, std::floor(x / y))
GC_SYM_BINARY(trunc_divide, div_trunc, std::trunc(x / y))
GC_SYM_BINARY(lt, lt, x < y)
GC_SYM_BINARY(le, le, x <= y)
GC_SYM_BINARY(gt, gt, x > y)
GC_SYM_BINARY(ge, ge, x >= y)
GC_SYM_BINARY(eq, eq, x == y)
GC_SYM_BINARY(ne, ne, x != y)
GC_SYM_BINARY(both, logical_and, x != 0 && y != 0)
GC_SYM_BINARY(either, logical_or, x != 0 || y != 0)
#undef GC_SYM_BINARY

inline Sym select(const Sym& m, const Sym& a, const Sym& b) {
  if (!m.is_tensor()) return m.s.is_zero() ? b : a;
  return where(m.t, a.operand(), b.operand());
}

}  // namespace gradcore
