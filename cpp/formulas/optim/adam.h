// Adam: D. P. Kingma and J. Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015, algorithm 1; amsgrad: S.
// Reddi, S. Kale and S. Kumar, "On the Convergence of Adam and Beyond", ICLR 2018; AdamW, the decoupled weight decay:
// I. Loshchilov and F. Hutter, "Decoupled Weight Decay Regularization", ICLR 2019.
#pragma once
#include "formulas/bounds.h"
#include "formulas/optim/rule.h"

namespace gradcore::formulas {

template <class S> struct AdamRule : Hyperparameters<S> {
  static constexpr const char* scalars[] = {"step"};
  static constexpr const char* arrays[] = {"exp_avg", "exp_avg_sq", "max_exp_avg_sq"};
  static constexpr int kArrays = 3;
  static constexpr unsigned kOptional = 0b100;
  bool needs(int) const { return amsgrad; }

  S beta1, beta2, eps;
  bool amsgrad;
  S take1, take2, step_size, correction2;

  template <class Read> void options(Read& read) {
    read("decoupled_weight_decay", this->decoupled);
    this->common_options(read);
    read("betas", beta1, beta2), read("eps", eps), read("amsgrad", amsgrad);
  }

  void begin(double t, bool) {
    take1 = c<S>(1) - as_number(beta1);  // which torch casts to the parameter's dtype first
    take2 = c<S>(1) - beta2;
    step_size = this->lr / (c<S>(1) - pow(beta1, c<S>(t)));
    correction2 = sqrt(c<S>(1) - pow(beta2, c<S>(t)));
  }

  template <class V, class Max> void update(V& p, V g, V& m, V& v, Max& v_max) const {
    p = this->decayed(p);
    g = this->decayed_grad(g, p);
    m = averaged(m, g, take1);
    v = averaged_square(v, g, beta2, take2);
    V second = v;
    if constexpr (present<Max>) second = v_max = Maximum::fwd(v_max, v);
    p = p - as<V>(step_size) * m / (sqrt(second) / as<V>(correction2) + as<V>(eps));
  }
};

}  // namespace gradcore::formulas
