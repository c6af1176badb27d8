// The logarithm of the gamma function and its derivatives.
#include <cmath>

#include "kernels/portable/special/series.h"
#include "kernels/portable/special/special.h"

#if defined(__APPLE__)
extern "C" double lgamma_r(double x, int* sign);  // the header hides it from programs without _REENTRANT
#endif

namespace gradcore::portable {

// The form of libm that keeps the sign to itself: lgamma() writes it to a global, which nobody reads on Windows.
double lgamma(double x) {
#if defined(_WIN32)
  return std::lgamma(x);
#else
  int sign;
  return ::lgamma_r(x, &sign);
#endif
}

namespace {

// Taylor's series at the positive zero of digamma, whose place takes two numbers.
constexpr double kZero = 1.4616321449683622, kZeroRest = 9.549995429965697e-17;
constexpr double kAtZero[] = {
    0.9676722454476212,   -0.4427631689835921,   0.258499760955651,    -0.16394270544240652,
    0.10782405069126237,  -0.07219956125645471,  0.04880428816414311,  -0.03316112647484736,
    0.022597648232218104, -0.01542476590494896,  0.010538791616612175, -0.007204534386356869,
    0.004926781395729853, -0.003369801655439328, 0.002305126326734928, -0.0015769367714301972};
// Stirling's series: B(2k) / 2k.
constexpr double kStirling[] = {0.08333333333333333,   -0.008333333333333333, 0.003968253968253968,
                                -0.004166666666666667, 0.007575757575757576,  -0.021092796092796094,
                                0.08333333333333333,   -0.4432598039215686};

double digamma_positive(double x) {
  const double from_zero = (x - kZero) - kZeroRest;
  if (std::fabs(from_zero) < 0.125) return from_zero * polynomial(from_zero, kAtZero);
  double steps = 0;  // psi(x) = psi(x + 1) - 1 / x
  for (; x < 10; ++x) steps += 1 / x;
  const double z = 1 / (x * x);
  return std::log(x) - 0.5 / x - z * polynomial(z, kStirling) - steps;
}

}  // namespace

double digamma(double x) {
  if (x > 0) return x < kInf ? digamma_positive(x) : x;
  if (x == 0) return -std::copysign(kInf, x);
  if (x == std::floor(x)) return kNaN;
  return digamma_positive(1 - x) - kPi / std::tan(kPi * (x - std::nearbyint(x)));
}

// The derivative of digamma of order n, a sum of powers.
double polygamma(double x, double n) {
  if (n == 0) return digamma(x);
  const double sign = std::fmod(n, 2) != 0 ? 1 : -1;
  const double factorial = std::tgamma(n + 1), sum = zeta(n + 1, x);
  if (factorial < kInf) return sign * (factorial * sum);
  return sign * std::exp(lgamma(n + 1) + std::log(sum));
}

}  // namespace gradcore::portable
