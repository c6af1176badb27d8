// The larger, the smaller, and values kept within bounds.
#pragma once
#include "formulas/formula.h"

namespace gradcore::formulas {

// A NaN on either side wins; equal operands share the gradient.
struct Maximum : Binary {
  static constexpr OpInfo info{.name = "maximum", .node = "MaximumBackward0", .types = kAllTypes, .small_loops = true};
  template <class V> static constexpr V fwd(V a, V b) { return select(either(gt(a, b), ne(a, a)), a, b); }
  template <class V> static constexpr V vjp_a(V g, V a, V b, V) {
    return select(eq(a, b), g * c<V>(0.5), select(lt(a, b), c<V>(0), g));
  }
  template <class V> static constexpr V vjp_b(V g, V a, V b, V) {
    return select(eq(a, b), g * c<V>(0.5), select(gt(a, b), c<V>(0), g));
  }
};
struct Minimum : Binary {
  static constexpr OpInfo info{.name = "minimum", .node = "MinimumBackward0", .types = kAllTypes, .small_loops = true};
  template <class V> static constexpr V fwd(V a, V b) { return select(either(lt(a, b), ne(a, a)), a, b); }
  template <class V> static constexpr V vjp_a(V g, V a, V b, V) {
    return select(eq(a, b), g * c<V>(0.5), select(gt(a, b), c<V>(0), g));
  }
  template <class V> static constexpr V vjp_b(V g, V a, V b, V) {
    return select(eq(a, b), g * c<V>(0.5), select(lt(a, b), c<V>(0), g));
  }
};
// A NaN wins on either side.
struct ClampMin : Unary {
  static constexpr OpInfo info{
      .name = "clamp_min", .node = "ClampMinBackward0", .types = kNumbers, .parameters = {"min"}};
  template <class V> static constexpr V fwd(V x, V lo) { return select(either(lt(x, lo), ne(lo, lo)), lo, x); }
  template <class V> static constexpr V vjp(V g, V x, V, V lo) { return select(ge(x, lo), g, c<V>(0)); }
};
struct ClampMax : Unary {
  static constexpr OpInfo info{
      .name = "clamp_max", .node = "ClampMaxBackward0", .types = kNumbers, .parameters = {"max"}};
  template <class V> static constexpr V fwd(V x, V hi) { return select(either(gt(x, hi), ne(hi, hi)), hi, x); }
  template <class V> static constexpr V vjp(V g, V x, V, V hi) { return select(le(x, hi), g, c<V>(0)); }
};
// clamp() with one bound goes by clamp()'s name.
struct ClampOnlyMin : ClampMin {
  static constexpr OpInfo info{.name = "clamp", .node = "ClampBackward1", .types = kNumbers, .parameters = {"min"}};
};
struct ClampOnlyMax : ClampMax {
  static constexpr OpInfo info{.name = "clamp", .node = "ClampBackward1", .types = kNumbers, .parameters = {"max"}};
};
struct Clamp : Unary {
  static constexpr OpInfo info{
      .name = "clamp", .node = "ClampBackward1", .types = kNumbers, .parameters = {"min", "max"}};
  // The upper bound wins where the two meet or cross: the result is the bound then, whatever x is.
  template <class V> static constexpr V fwd(V x, V lo, V hi) {
    const V y = select(either(lt(x, lo), ne(lo, lo)), lo, x);
    return select(either(gt(y, hi), ne(hi, hi)), hi, y);
  }
  template <class V> static constexpr V vjp(V g, V x, V, V lo, V hi) {
    return select(both(both(ge(x, lo), le(x, hi)), lt(lo, hi)), g, c<V>(0));
  }
};
// clamp_min and clamp_max with a tensor as bound: at the bound the gradient is the operand's, a NaN has none.
struct ClampMinTensor : Maximum {
  static constexpr OpInfo info{
      .name = "clamp_min", .node = "ClampMinBackward1", .types = kAllTypes, .operands = {"self", "min"}};
  template <class V> static constexpr V vjp_a(V g, V a, V b, V) { return select(ge(a, b), g, c<V>(0)); }
  template <class V> static constexpr V vjp_b(V g, V a, V b, V) { return select(lt(a, b), g, c<V>(0)); }
};
struct ClampMaxTensor : Minimum {
  static constexpr OpInfo info{
      .name = "clamp_max", .node = "ClampMaxBackward1", .types = kAllTypes, .operands = {"self", "max"}};
  template <class V> static constexpr V vjp_a(V g, V a, V b, V) { return select(le(a, b), g, c<V>(0)); }
  template <class V> static constexpr V vjp_b(V g, V a, V b, V) { return select(gt(a, b), g, c<V>(0)); }
};
// clamp() with one bound goes by clamp()'s name.
struct ClampOnlyMinTensor : ClampMinTensor {
  static constexpr OpInfo info{
      .name = "clamp", .node = "ClampBackward0", .types = kAllTypes, .operands = {"self", "min"}};
};
struct ClampOnlyMaxTensor : ClampMaxTensor {
  static constexpr OpInfo info{
      .name = "clamp", .node = "ClampBackward0", .types = kAllTypes, .operands = {"self", "max"}};
};
// clamp with tensor bounds.
struct ClampTensor : Ternary {
  static constexpr OpInfo info{
      .name = "clamp", .node = "ClampBackward0", .types = kNumbers, .operands = {"self", "min", "max"}};
  template <class V> static constexpr V fwd(V x, V lo, V hi) {
    const V y = select(either(lt(x, lo), ne(lo, lo)), lo, x);
    return select(either(gt(y, hi), ne(hi, hi)), hi, y);
  }
  template <class V> static constexpr V vjp_a(V g, V x, V lo, V hi, V) {
    return select(both(both(ge(x, lo), le(x, hi)), lt(lo, hi)), g, c<V>(0));
  }
  template <class V> static constexpr V vjp_b(V g, V x, V lo, V hi, V) {
    return select(both(lt(x, lo), lt(lo, hi)), g, c<V>(0));
  }
  template <class V> static constexpr V vjp_c(V g, V x, V lo, V hi, V) {
    return select(either(gt(x, hi), ge(lo, hi)), g, c<V>(0));
  }
};
// The other one wins over a NaN, and the first has the gradient of equal ones.
struct Fmax : Binary {
  static constexpr OpInfo info{.name = "fmax", .node = "FmaxBackward0", .types = kAllTypes};
  template <class V> static constexpr V fwd(V a, V b) { return select(either(ge(a, b), ne(b, b)), a, b); }
  template <class V> static constexpr V vjp_a(V g, V a, V b, V) {
    return select(either(ge(a, b), ne(b, b)), g, c<V>(0));
  }
  template <class V> static constexpr V vjp_b(V g, V a, V b, V) {
    return select(either(ge(a, b), ne(b, b)), c<V>(0), g);
  }
};
struct Fmin : Binary {
  static constexpr OpInfo info{.name = "fmin", .node = "FminBackward0", .types = kAllTypes};
  template <class V> static constexpr V fwd(V a, V b) { return select(either(le(a, b), ne(b, b)), a, b); }
  template <class V> static constexpr V vjp_a(V g, V a, V b, V) {
    return select(either(le(a, b), ne(b, b)), g, c<V>(0));
  }
  template <class V> static constexpr V vjp_b(V g, V a, V b, V) {
    return select(either(le(a, b), ne(b, b)), c<V>(0), g);
  }
};

using Bounds = TypeList<Maximum, Minimum, ClampMin, ClampMax, ClampOnlyMin, ClampOnlyMax, Clamp, ClampMinTensor,
                        ClampMaxTensor, ClampOnlyMinTensor, ClampOnlyMaxTensor, ClampTensor, Fmax, Fmin>;

}  // namespace gradcore::formulas
