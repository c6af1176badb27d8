// Sums, products, quotients and signs.
#pragma once
#include "formulas/formula.h"

namespace gradcore::formulas {

struct Neg : Unary {
  static constexpr OpInfo info{
      .name = "neg",
      .node = "NegBackward0",
      .types = kNumbers,
      .no_bool =
          "Negation, the `-` operator, on a bool tensor is not supported. If you are trying to invert a mask, use the "
          "`~` or `logical_not()` operator instead.",
      .small_loops = true};
  template <class V> static constexpr V fwd(V x) { return -x; }
  template <class V> static constexpr V vjp(V g, V, V) { return -g; }
  static constexpr uint16_t half_bits(uint16_t x) { return x ^ 0x8000; }
};
struct Abs : Unary {
  static constexpr OpInfo info{.name = "abs", .node = "AbsBackward0", .types = kNumbers, .small_loops = true};
  template <class V> static constexpr V fwd(V x) { return abs(x); }
  static constexpr uint16_t half_bits(uint16_t x) { return x & 0x7fff; }
  template <class V> static constexpr V vjp(V g, V x, V) { return g * sign(x); }
};
struct Sign : Unary {
  static constexpr OpInfo info{.name = "sign", .node = "SignBackward0", .types = kAllTypes};
  template <class V> static constexpr V fwd(V x) { return sign(x); }
  template <class V> static constexpr V vjp(V g, V, V) { return zeros_of(g); }
};
struct Reciprocal : Unary {
  static constexpr OpInfo info{.name = "reciprocal", .node = "ReciprocalBackward0", .result = Float};
  template <class V> static constexpr V fwd(V x) { return c<V>(1) / x; }
  template <class V> static constexpr V vjp(V g, V, V y) { return -g * (y * y); }
};
struct Add : Binary {
  static constexpr OpInfo info{.name = "add",
                               .node = "AddBackward0",
                               .types = kAllTypes,
                               .parameters = {"alpha"},
                               .repeats = true,
                               .small_loops = true,
                               .fixed = 1};
  template <class V> static constexpr V fwd(V a, V b) { return a + b; }
  template <class V> static constexpr V vjp_a(V g, V, V, V) { return g; }
  template <class V> static constexpr V vjp_b(V g, V, V, V) { return g; }
};
struct AddScaled : Binary {
  static constexpr OpInfo info{
      .name = "add", .node = "AddBackward0", .types = kAllTypes, .parameters = {"alpha"}, .rounded_parameters = true};
  template <class V> static constexpr V fwd(V a, V b, V alpha) { return a + alpha * b; }
  template <class V> static constexpr V vjp_a(V g, V, V, V, V) { return g; }
  template <class V> static constexpr V vjp_b(V g, V, V, V, V alpha) { return g * alpha; }
};
struct Sub : Binary {
  static constexpr OpInfo info{.name = "sub",
                               .node = "SubBackward0",
                               .types = kNumbers,
                               .parameters = {"alpha"},
                               .repeats = true,
                               .small_loops = true,
                               .fixed = 1};
  template <class V> static constexpr V fwd(V a, V b) { return a - b; }
  template <class V> static constexpr V vjp_a(V g, V, V, V) { return g; }
  template <class V> static constexpr V vjp_b(V g, V, V, V) { return -g; }
};
struct SubScaled : Binary {
  static constexpr OpInfo info{
      .name = "sub", .node = "SubBackward0", .types = kNumbers, .parameters = {"alpha"}, .rounded_parameters = true};
  template <class V> static constexpr V fwd(V a, V b, V alpha) { return a - alpha * b; }
  template <class V> static constexpr V vjp_a(V g, V, V, V, V) { return g; }
  template <class V> static constexpr V vjp_b(V g, V, V, V, V alpha) { return -g * alpha; }
};
// A number minus a tensor.
struct Rsub : Binary {
  static constexpr OpInfo info{.name = "rsub",
                               .node = "RsubBackward1",
                               .types = kNumbers,
                               .bare_numbers = true,
                               .parameters = {"alpha"},
                               .fixed = 1};
  template <class V> static constexpr V fwd(V a, V b) { return b - a; }
  template <class V> static constexpr V vjp_a(V g, V, V, V) { return -g; }
  template <class V> static constexpr V vjp_b(V g, V, V, V) { return g; }
};
struct Mul : Binary {
  static constexpr OpInfo info{.name = "mul",
                               .node = "MulBackward0",
                               .types = kAllTypes | kWideUnsigned,
                               .exact_numbers = true,
                               .repeats = true,
                               .small_loops = true};
  template <class V> static constexpr V fwd(V a, V b) { return a * b; }
  template <class V> static constexpr V vjp_a(V g, V, V b, V) { return g * b; }
  template <class V> static constexpr V vjp_b(V g, V a, V, V) { return g * a; }
};
struct Div : Binary {
  static constexpr OpInfo info{.name = "div", .node = "DivBackward0", .result = Float, .exact_numbers = true};
  template <class V> static constexpr V fwd(V a, V b) { return a / b; }
  template <class V> static constexpr V vjp_a(V g, V, V b, V) { return g / b; }
  template <class V> static constexpr V vjp_b(V g, V a, V b, V) { return -g * ((a / b) / b); }
};
struct Addcmul : Ternary {
  static constexpr OpInfo info{.name = "addcmul",
                               .node = "AddcmulBackward0",
                               .types = kNumbers,
                               .operands = {nullptr, "tensor1", "tensor2"},
                               .parameters = {"value"}};
  template <class V> static constexpr V fwd(V x, V a, V b, V value) { return x + value * a * b; }
  template <class V> static constexpr V vjp_a(V g, V, V, V, V, V) { return g; }
  template <class V> static constexpr V vjp_b(V g, V, V, V b, V, V value) { return g * (b * value); }
  template <class V> static constexpr V vjp_c(V g, V, V a, V, V, V value) { return g * (a * value); }
};
struct Addcdiv : Ternary {
  static constexpr OpInfo info{.name = "addcdiv",
                               .node = "AddcdivBackward0",
                               .types = kFloats,
                               .operands = {nullptr, "tensor1", "tensor2"},
                               .parameters = {"value"}};
  template <class V> static constexpr V fwd(V x, V a, V b, V value) { return x + value * a / b; }
  template <class V> static constexpr V vjp_a(V g, V, V, V, V, V) { return g; }
  template <class V> static constexpr V vjp_b(V g, V, V, V b, V, V value) { return g * (value / b); }
  template <class V> static constexpr V vjp_c(V g, V, V a, V b, V, V value) { return -g * (value * a / (b * b)); }
};
// The sign of real numbers under the name that complex ones have.
struct Sgn : Sign {
  static constexpr OpInfo info{.name = "sgn", .node = "SgnBackward0", .types = kAllTypes};
};
struct Copysign : Binary {
  static constexpr OpInfo info{.name = "copysign",
                               .node = "CopysignBackward1",
                               .result = Float,
                               .node_of_tensor = "CopysignBackward0",
                               .bare_numbers = true};
  template <class V> static constexpr V fwd(V a, V b) { return copysign(a, b); }
  template <class V> static constexpr V vjp_a(V g, V a, V, V y) { return g * (y / nonzero(a)); }
  template <class V> static constexpr V vjp_b(V g, V, V, V) { return zeros_of(g); }
};
// 0 below zero, 1 above, and `values` at zero.
struct Heaviside : Binary {
  static constexpr OpInfo info{.name = "heaviside", .types = kAllTypes};
  template <class V> static constexpr V fwd(V x, V values) {
    return select(eq(x, c<V>(0)), values, select(gt(x, c<V>(0)), c<V>(1), c<V>(0)));
  }
};
// The gradient is the operand's, but where the two are equal.
struct Nextafter : Binary {
  static constexpr OpInfo info{.name = "nextafter", .node = "NextafterBackward0", .cost = 0.4};
  template <class V> static constexpr V fwd(V a, V b) { return nextafter(a, b); }
  template <class V> static constexpr V vjp_a(V g, V a, V b, V) { return select(eq(a, b), c<V>(0), g); }
  template <class V> static constexpr V vjp_b(V g, V, V, V) { return zeros_of(g); }
};
// The same among halves, which are computed in float32: `eps` and `smallest`, the smallest normal number, say which
// halves.
struct NextafterHalf : Binary {
  static constexpr OpInfo info{
      .name = "nextafter", .node = "NextafterBackward0", .parameters = {"eps", "smallest"}, .cost = 0.8};
  template <class V> static constexpr V fwd(V a, V b, V eps, V smallest) {
    const V step = (nextafter(a, b) - a) * (eps * c<V>(0x1p23));  // float32's step, as many times as large
    const V near_0 = copysign(eps * smallest, b - a);
    const V most = (c<V>(2) - eps) * (c<V>(2) / smallest);
    const V y = a + select(le(abs(a), smallest), near_0, step);
    const V moved = select(gt(abs(a), most), copysign(most, a), select(eq(y, c<V>(0)), copysign(y, a), y));
    return select(either(eq(a, b), ne(b, b)), b, moved);
  }
  template <class V> static constexpr V vjp_a(V g, V a, V b, V y, V, V) { return Nextafter::vjp_a(g, a, b, y); }
  template <class V> static constexpr V vjp_b(V g, V, V, V, V, V) { return zeros_of(g); }
};
struct Gcd : Binary {
  static constexpr OpInfo info{.name = "gcd", .types = kInts, .cost = 20.0};
  template <class V> static constexpr V fwd(V a, V b) { return gcd(a, b); }
};
struct Lcm : Binary {
  static constexpr OpInfo info{.name = "lcm", .types = kInts, .cost = 25.0};
  template <class V> static constexpr V fwd(V a, V b) { return lcm(a, b); }
};

using Arithmetic = TypeList<Neg, Abs, Sign, Reciprocal, Add, AddScaled, Sub, SubScaled, Rsub, Mul, Div, Addcmul,
                            Addcdiv, Sgn, Copysign, Heaviside, Nextafter, NextafterHalf, Gcd, Lcm>;

}  // namespace gradcore::formulas
