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
GC_SPECIAL_OF_NUMBERS(GC_SPECIAL)
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
  if constexpr (sizeof(T) < 8)
    return {out ? T(0) : static_cast<T>(static_cast<uint32_t>(a.v) << (out ? 0 : b.v))};
  else
    return {out ? T(0) : static_cast<T>(static_cast<uint64_t>(a.v) << (out ? 0 : b.v))};
}
template <class T> GC_INLINE Lane<T> shift_right(Lane<T> a, Lane<T> b) {
  constexpr int bits = 8 * sizeof(T);
  const bool out = b.v < 0 || b.v >= bits;
  const T gone = a.v < 0 ? T(-1) : T(0);
  return {out ? gone : static_cast<T>(a.v >> (out ? 0 : b.v))};
}

// The sign bit, which zeros and NaN have as well.
template <class T> GC_INLINE bool signbit(Lane<T> x) {
  if constexpr (is_float<T>)
    return to_bits(x.v) >> (8 * sizeof(T) - 1) != 0;
  else
    return x.v < T(0);
}

// The next number towards b.
template <class T>
  requires is_float<T>
GC_INLINE Lane<T> nextafter(Lane<T> a, Lane<T> b) {
  const bool away_from_0 = (a.v < b.v) == (a.v > 0);
  const BitsOf<T> bits = to_bits(a.v);
  T y = from_bits(away_from_0 ? bits + 1 : bits - 1);
  y = a.v == 0 ? copysign(Lane<T>{from_bits(BitsOf<T>(1))}, b).v : y;
  y = a.v == b.v ? b.v : y;
  return {a.v != a.v || b.v != b.v ? a.v + b.v : y};
}

// Euclid's, of absolute values; that of the lowest integer wraps to itself, as in torch.
template <class T>
  requires(!is_float<T>)
GC_INLINE Lane<T> gcd(Lane<T> a, Lane<T> b) {
  uint64_t x = a.v < T(0) ? uint64_t(0) - static_cast<uint64_t>(a.v) : static_cast<uint64_t>(a.v);
  uint64_t y = b.v < T(0) ? uint64_t(0) - static_cast<uint64_t>(b.v) : static_cast<uint64_t>(b.v);
  while (y != 0) {
    const uint64_t rest = x % y;
    x = y;
    y = rest;
  }
  return {static_cast<T>(x)};
}
template <class T>
  requires(!is_float<T>)
GC_INLINE Lane<T> lcm(Lane<T> a, Lane<T> b) {
  const Lane<T> divisor = gcd(a, b);
  return divisor.v == T(0) ? divisor : abs(a / divisor * b);
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

// Divided by the larger one first, so that no square overflows. Where one is infinite the result is, beside NaN too.
template <class T>
  requires is_float<T>
GC_INLINE Lane<T> hypot(Lane<T> a, Lane<T> b) {
  const Lane<T> x = abs(a), y = abs(b), inf{static_cast<T>(__builtin_inf())};
  const Lane<T> large = select(lt(x, y), y, x), small = select(lt(x, y), x, y);
  const Lane<T> ratio = small / large;
  const Lane<T> result = select(eq(large, Lane<T>{0}), small, large * sqrt(Lane<T>{1} + ratio * ratio));
  return select((x.v == inf.v) | (y.v == inf.v), inf, result);
}

// Float division, as CPython does it: exact multiples stay exact, and the remainder has the divisor's sign.
template <class T>
  requires is_float<T>
GC_INLINE Lane<T> trunc_divide(Lane<T> a, Lane<T> b) {
  return trunc(a / b);
}
// From m = fmod(a, b).
template <class T> GC_INLINE T with_sign_of(T b, T m) { return ((m != 0) & ((b < 0) != (m < 0))) ? m + b : m; }
template <class T> GC_INLINE T floor_quotient(T a, T b, T m) {
  T div = (a - m) / b;
  div = ((m != 0) & ((b < 0) != (m < 0))) ? div - T(1) : div;
  const T whole = floor(Lane<T>{div}).v;
  const T rounded = div - whole > T(0.5) ? whole + T(1) : whole;
  const T zero = copysign(Lane<T>{T(0)}, Lane<T>{a / b}).v;
  const T quotient = div != 0 ? rounded : zero;
  return b == 0 ? a / b : quotient;
}
template <class T>
  requires is_float<T>
GC_INLINE Lane<T> remainder(Lane<T> a, Lane<T> b) {
  return {with_sign_of(b.v, fmod(a, b).v)};
}
template <class T>
  requires is_float<T>
GC_INLINE Lane<T> floor_divide(Lane<T> a, Lane<T> b) {
  return {floor_quotient(a.v, b.v, fmod(a, b).v)};
}

// Note [Near values]
// Some functions have a short way for the arguments that most programs have. Near<T> is the lane on which formulas take
// it, in loops that first look whether all arguments of a block are near. It gives the same bits.
//
// fmod() of libm goes bit by bit and takes 15 ns. Where the quotient is below 2^26 one division finds it, and what is
// left is exact: its product with the divisor, in two halves, needs no more bits than a double has. Vectors have no
// division of integers. In double that of integers below 2^51 is exact: a quotient that is not whole is further from
// the next integer than it is rounded. exp() has no need of bounds where its result is neither infinite nor denormal.
template <class T> struct Near : Lane<T> {
  Near() = default;
  __attribute__((always_inline)) Near(Lane<T> x) : Lane<T>(x) {}
};

template <class T>
  requires is_float<T>
GC_INLINE bool is_near(T a, T b) {
  constexpr T kLimit = 1 << 25;
  const T size = abs(Lane<T>{b}).v;
  return (abs(Lane<T>{a}).v < kLimit * size) & (size < static_cast<T>(__builtin_inf()));
}
GC_INLINE double near_rest(double a, double b) {
  const double q = trunc(F64{a / b}).v;
  constexpr uint64_t kLow = (uint64_t(1) << 26) - 1;
  const double high = from_bits(to_bits(b) & ~kLow), low = b - high;
  const double rest = (a - q * high) - q * low;
  return rest < 0 ? rest + b : rest;  // the quotient was rounded up
}
template <class T>
  requires is_float<T>
GC_INLINE Near<T> fmod(Near<T> a, Near<T> b) {
  const double rest = near_rest(static_cast<double>(abs(Lane<T>{a.v}).v), static_cast<double>(abs(Lane<T>{b.v}).v));
  return copysign(Lane<T>{static_cast<T>(rest)}, Lane<T>{a.v});
}
template <class T>
  requires is_float<T>
GC_INLINE Near<T> remainder(Near<T> a, Near<T> b) {
  return Lane<T>{with_sign_of(b.v, fmod(a, b).v)};
}
template <class T>
  requires is_float<T>
GC_INLINE Near<T> floor_divide(Near<T> a, Near<T> b) {
  return Lane<T>{floor_quotient(a.v, b.v, fmod(a, b).v)};
}
template <class T>
  requires is_float<T>
GC_INLINE Near<T> trunc_divide(Near<T> a, Near<T> b) {
  return trunc(Lane<T>{a.v / b.v});
}

template <class T>
  requires is_float<T>
GC_INLINE bool is_near(T x) {
  return abs(Lane<T>{x}).v <= Ieee<T>::kExpNear;
}
template <class T> GC_INLINE Near<T> exp(Near<T> x) { return exp_near(Lane<T>{x.v}); }

GC_INLINE bool is_near(int64_t a, int64_t b) {
  constexpr uint64_t kLimit = uint64_t(1) << 51;
  const uint64_t sizes = (static_cast<uint64_t>(a) + kLimit) | (static_cast<uint64_t>(b) + kLimit);
  return (sizes < 2 * kLimit) & (b != 0);
}
// Old vectors cannot convert integers of 64 bits: they are added to a large number's bits.
GC_INLINE double near_number(int64_t x) {
  constexpr double magic = Ieee<double>::kMagic;
  return from_bits(to_bits(magic) + static_cast<uint64_t>(x)) - magic;
}
GC_INLINE Near<int64_t> near_integer(double x) {
  constexpr double magic = Ieee<double>::kMagic;
  return Lane<int64_t>{static_cast<int64_t>(to_bits(x + magic) - to_bits(magic))};
}
GC_INLINE Near<int64_t> floor_divide(Near<int64_t> a, Near<int64_t> b) {
  return near_integer(floor(F64{near_number(a.v) / near_number(b.v)}).v);
}
GC_INLINE Near<int64_t> remainder(Near<int64_t> a, Near<int64_t> b) {
  const double x = near_number(a.v), y = near_number(b.v);
  return near_integer(x - floor(F64{x / y}).v * y);
}

}  // namespace gradcore::GC_ISA
