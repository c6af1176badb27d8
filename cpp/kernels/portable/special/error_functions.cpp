// The error function's scaled complement, and the logarithm of the normal distribution.
#include <cmath>

#include "kernels/portable/special/series.h"
#include "kernels/portable/special/special.h"

namespace gradcore::portable {

namespace {

constexpr double kSqrtPi = 1.7724538509055161, kSqrtHalf = 0.7071067811865476;

// e**(x * x); x * x is rounded, and what it lost is made up for.
double exp_of_square(double x) {
  const double square = x * x;
  if (square > 800) return kInf;
  return std::exp(square) * (1 + std::fma(x, x, -square));
}

}  // namespace

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
