// One value or another, or between them.
#pragma once
#include "formulas/formula.h"

namespace gradcore::formulas {

// Three operands.
struct Where : Ternary {
  static constexpr OpInfo info{.name = "where",
                               .node = "WhereBackward0",
                               .types = kAllTypes | kWideUnsigned,
                               .mask = 0,
                               .operands = {"condition"}};
  template <class M, class V> static constexpr V fwd(M m, V a, V b) { return select(m, a, b); }
  template <class V, class M> static constexpr V vjp_b(V g, M m, V, V, V) { return select(m, g, c<V>(0)); }
  template <class V, class M> static constexpr V vjp_c(V g, M m, V, V, V) { return select(m, c<V>(0), g); }
};
struct MaskedFill : Ternary {
  static constexpr OpInfo info{.name = "masked_fill",
                               .node = "MaskedFillBackward0",
                               .types = kAllTypes,
                               .mask = 1,
                               .node_of_tensor = "MaskedFillBackward1",
                               .bare_numbers = true,
                               .dense = true,
                               .operands = {nullptr, "mask"}};
  template <class V, class M> static constexpr V fwd(V x, M m, V value) { return select(m, value, x); }
  template <class V, class M> static constexpr V vjp_a(V g, V, M m, V, V) { return select(m, c<V>(0), g); }
  template <class V, class M> static constexpr V vjp_c(V g, V, M m, V, V) { return select(m, g, c<V>(0)); }
};
// Written from both ends, so that weight 1 gives exactly the end.
struct Lerp : Ternary {
  static constexpr OpInfo info{.name = "lerp",
                               .node = "LerpBackward0",
                               .node_of_tensor = "LerpBackward1",
                               .bare_numbers = true,
                               .operands = {"self", "end", "weight"},
                               .exact_numbers = true};
  template <class V> static constexpr V fwd(V a, V b, V w) {
    return select(lt(abs(w), c<V>(0.5)), a + w * (b - a), b - (b - a) * (c<V>(1) - w));
  }
  template <class V> static constexpr V vjp_a(V g, V, V, V w, V) { return g * (c<V>(1) - w); }
  template <class V> static constexpr V vjp_b(V g, V, V, V w, V) { return g * w; }
  template <class V> static constexpr V vjp_c(V g, V a, V b, V, V) { return g * (b - a); }
};
struct NanToNum : Unary {
  static constexpr OpInfo info{.name = "nan_to_num", .node = "NanToNumBackward0"};
  template <class V> static constexpr V fwd(V x, V nan, V positive, V negative) {
    const V inf = c<V>(__builtin_inf());
    return select(ne(x, x), nan, select(eq(x, inf), positive, select(eq(x, -inf), negative, x)));
  }
  template <class V> static constexpr V vjp(V g, V x, V, V, V, V) {
    return g * select(lt(abs(x), c<V>(__builtin_inf())), c<V>(1), c<V>(0));
  }
};

using Selection = TypeList<Where, MaskedFill, Lerp, NanToNum>;

}  // namespace gradcore::formulas
