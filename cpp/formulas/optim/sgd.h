// Stochastic gradient descent with momentum: I. Sutskever, J. Martens, G. Dahl and G. Hinton, "On the importance of initialization
// and momentum in deep learning", ICML 2013, in torch's formulation (the learning rate scales the velocity when it is used).
#pragma once
#include "formulas/optim/rule.h"

namespace gradcore::formulas {

template <class S>
struct SgdRule {
  static constexpr const char* arrays[] = {"momentum_buffer"};
  static constexpr int kArrays = 1;
  static constexpr unsigned kOptional = 0b1;
  bool keeps(int) const { return given(momentum); }

  S lr, momentum, dampening, weight_decay;
  bool nesterov, maximize;
  bool first;  // the buffer is empty: it starts as the gradient

  template <class Read>
  void options(Read& read) {
    read("lr", lr), read("momentum", momentum), read("dampening", dampening), read("weight_decay", weight_decay);
    read("nesterov", nesterov), read("maximize", maximize);
  }

  void begin(double, bool is_first) { first = is_first; }

  template <class V, class Buffer>
  void update(V& p, V g, Buffer& b) const {
    if (maximize) g = -g;
    if (given(weight_decay)) g = g + as<V>(weight_decay) * p;
    if constexpr (present<Buffer>) {
      const V kept = b * as<V>(momentum) + as<V>(c<S>(1) - dampening) * g;
      b = first ? g : kept;
      g = nesterov ? g + as<V>(momentum) * b : b;
    }
    p = p - as<V>(lr) * g;
  }
};

}  // namespace gradcore::formulas
