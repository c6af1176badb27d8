// Stochastic gradient descent with momentum: I. Sutskever, J. Martens, G. Dahl and G. Hinton, "On the importance of
// initialization and momentum in deep learning", ICML 2013, in torch's formulation (the learning rate scales the
// velocity when it is used).
#pragma once
#include "formulas/optim/rule.h"

namespace gradcore::formulas {

template <class S> struct SgdRule : Hyperparameters<S> {
  static constexpr const char* arrays[] = {"momentum_buffer"};
  static constexpr int kArrays = 1;
  static constexpr unsigned kOptional = 0b1;
  bool needs(int) const { return is_set(momentum); }

  S momentum, dampening;
  Uniform nesterov;
  S take;
  Uniform first;  // the buffer is empty: it starts as the gradient

  template <class Read> void options(Read& read) {
    this->common_options(read);
    read("momentum", momentum), read("dampening", dampening), read("nesterov", nesterov.value);
  }

  void begin(double, bool is_first) {
    take = c<S>(1) - dampening;
    first = {is_first};
  }

  template <class V, class Buffer> void update(V& p, V g, Buffer& b) const {
    g = this->decayed_grad(g, p);
    if constexpr (present<Buffer>) {
      const V kept = b * as<V>(momentum) + as<V>(take) * g;
      b = select(first, g, kept);
      g = select(nesterov, g + as<V>(momentum) * b, b);
    }
    p = p - as<V>(this->lr) * g;
  }
};

}  // namespace gradcore::formulas
