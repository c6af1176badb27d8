// Special functions.
#pragma once
#include "formulas/formula.h"

namespace gradcore::formulas {

struct Erf : Unary {
  static constexpr OpInfo info{.name = "erf", .node = "ErfBackward0", .result = Float, .cost = 0.8};
  template <class V> static constexpr V fwd(V x) { return erf(x); }
  template <class V> static constexpr V vjp(V g, V x, V) { return g * (exp(-(x * x)) * c<V>(1.1283791670955126)); }
};
struct Erfc : Unary {
  static constexpr OpInfo info{.name = "erfc", .node = "ErfcBackward0", .result = Float, .cost = 0.8};
  template <class V> static constexpr V fwd(V x) { return erfc(x); }
  template <class V> static constexpr V vjp(V g, V x, V) { return g * (exp(-(x * x)) * c<V>(-1.1283791670955126)); }
};

using Special = TypeList<Erf, Erfc>;

}  // namespace gradcore::formulas
