// Exponentials and logarithms.
#pragma once
#include "formulas/formula.h"

namespace gradcore::formulas {

struct Exp : Unary {
  static constexpr OpInfo info{.name = "exp", .node = "ExpBackward0", .result = Float, .near = true, .cost = 0.4};
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
struct Exp2 : Unary {
  static constexpr OpInfo info{.name = "exp2", .node = "Exp2Backward0", .result = Float, .cost = 0.4};
  template <class V> static constexpr V fwd(V x) { return exp2(x); }
  template <class V> static constexpr V vjp(V g, V, V y) { return g * (y * c<V>(0.6931471805599453)); }
};
// log(e**a + e**b) and log2(2**a + 2**b): the larger one is taken out. Infinities of one sign have no difference.
struct Logaddexp : Binary {
  static constexpr OpInfo info{.name = "logaddexp", .node = "LogaddexpBackward0", .cost = 1.0};
  template <class V> static constexpr V fwd(V a, V b) {
    const V large = select(either(gt(a, b), ne(a, a)), a, b);
    return select(eq(a, b), a + c<V>(0.6931471805599453), large + log1p(exp(-abs(a - b))));
  }
  template <class V> static constexpr V vjp_a(V g, V a, V b, V) { return g * sigmoid(a - b); }
  template <class V> static constexpr V vjp_b(V g, V a, V b, V) { return g * sigmoid(b - a); }
};
struct Logaddexp2 : Binary {
  static constexpr OpInfo info{.name = "logaddexp2", .node = "Logaddexp2Backward0", .cost = 1.0};
  template <class V> static constexpr V fwd(V a, V b) {
    const V large = select(either(gt(a, b), ne(a, a)), a, b);
    return select(eq(a, b), a + c<V>(1), large + log1p(exp2(-abs(a - b))) * c<V>(1.4426950408889634));
  }
  template <class V> static constexpr V vjp_a(V g, V a, V b, V) {
    return g * sigmoid((a - b) * c<V>(0.6931471805599453));
  }
  template <class V> static constexpr V vjp_b(V g, V a, V b, V) {
    return g * sigmoid((b - a) * c<V>(0.6931471805599453));
  }
};
// a log(b), which is 0 where a is, unless b is NaN.
struct Xlogy : Binary {
  static constexpr OpInfo info{.name = "xlogy",
                               .node = "XlogyBackward2",
                               .result = Float,
                               .node_of_tensor = "XlogyBackward0",
                               .node_of_number = "XlogyBackward1",
                               .bare_numbers = true,
                               .cost = 0.6};
  template <class V> static constexpr V fwd(V a, V b) {
    return select(ne(b, b), b, select(eq(a, c<V>(0)), c<V>(0), a * log(b)));
  }
  template <class V> static constexpr V vjp_a(V g, V a, V b, V) {
    return select(both(eq(a, c<V>(0)), le(b, c<V>(0))), c<V>(0), fwd(g, b));
  }
  template <class V> static constexpr V vjp_b(V g, V a, V b, V) { return g * (a / b); }
};
struct Xlog1py : Binary {
  static constexpr OpInfo info{.name = "special_xlog1py",
                               .node = "SpecialXlog1PyBackward2",
                               .result = Float,
                               .node_of_tensor = "SpecialXlog1PyBackward0",
                               .node_of_number = "SpecialXlog1PyBackward1",
                               .bare_numbers = true,
                               .cost = 0.6};
  template <class V> static constexpr V fwd(V a, V b) {
    return select(ne(b, b), b, select(eq(a, c<V>(0)), c<V>(0), a * log1p(b)));
  }
  template <class V> static constexpr V vjp_a(V g, V, V b, V) { return g * log1p(b); }
  template <class V> static constexpr V vjp_b(V g, V a, V b, V) { return g * (a / (b + c<V>(1))); }
};
// -x log(x), 0 at 0.
struct Entr : Unary {
  static constexpr OpInfo info{.name = "special_entr", .node = "SpecialEntrBackward0", .result = Float, .cost = 0.6};
  template <class V> static constexpr V fwd(V x) {
    const V at_most_0 = select(eq(x, c<V>(0)), c<V>(0), c<V>(-__builtin_inf()));
    return select(le(x, c<V>(0)), at_most_0, -(x * log(x)));
  }
  template <class V> static constexpr V vjp(V g, V x, V) { return g * (-log(x) - c<V>(1)); }
};

using Exponential =
    TypeList<Exp, Expm1, Log, Log1p, Log2, Log10, Logit, Exp2, Logaddexp, Logaddexp2, Xlogy, Xlog1py, Entr>;

}  // namespace gradcore::formulas
