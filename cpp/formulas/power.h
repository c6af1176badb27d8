// Powers and roots.
#pragma once
#include "formulas/formula.h"

namespace gradcore::formulas {

// x to the power of n in the slope of another power. Tensors have an overload that records pow(), down to the power
// of 0, as torch does: where a slope is a constant, one more derivative may be asked for, which is 0.
template <int n, class V> constexpr V power(V x) {
  if constexpr (n == 0)
    return select(eq(x, x), c<V>(1), c<V>(1));  // it reads x, which is saved for that pow()
  else if constexpr (n == 1)
    return x;
  else
    return power<n - 1>(x) * x;
}

struct Sqrt : Unary {
  static constexpr OpInfo info{.name = "sqrt", .node = "SqrtBackward0", .result = Float, .cost = 0.3};
  template <class V> static constexpr V fwd(V x) { return sqrt(x); }
  template <class V> static constexpr V vjp(V g, V, V y) { return g / (y * c<V>(2)); }
};
struct Rsqrt : Unary {
  static constexpr OpInfo info{.name = "rsqrt", .node = "RsqrtBackward0", .result = Float, .cost = 0.3};
  template <class V> static constexpr V fwd(V x) { return rsqrt(x); }
  template <class V> static constexpr V vjp(V g, V, V y) { return g * c<V>(-0.5) * (y * y * y); }
};
// x to the power of a number; the exponents that programs use most have their own, exact bodies.
struct PowScalar : Unary {
  static constexpr OpInfo info{
      .name = "pow", .node = "PowBackward0", .types = kNumbers, .parameters = {"exponent"}, .cost = 2.0};
  template <class V> static constexpr V fwd(V x, V e) { return pow(x, e); }
  template <class V> static constexpr V vjp(V g, V x, V, V e) {
    return select(eq(e, c<V>(0)), c<V>(0), g * (e * pow(x, e - c<V>(1))));
  }
};
struct PowZero : Unary {
  static constexpr OpInfo info{
      .name = "pow", .node = "PowBackward0", .types = kNumbers, .parameters = {"exponent"}, .fixed = 0};
  template <class V> static constexpr V fwd(V x) { return power<0>(x); }
  // It reads x, which viewers of the graph see.
  template <class V> static constexpr V vjp(V g, V x, V) { return select(eq(x, x), zeros_of(g), zeros_of(g)); }
};
struct PowOne : Unary {
  static constexpr OpInfo info{
      .name = "pow", .node = "PowBackward0", .types = kNumbers, .parameters = {"exponent"}, .fixed = 1};
  template <class V> static constexpr V fwd(V x) { return x; }
  template <class V> static constexpr V vjp(V g, V x, V) { return g * power<0>(x); }
};
struct PowTwo : Unary {
  static constexpr OpInfo info{
      .name = "pow", .node = "PowBackward0", .types = kNumbers, .parameters = {"exponent"}, .fixed = 2};
  template <class V> static constexpr V fwd(V x) { return x * x; }
  template <class V> static constexpr V vjp(V g, V x, V) { return g * (power<1>(x) * c<V>(2)); }
};
struct PowThree : Unary {
  static constexpr OpInfo info{
      .name = "pow", .node = "PowBackward0", .types = kNumbers, .parameters = {"exponent"}, .fixed = 3};
  template <class V> static constexpr V fwd(V x) { return x * x * x; }
  template <class V> static constexpr V vjp(V g, V x, V) { return g * (power<2>(x) * c<V>(3)); }
};
struct PowFour : Unary {
  static constexpr OpInfo info{
      .name = "pow", .node = "PowBackward0", .types = kNumbers, .parameters = {"exponent"}, .fixed = 4};
  template <class V> static constexpr V fwd(V x) {
    const V square = x * x;
    return square * square;
  }
  template <class V> static constexpr V vjp(V g, V x, V) { return g * (power<3>(x) * c<V>(4)); }
};
struct PowMinusOne : Unary {
  static constexpr OpInfo info{.name = "pow", .node = "PowBackward0", .parameters = {"exponent"}, .fixed = -1};
  template <class V> static constexpr V fwd(V x) { return c<V>(1) / x; }
  template <class V> static constexpr V vjp(V g, V x, V) {
    const V inverse = c<V>(1) / x;
    return g * (-inverse * inverse);
  }
};
struct PowMinusTwo : Unary {
  static constexpr OpInfo info{.name = "pow", .node = "PowBackward0", .parameters = {"exponent"}, .fixed = -2};
  template <class V> static constexpr V fwd(V x) {
    const V inverse = c<V>(1) / x;
    return inverse * inverse;
  }
  template <class V> static constexpr V vjp(V g, V x, V) {
    const V inverse = c<V>(1) / x;
    return g * (inverse * inverse * inverse * c<V>(-2));
  }
};
struct PowMinusHalf : Unary {
  static constexpr OpInfo info{
      .name = "pow", .node = "PowBackward0", .parameters = {"exponent"}, .fixed = -0.5, .cost = 0.3};
  template <class V> static constexpr V fwd(V x) { return rsqrt(x); }
  template <class V> static constexpr V vjp(V g, V x, V) { return g * (rsqrt(x) / x * c<V>(-0.5)); }
};
struct PowHalf : Unary {
  static constexpr OpInfo info{
      .name = "pow", .node = "PowBackward0", .parameters = {"exponent"}, .fixed = 0.5, .cost = 0.3};
  template <class V> static constexpr V fwd(V x) { return sqrt(x); }
  template <class V> static constexpr V vjp(V g, V x, V) { return g * (c<V>(0.5) * rsqrt(x)); }
};
// Its slope is a multiple of the square root, which is NaN at -inf, where pow(x, 0.5) of a loop would be infinite.
struct PowOneAndHalf : Unary {
  static constexpr OpInfo info{
      .name = "pow", .node = "PowBackward0", .parameters = {"exponent"}, .fixed = 1.5, .cost = 2.0};
  template <class V> static constexpr V fwd(V x) { return pow(x, c<V>(1.5)); }
  template <class V> static constexpr V vjp(V g, V x, V) { return g * (c<V>(1.5) * sqrt(x)); }
};
struct Pow : Binary {
  static constexpr OpInfo info{
      .name = "pow", .node = "PowBackward1", .types = kNumbers, .operands = {"self", "exponent"}, .cost = 2.0};
  template <class V> static constexpr V fwd(V a, V b) { return pow(a, b); }
  template <class V> static constexpr V vjp_a(V g, V a, V b, V) {
    // Of 0**0 and of NaN**0 too the slope in a is 0; the power of 1 is selected before it, not after: see nonzero().
    const auto flat = both(eq(b, c<V>(0)), either(eq(a, c<V>(0)), ne(a, a)));
    return g * (b * pow(select(flat, c<V>(1), a), b - c<V>(1)));
  }
  // 0**b has slope 0 in b for b >= 0, where log(0) would say -inf. It does say so for b < 0, of further derivatives
  // too. A number is given the dtype of y: chosen between two of them it would be rounded to float32.
  template <class V> static constexpr V vjp_b(V g, V a, V b, V y) {
    const auto flat = both(eq(a, c<V>(0)), ge(b, c<V>(0)));
    return g * (y * log(select(flat, c<V>(1), a + zeros_of(y))));
  }
};
// A number to the power of a tensor.
struct PowNumber : Pow {
  static constexpr OpInfo info{.name = "pow",
                               .node = "PowBackward2",
                               .types = kNumbers,
                               .bare_numbers = true,
                               .operands = {"self", "exponent"},
                               .cost = 2.0};
};
struct Hypot : Binary {
  static constexpr OpInfo info{.name = "hypot", .node = "HypotBackward0", .cost = 0.8};
  template <class V> static constexpr V fwd(V a, V b) { return hypot(a, b); }
  // At the origin, a corner, both are 0, as those of norm().
  template <class V> static constexpr V vjp_a(V g, V a, V, V y) { return g * (a / nonzero(y)); }
  template <class V> static constexpr V vjp_b(V g, V, V b, V y) { return g * (b / nonzero(y)); }
};
// a * 2**b
struct Ldexp : Binary {
  static constexpr OpInfo info{.name = "ldexp", .node = "LdexpBackward0", .result = Float, .cost = 0.6};
  template <class V> static constexpr V fwd(V a, V b) { return ldexp(a, b); }
  template <class V> static constexpr V vjp_a(V g, V, V b, V) { return ldexp(g, b); }
  template <class V> static constexpr V vjp_b(V g, V, V, V y) { return g * (y * c<V>(0.6931471805599453)); }
};
// The parts of frexp().
struct FrexpMantissa : Unary {
  static constexpr OpInfo info{.name = "frexp", .detached = true, .cost = 0.3};
  template <class V> static constexpr V fwd(V x) { return frexp_mantissa(x); }
};
struct FrexpExponent : Unary {
  static constexpr OpInfo info{.name = "frexp", .detached = true, .cost = 0.3};
  template <class V> static constexpr V fwd(V x) { return frexp_exponent(x); }
};

using Power =
    TypeList<Sqrt, Rsqrt, PowScalar, PowZero, PowOne, PowTwo, PowThree, PowFour, PowHalf, PowMinusOne, PowMinusTwo,
             PowMinusHalf, PowOneAndHalf, Pow, PowNumber, Hypot, Ldexp, FrexpMantissa, FrexpExponent>;

}  // namespace gradcore::formulas
