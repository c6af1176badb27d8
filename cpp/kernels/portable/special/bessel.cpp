// Bessel functions of orders 0 and 1.
#include <cmath>

#include "kernels/portable/special/series.h"
#include "kernels/portable/special/special.h"

namespace gradcore::portable {

// ---- of the first and second kind: libm's

#if defined(_WIN32)
namespace {
double j0(double x) { return ::_j0(x); }
double j1(double x) { return ::_j1(x); }
double y0(double x) { return ::_y0(x); }
double y1(double x) { return ::_y1(x); }
}  // namespace
#else
using ::j0, ::j1, ::y0, ::y1;
#endif

double bessel_j0(double x) { return j0(x); }
double bessel_j1(double x) { return j1(x); }
double bessel_y0(double x) { return x < 0 ? kNaN : y0(x); }
double bessel_y1(double x) { return x < 0 ? kNaN : y1(x); }

double spherical_bessel_j0(double x) {
  if (std::isinf(x)) return 0;
  return x == 0 ? 1 : std::sin(x) / x;
}

// ---- modified, of the first kind

namespace {

constexpr double kSeriesEnd = 20;  // from here on the asymptotic series has all digits
constexpr double kNegligible = 0x1p-56;

// The sum of (x**2 / 4)**k / (k! (k + order)!), all of whose terms are positive.
double power_series(double x, int order) {
  const double z = 0.25 * x * x;
  double sum = 1, term = 1;
  for (int k = 1; term > kNegligible * sum; ++k) sum += term *= z / (k * (k + order));
  return sum;
}

// sqrt(2 pi x) e**-x I(x), by the series in 1 / x.
double asymptotic_series(double x, int order) {
  const double mu = 4.0 * order * order;
  double sum = 1, term = 1;
  for (int k = 1; std::fabs(term) > kNegligible; ++k) {
    const int odd = 2 * k - 1;
    sum += term *= (odd * odd - mu) / (8 * k * x);
  }
  return sum;
}

// x >= 0; `scale` tells e**-x I(x).
double i_of(double x, int order, bool scale) {
  if (x == kInf) return scale ? 0 : kInf;
  if (!(x < kSeriesEnd)) {
    const double rest = asymptotic_series(x, order) / std::sqrt(2 * kPi * x);
    if (scale) return rest;
    const double half = std::exp(0.5 * x);  // e**x alone overflows sooner than the product
    return half * rest * half;
  }
  const double value = power_series(x, order) * (order ? 0.5 * x : 1);
  return scale ? value * std::exp(-x) : value;
}
double odd(double x, double value) { return x < 0 ? -value : value; }

}  // namespace

double i0(double x) { return i_of(std::fabs(x), 0, false); }
double i0e(double x) { return i_of(std::fabs(x), 0, true); }
double i1(double x) { return odd(x, i_of(std::fabs(x), 1, false)); }
double i1e(double x) { return odd(x, i_of(std::fabs(x), 1, true)); }
double modified_bessel_i0(double x) { return i0(x); }
double modified_bessel_i1(double x) { return i1(x); }

// ---- modified, of the second kind

double scaled_k_integral(double x, double order) {
  // The integral of e**(-x (cosh t - 1)) cosh(order t): the trapezoidal rule is exact to the last digits where the step
  // is a part of the hump's width.
  const double step = 0.6 / std::sqrt(std::fmax(x, 8));
  double sum = 0.5;
  for (int k = 1;; ++k) {
    const double t = k * step, s = std::sinh(0.5 * t);
    const double term = std::exp(-2 * x * s * s) * std::cosh(order * t);
    sum += term;
    if (term <= kNegligible * sum) return sum * step;
  }
}

namespace {

constexpr double kEuler = 0.5772156649015329;

// Near 0, by the series that has a logarithm.
double k0_series(double x) {
  const double z = 0.25 * x * x;
  double sum = 0, term = 1, harmonic = 0;
  for (int k = 1; term > kNegligible; ++k) {
    term *= z / (static_cast<double>(k) * k);
    harmonic += 1.0 / k;
    sum += term * harmonic;
  }
  return sum - (std::log(0.5 * x) + kEuler) * power_series(x, 0);
}
double k1_series(double x) {
  const double z = 0.25 * x * x;
  double term = 1, twice_psi = 1 - 2 * kEuler, sum = twice_psi;  // of psi(k + 1) + psi(k + 2)
  for (int k = 1; term > kNegligible; ++k) {
    term *= z / (k * (k + 1.0));
    twice_psi += 1.0 / k + 1.0 / (k + 1);
    sum += term * twice_psi;
  }
  return 1 / x + 0.5 * x * (std::log(0.5 * x) * power_series(x, 1) - 0.5 * sum);
}

double k_of(double x, int order, bool scale) {
  if (!(x > 0)) return x == 0 ? kInf : kNaN;
  if (x == kInf) return 0;
  if (x < 1.5) {
    const double value = order ? k1_series(x) : k0_series(x);
    return scale ? value * std::exp(x) : value;
  }
  const double value = scaled_k_integral(x, order);
  return scale ? value : value * std::exp(-x);
}

}  // namespace

double modified_bessel_k0(double x) { return k_of(x, 0, false); }
double modified_bessel_k1(double x) { return k_of(x, 1, false); }
double scaled_modified_bessel_k0(double x) { return k_of(x, 0, true); }
double scaled_modified_bessel_k1(double x) { return k_of(x, 1, true); }

}  // namespace gradcore::portable
