// Formulas on tensors: Sym is the value type on which a formula records ops instead of computing, which is how a
// derivative gets its own derivative. Numbers stay numbers, so that they neither cost a tensor nor change a dtype.
#pragma once
#include <cmath>

#include "formulas/formula.h"
#include "kernels/portable/special/special.h"
#include "ops/formula_functions.h"
#include "ops/ops.h"
#include "ops/reach.h"

namespace gradcore {

#define GC_DECLARE(f, Op) struct Op;
namespace formulas {
GC_SPECIAL_UNARY(GC_DECLARE)
GC_SPECIAL_BINARY(GC_DECLARE)
GC_SPECIAL_WITH_PARAMETER(GC_DECLARE)
}  // namespace formulas
#undef GC_DECLARE

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

#define GC_SYM_UNARY(f, flags, op, value)             \
  [[gnu::noinline]] inline Sym f(const Sym& a) {      \
    if (a.is_tensor()) return Sym(gradcore::op(a.t)); \
    const double x = a.number();                      \
    return Sym(static_cast<double>(value));           \
  }
GC_UNARY_FUNCTIONS(GC_SYM_UNARY)
#undef GC_SYM_UNARY
[[gnu::noinline]] inline Sym zeros_of(const Sym& a) { return zeros_like(a.t); }
// The gradient to an operand that torch has none to, either.
[[gnu::noinline]] inline Sym no_derivative(const char* name, const Sym&, const Sym&, const Sym&) {
  fail(ErrorKind::NotImplemented, "the derivative for '", name, "' is not implemented.");
}
[[gnu::noinline]] inline Sym reaching(const Sym& gradient, const Sym& x) { return with_graph_of(x.t, gradient.t); }
template <int n> [[gnu::noinline]] inline Sym power(const Sym& x) { return gradcore::pow(x.operand(), Scalar(n)); }
[[gnu::noinline]] inline Sym relu_backward(const Sym& g, const Sym& y) {
  return gradcore::relu_backward(g.operand(), y.operand());
}

#define GC_SYM_BINARY(f, flags, op, value)                                             \
  [[gnu::noinline]] inline Sym f(const Sym& a, const Sym& b) {                         \
    if (a.is_tensor() || b.is_tensor()) return gradcore::op(a.operand(), b.operand()); \
    const double x = a.number(), y = b.number();                                       \
    return Sym(static_cast<double>(value));                                            \
  }
GC_BINARY_FUNCTIONS(GC_SYM_BINARY)
#undef GC_SYM_BINARY

#define GC_SYM(f, Op)                                        \
  [[gnu::noinline]] inline Sym f(const Sym& a) {             \
    if (a.is_tensor()) return Sym(unary<formulas::Op>(a.t)); \
    return Sym(portable::f(a.number()));                     \
  }
GC_SPECIAL_OF_NUMBERS(GC_SYM)
#undef GC_SYM
// No formula has them of a number.
#define GC_SYM(f, Op) \
  [[gnu::noinline]] inline Sym f(const Sym& a) { return Sym(unary<formulas::Op>(a.t)); }
GC_SPECIAL_IN_LANES(GC_SYM)
#undef GC_SYM
#define GC_SYM(f, Op)                                                                               \
  [[gnu::noinline]] inline Sym f(const Sym& a, const Sym& b) {                                      \
    if (a.is_tensor() || b.is_tensor()) return Sym(binary<formulas::Op>(a.operand(), b.operand())); \
    return Sym(portable::f(a.number(), b.number()));                                                \
  }
GC_SPECIAL_BINARY(GC_SYM)
#undef GC_SYM
#define GC_SYM(f, Op)                                                  \
  [[gnu::noinline]] inline Sym f(const Sym& a, const Sym& parameter) { \
    return Sym(with_params<formulas::Op>(a.t, parameter.s));           \
  }
GC_SPECIAL_WITH_PARAMETER(GC_SYM)
#undef GC_SYM

[[gnu::noinline]] inline Sym select(const Sym& m, const Sym& a, const Sym& b) {
  if (!m.is_tensor()) return m.s.is_zero() ? b : a;
  return where(m.t, a.operand(), b.operand());
}

}  // namespace gradcore
