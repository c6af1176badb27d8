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

using Activation = TypeList<Relu, ReluBackward, Sigmoid, Gelu, GeluTanh>;

}  // namespace gradcore::formulas
