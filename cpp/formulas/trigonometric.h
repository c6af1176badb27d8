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

struct Asinh : Unary {
  static constexpr OpInfo info{.name = "asinh", .node = "AsinhBackward0", .result = Float, .cost = 1.0};
  template <class V> static constexpr V fwd(V x) { return asinh(x); }
  template <class V> static constexpr V vjp(V g, V x, V) { return g * rsqrt(x * x + c<V>(1)); }
};
struct Acosh : Unary {
  static constexpr OpInfo info{.name = "acosh", .node = "AcoshBackward0", .result = Float, .cost = 1.0};
  template <class V> static constexpr V fwd(V x) { return acosh(x); }
  template <class V> static constexpr V vjp(V g, V x, V) { return g * rsqrt(x * x - c<V>(1)); }
};
struct Atanh : Unary {
  static constexpr OpInfo info{.name = "atanh", .node = "AtanhBackward0", .result = Float, .cost = 1.0};
  template <class V> static constexpr V fwd(V x) { return atanh(x); }
  template <class V> static constexpr V vjp(V g, V x, V) { return g / (c<V>(1) - x * x); }
};
// sin(pi x) / (pi x). The distance from the nearest integer is exact, so that the zeros are zeros.
struct Sinc : Unary {
  static constexpr OpInfo info{.name = "sinc", .node = "SincBackward0", .result = Float, .cost = 1.0};
  // -v for an odd number of half turns.
  template <class V> static constexpr V signed_by(V whole, V v) {
    const V half = whole * c<V>(0.5);
    return select(ne(half, floor(half)), -v, v);
  }
  template <class V> static constexpr V fwd(V x) {
    const V pi = c<V>(3.141592653589793), whole = round(x);
    return select(eq(x, c<V>(0)), c<V>(1), signed_by(whole, sin((x - whole) * pi)) / (x * pi));
  }
  // The derivative by Taylor's series, where cosine and sine cancel.
  template <class V> static constexpr V series(V t) {
    const V s = t * t;
    V sum = c<V>(18.0 / 121645100408832000.0);
    sum = sum * s + c<V>(-16.0 / 355687428096000.0);
    sum = sum * s + c<V>(14.0 / 1307674368000.0);
    sum = sum * s + c<V>(-12.0 / 6227020800.0);
    sum = sum * s + c<V>(10.0 / 39916800.0);
    sum = sum * s + c<V>(-8.0 / 362880.0);
    sum = sum * s + c<V>(6.0 / 5040.0);
    sum = sum * s + c<V>(-4.0 / 120.0);
    sum = sum * s + c<V>(2.0 / 6.0);
    return sum * t * c<V>(-3.141592653589793);
  }
  // The cosine comes from the sine of half the angle: compilers make one call of a sine and a cosine, which has no
  // vector form.
  template <class V> static constexpr V vjp(V g, V x, V) {
    const V pi = c<V>(3.141592653589793), t = x * pi, whole = round(x);
    const V angle = (x - whole) * pi, sine = sin(angle * c<V>(0.5)), cosine = c<V>(1) - c<V>(2) * sine * sine;
    const V slope = t * cosine - sin(angle);
    const auto near = lt(abs(t), c<V>(1));
    const V far = signed_by(whole, slope) / nonzero(t * x);
    return g * select(near, series(select(near, t, c<V>(0))), far);
  }
};
struct Deg2rad : Unary {
  static constexpr OpInfo info{.name = "deg2rad", .node = "Deg2RadBackward0", .result = Float};
  template <class V> static constexpr V fwd(V x) { return x * c<V>(0.017453292519943295); }
  template <class V> static constexpr V vjp(V g, V, V) { return g * c<V>(0.017453292519943295); }
};
struct Rad2deg : Unary {
  static constexpr OpInfo info{.name = "rad2deg", .node = "Rad2DegBackward0", .result = Float};
  template <class V> static constexpr V fwd(V x) { return x * c<V>(57.29577951308232); }
  template <class V> static constexpr V vjp(V g, V, V) { return g * c<V>(57.29577951308232); }
};
// Of a real number as a complex one: 0, or pi where it is negative.
struct Angle : Unary {
  static constexpr OpInfo info{.name = "angle", .node = "AngleBackward0", .result = Float};
  template <class V> static constexpr V fwd(V x) {
    return select(lt(x, c<V>(0)), c<V>(3.141592653589793), select(eq(x, x), c<V>(0), x));
  }
  template <class V> static constexpr V vjp(V g, V, V) { return zeros_of(g); }
};
using Trigonometric = TypeList<Sin, Cos, Tan, Asin, Acos, Atan, Atan2, Sinh, Cosh, Tanh, Asinh, Acosh, Atanh, Sinc,
                               Deg2rad, Rad2deg, Angle>;

}  // namespace gradcore::formulas
