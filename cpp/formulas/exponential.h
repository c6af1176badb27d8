// Exponentials and logarithms.
#pragma once
#include "formulas/formula.h"

namespace gradcore::formulas {

struct Exp : Unary {
  static constexpr OpInfo info{.name = "exp", .node = "ExpBackward0", .result = Float, .cost = 0.4};
  template <class V> static constexpr V fwd(V x) { return exp(x); }
  template <class V> static constexpr V vjp(V g, V, V y) { return g * y; }
};
struct Expm1 : Unary {
  static constexpr OpInfo info{.name = "expm1", .node = "Expm1Backward0", .result = Float, .cost = 0.5};
  template <class V> static constexpr V fwd(V x) { return expm1(x); }
  template <class V> static constexpr V vjp(V g, V, V y) { return g * (y + c<V>(1)); }
};
struct Log : Unary {
  static constexpr OpInfo info{.name = "log", .node = "LogBackward0", .result = Float, .cost = 0.4};
  template <class V> static constexpr V fwd(V x) { return log(x); }
  template <class V> static constexpr V vjp(V g, V x, V) { return g / x; }
};
struct Log1p : Unary {
  static constexpr OpInfo info{.name = "log1p", .node = "Log1PBackward0", .result = Float, .cost = 0.5};
  template <class V> static constexpr V fwd(V x) { return log1p(x); }
  template <class V> static constexpr V vjp(V g, V x, V) { return g / (x + c<V>(1)); }
};
struct Log2 : Unary {
  static constexpr OpInfo info{.name = "log2", .node = "Log2Backward0", .result = Float, .cost = 0.5};
  template <class V> static constexpr V fwd(V x) { return log2(x); }
  template <class V> static constexpr V vjp(V g, V x, V) { return g / (x * c<V>(0.6931471805599453)); }
};
struct Log10 : Unary {
  static constexpr OpInfo info{.name = "log10", .node = "Log10Backward0", .result = Float, .cost = 0.5};
  template <class V> static constexpr V fwd(V x) { return log10(x); }
  template <class V> static constexpr V vjp(V g, V x, V) { return g / (x * c<V>(2.302585092994046)); }
};

// The logarithm of x / (1 - x), of x within [eps, 1 - eps] where eps is given and not negative.
struct Logit : Unary {
  static constexpr OpInfo info{.name = "logit",
                               .node = "LogitBackward0",
                               .result = Float,
                               .parameters = {"eps"},
                               .nan_is_none = true,
                               .cost = 0.8};
  template <class V> static constexpr V fwd(V x, V eps) {
    const V upper = c<V>(1) - eps, bounded = select(lt(x, eps), eps, select(gt(x, upper), upper, x));
    const V z = select(ge(eps, c<V>(0)), bounded, x);
    return log(z / (c<V>(1) - z));
  }
  template <class V> static constexpr V vjp(V g, V x, V, V eps) {
    const auto given = ge(eps, c<V>(0));
    const V lower = select(given, eps, c<V>(0));
    const V outside = select(given, c<V>(0), c<V>(__builtin_nan("")));
    return select(either(lt(x, lower), gt(x, c<V>(1) - lower)), outside, g / (x * (c<V>(1) - x)));
  }
};

using Exponential = TypeList<Exp, Expm1, Log, Log1p, Log2, Log10, Logit>;

}  // namespace gradcore::formulas
