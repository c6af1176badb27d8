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

struct Lgamma : Unary {
  static constexpr OpInfo info{
      .name = "lgamma", .node = "LgammaBackward0", .result = Float, .one_by_one = true, .cost = 15.0};
  template <class V> static constexpr V fwd(V x) { return lgamma(x); }
  template <class V> static constexpr V vjp(V g, V x, V) { return g * digamma(x); }
};
struct Digamma : Unary {
  static constexpr OpInfo info{
      .name = "digamma", .node = "DigammaBackward0", .result = Float, .one_by_one = true, .cost = 25.0};
  template <class V> static constexpr V fwd(V x) { return digamma(x); }
  template <class V> static constexpr V vjp(V g, V x, V) { return g * polygamma(x, c<V>(1)); }
};
struct Polygamma : Unary {
  static constexpr OpInfo info{.name = "polygamma",
                               .node = "PolygammaBackward0",
                               .result = Float,
                               .parameters = {"n"},
                               .one_by_one = true,
                               .cost = 150.0};
  template <class V> static constexpr V fwd(V x, V n) { return polygamma(x, n); }
  template <class V> static constexpr V vjp(V g, V x, V, V n) { return g * polygamma(x, n + c<V>(1)); }
};
// Hurwitz's zeta function of s and q.
struct Zeta : Binary {
  static constexpr OpInfo info{
      .name = "special_zeta", .node = "SpecialZetaBackward0", .result = Float, .one_by_one = true, .cost = 150.0};
  template <class V> static constexpr V fwd(V s, V q) { return zeta(s, q); }
  template <class V> static constexpr V vjp_a(V g, V s, V q, V) { return no_derivative("zeta", g, s, q); }
  template <class V> static constexpr V vjp_b(V g, V s, V q, V) { return g * -(s * zeta(s + c<V>(1), q)); }
};

using Special = TypeList<Erf, Erfc, Lgamma, Digamma, Polygamma, Zeta>;

}  // namespace gradcore::formulas
