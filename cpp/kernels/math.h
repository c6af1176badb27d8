// Math functions of Lane<float> and Lane<double>, written so that a plain loop over them vectorises: no
// branches, no tables, no float-to-integer conversions (AVX2 has none for double, and NaN would be
// undefined). Start at Ieee, then exp() and log(). The functions at the end go to libm and, where GC_LIBMVEC
// says that it exists (x86-64, glibc >= 2.35, linked with -lmvec -lm), to its vector library. Special values
// are C's.
//
// Note [Accuracy]
// Largest error seen, in units in the last place, over 4.5 million floats of all magnitudes (0.9 million
// doubles; a million pairs for pow and atan2, 2 million points for sigmoid) against the next wider libm: with
// FMA / without. sqrt is exact to 0.5; sigmoid is 0, not denormal,
// below -log(largest), as in torch.
//            float      double       float      double       float      double
//   exp      1.1 / 1.1  1.0 / 1.0   sigmoid  2.4 / 2.4  2.3 / 2.3   asin     3.0 / 2.9  2.6 / 2.7
//   expm1    1.6 / 1.7  2.0 / 2.1   tanh     1.5 / 1.5  1.5 / 1.5   acos     2.0 / 2.2  1.7 / 2.0
//   log      0.8 / 0.8  0.9 / 0.9   sinh     1.8 / 2.0  1.9 / 2.0   atan     2.2 / 2.5  1.9 / 1.9
//   log1p    1.5 / 1.5  1.3 / 1.3   cosh     2.4 / 1.8  1.9 / 1.7   erf      1.0 / 1.3  2.5 / 2.5
//   log2     1.0 / 1.8  0.9 / 2.0   sin      1.8 / 1.9  3.1 / 3.2   erfc     1.6 / 1.6  1.8 / 1.8
//   log10    0.9 / 1.8  0.9 / 1.8   cos      1.9 / 2.0  3.4 / 3.6   pow      0.6 / 0.6  1.2 / 1.2
//   rsqrt    1.5 / 1.5  1.5 / 1.5   tan      3.4 / 3.7  3.3 / 3.2   atan2    3.3 / 3.1  2.4 / 2.1
#pragma once
#include <cstdint>  // __GLIBC__

#include "kernels/lane.h"

#ifdef GC_LIBMVEC
#define GC_VECTOR __attribute__((simd("notinbranch")))
#else
#define GC_VECTOR
#endif

// glibc's own header shows the compiler the vector forms only under -ffast-math: declare them here, as the header does.
#ifdef __GLIBC__
#define GC_NOEXCEPT noexcept
#else
#define GC_NOEXCEPT
#endif
extern "C" {
#define GC_DECLARE(name)                      \
  GC_VECTOR float name##f(float) GC_NOEXCEPT; \
  GC_VECTOR double name(double) GC_NOEXCEPT;
GC_DECLARE(sin)
GC_DECLARE(cos)
GC_DECLARE(tan)
GC_DECLARE(asin)
GC_DECLARE(acos)
GC_DECLARE(atan)
GC_DECLARE(sinh)
GC_DECLARE(cosh)
GC_DECLARE(asinh)
GC_DECLARE(acosh)
GC_DECLARE(atanh)
GC_DECLARE(erfc)
#undef GC_DECLARE
GC_VECTOR double erf(double) GC_NOEXCEPT;
GC_VECTOR double pow(double, double) GC_NOEXCEPT;
GC_VECTOR float atan2f(float, float) GC_NOEXCEPT;
GC_VECTOR double atan2(double, double) GC_NOEXCEPT;
float fmodf(float, float) GC_NOEXCEPT;
double fmod(double, double) GC_NOEXCEPT;
}
#undef GC_NOEXCEPT
#undef GC_VECTOR

namespace gradcore::GC_ISA {

// ---- one instruction each ----

#define GC_UNARY(name, of_float, of_double)             \
  GC_INLINE F32 name(F32 x) { return {of_float(x.v)}; } \
  GC_INLINE F64 name(F64 x) { return {of_double(x.v)}; }
#define GC_BINARY(name, of_float, of_double)                        \
  GC_INLINE F32 name(F32 x, F32 y) { return {of_float(x.v, y.v)}; } \
  GC_INLINE F64 name(F64 x, F64 y) { return {of_double(x.v, y.v)}; }
GC_UNARY(sqrt, __builtin_sqrtf, __builtin_sqrt)
GC_UNARY(floor, __builtin_floorf, __builtin_floor)
GC_UNARY(ceil, __builtin_ceilf, __builtin_ceil)
GC_UNARY(trunc, __builtin_truncf, __builtin_trunc)
GC_UNARY(round, __builtin_rintf, __builtin_rint)  // half to even
GC_BINARY(copysign, __builtin_copysignf, __builtin_copysign)

template <class T> GC_INLINE Lane<T> rsqrt(Lane<T> x) { return {T(1) / sqrt(x).v}; }
GC_INLINE F32 fma(F32 a, F32 b, F32 c) { return {__builtin_fmaf(a.v, b.v, c.v)}; }
GC_INLINE F64 fma(F64 a, F64 b, F64 c) { return {__builtin_fma(a.v, b.v, c.v)}; }

// Polynomial step a * b + c. Without the instruction __builtin_fma is a slow call.
GC_INLINE float madd(float a, float b, float c) {
#ifdef __FMA__
  return __builtin_fmaf(a, b, c);
#else
  return a * b + c;
#endif
}
GC_INLINE double madd(double a, double b, double c) {
#ifdef __FMA__
  return __builtin_fma(a, b, c);
#else
  return a * b + c;
#endif
}

// c[0] + x * (c[1] + x * (...))
template <class T> GC_INLINE T polynomial(T, T last) { return last; }
template <class T, class... Rest> GC_INLINE T polynomial(T x, T first, T second, Rest... rest) {
  return madd(x, polynomial(x, second, rest...), first);
}

// An IEEE format, and the constants of functions whose algorithm both formats share. A hi + lo pair is a
// constant in two pieces; hi ends in zero bits, so that its product with an exponent is exact.
template <class T> struct Ieee;
template <> struct Ieee<float> {
  using Bits = uint32_t;
  static constexpr int kMantissa = 23;
  static constexpr Bits kBias = 127;
  static constexpr Bits kSqrtHalf = 0x3f3504f3;  // bits of sqrt(1/2)
  static constexpr float kMagic = 0x1.8p23f;     // adding it rounds to an integer, found in the low bits
  static constexpr float kMinNormal = 0x1p-126f;
  static constexpr float kEpsilon = 0x1p-23f;
  static constexpr float kExpMost = 104, kExpMax = 89;  // beyond, exp is 0 or inf
  static constexpr float kExpNear = 64;
  static constexpr float kExpm1Min = -20;                                               // below, expm1 is -1
  static constexpr float kSigmoidMin = -88.72284f;                                      // below, sigmoid is 0
  static constexpr float kTanhMax = 10;                                                 // above, tanh is 1
  static constexpr float kLog2Hi = 0x1.62e4p-1f, kLog2Lo = 1.42860682e-6f;              // ln 2
  static constexpr float kLog10Of2Hi = 0.301025390625f, kLog10Of2Lo = 4.605038981e-6f;  // log10 2
  static constexpr float kLog2OfE = 1.44269502f, kLog2OfERest = 1.92596299e-8f;
  static constexpr float kLog10OfE = 0.434294492f, kLog10OfERest = -1.01030501e-8f;
};
template <> struct Ieee<double> {
  using Bits = uint64_t;
  static constexpr int kMantissa = 52;
  static constexpr Bits kBias = 1023;
  static constexpr Bits kSqrtHalf = 0x3fe6a09e667f3bcd;
  static constexpr double kMagic = 0x1.8p52;
  static constexpr double kMinNormal = 0x1p-1022;
  static constexpr double kEpsilon = 0x1p-52;
  static constexpr double kExpMost = 746, kExpMax = 710;
  static constexpr double kExpNear = 640;
  static constexpr double kExpm1Min = -40;
  static constexpr double kSigmoidMin = -709.782712893384;
  static constexpr double kTanhMax = 20;
  static constexpr double kLog2Hi = 0x1.62e42fefa3p-1, kLog2Lo = 2.8235290563031577e-13;
  static constexpr double kLog10Of2Hi = 0x1.34413509f7p-2, kLog10Of2Lo = 1.4205023227266099e-13;
  static constexpr double kLog2OfE = 1.4426950408889634, kLog2OfERest = 2.0355273740931032e-17;
  static constexpr double kLog10OfE = 0.4342944819032518, kLog10OfERest = 1.0983196502167651e-17;
};
template <class T> using BitsOf = typename Ieee<T>::Bits;

GC_INLINE uint32_t to_bits(float x) { return __builtin_bit_cast(uint32_t, x); }
GC_INLINE uint64_t to_bits(double x) { return __builtin_bit_cast(uint64_t, x); }
GC_INLINE float from_bits(uint32_t x) { return __builtin_bit_cast(float, x); }
GC_INLINE double from_bits(uint64_t x) { return __builtin_bit_cast(double, x); }

// ---- exp and its family ----

// x = n ln 2 + r with |r| <= ln 2 / 2. The low bits of `exponent` hold n + kOffset.
template <class T> struct ReducedExp {
  T r;
  BitsOf<T> exponent;
};
template <int kOffset, class T> GC_INLINE ReducedExp<T> reduce_exp(T x) {
  constexpr T magic = Ieee<T>::kMagic + kOffset;
  const T shifted = madd(x, Ieee<T>::kLog2OfE, magic);
  const T n = shifted - magic;
  const T r = madd(n, -Ieee<T>::kLog2Lo, madd(n, -Ieee<T>::kLog2Hi, x));
  return {r, to_bits(shifted)};
}
// 2**n out of n + bias in the low bits.
template <class T> GC_INLINE T power_of_two(BitsOf<T> biased) { return from_bits(biased << Ieee<T>::kMantissa); }
// e**r - 1 for a reduced r, good relative to r (minimax).
GC_INLINE float expm1_reduced(float r) {
  const float q = polynomial(r, 0.500000006f, 0.166665429f, 0.0416662819f, 0.00836659079f, 0.00139464627f);
  return madd(r * r, q, r);
}
GC_INLINE double expm1_reduced(double r) {
  const double q = polynomial(r, 0.50000000000000056, 0.16666666666666686, 0.041666666666573548, 0.00833333333331457,
                              0.0013888888932406115, 0.00019841269903084774, 2.480150441118654e-5,
                              2.7557227901652306e-6, 2.7626341004500826e-7, 2.5114490425681613e-8);
  return madd(r * r, q, r);
}
// NaN stays.
template <class T> GC_INLINE T clamp_value(T x, T lo, T hi) {
  x = x > hi ? hi : x;
  return x < lo ? lo : x;
}
template <class T> GC_INLINE T clamp_size(T x, T most) {
  const T size = abs(Lane<T>{x}).v;
  return copysign(Lane<T>{size > most ? most : size}, Lane<T>{x}).v;
}

// The scale comes in two halves: 2**128 and 2**-149 are both needed, and only the second product rounds.
template <class T> GC_INLINE Lane<T> exp(Lane<T> x) {
  const ReducedExp<T> a = reduce_exp<2 * Ieee<T>::kBias>(clamp_size(x.v, Ieee<T>::kExpMost));
  const BitsOf<T> half = a.exponent >> 1;
  const T scale = power_of_two<T>(half);
  return {madd(scale, expm1_reduced(a.r), scale) * power_of_two<T>(a.exponent - half)};
}
// The same bits for |x| up to kExpNear: nothing on the way is infinite or denormal there, no part of a product either.
// (With one bias alone, which is odd, halves would be rounded to the other integer.)
template <class T> GC_INLINE Lane<T> exp_near(Lane<T> x) {
  const ReducedExp<T> a = reduce_exp<2 * Ieee<T>::kBias>(x.v);
  const T scale = power_of_two<T>(a.exponent - Ieee<T>::kBias);
  return {madd(scale, expm1_reduced(a.r), scale)};
}

// exp, but for the reduction: powers of two are exact.
template <class T> GC_INLINE Lane<T> exp2(Lane<T> x) {
  constexpr T limit = Ieee<T>::kBias + Ieee<T>::kMantissa + 2;  // beyond, exp2 is 0 or inf
  constexpr T magic = Ieee<T>::kMagic + 2 * Ieee<T>::kBias;
  const T bounded = clamp_value(x.v, -limit, limit), shifted = bounded + magic;
  const T y = T(1) + expm1_reduced((bounded - (shifted - magic)) * T(0.6931471805599453));
  const BitsOf<T> half = to_bits(shifted) >> 1;
  return {y * power_of_two<T>(half) * power_of_two<T>(to_bits(shifted) - half)};
}

// a * 2**b, also where 2**b alone is beyond the range. The factors that go first round nothing, or the result is 0: a
// step down leaves more than the mantissa's bits to go.
template <class T> GC_INLINE Lane<T> ldexp(Lane<T> a, Lane<T> b) {
  constexpr int high = static_cast<int>(Ieee<T>::kBias), low = 1 - high, down = low + Ieee<T>::kMantissa + 1;
  constexpr T shrink = sizeof(T) == 4 ? T(0x1p-102) : T(0x1p-969), grow = sizeof(T) == 4 ? T(0x1p127) : T(0x1p1023);
  constexpr T low_end = low, high_end = high;
  T y = a.v, rest = b.v;
  for (int step = 0; step < 2; ++step) {
    const bool under = rest < low_end;
    const bool over = rest > high_end;
    y *= under ? shrink : over ? grow : T(1);
    rest -= under ? T(down) : over ? T(high) : T(0);
  }
  const bool infinite = abs(Lane<T>{rest}).v == static_cast<T>(__builtin_inf());
  return {y * exp2(Lane<T>{infinite ? rest : clamp_value(rest, low_end, high_end)}).v};
}

// 2**n * (e**r - 1) + (2**n - 1), halved on the way so that n = 128 fits.
template <class T> GC_INLINE Lane<T> expm1(Lane<T> x) {
  constexpr int bias_less_1 = Ieee<T>::kBias - 1;
  const ReducedExp<T> a = reduce_exp<bias_less_1>(clamp_value(x.v, Ieee<T>::kExpm1Min, Ieee<T>::kExpMax));
  const T scale = power_of_two<T>(a.exponent);
  const T half = madd(scale, expm1_reduced(a.r), scale - T(0.5));
  const bool tiny = abs(x).v < Ieee<T>::kEpsilon / 4;  // keeps -0 and the last bit of denormals
  return {tiny ? x.v : half + half};
}

// (tanh(x) - x) / x**3 for |x| <= 0.3, of z = x * x.
GC_INLINE float tanh_series(float z) { return polynomial(z, -0.33333063f, 0.133149088f, -0.0503723479f); }
GC_INLINE double tanh_series(double z) {
  return polynomial(z, -0.33333333333326869, 0.1333333333149141, -0.053968252192057536, 0.021869407218256585,
                    -0.0088612391148110489, 0.0035650403009700678, -0.001262625534425602);
}
// t / (t + 2) with t = e**(2|x|) - 1; near 0 that would lose 2.5 ULP, a series does not.
template <class T> GC_INLINE Lane<T> tanh(Lane<T> x) {
  constexpr int bias = Ieee<T>::kBias;
  const T size = abs(x).v;
  const ReducedExp<T> a = reduce_exp<bias>(T(2) * (size > Ieee<T>::kTanhMax ? Ieee<T>::kTanhMax : size));
  const T scale = power_of_two<T>(a.exponent);
  const T t = madd(scale, expm1_reduced(a.r), scale - T(1));
  const T z = size * size;
  const T near_zero = madd(z * tanh_series(z), size, size);
  return copysign(Lane<T>{size < T(0.29) ? near_zero : t / (t + T(2))}, x);
}

// 1 / (1 + e**-x) with the sum as (1 + 2**n) + 2**n * (e**r - 1), halved as in expm1. 0 where e**-x
// overflows.
template <class T> GC_INLINE Lane<T> sigmoid(Lane<T> x) {
  constexpr int bias_less_1 = Ieee<T>::kBias - 1;
  const ReducedExp<T> a = reduce_exp<bias_less_1>(clamp_value(-x.v, Ieee<T>::kExpm1Min, Ieee<T>::kExpMax));
  const T scale = power_of_two<T>(a.exponent);
  const T half = madd(scale, expm1_reduced(a.r), scale + T(0.5));
  return {x.v < Ieee<T>::kSigmoidMin ? T(0) : T(0.5) / half};
}

// x + x * p(x * x) up to 0.75; above, 1 - e**-g with a polynomial g = -log(erfc(x)); 1 from 4 on.
GC_INLINE F32 erf(F32 x) {
  const float size = abs(x).v, z = size * size, far = size > 4.0f ? 4.0f : size;
  const float p =
      polynomial(z, 0.1283791655f, -0.3761261876f, 0.1128337657f, -0.02683462465f, 0.005114345831f, -0.0006749515886f);
  const float g = polynomial(far, 2.141524007e-5f, 1.128433473f, 0.6358416679f, 0.1051647564f, -0.02284842235f,
                             0.003205805687f, -0.0002131757117f);
  const ReducedExp<float> a = reduce_exp<127>(-g);
  const float scale = power_of_two<float>(a.exponent);
  const float above = madd(-scale, expm1_reduced(a.r), 1.0f - scale);
  return copysign(F32{size < 0.75f ? madd(size, p, size) : above}, x);
}

// ---- log and its family ----

// x = 2**e * (1 + f), 1 + f in [sqrt(1/2), sqrt(2)).
template <class T> struct SplitFloat {
  T e, f;
};
// e + kBias + 1 in the upper bits, m = 1 + f as its distance from sqrt(1/2) in the lower.
template <class T> GC_INLINE BitsOf<T> split_bits(T x) {
  return to_bits(x) - Ieee<T>::kSqrtHalf + ((Ieee<T>::kBias + 1) << Ieee<T>::kMantissa);
}
// `biased` is e + kBias + 1: put under the exponent of 2**kMantissa it is a float already.
template <class T> GC_INLINE T exponent_value(BitsOf<T> split, T bias) {
  constexpr T big = T(BitsOf<T>(1) << Ieee<T>::kMantissa);
  return from_bits((split >> Ieee<T>::kMantissa) | to_bits(big)) - (big + bias);
}
template <class T> GC_INLINE SplitFloat<T> split_float(T x) {
  constexpr BitsOf<T> mask = (BitsOf<T>(1) << Ieee<T>::kMantissa) - 1;
  constexpr int up = Ieee<T>::kMantissa + 2;
  constexpr T bias = Ieee<T>::kBias + 1;
  const bool denormal = x < Ieee<T>::kMinNormal;
  const BitsOf<T> s = split_bits(x * (denormal ? T(BitsOf<T>(1) << up) : T(1)));
  const T m = from_bits((s & mask) + Ieee<T>::kSqrtHalf);
  return {exponent_value(s, denormal ? bias + up : bias), m - T(1)};
}

// log(1 + f) - f for f of a SplitFloat.
GC_INLINE float log_rest(float f) {
  const float p = polynomial(f, 0.333333104f, -0.249999866f, 0.200022278f, -0.166692537f, 0.142186328f, -0.123842818f,
                             0.11873123f, -0.117902785f, 0.0691557133f);
  return f * f * madd(f, p, -0.5f);
}
// By atanh(s), s = f / (2 + f): half the terms, for one division.
GC_INLINE double log_rest(double f) {
  const double s = f / (2.0 + f), z = s * s, half_square = 0.5 * f * f;
  const double p = polynomial(z, 0.66666666666667345, 0.39999999999414329, 0.28571428742473757, 0.22222198563578234,
                              0.18183564862373807, 0.15314035934844595, 0.14796104557107711);
  return madd(s, madd(z, p, half_square), -half_square);
}

// What the argument's extremes give: -inf at the pole, NaN below it, inf and NaN themselves.
template <class T> GC_INLINE T at_extremes(T x, T pole, T y) {
  constexpr T inf = __builtin_inf();
  y = x == pole ? -inf : y;
  y = x < pole ? T(__builtin_nan("")) : y;
  return x < inf ? y : x;
}

template <class T> GC_INLINE T log_of(SplitFloat<T> a) {
  const T rest = madd(a.e, Ieee<T>::kLog2Lo, log_rest(a.f));
  return madd(a.e, Ieee<T>::kLog2Hi, a.f + rest);
}
template <class T> GC_INLINE Lane<T> log(Lane<T> x) { return {at_extremes(x.v, T(0), log_of(split_float(x.v)))}; }

// The split is that of u = 1 + x, but f is computed from x, because u has lost low bits.
template <class T> GC_INLINE Lane<T> log1p(Lane<T> x) {
  constexpr BitsOf<T> mask = (BitsOf<T>(1) << Ieee<T>::kMantissa) - 1;
  constexpr BitsOf<T> top = (2 * Ieee<T>::kBias + 3) << Ieee<T>::kMantissa;
  const BitsOf<T> s = split_bits(T(1) + x.v);
  const T scale = from_bits(top - (s & ~mask));  // 4 / 2**e: 1 / 2**e alone might be denormal
  const T f = madd(T(0.25) * x.v, scale, madd(T(0.25), scale, T(-1)));
  const T y = log_of(SplitFloat<T>{exponent_value(s, T(Ieee<T>::kBias + 1)), f});
  const bool tiny = abs(x).v < Ieee<T>::kEpsilon / 4;
  return {tiny ? x.v : at_extremes(x.v, T(-1), y)};
}

template <class T> GC_INLINE Lane<T> log2(Lane<T> x) {
  const SplitFloat<T> a = split_float(x.v);
  const T rest = madd(log_rest(a.f), Ieee<T>::kLog2OfE, a.f * Ieee<T>::kLog2OfERest);
  return {at_extremes(x.v, T(0), a.e + madd(a.f, Ieee<T>::kLog2OfE, rest))};
}
template <class T> GC_INLINE Lane<T> log10(Lane<T> x) {
  const SplitFloat<T> a = split_float(x.v);
  const T low = madd(a.e, Ieee<T>::kLog10Of2Lo, a.f * Ieee<T>::kLog10OfERest);
  const T rest = madd(log_rest(a.f), Ieee<T>::kLog10OfE, low);
  return {at_extremes(x.v, T(0), madd(a.e, Ieee<T>::kLog10Of2Hi, madd(a.f, Ieee<T>::kLog10OfE, rest)))};
}

// ---- powers ----

// 2**(y log2|x|) in double, which leaves only the last rounding to float; then the special cases, as in C.
// The operands are doubled and halved to keep the compiler from comparing in float and stretching the masks.
GC_INLINE F32 pow(F32 base, F32 power) {
  constexpr double inf = __builtin_inf();
  constexpr uint64_t mask = (uint64_t(1) << 52) - 1;
  const double twice_x = 2.0 * base.v, size = __builtin_fabs(twice_x);
  const double half_y = 0.5 * power.v, y = half_y + half_y;
  const uint64_t s = split_bits(size);
  const double m = from_bits((s & mask) + Ieee<double>::kSqrtHalf);
  const double t = (m - 1) / (m + 1);
  const double p = polynomial(t * t, 2.8853900817900862, 0.96179667334179749, 0.57708358496515137, 0.41167271899777669,
                              0.34073010658534338);
  double log2x = madd(t, p, exponent_value(s, 1025.0));
  log2x = size > 0 ? log2x : -inf;
  log2x = size < inf ? log2x : size;

  double exponent = y * log2x;
  exponent = log2x == 0 ? 0 : exponent;  // 1**y and x**0 are 1 even for NaN
  exponent = half_y == 0 ? 0 : exponent;
  exponent = clamp_value(exponent, -160.0, 160.0);
  constexpr double magic = Ieee<double>::kMagic + 1023;
  const double shifted = exponent + magic;
  const double r = exponent - (shifted - magic);
  const double q = polynomial(r, 1.0000000005542114, 0.69314720573669929, 0.24022646889622732, 0.055503287774512031,
                              0.0096184890624448484, 0.0013399931173091365, 0.00015345786147305805);
  const double value = q * power_of_two<double>(to_bits(shifted));

  const bool whole = __builtin_rint(y) == y;
  const bool odd = whole & (__builtin_rint(half_y) != half_y);
  const bool undefined = (twice_x < 0) & (size < inf) & !whole;
  const double with_sign = __builtin_copysign(value, odd ? twice_x : 1.0);
  return {static_cast<float>(undefined ? __builtin_nan("") : with_sign)};
}

// ---- through libm ----

GC_UNARY(sin, ::sinf, ::sin)
GC_UNARY(cos, ::cosf, ::cos)
GC_UNARY(tan, ::tanf, ::tan)
GC_UNARY(asin, ::asinf, ::asin)
GC_UNARY(acos, ::acosf, ::acos)
GC_UNARY(atan, ::atanf, ::atan)
GC_UNARY(sinh, ::sinhf, ::sinh)
GC_UNARY(cosh, ::coshf, ::cosh)
GC_UNARY(asinh, ::asinhf, ::asinh)
GC_UNARY(acosh, ::acoshf, ::acosh)
GC_UNARY(atanh, ::atanhf, ::atanh)
GC_UNARY(erfc, ::erfcf, ::erfc)
GC_BINARY(atan2, ::atan2f, ::atan2)
GC_BINARY(fmod, ::fmodf, ::fmod)
GC_INLINE F64 erf(F64 x) { return {::erf(x.v)}; }
GC_INLINE F64 pow(F64 x, F64 y) { return {::pow(x.v, y.v)}; }
#undef GC_UNARY
#undef GC_BINARY

}  // namespace gradcore::GC_ISA
