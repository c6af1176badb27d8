// The error function's inverse, its scaled complement, and the same for the normal distribution.
#include <cmath>

#include "kernels/portable/special/series.h"
#include "kernels/portable/special/special.h"

namespace gradcore::portable {

namespace {

constexpr double kSqrtPi = 1.7724538509055161, kSqrtHalf = 0.7071067811865476, kSqrt2 = 1.4142135623730951;

// e**(x * x); x * x is rounded, and what it lost is made up for.
double exp_of_square(double x) {
  const double square = x * x;
  if (square > 800) return kInf;
  return std::exp(square) * (1 + std::fma(x, x, -square));
}

// The number whose erfc is `rest`, from 0 to 1. Winitzki's formula gives three digits, and a step of Halley's method
// three times as many.
double inverse_erfc(double rest) {
  const double log_rest = std::log(rest * (2 - rest));
  const double t = 2 / (kPi * 0.147) + 0.5 * log_rest;
  double y = std::sqrt(std::sqrt(t * t - log_rest / 0.147) - t);
  for (int step = 0; step < 2; ++step) {
    const double u = (std::erfc(y) - rest) * (0.5 * kSqrtPi) * exp_of_square(y);
    y += u / (1 - u * y);
  }
  return y;
}

// The same from the other side, where erfc has lost digits: of a number from 0 to 1/2 whose erf is x.
double inverse_erf_small(double x) {
  double y = x * (0.5 * kSqrtPi) * (1 + x * x * (kPi / 12));
  for (int step = 0; step < 2; ++step) {
    const double u = (std::erf(y) - x) * (0.5 * kSqrtPi) * std::exp(y * y);
    y -= u / (1 + u * y);
  }
  return y;
}

}  // namespace

double erfinv(double x) {
  const double size = std::fabs(x);
  if (!(size <= 1)) return kNaN;
  if (size < 1e-9) return x * (0.5 * kSqrtPi);
  if (size == 1) return std::copysign(kInf, x);
  return std::copysign(size < 0.5 ? inverse_erf_small(size) : inverse_erfc(1 - size), x);
}

double ndtri(double p) {
  if (!(p >= 0 && p <= 1)) return kNaN;
  if (p == 0 || p == 1) return p == 0 ? -kInf : kInf;
  if (p > 0.25 && p < 0.75) return kSqrt2 * erfinv(2 * p - 1);
  return p < 0.5 ? -kSqrt2 * inverse_erfc(2 * p) : kSqrt2 * inverse_erfc(2 - 2 * p);
}

double erfcx(double x) {
  if (x < 12) return exp_of_square(x) * std::erfc(x);
  if (!(x < 1e8)) return 1 / (x * kSqrtPi);
  // The asymptotic series: its terms fall until they no longer count.
  double sum = 1, term = 1;
  for (int k = 1; std::fabs(term) > 1e-17; ++k) sum += term *= -(2 * k - 1) / (2 * x * x);
  return sum / (x * kSqrtPi);
}

double log_ndtr(double x) {
  if (x < -1) return std::log(0.5 * erfcx(-x * kSqrtHalf)) - 0.5 * x * x;
  return std::log1p(-0.5 * std::erfc(x * kSqrtHalf));
}

}  // namespace gradcore::portable
