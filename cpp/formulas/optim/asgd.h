// Averaged stochastic gradient descent: B. T. Polyak and A. B. Juditsky, "Acceleration of Stochastic Approximation by
// Averaging", SIAM J. Control and Optimization 30, 1992, with the rates of L. Bottou, "Stochastic Gradient
// Hyperparameters Tricks", 2012.
#pragma once
#include "formulas/optim/rule.h"

namespace gradcore::formulas {

template <class S> struct AsgdRule : Hyperparameters<S> {
  static constexpr const char* scalars[] = {"step", "eta", "mu"};
  static constexpr const char* arrays[] = {"ax"};
  static constexpr int kArrays = 1;
  static constexpr unsigned kOptional = 0;
  bool needs(int) const { return true; }
  double start_scalar(int i) const { return i == 1 ? value_of(this->lr) : 1; }

  S lambd, alpha, t0;
  bool foreach;
  S keep;
  double rate, average;  // eta and mu of this step; the remembered ones are the next step's

  template <class Read> void options(Read& read) {
    this->common_options(read);
    read("lambd", lambd), read("alpha", alpha), read("t0", t0);
    read("foreach", foreach);
  }

  void begin(double t, bool, StateNumber& eta, StateNumber& mu) {
    rate = eta, average = mu;
    keep = c<S>(1) - lambd * c<S>(rate);
    const double late = t - value_of(t0);
    const S step = foreach ? as_tensor_value(c<S>(t), eta.single()) : c<S>(t);  // torch counts in a tensor then
    eta = value_of(this->lr / pow(c<S>(1) + lambd * this->lr * step, alpha));
    mu = late > 1 ? 1 / late : 1;
  }

  template <class V> void update(V& p, V g, V& ax) const {
    g = this->decayed_grad(g, p);
    p = p * as<V>(keep) - c<V>(rate) * g;
    const V between = ax + (p - ax) * c<V>(average);
    ax = select(Uniform{average == 1}, p, between);
  }
};

}  // namespace gradcore::formulas
