// The vocabulary of formulas. A formula is a struct with `info`, `fwd` and one vjp for each differentiable operand,
// each a template over its value type V:
//   V = Lane<T>  the body of a kernel loop          (kernels/lane.h)
//   V = Tensor   recorded ops: double backward       (ops/formula_ops.h)
//   V = Uses     nothing is computed; tells which operands a vjp reads, so that a node saves only those (below)
// A vjp gets the incoming gradient, the operands, the output, then the op's scalar parameters.
#pragma once

namespace gradcore::formulas {

template <class... Ts> struct TypeList {
  static constexpr int size = sizeof...(Ts);
};

template <class T, class List> struct IndexIn;
template <class T, class... Ts> struct IndexIn<T, TypeList<Ts...>> {
  static constexpr int find() {
    int i = 0, at = -1;
    ((__is_same(T, Ts) ? at = i : 0, ++i), ...);
    return at;
  }
  static constexpr int value = find();
};

// A constant as a V.
template <class V> struct Constant {
  static constexpr V make(double x) { return V(x); }
};
template <class V> constexpr V c(double x) { return Constant<V>::make(x); }

// Note [What a vjp reads]
// Running a vjp on Uses at compile time collects the operands it touches. Bits: 1 the gradient, 2 4 8 the operands,
// 16 the output. kMath tells that a transcendental function is involved (its lanes must run vectorised everywhere, so
// that a value does not depend on its position); kChanged that the result is not just the first operand handed on.
struct Uses {
  unsigned bits = 0;
  constexpr Uses() = default;
  constexpr explicit Uses(unsigned b) : bits(b) {}
};
constexpr unsigned kUsesGrad = 1, kUsesOutput = 16, kMath = 32, kChanged = 64;
constexpr unsigned uses_operand(int i) { return 2u << i; }

template <> struct Constant<Uses> {
  static constexpr Uses make(double) { return Uses(kChanged); }
};

#define GC_USES_UNARY(f, flags) \
  constexpr Uses f(Uses a) { return Uses(a.bits | flags); }
#define GC_USES_BINARY(f, flags) \
  constexpr Uses f(Uses a, Uses b) { return Uses(a.bits | b.bits | flags); }
GC_USES_UNARY(exp, kMath | kChanged)
GC_USES_UNARY(expm1, kMath | kChanged)
GC_USES_UNARY(log, kMath | kChanged)
GC_USES_UNARY(log1p, kMath | kChanged)
GC_USES_UNARY(log2, kMath | kChanged)
GC_USES_UNARY(log10, kMath | kChanged)
GC_USES_UNARY(sin, kMath | kChanged)
GC_USES_UNARY(cos, kMath | kChanged)
GC_USES_UNARY(tan, kMath | kChanged)
GC_USES_UNARY(asin, kMath | kChanged)
GC_USES_UNARY(acos, kMath | kChanged)
GC_USES_UNARY(atan, kMath | kChanged)
GC_USES_UNARY(sinh, kMath | kChanged)
GC_USES_UNARY(cosh, kMath | kChanged)
GC_USES_UNARY(tanh, kMath | kChanged)
GC_USES_UNARY(sigmoid, kMath | kChanged)
GC_USES_UNARY(erf, kMath | kChanged)
GC_USES_UNARY(erfc, kMath | kChanged)
GC_USES_UNARY(sqrt, kChanged)
GC_USES_UNARY(rsqrt, kChanged)
GC_USES_UNARY(abs, kChanged)
GC_USES_UNARY(sign, kChanged)
GC_USES_UNARY(floor, kChanged)
GC_USES_UNARY(ceil, kChanged)
GC_USES_UNARY(round, kChanged)
GC_USES_UNARY(trunc, kChanged)
GC_USES_UNARY(isnan, kChanged)
GC_USES_UNARY(logical_not, kChanged)
GC_USES_UNARY(operator-, kChanged)
GC_USES_BINARY(operator+, kChanged)
GC_USES_BINARY(operator-, kChanged)
GC_USES_BINARY(operator*, kChanged)
GC_USES_BINARY(operator/, kChanged)
GC_USES_BINARY(pow, kMath | kChanged)
GC_USES_BINARY(atan2, kMath | kChanged)
GC_USES_BINARY(fmod, kMath | kChanged)
GC_USES_BINARY(remainder, kMath | kChanged)
GC_USES_BINARY(floor_divide, kMath | kChanged)
GC_USES_BINARY(trunc_divide, kMath | kChanged)
GC_USES_BINARY(lt, kChanged)
GC_USES_BINARY(le, kChanged)
GC_USES_BINARY(gt, kChanged)
GC_USES_BINARY(ge, kChanged)
GC_USES_BINARY(eq, kChanged)
GC_USES_BINARY(ne, kChanged)
GC_USES_BINARY(both, kChanged)
GC_USES_BINARY(either, kChanged)
GC_USES_BINARY(differ, kChanged)
GC_USES_BINARY(bitwise_and, kChanged)
GC_USES_BINARY(bitwise_or, kChanged)
GC_USES_BINARY(bitwise_xor, kChanged)
GC_USES_BINARY(shift_left, kChanged)
GC_USES_BINARY(shift_right, kChanged)
constexpr Uses bitwise_not(Uses a) { return Uses(a.bits | kChanged); }
constexpr Uses select(Uses m, Uses a, Uses b) { return Uses(m.bits | a.bits | b.bits | kChanged); }
constexpr Uses zeros_of(Uses) { return Uses(kChanged); }
constexpr Uses relu_backward(Uses g, Uses y) { return Uses(g.bits | y.bits | kChanged); }
#undef GC_USES_UNARY
#undef GC_USES_BINARY

// Lanes compare to plain bools; these are their connectives (no short circuit: both sides are vectors).
#define GC_BOOL __attribute__((always_inline)) constexpr bool
GC_BOOL both(bool a, bool b) { return a & b; }
GC_BOOL either(bool a, bool b) { return a | b; }
GC_BOOL differ(bool a, bool b) { return a != b; }
#undef GC_BOOL

}  // namespace gradcore::formulas
