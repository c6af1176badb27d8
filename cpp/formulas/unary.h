// One operand in, one out: y = f(x). vjp(g, x, y) is g times the derivative at x.
#pragma once
#include "core/op_info.h"
#include "formulas/formula.h"

namespace gradcore::formulas {

using enum gradcore::ResultType;

struct Neg {
  static constexpr OpInfo info{
      .name = "neg",
      .node = "NegBackward0",
      .types = kNumbers,
      .no_bool =
          "Negation, the `-` operator, on a bool tensor is not supported. If you are trying to invert a mask, use the "
          "`~` or `logical_not()` operator instead."};
  template <class V> static constexpr V fwd(V x) { return -x; }
  template <class V> static constexpr V vjp(V g, V, V) { return -g; }
};
struct Abs {
  static constexpr OpInfo info{.name = "abs", .node = "AbsBackward0", .types = kNumbers};
  template <class V> static constexpr V fwd(V x) { return abs(x); }
  template <class V> static constexpr V vjp(V g, V x, V) { return g * sign(x); }
};
struct Sign {
  static constexpr OpInfo info{.name = "sign", .node = "SignBackward0", .types = kAllTypes};
  template <class V> static constexpr V fwd(V x) { return sign(x); }
  template <class V> static constexpr V vjp(V g, V, V) { return zeros_of(g); }
};
struct Reciprocal {
  static constexpr OpInfo info{.name = "reciprocal", .node = "ReciprocalBackward0", .result = Float};
  template <class V> static constexpr V fwd(V x) { return c<V>(1) / x; }
  template <class V> static constexpr V vjp(V g, V, V y) { return -g * (y * y); }
};
struct Sqrt {
  static constexpr OpInfo info{.name = "sqrt", .node = "SqrtBackward0", .result = Float, .cost = 0.3};
  template <class V> static constexpr V fwd(V x) { return sqrt(x); }
  template <class V> static constexpr V vjp(V g, V, V y) { return g / (y * c<V>(2)); }
};
struct Rsqrt {
  static constexpr OpInfo info{.name = "rsqrt", .node = "RsqrtBackward0", .result = Float, .cost = 0.3};
  template <class V> static constexpr V fwd(V x) { return rsqrt(x); }
  template <class V> static constexpr V vjp(V g, V, V y) { return g * c<V>(-0.5) * (y * y * y); }
};
struct Exp {
  static constexpr OpInfo info{.name = "exp", .node = "ExpBackward0", .result = Float, .cost = 0.4};
  template <class V> static constexpr V fwd(V x) { return exp(x); }
  template <class V> static constexpr V vjp(V g, V, V y) { return g * y; }
};
struct Expm1 {
  static constexpr OpInfo info{.name = "expm1", .node = "Expm1Backward0", .result = Float, .cost = 0.5};
  template <class V> static constexpr V fwd(V x) { return expm1(x); }
  template <class V> static constexpr V vjp(V g, V, V y) { return g * (y + c<V>(1)); }
};
struct Log {
  static constexpr OpInfo info{.name = "log", .node = "LogBackward0", .result = Float, .cost = 0.4};
  template <class V> static constexpr V fwd(V x) { return log(x); }
  template <class V> static constexpr V vjp(V g, V x, V) { return g / x; }
};
struct Log1p {
  static constexpr OpInfo info{.name = "log1p", .node = "Log1PBackward0", .result = Float, .cost = 0.5};
  template <class V> static constexpr V fwd(V x) { return log1p(x); }
  template <class V> static constexpr V vjp(V g, V x, V) { return g / (x + c<V>(1)); }
};
struct Log2 {
  static constexpr OpInfo info{.name = "log2", .node = "Log2Backward0", .result = Float, .cost = 0.5};
  template <class V> static constexpr V fwd(V x) { return log2(x); }
  template <class V> static constexpr V vjp(V g, V x, V) { return g / (x * c<V>(0.6931471805599453)); }
};
struct Log10 {
  static constexpr OpInfo info{.name = "log10", .node = "Log10Backward0", .result = Float, .cost = 0.5};
  template <class V> static constexpr V fwd(V x) { return log10(x); }
  template <class V> static constexpr V vjp(V g, V x, V) { return g / (x * c<V>(2.302585092994046)); }
};
struct Sin {
  static constexpr OpInfo info{.name = "sin", .node = "SinBackward0", .result = Float, .cost = 0.6};
  template <class V> static constexpr V fwd(V x) { return sin(x); }
  template <class V> static constexpr V vjp(V g, V x, V) { return g * cos(x); }
};
struct Cos {
  static constexpr OpInfo info{.name = "cos", .node = "CosBackward0", .result = Float, .cost = 0.6};
  template <class V> static constexpr V fwd(V x) { return cos(x); }
  template <class V> static constexpr V vjp(V g, V x, V) { return -g * sin(x); }
};
struct Tan {
  static constexpr OpInfo info{.name = "tan", .node = "TanBackward0", .result = Float, .cost = 1.0};
  template <class V> static constexpr V fwd(V x) { return tan(x); }
  template <class V> static constexpr V vjp(V g, V, V y) { return g * (y * y + c<V>(1)); }
};
struct Asin {
  static constexpr OpInfo info{.name = "asin", .node = "AsinBackward0", .result = Float, .cost = 0.8};
  template <class V> static constexpr V fwd(V x) { return asin(x); }
  template <class V> static constexpr V vjp(V g, V x, V) { return g * rsqrt(c<V>(1) - x * x); }
};
struct Acos {
  static constexpr OpInfo info{.name = "acos", .node = "AcosBackward0", .result = Float, .cost = 0.8};
  template <class V> static constexpr V fwd(V x) { return acos(x); }
  template <class V> static constexpr V vjp(V g, V x, V) { return -g * rsqrt(c<V>(1) - x * x); }
};
struct Atan {
  static constexpr OpInfo info{.name = "atan", .node = "AtanBackward0", .result = Float, .cost = 0.8};
  template <class V> static constexpr V fwd(V x) { return atan(x); }
  template <class V> static constexpr V vjp(V g, V x, V) { return g / (x * x + c<V>(1)); }
};
struct Sinh {
  static constexpr OpInfo info{.name = "sinh", .node = "SinhBackward0", .result = Float, .cost = 1.0};
  template <class V> static constexpr V fwd(V x) { return sinh(x); }
  template <class V> static constexpr V vjp(V g, V x, V) { return g * cosh(x); }
};
struct Cosh {
  static constexpr OpInfo info{.name = "cosh", .node = "CoshBackward0", .result = Float, .cost = 1.0};
  template <class V> static constexpr V fwd(V x) { return cosh(x); }
  template <class V> static constexpr V vjp(V g, V x, V) { return g * sinh(x); }
};
struct Tanh {
  static constexpr OpInfo info{.name = "tanh", .node = "TanhBackward0", .result = Float, .cost = 0.5};
  template <class V> static constexpr V fwd(V x) { return tanh(x); }
  template <class V> static constexpr V vjp(V g, V, V y) { return g * (c<V>(1) - y * y); }
};
struct Sigmoid {
  static constexpr OpInfo info{.name = "sigmoid", .node = "SigmoidBackward0", .result = Float, .cost = 0.5};
  template <class V> static constexpr V fwd(V x) { return sigmoid(x); }
  template <class V> static constexpr V vjp(V g, V, V y) { return g * (c<V>(1) - y) * y; }
};
struct Erf {
  static constexpr OpInfo info{.name = "erf", .node = "ErfBackward0", .result = Float, .cost = 0.8};
  template <class V> static constexpr V fwd(V x) { return erf(x); }
  template <class V> static constexpr V vjp(V g, V x, V) { return g * (exp(-(x * x)) * c<V>(1.1283791670955126)); }
};
struct Erfc {
  static constexpr OpInfo info{.name = "erfc", .node = "ErfcBackward0", .result = Float, .cost = 0.8};
  template <class V> static constexpr V fwd(V x) { return erfc(x); }
  template <class V> static constexpr V vjp(V g, V x, V) { return g * (exp(-(x * x)) * c<V>(-1.1283791670955126)); }
};
struct Relu {
  static constexpr OpInfo info{
      .name = "relu", .node = "ReluBackward0", .types = kNumbers, .no_bool = "Boolean inputs not supported for relu"};
  // x stays where it is NaN or -0, as in torch.
  template <class V> static constexpr V fwd(V x) { return select(lt(x, c<V>(0)), c<V>(0), x); }
  template <class V> static constexpr V vjp(V g, V, V y) { return relu_backward(g, y); }
};
struct Floor {
  static constexpr OpInfo info{.name = "floor", .node = "FloorBackward0", .types = kNumbers};
  template <class V> static constexpr V fwd(V x) { return floor(x); }
  template <class V> static constexpr V vjp(V g, V, V) { return zeros_of(g); }
};
struct Ceil {
  static constexpr OpInfo info{.name = "ceil", .node = "CeilBackward0", .types = kNumbers};
  template <class V> static constexpr V fwd(V x) { return ceil(x); }
  template <class V> static constexpr V vjp(V g, V, V) { return zeros_of(g); }
};
struct Round {
  static constexpr OpInfo info{.name = "round", .node = "RoundBackward0", .types = kNumbers};
  template <class V> static constexpr V fwd(V x) { return round(x); }
  template <class V> static constexpr V vjp(V g, V, V) { return zeros_of(g); }
};
struct Trunc {
  static constexpr OpInfo info{.name = "trunc", .node = "TruncBackward0", .types = kNumbers};
  template <class V> static constexpr V fwd(V x) { return trunc(x); }
  template <class V> static constexpr V vjp(V g, V, V) { return zeros_of(g); }
};
struct Isnan {
  static constexpr OpInfo info{.name = "isnan", .result = Bool, .types = kAllTypes};
  template <class V> static constexpr auto fwd(V x) { return ne(x, x); }
};
struct Isinf {
  static constexpr OpInfo info{.name = "isinf", .result = Bool, .types = kFloats};
  template <class V> static constexpr auto fwd(V x) { return eq(abs(x), c<V>(__builtin_inf())); }
};
struct Isfinite {
  static constexpr OpInfo info{.name = "isfinite", .result = Bool, .types = kFloats};
  template <class V> static constexpr auto fwd(V x) { return lt(abs(x), c<V>(__builtin_inf())); }
};
struct LogicalNot {
  static constexpr OpInfo info{.name = "logical_not", .result = Bool, .types = kAllTypes};
  template <class V> static constexpr auto fwd(V x) { return eq(x, c<V>(0)); }
};
struct BitwiseNot {
  static constexpr OpInfo info{.name = "bitwise_not", .types = kInts | kBools};
  template <class V> static constexpr V fwd(V x) { return bitwise_not(x); }
};

// x to the power of a number; the exponents that programs use most have their own, exact bodies.
struct PowScalar {
  static constexpr OpInfo info{
      .name = "pow", .node = "PowBackward0", .types = kNumbers, .parameters = {"exponent"}, .cost = 2.0};
  template <class V> static constexpr V fwd(V x, V e) { return pow(x, e); }
  template <class V> static constexpr V vjp(V g, V x, V, V e) {
    return select(eq(e, c<V>(0)), c<V>(0), g * (e * pow(x, e - c<V>(1))));
  }
};
struct PowTwo {
  static constexpr OpInfo info{
      .name = "pow", .node = "PowBackward0", .types = kNumbers, .parameters = {"exponent"}, .fixed = 2};
  template <class V> static constexpr V fwd(V x) { return x * x; }
  template <class V> static constexpr V vjp(V g, V x, V) { return g * (x * c<V>(2)); }
};
struct PowThree {
  static constexpr OpInfo info{
      .name = "pow", .node = "PowBackward0", .types = kNumbers, .parameters = {"exponent"}, .fixed = 3};
  template <class V> static constexpr V fwd(V x) { return x * x * x; }
  template <class V> static constexpr V vjp(V g, V x, V) { return g * (x * x * c<V>(3)); }
};
struct PowHalf {
  static constexpr OpInfo info{
      .name = "pow", .node = "PowBackward0", .parameters = {"exponent"}, .fixed = 0.5, .cost = 0.3};
  template <class V> static constexpr V fwd(V x) { return sqrt(x); }
  template <class V> static constexpr V vjp(V g, V x, V) { return g * (c<V>(0.5) * rsqrt(x)); }
};

// A NaN wins on either side.
struct ClampMin {
  static constexpr OpInfo info{
      .name = "clamp_min", .node = "ClampMinBackward0", .types = kNumbers, .parameters = {"min"}};
  template <class V> static constexpr V fwd(V x, V lo) { return select(either(lt(x, lo), ne(lo, lo)), lo, x); }
  template <class V> static constexpr V vjp(V g, V x, V, V lo) { return select(ge(x, lo), g, c<V>(0)); }
};
struct ClampMax {
  static constexpr OpInfo info{
      .name = "clamp_max", .node = "ClampMaxBackward0", .types = kNumbers, .parameters = {"max"}};
  template <class V> static constexpr V fwd(V x, V hi) { return select(either(gt(x, hi), ne(hi, hi)), hi, x); }
  template <class V> static constexpr V vjp(V g, V x, V, V hi) { return select(le(x, hi), g, c<V>(0)); }
};
// clamp() with one bound goes by clamp()'s name.
struct ClampOnlyMin : ClampMin {
  static constexpr OpInfo info{.name = "clamp", .node = "ClampBackward1", .types = kNumbers, .parameters = {"min"}};
};
struct ClampOnlyMax : ClampMax {
  static constexpr OpInfo info{.name = "clamp", .node = "ClampBackward1", .types = kNumbers, .parameters = {"max"}};
};
struct Clamp {
  static constexpr OpInfo info{
      .name = "clamp", .node = "ClampBackward1", .types = kNumbers, .parameters = {"min", "max"}};
  // The upper bound wins where the two cross.
  template <class V> static constexpr V fwd(V x, V lo, V hi) {
    const V y = select(either(lt(x, lo), ne(lo, lo)), lo, x);
    return select(either(gt(y, hi), ne(hi, hi)), hi, y);
  }
  template <class V> static constexpr V vjp(V g, V x, V, V lo, V hi) {
    return select(both(ge(x, lo), le(x, hi)), g, c<V>(0));
  }
};

using UnaryOps = TypeList<Neg, Abs, Sign, Reciprocal, Sqrt, Rsqrt, Exp, Expm1, Log, Log1p, Log2, Log10, Sin, Cos, Tan,
                          Asin, Acos, Atan, Sinh, Cosh, Tanh, Sigmoid, Erf, Erfc, Relu, Floor, Ceil, Round, Trunc,
                          Isnan, Isinf, Isfinite, LogicalNot, BitwiseNot, PowScalar, PowTwo, PowThree, PowHalf,
                          ClampMin, ClampMax, ClampOnlyMin, ClampOnlyMax, Clamp>;

}  // namespace gradcore::formulas
