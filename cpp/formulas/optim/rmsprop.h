// RMSprop: T. Tieleman and G. Hinton, "Lecture 6.5: RMSProp", Coursera 2012; centered: A. Graves, "Generating Sequences With
// Recurrent Neural Networks", arXiv:1308.0850, equations 38 to 45.
#pragma once
#include "formulas/optim/rule.h"

namespace gradcore::formulas {

template <class S>
struct RmspropRule {
  static constexpr const char* scalars[] = {"step"};
  static constexpr const char* arrays[] = {"square_avg", "momentum_buffer", "grad_avg"};
  static constexpr int kArrays = 3;
  static constexpr unsigned kOptional = 0b110;
  bool keeps(int i) const { return i == 1 ? value_of(momentum) > 0 : centered; }

  S lr, alpha, eps, weight_decay, momentum;
  bool centered, maximize;

  template <class Read>
  void options(Read& read) {
    read("lr", lr), read("alpha", alpha), read("eps", eps), read("weight_decay", weight_decay);
    read("momentum", momentum), read("centered", centered), read("maximize", maximize);
  }

  void begin(double, bool) {}

  template <class V, class Buffer, class Mean>
  void update(V& p, V g, V& square, Buffer& b, Mean& mean) const {
    if (maximize) g = -g;
    if (given(weight_decay)) g = g + as<V>(weight_decay) * p;
    square = averaged_square(square, g, alpha, c<S>(1) - alpha);
    V variance = square;
    if constexpr (present<Mean>) {
      mean = averaged(mean, g, c<S>(1) - alpha);
      variance = square - mean * mean;
    }
    const V size = sqrt(variance) + as<V>(eps);
    if constexpr (present<Buffer>) {
      b = b * as<V>(momentum) + g / size;
      p = p - as<V>(lr) * b;
    } else {
      p = p - as<V>(lr) * g / size;
    }
  }
};

}  // namespace gradcore::formulas
