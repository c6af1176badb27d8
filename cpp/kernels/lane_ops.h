// What formulas ask of a lane beyond arithmetic and math.h: integer division and powers, bits, signs.
#pragma once
#include "formulas/formula.h"
#include "kernels/lane.h"
#include "kernels/math.h"
#include "kernels/portable/special/special.h"

namespace gradcore::formulas {
template <class T> struct Constant<GC_ISA::Lane<T>> {
  static constexpr GC_ISA::Lane<T> make(double x) { return {static_cast<T>(x)}; }
};
}  // namespace gradcore::formulas

namespace gradcore::GC_ISA {

template <class T> GC_INLINE T value_of(Lane<T> x) { return x.v; }
GC_INLINE bool value_of(bool x) { return x; }

template <class T> GC_INLINE Lane<T> zeros_of(Lane<T>) { return {T(0)}; }
// relu's gradient: what comes where y is positive or NaN.
template <class T> GC_INLINE Lane<T> relu_backward(Lane<T> g, Lane<T> y) { return {y.v <= T(0) ? T(0) : g.v}; }
template <class T> GC_INLINE Lane<T> select(Lane<bool> m, Lane<T> a, Lane<T> b) { return {m.v ? a.v : b.v}; }
// 0 for NaN, as in torch.
template <class T> GC_INLINE Lane<T> sign(Lane<T> x) {
  return {static_cast<T>(static_cast<T>(T(0) < x.v) - static_cast<T>(x.v < T(0)))};
}

#define GC_SPECIAL(f, Op) \
  template <class T> GC_INLINE Lane<T> f(Lane<T> x) { return {static_cast<T>(portable::f(x.v))}; }
GC_SPECIAL_UNARY(GC_SPECIAL)
#undef GC_SPECIAL
#define GC_SPECIAL(f, Op) \
  template <class T> GC_INLINE Lane<T> f(Lane<T> x, Lane<T> y) { return {static_cast<T>(portable::f(x.v, y.v))}; }
GC_SPECIAL_BINARY(GC_SPECIAL)
GC_SPECIAL_WITH_PARAMETER(GC_SPECIAL)
#undef GC_SPECIAL

// Rounding leaves integers alone.
#define GC_INTEGER_IDENTITY(f)     \
  template <class T>               \
    requires(!is_float<T>)         \
  GC_INLINE Lane<T> f(Lane<T> x) { \
    return x;                      \
  }
GC_INTEGER_IDENTITY(floor)
GC_INTEGER_IDENTITY(ceil)
GC_INTEGER_IDENTITY(round)
GC_INTEGER_IDENTITY(trunc)
#undef GC_INTEGER_IDENTITY

template <class T> GC_INLINE Lane<T> bitwise_and(Lane<T> a, Lane<T> b) { return {static_cast<T>(a.v & b.v)}; }
template <class T> GC_INLINE Lane<T> bitwise_or(Lane<T> a, Lane<T> b) { return {static_cast<T>(a.v | b.v)}; }
template <class T> GC_INLINE Lane<T> bitwise_xor(Lane<T> a, Lane<T> b) { return {static_cast<T>(a.v ^ b.v)}; }
template <class T> GC_INLINE Lane<T> bitwise_not(Lane<T> a) {
  if constexpr (__is_same(T, bool))
    return {!a.v};
  else
    return {static_cast<T>(~a.v)};
}
// A shift by the width or more, or by a negative count, shifts everything out.
template <class T> GC_INLINE Lane<T> shift_left(Lane<T> a, Lane<T> b) {
  constexpr int bits = 8 * sizeof(T);
  const bool out = b.v < 0 || b.v >= bits;
  return {out ? T(0) : static_cast<T>(static_cast<uint64_t>(a.v) << (out ? 0 : b.v))};
}
template <class T> GC_INLINE Lane<T> shift_right(Lane<T> a, Lane<T> b) {
  constexpr int bits = 8 * sizeof(T);
  const bool out = b.v < 0 || b.v >= bits;
  const T gone = a.v < 0 ? T(-1) : T(0);
  return {out ? gone : static_cast<T>(a.v >> (out ? 0 : b.v))};
}

// Integer division. The driver refuses zero divisors; the lowest value by -1 wraps to itself instead of trapping.
template <class T>
  requires(!is_float<T>)
GC_INLINE Lane<T> trunc_divide(Lane<T> a, Lane<T> b) {
  if (b.v == static_cast<T>(-1) && T(-1) < T(0)) return {static_cast<T>(0 - a.v)};
  return {static_cast<T>(a.v / (b.v == 0 ? T(1) : b.v))};
}
template <class T>
  requires(!is_float<T>)
GC_INLINE Lane<T> fmod(Lane<T> a, Lane<T> b) {
  return {static_cast<T>(a.v - trunc_divide(a, b).v * b.v)};
}
template <class T>
  requires(!is_float<T>)
GC_INLINE Lane<T> remainder(Lane<T> a, Lane<T> b) {
  const T r = fmod(a, b).v;
  return {static_cast<T>(r != 0 && ((r < 0) != (b.v < 0)) ? r + b.v : r)};
}
template <class T>
  requires(!is_float<T>)
GC_INLINE Lane<T> floor_divide(Lane<T> a, Lane<T> b) {
  const T q = trunc_divide(a, b).v, r = fmod(a, b).v;
  return {static_cast<T>(r != 0 && ((r < 0) != (b.v < 0)) ? q - 1 : q)};
}
// By squaring; a negative exponent leaves only the bases 1 and -1.
template <class T>
  requires(!is_float<T>)
GC_INLINE Lane<T> pow(Lane<T> a, Lane<T> b) {
  if (b.v < 0) {
    const bool odd = b.v & 1;
    return {a.v == T(1) ? T(1) : a.v == static_cast<T>(-1) && T(-1) < T(0) ? static_cast<T>(odd ? -1 : 1) : T(0)};
  }
  T result = 1, base = a.v;
  for (auto e = b.v; e != 0; e = static_cast<T>(e >> 1)) {
    if (e & 1) result = static_cast<T>(result * base);
    base = static_cast<T>(base * base);
  }
  return {result};
}

// Float division, as CPython does it: exact multiples stay exact, and the remainder has the divisor's sign.
template <class T>
  requires is_float<T>
GC_INLINE Lane<T> trunc_divide(Lane<T> a, Lane<T> b) {
  return trunc(a / b);
}
template <class T>
  requires is_float<T>
GC_INLINE Lane<T> remainder(Lane<T> a, Lane<T> b) {
  const Lane<T> m = fmod(a, b);
  return {m.v != 0 && ((b.v < 0) != (m.v < 0)) ? m.v + b.v : m.v};
}
template <class T>
  requires is_float<T>
GC_INLINE Lane<T> floor_divide(Lane<T> a, Lane<T> b) {
  const T m = fmod(a, b).v;
  T div = (a.v - m) / b.v;
  div = m != 0 && ((b.v < 0) != (m < 0)) ? div - T(1) : div;
  const T whole = floor(Lane<T>{div}).v;
  const T rounded = div - whole > T(0.5) ? whole + T(1) : whole;
  const T zero = copysign(Lane<T>{T(0)}, a / b).v;
  return {b.v == 0 ? a.v / b.v : div != 0 ? rounded : zero};
}

}  // namespace gradcore::GC_ISA
