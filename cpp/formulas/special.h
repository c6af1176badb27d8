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

// always_inline: their code in lanes is long, and a loop with a call in it does not vectorise.
struct Lgamma : Unary {
  static constexpr OpInfo info{
      .name = "lgamma", .node = "LgammaBackward0", .result = Float, .one_by_one = true, .cost = 6.0};
  template <class V> [[gnu::always_inline]] static constexpr V fwd(V x) { return lgamma(x); }
  template <class V> static constexpr V vjp(V g, V x, V) { return g * digamma(x); }
};
struct Digamma : Unary {
  static constexpr OpInfo info{
      .name = "digamma", .node = "DigammaBackward0", .result = Float, .one_by_one = true, .cost = 8.0};
  template <class V> [[gnu::always_inline]] static constexpr V fwd(V x) { return digamma(x); }
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
  static constexpr OpInfo info{.name = "special_zeta",
                               .node = "SpecialZetaBackward2",
                               .result = Float,
                               .node_of_tensor = "SpecialZetaBackward0",
                               .node_of_number = "SpecialZetaBackward1",
                               .bare_numbers = true,
                               .no_halves = true,
                               .one_by_one = true,
                               .cost = 150.0};
  template <class V> static constexpr V fwd(V s, V q) { return zeta(s, q); }
  template <class V> static constexpr V vjp_a(V g, V s, V q, V) { return no_derivative("zeta", g, s, q); }
  template <class V> static constexpr V vjp_b(V g, V s, V q, V) { return g * -(s * zeta(s + c<V>(1), q)); }
};
struct Erfinv : Unary {
  static constexpr OpInfo info{.name = "erfinv", .node = "ErfinvBackward0", .result = Float, .cost = 2.0};
  template <class V> [[gnu::always_inline]] static constexpr V fwd(V x) { return erfinv(x); }
  template <class V> static constexpr V vjp(V g, V, V y) { return g * (exp(y * y) * c<V>(0.886226925452758)); }
};
// e**(x * x) erfc(x)
struct Erfcx : Unary {
  static constexpr OpInfo info{
      .name = "special_erfcx", .node = "SpecialErfcxBackward0", .result = Float, .no_halves = true, .cost = 4.0};
  template <class V> [[gnu::always_inline]] static constexpr V fwd(V x) { return erfcx(x); }
  template <class V> [[gnu::always_inline]] static constexpr V vjp(V g, V x, V y) {
    return g * (x * y * c<V>(2) - c<V>(1.1283791670955126));
  }
};
// The inverse of the normal distribution, and the logarithm of that.
struct Ndtri : Unary {
  static constexpr OpInfo info{
      .name = "special_ndtri", .node = "SpecialNdtriBackward0", .result = Float, .no_halves = true, .cost = 2.0};
  template <class V> [[gnu::always_inline]] static constexpr V fwd(V p) { return ndtri(p); }
  template <class V> static constexpr V vjp(V g, V, V y) {
    return g * (exp(y * y * c<V>(0.5)) * c<V>(2.5066282746310002));
  }
};
struct LogNdtr : Unary {
  static constexpr OpInfo info{
      .name = "special_log_ndtr", .node = "SpecialLogNdtrBackward0", .result = Float, .no_halves = true, .cost = 6.0};
  template <class V> [[gnu::always_inline]] static constexpr V fwd(V x) { return log_ndtr(x); }
  template <class V> [[gnu::always_inline]] static constexpr V vjp(V g, V x, V y) {
    // Density over distribution: above 0 from the result, below it, where both vanish, from their quotient.
    const auto positive = gt(x, c<V>(0));
    const V above = select(positive, x, c<V>(0)), below = select(positive, c<V>(0), x);
    const V high = exp(above * above * c<V>(-0.5) - select(positive, y, c<V>(0))) * c<V>(0.3989422804014327);
    return g * select(positive, high, c<V>(0.7978845608028654) / erfcx(below * c<V>(-0.7071067811865476)));
  }
};
// The regularized incomplete gamma functions. The derivative is that in the second operand.
struct Igamma : Binary {
  static constexpr OpInfo info{.name = "igamma", .node = "IgammaBackward0", .one_by_one = true, .cost = 150.0};
  template <class V> static constexpr V fwd(V a, V x) { return igamma(a, x); }
  template <class V> static constexpr V vjp_a(V g, V a, V x, V) { return no_derivative("igamma: input", g, a, x); }
  template <class V> static constexpr V vjp_b(V g, V a, V x, V) {
    return g * exp((a - c<V>(1)) * log(x) - x - lgamma(a));
  }
};
struct Igammac : Binary {
  static constexpr OpInfo info{.name = "igammac", .node = "IgammacBackward0", .one_by_one = true, .cost = 150.0};
  template <class V> static constexpr V fwd(V a, V x) { return igammac(a, x); }
  template <class V> static constexpr V vjp_a(V g, V a, V x, V) { return no_derivative("igammac: input", g, a, x); }
  template <class V> static constexpr V vjp_b(V g, V a, V x, V) { return -Igamma::vjp_b(g, a, x, x); }
};

using Special = TypeList<Erf, Erfc, Lgamma, Digamma, Polygamma, Zeta, Erfinv, Erfcx, Ndtri, LogNdtr, Igamma, Igammac>;

}  // namespace gradcore::formulas
