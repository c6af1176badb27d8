// RMSprop: T. Tieleman and G. Hinton, "Lecture 6.5: RMSProp", Coursera 2012; centered: A. Graves, "Generating Sequences
// With Recurrent Neural Networks", arXiv:1308.0850, equations 38 to 45.
#pragma once
#include "formulas/optim/rule.h"

namespace gradcore::formulas {

template <class S> struct RmspropRule : Hyperparameters<S> {
  static constexpr const char* scalars[] = {"step"};
  static constexpr const char* arrays[] = {"square_avg", "momentum_buffer", "grad_avg"};
  static constexpr int kArrays = 3;
  static constexpr unsigned kOptional = 0b110;
  bool needs(int i) const { return i == 1 ? value_of(momentum) > 0 : centered; }

  S alpha, eps, momentum;
  bool centered;
  S take;

  template <class Read> void options(Read& read) {
    this->common_options(read);
    read("alpha", alpha), read("eps", eps), read("momentum", momentum), read("centered", centered);
  }

  void begin(double, bool) { take = c<S>(1) - alpha; }

  template <class V, class Buffer, class Mean> void update(V& p, V g, V& square, Buffer& b, Mean& mean) const {
    g = this->decayed_grad(g, p);
    square = averaged_square(square, g, alpha, take);
    V variance = square;
    if constexpr (present<Mean>) {
      mean = averaged(mean, g, take);
      variance = square - mean * mean;
    }
    const V size = sqrt(variance) + as<V>(eps);
    if constexpr (present<Buffer>) {
      b = b * as<V>(momentum) + g / size;
      p = p - as<V>(this->lr) * b;
    } else {
      p = p - as<V>(this->lr) * g / size;
    }
  }
};

}  // namespace gradcore::formulas
