// NAdam: T. Dozat, "Incorporating Nesterov Momentum into Adam", ICLR workshop 2016, with the momentum schedule of its
// algorithm 2. 0.96 is the schedule's base in the paper.
#pragma once
#include "formulas/optim/rule.h"

namespace gradcore::formulas {

template <class S> struct NadamRule : Hyperparameters<S> {
  static constexpr const char* scalars[] = {"step", "mu_product"};
  static constexpr const char* arrays[] = {"exp_avg", "exp_avg_sq"};
  static constexpr int kArrays = 2;
  static constexpr unsigned kOptional = 0;
  bool needs(int) const { return true; }
  double start_scalar(int) const { return 1; }

  S beta1, beta2, eps, momentum_decay;
  bool foreach;
  S take1, take2, grad_size, momentum_size, correction2;

  template <class Read> void options(Read& read) {
    read("decoupled_weight_decay", this->decoupled);
    this->common_options(read);
    read("betas", beta1, beta2), read("eps", eps), read("momentum_decay", momentum_decay);
    read("foreach", foreach);
  }

  S momentum_at(double t) const { return beta1 * (c<S>(1) - c<S>(0.5) * pow(c<S>(0.96), c<S>(t) * momentum_decay)); }

  void begin(double t, bool, StateNumber& mu_product) {
    const S mu = momentum_at(t), mu_next = momentum_at(t + 1);
    mu_product *= value_of(mu);
    const S rate = foreach ? as_number(this->lr) : this->lr;
    grad_size = rate * (c<S>(1) - mu) / c<S>(1 - mu_product);
    momentum_size = rate * mu_next / (c<S>(1) - c<S>(mu_product) * mu_next);
    take1 = c<S>(1) - beta1, take2 = c<S>(1) - beta2;
    correction2 = c<S>(1) - pow(beta2, c<S>(t));
  }

  template <class V> void update(V& p, V g, V& m, V& v) const {
    p = this->decayed(p);
    g = this->decayed_grad(g, p);
    m = averaged(m, g, take1);
    v = averaged_square(v, g, beta2, take2);
    const V size = sqrt(v / as<V>(correction2)) + as<V>(eps);
    p = p - as<V>(grad_size) * g / size - as<V>(momentum_size) * m / size;
  }
};

}  // namespace gradcore::formulas
