// The vocabulary of formulas. A formula is a struct with `info`, `fwd` and one vjp for each differentiable operand,
// each a template over its value type V:
//   V = Lane<T>  the body of a kernel loop          (kernels/lane.h)
//   V = Tensor   recorded ops: double backward       (ops/formula_ops.h)
//   V = Uses     nothing is computed; tells which operands a vjp reads, so that a node saves only those (below)
// A vjp gets the incoming gradient, the operands, the output, then the op's scalar parameters: vjp(g, x, y) of one
// operand, vjp_a(g, a, b, y) and vjp_b of two, and vjp_c of three.
#pragma once
#include "core/op_info.h"
#include "core/type_list.h"
#include "formulas/functions.h"

namespace gradcore::formulas {

using gradcore::TypeList;
using enum gradcore::ResultType;

// A formula derives from the number of its operands.
struct Unary {
  static constexpr int kArity = 1;
};
struct Binary {
  static constexpr int kArity = 2;
};
struct Ternary {
  static constexpr int kArity = 3;
};

// A constant as a V.
template <class V> struct Constant {
  static constexpr V make(double x) { return V(x); }
};
template <class V> constexpr V c(double x) { return Constant<V>::make(x); }

// A divisor under which 0 becomes 0 instead of NaN: infinity in the place of 0. A quotient that is selected away
// afterwards would still have a derivative of NaN.
template <class V> constexpr V nonzero(V x) { return select(eq(x, c<V>(0)), c<V>(__builtin_inf()), x); }

// Note [What a vjp reads]
// Running a vjp on Uses at compile time collects the operands it touches. Bits: 1 the gradient, 2 4 8 the operands,
// 16 the output. kMath tells that a transcendental function is involved (its lanes must run vectorised everywhere, so
// that a value does not depend on its position); kQuotient that the last two operands are divided with a remainder
// (loops take a shorter way where their quotients are of usual size); kChanged that the result is not just the first
// operand handed on.
struct Uses {
  unsigned bits = 0;
  constexpr Uses() = default;
  constexpr explicit Uses(unsigned b) : bits(b) {}
};
constexpr unsigned kUsesGrad = 1, kUsesOutput = 16, kMath = 32, kChanged = 64, kQuotient = 128;
constexpr unsigned uses_operand(int i) { return 2u << i; }

template <> struct Constant<Uses> {
  static constexpr Uses make(double) { return Uses(kChanged); }
};

#define GC_USES(f, flags, op, value) \
  constexpr Uses f(Uses a) { return Uses(a.bits | flags | kChanged); }
GC_UNARY_FUNCTIONS(GC_USES)
#undef GC_USES
#define GC_USES(f, Op) \
  constexpr Uses f(Uses a) { return Uses(a.bits | kMath | kChanged); }
GC_SPECIAL_UNARY(GC_USES)
#undef GC_USES
#define GC_USES(f, Op) \
  constexpr Uses f(Uses a, Uses b) { return Uses(a.bits | b.bits | kChanged); }
GC_SPECIAL_BINARY(GC_USES)
GC_SPECIAL_WITH_PARAMETER(GC_USES)
#undef GC_USES
#define GC_USES(f, flags, op, value) \
  constexpr Uses f(Uses a, Uses b) { return Uses(a.bits | b.bits | flags | kChanged); }
GC_BINARY_FUNCTIONS(GC_USES)
#undef GC_USES
#define GC_USES(f, flags) \
  constexpr Uses f(Uses a) { return Uses(a.bits | flags | kChanged); }
GC_UNARY_VALUES(GC_USES)
#undef GC_USES
#define GC_USES(f, flags) \
  constexpr Uses f(Uses a, Uses b) { return Uses(a.bits | b.bits | flags | kChanged); }
GC_BINARY_VALUES(GC_USES)
#undef GC_USES
#define GC_USES(f) \
  constexpr Uses f(Uses a, Uses b) { return Uses(a.bits | b.bits | kChanged); }
GC_BIT_FUNCTIONS(GC_USES)
#undef GC_USES
constexpr Uses bitwise_not(Uses a) { return Uses(a.bits | kChanged); }
constexpr Uses select(Uses m, Uses a, Uses b) { return Uses(m.bits | a.bits | b.bits | kChanged); }
constexpr Uses no_derivative(const char*, Uses g, Uses a, Uses b) { return Uses(g.bits | a.bits | b.bits | kChanged); }
constexpr Uses zeros_of(Uses) { return Uses(kChanged); }
constexpr Uses relu_backward(Uses g, Uses y) { return Uses(g.bits | y.bits | kChanged); }

// Lanes compare to plain bools; these are their connectives (no short circuit: both sides are vectors).
#define GC_BOOL __attribute__((always_inline)) constexpr bool
GC_BOOL both(bool a, bool b) { return a & b; }
GC_BOOL either(bool a, bool b) { return a | b; }
GC_BOOL differ(bool a, bool b) { return a != b; }
#undef GC_BOOL

}  // namespace gradcore::formulas
