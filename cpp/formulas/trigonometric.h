// Circular and hyperbolic functions.
#pragma once
#include "formulas/formula.h"

namespace gradcore::formulas {

struct Sin : Unary {
  static constexpr OpInfo info{.name = "sin", .node = "SinBackward0", .result = Float, .cost = 0.6};
  template <class V> static constexpr V fwd(V x) { return sin(x); }
  template <class V> static constexpr V vjp(V g, V x, V) { return g * cos(x); }
};
struct Cos : Unary {
  static constexpr OpInfo info{.name = "cos", .node = "CosBackward0", .result = Float, .cost = 0.6};
  template <class V> static constexpr V fwd(V x) { return cos(x); }
  template <class V> static constexpr V vjp(V g, V x, V) { return -g * sin(x); }
};
struct Tan : Unary {
  static constexpr OpInfo info{.name = "tan", .node = "TanBackward0", .result = Float, .cost = 1.0};
  template <class V> static constexpr V fwd(V x) { return tan(x); }
  template <class V> static constexpr V vjp(V g, V, V y) { return g * (y * y + c<V>(1)); }
};
struct Asin : Unary {
  static constexpr OpInfo info{.name = "asin", .node = "AsinBackward0", .result = Float, .cost = 0.8};
  template <class V> static constexpr V fwd(V x) { return asin(x); }
  template <class V> static constexpr V vjp(V g, V x, V) { return g * rsqrt(c<V>(1) - x * x); }
};
struct Acos : Unary {
  static constexpr OpInfo info{.name = "acos", .node = "AcosBackward0", .result = Float, .cost = 0.8};
  template <class V> static constexpr V fwd(V x) { return acos(x); }
  template <class V> static constexpr V vjp(V g, V x, V) { return -g * rsqrt(c<V>(1) - x * x); }
};
struct Atan : Unary {
  static constexpr OpInfo info{.name = "atan", .node = "AtanBackward0", .result = Float, .cost = 0.8};
  template <class V> static constexpr V fwd(V x) { return atan(x); }
  template <class V> static constexpr V vjp(V g, V x, V) { return g / (x * x + c<V>(1)); }
};
struct Atan2 : Binary {
  static constexpr OpInfo info{.name = "atan2", .node = "Atan2Backward0", .result = Float, .cost = 1.5};
  template <class V> static constexpr V fwd(V a, V b) { return atan2(a, b); }
  // b / (a^2 + b^2), divided by the length twice so that no square leaves the range. No angle at the origin: 0.
  template <class V> static constexpr V vjp_a(V g, V a, V b, V) {
    const V r = nonzero(hypot(a, b));
    return g * (b / r / r);
  }
  template <class V> static constexpr V vjp_b(V g, V a, V b, V) {
    const V r = nonzero(hypot(a, b));
    return g * (-a / r / r);
  }
};
struct Sinh : Unary {
  static constexpr OpInfo info{.name = "sinh", .node = "SinhBackward0", .result = Float, .cost = 1.0};
  template <class V> static constexpr V fwd(V x) { return sinh(x); }
  template <class V> static constexpr V vjp(V g, V x, V) { return g * cosh(x); }
};
struct Cosh : Unary {
  static constexpr OpInfo info{.name = "cosh", .node = "CoshBackward0", .result = Float, .cost = 1.0};
  template <class V> static constexpr V fwd(V x) { return cosh(x); }
  template <class V> static constexpr V vjp(V g, V x, V) { return g * sinh(x); }
};
struct Tanh : Unary {
  static constexpr OpInfo info{.name = "tanh", .node = "TanhBackward0", .result = Float, .cost = 0.5};
  template <class V> static constexpr V fwd(V x) { return tanh(x); }
  template <class V> static constexpr V vjp(V g, V, V y) { return g * (c<V>(1) - y * y); }
};

using Trigonometric = TypeList<Sin, Cos, Tan, Asin, Acos, Atan, Atan2, Sinh, Cosh, Tanh>;

}  // namespace gradcore::formulas
