// Powers and roots.
#pragma once
#include "formulas/formula.h"

namespace gradcore::formulas {

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
struct PowTwo : Unary {
  static constexpr OpInfo info{
      .name = "pow", .node = "PowBackward0", .types = kNumbers, .parameters = {"exponent"}, .fixed = 2};
  template <class V> static constexpr V fwd(V x) { return x * x; }
  template <class V> static constexpr V vjp(V g, V x, V) { return g * (x * c<V>(2)); }
};
struct PowThree : Unary {
  static constexpr OpInfo info{
      .name = "pow", .node = "PowBackward0", .types = kNumbers, .parameters = {"exponent"}, .fixed = 3};
  template <class V> static constexpr V fwd(V x) { return x * x * x; }
  template <class V> static constexpr V vjp(V g, V x, V) { return g * (x * x * c<V>(3)); }
};
struct PowHalf : Unary {
  static constexpr OpInfo info{
      .name = "pow", .node = "PowBackward0", .parameters = {"exponent"}, .fixed = 0.5, .cost = 0.3};
  template <class V> static constexpr V fwd(V x) { return sqrt(x); }
  template <class V> static constexpr V vjp(V g, V x, V) { return g * (c<V>(0.5) * rsqrt(x)); }
};
struct Pow : Binary {
  static constexpr OpInfo info{
      .name = "pow", .node = "PowBackward1", .types = kNumbers, .operands = {"self", "exponent"}, .cost = 2.0};
  template <class V> static constexpr V fwd(V a, V b) { return pow(a, b); }
  template <class V> static constexpr V vjp_a(V g, V a, V b, V) {
    return select(eq(b, c<V>(0)), c<V>(0), g * (b * pow(a, b - c<V>(1))));
  }
  // 0**b has slope 0 in b for b >= 0, where log(0) would say -inf.
  template <class V> static constexpr V vjp_b(V g, V a, V b, V y) {
    return select(both(eq(a, c<V>(0)), ge(b, c<V>(0))), c<V>(0), g * (y * log(a)));
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
// Divided by the larger one first, so that no square overflows. Where one is infinite the result is, beside NaN too.
struct Hypot : Binary {
  static constexpr OpInfo info{.name = "hypot", .node = "HypotBackward0", .cost = 0.8};
  template <class V> static constexpr V fwd(V a, V b) {
    const V x = abs(a), y = abs(b), inf = c<V>(__builtin_inf());
    const V large = select(lt(x, y), y, x), small = select(lt(x, y), x, y);
    const V ratio = small / large;
    const V result = select(eq(large, c<V>(0)), small, large * sqrt(c<V>(1) + ratio * ratio));
    return select(either(eq(x, inf), eq(y, inf)), inf, result);
  }
  template <class V> static constexpr V vjp_a(V g, V a, V, V y) { return g * (a / y); }
  template <class V> static constexpr V vjp_b(V g, V, V b, V y) { return g * (b / y); }
};

using Power = TypeList<Sqrt, Rsqrt, PowScalar, PowTwo, PowThree, PowHalf, Pow, PowNumber, Hypot>;

}  // namespace gradcore::formulas
