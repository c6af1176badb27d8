// Logic on truth values and on bits.
#pragma once
#include "formulas/formula.h"

namespace gradcore::formulas {

struct LogicalNot : Unary {
  static constexpr OpInfo info{.name = "logical_not", .result = Bool, .types = kAllTypes, .bools_apart = true};
  template <class V> static constexpr auto fwd(V x) { return eq(x, c<V>(0)); }
};
struct LogicalAnd : Binary {
  static constexpr OpInfo info{.name = "logical_and", .result = Bool, .types = kAllTypes, .bools_apart = true};
  template <class V> static constexpr auto fwd(V a, V b) { return both(ne(a, c<V>(0)), ne(b, c<V>(0))); }
};
struct LogicalOr : Binary {
  static constexpr OpInfo info{.name = "logical_or", .result = Bool, .types = kAllTypes, .bools_apart = true};
  template <class V> static constexpr auto fwd(V a, V b) { return either(ne(a, c<V>(0)), ne(b, c<V>(0))); }
};
struct LogicalXor : Binary {
  static constexpr OpInfo info{.name = "logical_xor", .result = Bool, .types = kAllTypes, .bools_apart = true};
  template <class V> static constexpr auto fwd(V a, V b) { return differ(ne(a, c<V>(0)), ne(b, c<V>(0))); }
};
struct BitwiseNot : Unary {
  static constexpr OpInfo info{.name = "bitwise_not", .types = kInts | kBools, .bools_apart = true};
  template <class V> static constexpr V fwd(V x) { return bitwise_not(x); }
};
struct BitwiseAnd : Binary {
  static constexpr OpInfo info{
      .name = "bitwise_and", .types = kInts | kBools | kWideUnsigned, .bools_apart = true, .small_loops = true};
  template <class V> static constexpr V fwd(V a, V b) { return bitwise_and(a, b); }
};
struct BitwiseOr : Binary {
  static constexpr OpInfo info{
      .name = "bitwise_or", .types = kInts | kBools | kWideUnsigned, .bools_apart = true, .small_loops = true};
  template <class V> static constexpr V fwd(V a, V b) { return bitwise_or(a, b); }
};
struct BitwiseXor : Binary {
  static constexpr OpInfo info{
      .name = "bitwise_xor", .types = kInts | kBools | kWideUnsigned, .bools_apart = true, .small_loops = true};
  template <class V> static constexpr V fwd(V a, V b) { return bitwise_xor(a, b); }
};
struct LeftShift : Binary {
  static constexpr OpInfo info{.name = "bitwise_left_shift", .types = kInts, .small_loops = true};
  template <class V> static constexpr V fwd(V a, V b) { return shift_left(a, b); }
};
struct RightShift : Binary {
  static constexpr OpInfo info{.name = "bitwise_right_shift", .types = kInts, .small_loops = true};
  template <class V> static constexpr V fwd(V a, V b) { return shift_right(a, b); }
};

using Logical = TypeList<LogicalNot, LogicalAnd, LogicalOr, LogicalXor, BitwiseNot, BitwiseAnd, BitwiseOr, BitwiseXor,
                         LeftShift, RightShift>;

}  // namespace gradcore::formulas
