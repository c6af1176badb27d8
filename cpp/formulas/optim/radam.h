// RAdam: L. Liu, H. Jiang, P. He, W. Chen, X. Liu, J. Gao and J. Han, "On the Variance of the Adaptive Learning Rate
// and Beyond", ICLR 2020, algorithm 2. As in torch, the adaptive step starts where rho exceeds 5, not 4.
#pragma once
#include "formulas/optim/rule.h"

namespace gradcore::formulas {

template <class S> struct RadamRule : Hyperparameters<S> {
  static constexpr const char* scalars[] = {"step"};
  static constexpr const char* arrays[] = {"exp_avg", "exp_avg_sq"};
  static constexpr int kArrays = 2;
  static constexpr unsigned kOptional = 0;
  bool needs(int) const { return true; }

  S beta1, beta2, eps;
  Uniform adaptive;  // the variance of the adaptive rate is tractable by now
  bool foreach;
  S take1, take2, scale;

  template <class Read> void options(Read& read) {
    read("decoupled_weight_decay", this->decoupled);
    this->common_options(read);
    read("betas", beta1, beta2), read("eps", eps), read("foreach", foreach);
  }

  void begin(double t, bool) {
    const S decayed = pow(beta2, c<S>(t)), correction2 = c<S>(1) - decayed;
    const S rho_inf = c<S>(2) / (c<S>(1) - beta2) - c<S>(1);
    const S rho = rho_inf - c<S>(2 * t) * decayed / correction2;
    adaptive = {value_of(rho) > 5};
    take1 = c<S>(1) - beta1, take2 = c<S>(1) - beta2;
    const S rate = foreach ? this->lr : as_number(this->lr), correction1 = c<S>(1) - pow(beta1, c<S>(t));
    scale = rate / correction1;
    if (!adaptive) return;
    const S rect =
        sqrt((rho - c<S>(4)) * (rho - c<S>(2)) * rho_inf / ((rho_inf - c<S>(4)) * (rho_inf - c<S>(2)) * rho));
    scale = sqrt(correction2) * (rate * rect / correction1);
  }

  template <class V> void update(V& p, V g, V& m, V& v) const {
    p = this->decayed(p);
    g = this->decayed_grad(g, p);
    m = averaged(m, g, take1);
    v = averaged_square(v, g, beta2, take2);
    const V step = m * as<V>(scale);
    p = p - select(adaptive, step / (sqrt(v) + as<V>(eps)), step);
  }
};

}  // namespace gradcore::formulas
