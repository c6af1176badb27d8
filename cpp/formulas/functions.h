// The functions that formulas may call, each named once: formula.h makes them of Uses, ops/formula_ops.h of tensors.
// On lanes they are written by hand, in kernels/lane.h, lane_ops.h and math.h; special functions are functions of plain
// numbers in kernels/portable/special.
//
// X(function, flags, op, value): what Uses records of a call (formula.h), the op on tensors, and the value of two
// plain numbers x and y.
#pragma once

#define GC_UNARY_FUNCTIONS(X)                        \
  X(operator-, 0, neg, -x)                           \
  X(abs, 0, abs, std::fabs(x))                       \
  X(sign, 0, sign, (x > 0) - (x < 0))                \
  X(sqrt, 0, sqrt, std::sqrt(x))                     \
  X(rsqrt, 0, rsqrt, 1 / std::sqrt(x))               \
  X(floor, 0, floor, std::floor(x))                  \
  X(ceil, 0, ceil, std::ceil(x))                     \
  X(round, 0, round, std::nearbyint(x))              \
  X(trunc, 0, trunc, std::trunc(x))                  \
  X(exp, kMath, exp, std::exp(x))                    \
  X(expm1, kMath, expm1, std::expm1(x))              \
  X(log, kMath, log, std::log(x))                    \
  X(log1p, kMath, log1p, std::log1p(x))              \
  X(log2, kMath, log2, std::log2(x))                 \
  X(log10, kMath, log10, std::log10(x))              \
  X(sin, kMath, sin, std::sin(x))                    \
  X(cos, kMath, cos, std::cos(x))                    \
  X(tan, kMath, tan, std::tan(x))                    \
  X(asin, kMath, asin, std::asin(x))                 \
  X(acos, kMath, acos, std::acos(x))                 \
  X(atan, kMath, atan, std::atan(x))                 \
  X(sinh, kMath, sinh, std::sinh(x))                 \
  X(cosh, kMath, cosh, std::cosh(x))                 \
  X(tanh, kMath, tanh, std::tanh(x))                 \
  X(sigmoid, kMath, sigmoid, 1 / (1 + std::exp(-x))) \
  X(erf, kMath, erf, std::erf(x))                    \
  X(erfc, kMath, erfc, std::erfc(x))

#define GC_BINARY_FUNCTIONS(X)                                  \
  X(operator+, 0, add, x + y)                                   \
  X(operator-, 0, sub, x - y)                                   \
  X(operator*, 0, mul, (x) * y)                                 \
  X(operator/, 0, div, x / y)                                   \
  X(pow, kMath, pow, std::pow(x, y))                            \
  X(atan2, kMath, atan2, std::atan2(x, y))                      \
  X(hypot, 0, hypot, std::hypot(x, y))                          \
  X(ldexp, kMath, ldexp, (x) * std::exp2(y))                    \
  X(fmod, kQuotient, fmod, std::fmod(x, y))                     \
  X(remainder, kQuotient, remainder, x - y * std::floor(x / y)) \
  X(floor_divide, kQuotient, div_floor, std::floor(x / y))      \
  X(trunc_divide, kQuotient, div_trunc, std::trunc(x / y))      \
  X(lt, 0, lt, x < y)                                           \
  X(le, 0, le, x <= y)                                          \
  X(gt, 0, gt, x > y)                                           \
  X(ge, 0, ge, x >= y)                                          \
  X(eq, 0, eq, x == y)                                          \
  X(ne, 0, ne, x != y)                                          \
  X(both, 0, logical_and, x != 0 && y != 0)                     \
  X(either, 0, logical_or, x != 0 || y != 0)                    \
  X(differ, 0, logical_xor, (x != 0) != (y != 0))

// Special functions, whose formulas are their ops: X(function, formula). The second list has those of two operands, the
// third those of one and a parameter. Those in lanes have vector code alone, in kernels/special_math.h; the others are
// functions of plain numbers.
// clang-format off: lists
#define GC_SPECIAL_UNARY(X) GC_SPECIAL_IN_LANES(X) GC_SPECIAL_OF_NUMBERS(X)
#define GC_SPECIAL_IN_LANES(X) \
  X(erfinv, Erfinv) X(ndtri, Ndtri) X(erfcx, Erfcx) X(log_ndtr, LogNdtr) \
  X(i0, I0) X(i0e, I0e) X(i1, I1) X(i1e, I1e) \
  X(bessel_j0, BesselJ0) X(bessel_j1, BesselJ1) X(bessel_y0, BesselY0) X(bessel_y1, BesselY1) \
  X(modified_bessel_i0, ModifiedBesselI0) X(modified_bessel_i1, ModifiedBesselI1) \
  X(modified_bessel_k0, ModifiedBesselK0) X(modified_bessel_k1, ModifiedBesselK1) \
  X(scaled_modified_bessel_k0, ScaledModifiedBesselK0) X(scaled_modified_bessel_k1, ScaledModifiedBesselK1) \
  X(spherical_bessel_j0, SphericalBesselJ0) \
  X(frexp_mantissa, FrexpMantissa) X(frexp_exponent, FrexpExponent)
#define GC_SPECIAL_OF_NUMBERS(X) \
  X(lgamma, Lgamma) X(digamma, Digamma) X(airy_ai, AiryAi)
#define GC_SPECIAL_BINARY(X) X(zeta, Zeta) X(igamma, Igamma) X(igammac, Igammac) GC_POLYNOMIALS(X)
#define GC_POLYNOMIALS(X) \
  X(chebyshev_polynomial_t, ChebyshevT) X(chebyshev_polynomial_u, ChebyshevU) \
  X(chebyshev_polynomial_v, ChebyshevV) X(chebyshev_polynomial_w, ChebyshevW) \
  X(shifted_chebyshev_polynomial_t, ShiftedChebyshevT) X(shifted_chebyshev_polynomial_u, ShiftedChebyshevU) \
  X(shifted_chebyshev_polynomial_v, ShiftedChebyshevV) X(shifted_chebyshev_polynomial_w, ShiftedChebyshevW) \
  X(hermite_polynomial_h, HermiteH) X(hermite_polynomial_he, HermiteHe) \
  X(laguerre_polynomial_l, LaguerreL) X(legendre_polynomial_p, LegendreP)
// clang-format on
#define GC_SPECIAL_WITH_PARAMETER(X) X(polygamma, Polygamma)

// Of formulas' values alone, never of their derivatives, so that no op has to be made of them: X(function, flags).
#define GC_UNARY_VALUES(X) X(exp2, kMath) X(asinh, kMath) X(acosh, kMath) X(atanh, kMath) X(signbit, 0)
#define GC_BINARY_VALUES(X) X(copysign, 0) X(nextafter, 0) X(gcd, 0) X(lcm, 0)

// Of bits, which have no derivative: X(function).
#define GC_BIT_FUNCTIONS(X) X(bitwise_and) X(bitwise_or) X(bitwise_xor) X(shift_left) X(shift_right)
