// Adagrad: J. Duchi, E. Hazan and Y. Singer, "Adaptive Subgradient Methods for Online Learning and Stochastic
// Optimization", JMLR 12, 2011; lr_decay is torch's addition.
#pragma once
#include "formulas/optim/rule.h"

namespace gradcore::formulas {

template <class S> struct AdagradRule : Hyperparameters<S> {
  static constexpr const char* scalars[] = {"step"};
  static constexpr const char* arrays[] = {"sum"};
  static constexpr int kArrays = 1;
  static constexpr unsigned kOptional = 0;
  bool needs(int) const { return true; }

  S lr_decay, eps, initial;
  S rate;

  template <class Read> void options(Read& read) {
    this->common_options(read);
    read("lr_decay", lr_decay), read("eps", eps), read("initial_accumulator_value", initial);
  }
  double start(int) const { return value_of(initial); }

  void begin(double t, bool) { rate = this->lr / (c<S>(1) + c<S>(t - 1) * lr_decay); }

  template <class V> void update(V& p, V g, V& sum) const {
    g = this->decayed_grad(g, p);
    sum = sum + g * g;
    p = p - as<V>(rate) * g / (sqrt(sum) + as<V>(eps));
  }
};

}  // namespace gradcore::formulas
