// Rprop: M. Riedmiller and H. Braun, "A Direct Adaptive Method for Faster Backpropagation Learning: The RPROP
// Algorithm", ICNN 1993, in the form without weight backtracking: where the gradient has changed its sign it counts as
// zero.
#pragma once
#include "formulas/optim/rule.h"

namespace gradcore::formulas {

template <class S> struct RpropRule {
  static constexpr const char* scalars[] = {"step"};
  static constexpr const char* arrays[] = {"prev", "step_size"};
  static constexpr int kArrays = 2;
  static constexpr unsigned kOptional = 0;
  bool needs(int) const { return true; }

  S lr, eta_minus, eta_plus, size_min, size_max;
  Uniform maximize;

  template <class Read> void options(Read& read) {
    read("lr", lr), read("etas", eta_minus, eta_plus), read("step_sizes", size_min, size_max),
        read("maximize", maximize.value);
  }
  double start(int i) const { return i == 1 ? value_of(lr) : 0; }

  void begin(double, bool) {}

  template <class V> void update(V& p, V g, V& previous, V& size) const {
    g = select(maximize, -g, g);
    const V agreement = g * previous, zero = c<V>(0), one = c<V>(1);
    const V growth = select(gt(agreement, zero), as<V>(eta_plus), one);
    size = size * select(lt(agreement, zero), as<V>(eta_minus), growth);
    size = select(lt(size, as<V>(size_min)), as<V>(size_min), size);
    size = select(gt(size, as<V>(size_max)), as<V>(size_max), size);
    g = select(lt(agreement, zero), zeros_of(g), g);
    p = p - sign(g) * size;
    previous = g;
  }
};

}  // namespace gradcore::formulas
