// The regularized incomplete gamma functions, P and Q = 1 - P.
#include <cmath>

#include "kernels/portable/special/series.h"
#include "kernels/portable/special/special.h"

namespace gradcore::portable {

namespace {

constexpr double kNegligible = 0x1p-54;
constexpr double kLarge = 2e5;  // the parameter from which Temme's expansion has all digits

// m - log(1 + m)
double less_log1p(double m) {
  if (std::fabs(m) > 0.1) return m - std::log1p(m);
  double sum = 0, power = m * m;
  for (int k = 2; std::fabs(power) > kNegligible * sum; ++k) {
    sum += power / k;
    power *= -m;
  }
  return sum;
}

// x**a e**-x / gamma(a + 1)
double prefix(double a, double x) {
  if (a < 20) return std::exp(a * std::log(x) - x - lgamma(a + 1));
  const double z = 1 / (a * a);  // Stirling's series, so that large numbers are not subtracted
  const double correction = (1.0 / 12 - z * (1.0 / 360 - z * (1.0 / 1260 - z / 1680))) / a;
  return std::exp(-a * less_log1p((x - a) / a) - correction) / std::sqrt(2 * kPi * a);
}

// P by its power series.
double lower_series(double a, double x) {
  double sum = 1, term = 1;
  for (double n = 1; term > kNegligible * sum; ++n) sum += term *= x / (a + n);
  return sum * prefix(a, x);
}

// Q by its continued fraction, from the front (Lentz's method).
double upper_fraction(double a, double x) {
  constexpr double tiny = 1e-300;
  double b = x + 1 - a, c = 1 / tiny, d = 1 / b, h = d;
  for (double n = 1;; ++n) {
    const double numerator = -n * (n - a);
    b += 2;
    d = numerator * d + b;
    c = b + numerator / c;
    d = 1 / (d == 0 ? tiny : d);
    c = c == 0 ? tiny : c;
    h *= d * c;
    if (!(std::fabs(d * c - 1) > 4 * kNegligible)) break;
  }
  return h * a * prefix(a, x);
}

// P where `lower`, else Q, by Temme's expansion near x = a; far from there nothing is left of one of the two.
double temme(double a, double x, bool lower) {
  const double m = (x - a) / a, half_square = less_log1p(m), sign = lower ? -1 : 1;
  const double eta = std::copysign(std::sqrt(2 * half_square), m);
  if (a * half_square > 800) return (m > 0) == lower ? 1 : 0;
  const double series = polynomial(eta, kTemme[0]) + (polynomial(eta, kTemme[1]) + polynomial(eta, kTemme[2]) / a) / a;
  const double rest = std::exp(-a * half_square) / std::sqrt(2 * kPi * a) * series;
  return 0.5 * std::erfc(sign * eta * std::sqrt(0.5 * a)) + sign * rest;
}

double incomplete(double a, double x, bool lower) {
  const auto answer = [&](double p) { return lower ? p : 1 - p; };
  if (!(a >= 0 && x >= 0)) return kNaN;
  if (a == 0) return x > 0 ? answer(1) : kNaN;
  if (x == 0) return answer(0);
  if (a == kInf) return x == kInf ? kNaN : answer(0);
  if (x == kInf) return answer(1);
  if (a > kLarge) return temme(a, x, lower);
  if (x <= 1 || x <= a) return answer(lower_series(a, x));
  const double q = upper_fraction(a, x);
  return lower ? 1 - q : q;
}

}  // namespace

double igamma(double a, double x) { return incomplete(a, x, true); }
double igammac(double a, double x) { return incomplete(a, x, false); }

}  // namespace gradcore::portable
