// Losses of pairs of numbers: an input and its target.
#pragma once
#include "formulas/formula.h"

namespace gradcore::formulas {

struct MseLoss : Binary {
  static constexpr OpInfo info{.name = "mse_loss", .node = "MseLossBackward0", .operands = {"self", "target"}};
  template <class V> static constexpr V fwd(V x, V t) { return (x - t) * (x - t); }
  template <class V> static constexpr V vjp_a(V g, V x, V t, V) { return g * (c<V>(2) * (x - t)); }
  template <class V> static constexpr V vjp_b(V g, V x, V t, V) { return g * (c<V>(2) * (t - x)); }
};
// Both are squares near 0 and straight farther out.
struct SmoothL1 : Binary {
  static constexpr OpInfo info{.name = "smooth_l1_loss",
                               .node = "SmoothL1LossBackward0",
                               .operands = {"self", "target"},
                               .parameters = {"beta"}};
  template <class V> static constexpr V fwd(V x, V t, V beta) {
    const V d = abs(x - t);
    return select(lt(d, beta), c<V>(0.5) * d * d / beta, d - c<V>(0.5) * beta);
  }
  template <class V> static constexpr V slope(V d, V beta) { return select(ge(abs(d), beta), sign(d), d / beta); }
  template <class V> static constexpr V vjp_a(V g, V x, V t, V, V beta) { return g * slope(x - t, beta); }
  template <class V> static constexpr V vjp_b(V g, V x, V t, V, V beta) { return g * slope(t - x, beta); }
};
struct Huber : Binary {
  static constexpr OpInfo info{
      .name = "huber_loss", .node = "HuberLossBackward0", .operands = {"self", "target"}, .parameters = {"delta"}};
  template <class V> static constexpr V fwd(V x, V t, V delta) {
    const V d = abs(x - t);
    return select(le(d, delta), c<V>(0.5) * d * d, delta * (d - c<V>(0.5) * delta));
  }
  template <class V> static constexpr V slope(V d, V delta) { return select(ge(abs(d), delta), sign(d) * delta, d); }
  template <class V> static constexpr V vjp_a(V g, V x, V t, V, V delta) { return g * slope(x - t, delta); }
  template <class V> static constexpr V vjp_b(V g, V x, V t, V, V delta) { return g * slope(t - x, delta); }
};

// Of a probability. Logarithms end at -100, and the divisor of the slope at 1e-12.
struct BinaryCrossEntropy : Binary {
  static constexpr OpInfo info{.name = "binary_cross_entropy",
                               .node = "BinaryCrossEntropyBackward0",
                               .operands = {"self", "target"},
                               .cost = 1.0};
  template <class V> static constexpr V ended(V x) { return select(lt(x, c<V>(-100)), c<V>(-100), x); }
  template <class V> static constexpr V fwd(V p, V t) { return (t - c<V>(1)) * ended(log1p(-p)) - t * ended(log(p)); }
  template <class V> static constexpr V vjp_a(V g, V p, V t, V) {
    const V both = (c<V>(1) - p) * p;
    return g * (p - t) / select(lt(both, c<V>(1e-12)), c<V>(1e-12), both);
  }
  template <class V> static constexpr V vjp_b(V g, V p, V, V) { return g * (log1p(-p) - log(p)); }
};
// The same of the sigmoid of x, without overflow.
struct BinaryCrossEntropyWithLogits : Binary {
  static constexpr OpInfo info{.name = "binary_cross_entropy_with_logits",
                               .node = "BinaryCrossEntropyWithLogitsBackward0",
                               .operands = {"self", "target"},
                               .cost = 1.0};
  template <class V> static constexpr V fwd(V x, V t) {
    return (c<V>(1) - t) * x - (select(lt(x, c<V>(0)), x, c<V>(0)) - log1p(exp(-abs(x))));
  }
  template <class V> static constexpr V vjp_a(V g, V x, V t, V) { return g * (sigmoid(x) - t); }
  template <class V> static constexpr V vjp_b(V g, V x, V, V) { return g * -x; }
};
// Whether a number is a probability.
struct IsProbability : Unary {
  static constexpr OpInfo info{.name = "is_probability", .result = Bool};
  template <class V> static constexpr auto fwd(V x) { return both(ge(x, c<V>(0)), le(x, c<V>(1))); }
};

using Loss = TypeList<MseLoss, SmoothL1, Huber, BinaryCrossEntropy, BinaryCrossEntropyWithLogits, IsProbability>;

}  // namespace gradcore::formulas
