// Adadelta: M. D. Zeiler, "ADADELTA: An Adaptive Learning Rate Method", arXiv:1212.5701, algorithm 1.
#pragma once
#include "formulas/optim/rule.h"

namespace gradcore::formulas {

template <class S> struct AdadeltaRule : Hyperparameters<S> {
  static constexpr const char* scalars[] = {"step"};
  static constexpr const char* arrays[] = {"square_avg", "acc_delta"};
  static constexpr int kArrays = 2;
  static constexpr unsigned kOptional = 0;
  bool needs(int) const { return true; }

  S rho, eps;
  S take;

  template <class Read> void options(Read& read) {
    this->common_options(read);
    read("rho", rho), read("eps", eps);
  }

  void begin(double, bool) { take = c<S>(1) - rho; }

  template <class V> void update(V& p, V g, V& square, V& accumulated) const {
    g = this->decayed_grad(g, p);
    square = averaged_square(square, g, rho, take);
    const V delta = sqrt(accumulated + as<V>(eps)) / sqrt(square + as<V>(eps)) * g;
    accumulated = averaged_square(accumulated, delta, rho, take);
    p = p - as<V>(this->lr) * delta;
  }
};

}  // namespace gradcore::formulas
