// Adamax: D. P. Kingma and J. Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015, algorithm 2. As in torch,
// eps is added to the gradient's size, under the maximum.
#pragma once
#include "formulas/bounds.h"
#include "formulas/optim/rule.h"

namespace gradcore::formulas {

template <class S> struct AdamaxRule : Hyperparameters<S> {
  static constexpr const char* scalars[] = {"step"};
  static constexpr const char* arrays[] = {"exp_avg", "exp_inf"};
  static constexpr int kArrays = 2;
  static constexpr unsigned kOptional = 0;
  bool needs(int) const { return true; }

  S beta1, beta2, eps;
  bool foreach;
  S take, step_size;

  template <class Read> void options(Read& read) {
    this->common_options(read);
    read("betas", beta1, beta2), read("eps", eps), read("foreach", foreach);
  }

  void begin(double t, bool) {
    take = c<S>(1) - beta1;
    step_size = (foreach ? as_number(this->lr) : this->lr) / (c<S>(1) - pow(beta1, c<S>(t)));
  }

  template <class V> void update(V& p, V g, V& m, V& u) const {
    g = this->decayed_grad(g, p);
    m = averaged(m, g, take);
    u = Maximum::fwd(u * as<V>(beta2), abs(g) + as<V>(eps));
    p = p - as<V>(step_size) * m / u;
  }
};

}  // namespace gradcore::formulas
