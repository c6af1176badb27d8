// Activation functions of networks.
#pragma once
#include "formulas/formula.h"

namespace gradcore::formulas {

struct Relu : Unary {
  static constexpr OpInfo info{
      .name = "relu", .node = "ReluBackward0", .types = kNumbers, .no_bool = "Boolean inputs not supported for relu"};
  // x stays where it is NaN or -0, as in torch.
  template <class V> static constexpr V fwd(V x) { return select(lt(x, c<V>(0)), c<V>(0), x); }
  template <class V> static constexpr V vjp(V g, V, V y) { return relu_backward(g, y); }
};
// The gradient of relu as an op of its own: that it does not change with y is part of the graph (a second backward
// gives zeros there, where a mask would end the graph).
struct ReluBackward : Binary {
  static constexpr OpInfo info{.name = "threshold_backward", .node = "ThresholdBackwardBackward0", .operands = {}};
  template <class V> static constexpr V fwd(V g, V y) { return relu_backward(g, y); }
  template <class V> static constexpr V vjp_a(V g, V, V y, V) { return relu_backward(g, y); }
  template <class V> static constexpr V vjp_b(V g, V, V, V) { return zeros_of(g); }
};
struct Sigmoid : Unary {
  static constexpr OpInfo info{.name = "sigmoid", .node = "SigmoidBackward0", .result = Float, .cost = 0.5};
  template <class V> static constexpr V fwd(V x) { return sigmoid(x); }
  template <class V> static constexpr V vjp(V g, V, V y) { return g * (c<V>(1) - y) * y; }
};

// x times the normal distribution's function of x; and the same with a tanh in its place.
struct Gelu : Unary {
  static constexpr OpInfo info{.name = "gelu", .node = "GeluBackward0", .cost = 1.0};
  template <class V> static constexpr V below(V x) { return c<V>(0.5) * (c<V>(1) + erf(x * c<V>(0.7071067811865476))); }
  template <class V> static constexpr V fwd(V x) { return x * below(x); }
  template <class V> static constexpr V vjp(V g, V x, V) {
    const V density = exp(x * x * c<V>(-0.5)) * c<V>(0.3989422804014327);
    return g * (below(x) + x * density);
  }
};
struct GeluTanh : Unary {
  static constexpr OpInfo info{.name = "gelu", .node = "GeluBackward0", .cost = 1.0};
  template <class V> static constexpr V bent(V x) {
    return tanh(c<V>(0.7978845608028654) * (x + c<V>(0.044715) * x * x * x));
  }
  template <class V> static constexpr V fwd(V x) { return c<V>(0.5) * x * (c<V>(1) + bent(x)); }
  template <class V> static constexpr V vjp(V g, V x, V) {
    const V y = bent(x), slope = c<V>(0.7978845608028654) * (c<V>(1) + c<V>(3 * 0.044715) * x * x);
    return g * c<V>(0.5) * ((c<V>(1) + y) + x * (c<V>(1) - y * y) * slope);
  }
};

// ---- straight lines with kinks; what happens at a kink, and to a NaN, is torch's

// A gradient that does not change with x: that, too, is part of the graph, as torch has it. Tensors have an overload.
template <class V> constexpr V reaching(V gradient, V) { return gradient; }
constexpr Uses reaching(Uses gradient, Uses x) { return Uses(gradient.bits | x.bits | kChanged); }

struct LeakyRelu : Unary {
  static constexpr OpInfo info{.name = "leaky_relu", .node = "LeakyReluBackward0", .parameters = {"negative_slope"}};
  template <class V> static constexpr V fwd(V x, V slope) { return select(gt(x, c<V>(0)), x, x * slope); }
  template <class V> static constexpr V vjp(V g, V x, V, V slope) {
    return reaching(select(gt(x, c<V>(0)), g, g * slope), x);
  }
};
// leaky_relu() with a tensor of slopes.
struct Prelu : Binary {
  static constexpr OpInfo info{.name = "prelu", .node = "PreluKernelBackward0", .operands = {"self", "weight"}};
  template <class V> static constexpr V fwd(V x, V slope) { return select(gt(x, c<V>(0)), x, slope * x); }
  template <class V> static constexpr V vjp_a(V g, V x, V slope, V) {
    return reaching(select(gt(x, c<V>(0)), g, slope * g), x);
  }
  template <class V> static constexpr V vjp_b(V g, V x, V slope, V) {
    return reaching(select(gt(x, c<V>(0)), c<V>(0), x * g), slope);
  }
};
struct Threshold : Unary {
  static constexpr OpInfo info{
      .name = "threshold", .node = "ThresholdBackward0", .types = kNumbers, .parameters = {"threshold", "value"}};
  template <class V> static constexpr V fwd(V x, V threshold, V value) { return select(le(x, threshold), value, x); }
  template <class V> static constexpr V vjp(V g, V x, V, V threshold, V) {
    return reaching(select(le(x, threshold), c<V>(0), g), x);
  }
};
struct Hardtanh : Unary {
  static constexpr OpInfo info{.name = "hardtanh", .node = "HardtanhBackward0", .parameters = {"min_val", "max_val"}};
  template <class V> static constexpr V fwd(V x, V lo, V hi) { return select(le(x, lo), lo, select(ge(x, hi), hi, x)); }
  template <class V> static constexpr V vjp(V g, V x, V, V lo, V hi) {
    return reaching(select(either(le(x, lo), ge(x, hi)), c<V>(0), g), x);
  }
};
struct Hardsigmoid : Unary {
  static constexpr OpInfo info{.name = "hardsigmoid", .node = "HardsigmoidBackward0"};
  template <class V> static constexpr V fwd(V x) {
    const V moved = x + c<V>(3);
    return select(le(moved, c<V>(0)), c<V>(0), select(ge(moved, c<V>(6)), c<V>(6), moved)) / c<V>(6);
  }
  template <class V> static constexpr V vjp(V g, V x, V) {
    // Not at NaN, as in torch.
    return reaching(select(both(gt(x, c<V>(-3)), lt(x, c<V>(3))), g / c<V>(6), c<V>(0)), x);
  }
};
struct Hardswish : Unary {
  static constexpr OpInfo info{.name = "hardswish", .node = "HardswishBackward0"};
  template <class V> static constexpr V fwd(V x) {
    return select(le(x, c<V>(-3)), c<V>(-0.0), select(ge(x, c<V>(3)), x, x * (x + c<V>(3)) / c<V>(6)));
  }
  template <class V> static constexpr V vjp(V g, V x, V) {
    // NaN is handed on, as torch does.
    return select(le(x, c<V>(-3)), c<V>(0), select(lt(x, c<V>(3)), g * (x / c<V>(3) + c<V>(0.5)), g));
  }
};
struct Hardshrink : Unary {
  static constexpr OpInfo info{.name = "hardshrink", .node = "HardshrinkBackward0", .parameters = {"lambd"}};
  template <class V> static constexpr V fwd(V x, V most) { return select(le(abs(x), most), c<V>(0), x); }
  template <class V> static constexpr V vjp(V g, V x, V, V most) {
    return reaching(select(le(abs(x), most), c<V>(0), g), x);
  }
};
struct Softshrink : Unary {
  static constexpr OpInfo info{.name = "softshrink", .node = "SoftshrinkBackward0", .parameters = {"lambd"}};
  template <class V> static constexpr V fwd(V x, V most) {
    return select(le(abs(x), most), c<V>(0), x - sign(x) * most);
  }
  template <class V> static constexpr V vjp(V g, V x, V, V most) {
    return reaching(select(le(abs(x), most), c<V>(0), g), x);
  }
};

// ---- curves

// elu(), selu() and celu(): scale * (x above 0, alpha * (exp(input_scale * x) - 1) below).
struct Elu : Unary {
  static constexpr OpInfo info{
      .name = "elu", .node = "EluBackward0", .parameters = {"alpha", "scale", "input_scale"}, .cost = 0.5};
  // Without this an exponential that is not taken may be infinite, and its derivative NaN.
  template <class V> static constexpr V fwd(V x, V alpha, V scale, V input_scale) {
    const V below = select(le(x, c<V>(0)), x, c<V>(0));
    return select(le(x, c<V>(0)), expm1(below * input_scale) * (alpha * scale), x * scale);
  }
  // At 0 the slope is constant, so that the second derivative is 0 there, as in torch.
  template <class V> static constexpr V vjp(V g, V x, V, V alpha, V scale, V input_scale) {
    const V below = select(lt(x, c<V>(0)), x, c<V>(0));
    const V slope = exp(below * input_scale) * (alpha * scale * input_scale);
    return g * select(le(x, c<V>(0)), slope, scale);
  }
};
struct Silu : Unary {
  static constexpr OpInfo info{.name = "silu", .node = "SiluBackward0", .cost = 0.5};
  template <class V> static constexpr V fwd(V x) { return x * sigmoid(x); }
  template <class V> static constexpr V vjp(V g, V x, V) {
    const V s = sigmoid(x);
    return g * s * (c<V>(1) + x * (c<V>(1) - s));
  }
};
struct Mish : Unary {
  static constexpr OpInfo info{.name = "mish", .node = "MishBackward0", .cost = 0.5};
  // tanh(log(1 + e)), e being exp(x), which is (e^2 + 2 e) / (e^2 + 2 e + 2): 1 where e would overflow.
  template <class V> static constexpr V factor(V x) {
    const V e = exp(select(gt(x, c<V>(30)), c<V>(30), x)), n = e * (e + c<V>(2));
    return n / (n + c<V>(2));
  }
  template <class V> static constexpr V fwd(V x) { return x * factor(x); }
  template <class V> static constexpr V vjp(V g, V x, V) {
    const V t = factor(x);
    return g * (t + x * sigmoid(x) * (c<V>(1) - t * t));
  }
};
struct Softplus : Unary {
  static constexpr OpInfo info{
      .name = "softplus", .node = "SoftplusBackward0", .parameters = {"beta", "threshold"}, .cost = 1.0};
  template <class V> static constexpr V fwd(V x, V beta, V threshold) {
    const V scaled = x * beta;
    const V bent = select(gt(scaled, threshold), threshold, scaled);
    return select(gt(scaled, threshold), x, log1p(exp(bent)) / beta);
  }
  template <class V> static constexpr V vjp(V g, V x, V, V beta, V threshold) {
    const V scaled = x * beta;
    return select(gt(scaled, threshold), g, g * sigmoid(scaled));
  }
};
struct LogSigmoid : Unary {
  static constexpr OpInfo info{.name = "log_sigmoid", .node = "LogSigmoidBackward0", .dense = true, .cost = 1.0};
  template <class V> static constexpr V fwd(V x) { return select(lt(x, c<V>(0)), x, c<V>(0)) - log1p(exp(-abs(x))); }
  template <class V> static constexpr V vjp(V g, V x, V) { return g * sigmoid(-x); }
};
// glu() of the two halves.
struct Glu : Binary {
  static constexpr OpInfo info{.name = "glu", .node = "GluBackward0", .cost = 0.5};
  template <class V> static constexpr V fwd(V a, V b) { return a * sigmoid(b); }
  template <class V> static constexpr V vjp_a(V g, V, V b, V) { return g * sigmoid(b); }
  template <class V> static constexpr V vjp_b(V g, V a, V b, V) {
    const V s = sigmoid(b);
    return g * a * s * (c<V>(1) - s);
  }
};

using Activation = TypeList<Relu, ReluBackward, Sigmoid, Gelu, GeluTanh, LeakyRelu, Prelu, Threshold, Hardtanh,
                            Hardsigmoid, Hardswish, Hardshrink, Softshrink, Elu, Silu, Mish, Softplus, LogSigmoid, Glu>;

}  // namespace gradcore::formulas
