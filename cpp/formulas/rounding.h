// Rounding, and divisions that round.
#pragma once
#include "formulas/formula.h"

namespace gradcore::formulas {

struct Floor : Unary {
  static constexpr OpInfo info{.name = "floor", .node = "FloorBackward0", .types = kNumbers | kWideUnsigned};
  template <class V> static constexpr V fwd(V x) { return floor(x); }
  template <class V> static constexpr V vjp(V g, V, V) { return zeros_of(g); }
};
struct Ceil : Unary {
  static constexpr OpInfo info{.name = "ceil", .node = "CeilBackward0", .types = kNumbers | kWideUnsigned};
  template <class V> static constexpr V fwd(V x) { return ceil(x); }
  template <class V> static constexpr V vjp(V g, V, V) { return zeros_of(g); }
};
struct Round : Unary {
  static constexpr OpInfo info{.name = "round", .node = "RoundBackward0", .types = kNumbers | kWideUnsigned};
  template <class V> static constexpr V fwd(V x) { return round(x); }
  template <class V> static constexpr V vjp(V g, V, V) { return zeros_of(g); }
};
struct Trunc : Unary {
  static constexpr OpInfo info{.name = "trunc", .node = "TruncBackward0", .types = kNumbers | kWideUnsigned};
  template <class V> static constexpr V fwd(V x) { return trunc(x); }
  template <class V> static constexpr V vjp(V g, V, V) { return zeros_of(g); }
};
struct FloorDivide : Binary {
  static constexpr OpInfo info{.name = "floor_divide", .types = kNumbers, .exact_numbers = true, .cost = 1.5};
  template <class V> static constexpr V fwd(V a, V b) { return floor_divide(a, b); }
};
// div(rounding_mode=...): the same numbers with torch's node, whose gradient is zero.
struct DivFloor : Binary {
  static constexpr OpInfo info{
      .name = "div", .node = "DivBackward1", .types = kNumbers, .exact_numbers = true, .cost = 1.5};
  template <class V> static constexpr V fwd(V a, V b) { return floor_divide(a, b); }
  template <class V> static constexpr V vjp_a(V g, V, V, V) { return zeros_of(g); }
  template <class V> static constexpr V vjp_b(V g, V, V, V) { return zeros_of(g); }
};
struct DivTrunc : Binary {
  static constexpr OpInfo info{
      .name = "div", .node = "DivBackward1", .types = kNumbers, .exact_numbers = true, .cost = 1.0};
  template <class V> static constexpr V fwd(V a, V b) { return trunc_divide(a, b); }
  template <class V> static constexpr V vjp_a(V g, V, V, V) { return zeros_of(g); }
  template <class V> static constexpr V vjp_b(V g, V, V, V) { return zeros_of(g); }
};
// Remainder has the divisor's sign (Python's %), fmod the dividend's (C's).
struct Remainder : Binary {
  static constexpr OpInfo info{.name = "remainder",
                               .node = "RemainderBackward0",
                               .types = kNumbers,
                               .node_of_tensor = "RemainderBackward1",
                               .bare_numbers = true,
                               .cost = 2.0};
  template <class V> static constexpr V fwd(V a, V b) { return remainder(a, b); }
  template <class V> static constexpr V vjp_a(V g, V, V, V) { return g; }
  template <class V> static constexpr V vjp_b(V g, V a, V b, V) { return -g * floor_divide(a, b); }
};
struct Fmod : Binary {
  static constexpr OpInfo info{.name = "fmod",
                               .node = "FmodBackward0",
                               .types = kNumbers,
                               .node_of_tensor = "FmodBackward1",
                               .bare_numbers = true,
                               .cost = 2.0};
  template <class V> static constexpr V fwd(V a, V b) { return fmod(a, b); }
  template <class V> static constexpr V vjp_a(V g, V, V, V) { return g; }
  template <class V> static constexpr V vjp_b(V g, V a, V b, V) { return -g * trunc_divide(a, b); }
};
struct Frac : Unary {
  static constexpr OpInfo info{.name = "frac", .node = "FracBackward0"};
  template <class V> static constexpr V fwd(V x) { return x - trunc(x); }
  template <class V> static constexpr V vjp(V g, V, V) { return g; }
};

using Rounding = TypeList<Floor, Ceil, Round, Trunc, FloorDivide, DivFloor, DivTrunc, Remainder, Fmod, Frac>;

}  // namespace gradcore::formulas
