// Comparisons and tests: the answer is a bool.
#pragma once
#include "formulas/formula.h"

namespace gradcore::formulas {

struct Isnan : Unary {
  static constexpr OpInfo info{.name = "isnan", .result = Bool, .types = kAllTypes | kWideUnsigned};
  template <class V> static constexpr auto fwd(V x) { return ne(x, x); }
};
struct Isinf : Unary {
  static constexpr OpInfo info{.name = "isinf", .result = Bool, .types = kFloats};
  template <class V> static constexpr auto fwd(V x) { return eq(abs(x), c<V>(__builtin_inf())); }
};
struct Isfinite : Unary {
  static constexpr OpInfo info{.name = "isfinite", .result = Bool, .types = kFloats};
  template <class V> static constexpr auto fwd(V x) { return lt(abs(x), c<V>(__builtin_inf())); }
};
struct Eq : Binary {
  static constexpr OpInfo info{.name = "eq",
                               .result = Bool,
                               .types = kAllTypes | kWideUnsigned,
                               .node_in_place = {"EqBackward0", "EqBackward1"},
                               .small_loops = true};
  template <class V> static constexpr auto fwd(V a, V b) { return eq(a, b); }
};
struct Ne : Binary {
  static constexpr OpInfo info{.name = "ne",
                               .result = Bool,
                               .types = kAllTypes | kWideUnsigned,
                               .node_in_place = {"NeBackward0", "NeBackward1"},
                               .small_loops = true};
  template <class V> static constexpr auto fwd(V a, V b) { return ne(a, b); }
};
struct Lt : Binary {
  static constexpr OpInfo info{.name = "lt",
                               .result = Bool,
                               .types = kAllTypes,
                               .node_in_place = {"LtBackward0", "LtBackward1"},
                               .small_loops = true};
  template <class V> static constexpr auto fwd(V a, V b) { return lt(a, b); }
};
struct Le : Binary {
  static constexpr OpInfo info{.name = "le",
                               .result = Bool,
                               .types = kAllTypes,
                               .node_in_place = {"LeBackward0", "LeBackward1"},
                               .small_loops = true};
  template <class V> static constexpr auto fwd(V a, V b) { return le(a, b); }
};
struct Gt : Binary {
  static constexpr OpInfo info{.name = "gt",
                               .result = Bool,
                               .types = kAllTypes,
                               .node_in_place = {"GtBackward0", "GtBackward1"},
                               .small_loops = true};
  template <class V> static constexpr auto fwd(V a, V b) { return gt(a, b); }
};
struct Ge : Binary {
  static constexpr OpInfo info{.name = "ge",
                               .result = Bool,
                               .types = kAllTypes,
                               .node_in_place = {"GeBackward0", "GeBackward1"},
                               .small_loops = true};
  template <class V> static constexpr auto fwd(V a, V b) { return ge(a, b); }
};
struct Isposinf : Unary {
  static constexpr OpInfo info{.name = "isposinf", .result = Bool};
  template <class V> static constexpr auto fwd(V x) { return eq(x, c<V>(__builtin_inf())); }
};
struct Isneginf : Unary {
  static constexpr OpInfo info{.name = "isneginf", .result = Bool};
  template <class V> static constexpr auto fwd(V x) { return eq(x, c<V>(-__builtin_inf())); }
};
struct Signbit : Unary {
  static constexpr OpInfo info{.name = "signbit", .result = Bool, .types = kAllTypes};
  template <class V> static constexpr auto fwd(V x) { return signbit(x); }
};

using Comparison = TypeList<Isnan, Isinf, Isfinite, Eq, Ne, Lt, Le, Gt, Ge, Isposinf, Isneginf, Signbit>;

}  // namespace gradcore::formulas
