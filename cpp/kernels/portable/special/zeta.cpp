// Hurwitz's zeta function.
#include <cmath>

#include "kernels/portable/special/series.h"
#include "kernels/portable/special/special.h"

namespace gradcore::portable {

namespace {

// B(2j) / (2j)!
constexpr double kEulerMaclaurin[] = {0.08333333333333333,    -0.001388888888888889,   3.306878306878307e-05,
                                      -8.267195767195768e-07, 2.08767569878681e-08,    -5.284190138687493e-10,
                                      1.3382536530684679e-11, -3.3896802963225827e-13, 8.586062056277845e-15,
                                      -2.174868698558062e-16, 5.5090028283602295e-18,  -1.3954464685812522e-19};
constexpr double kNegligible = 0x1p-54;

// q**-s. The powers that the first derivatives of digamma are made of need no logarithm.
double inverse_power(double q, double s) {
  if (s == 2) return 1 / (q * q);
  if (s == 3) return 1 / (q * q * q);
  return std::pow(q, -s);
}

// The sum of (q + k)**-s: the first terms, then the formula of Euler and Maclaurin for the rest. q > 0.
double zeta_positive(double s, double q) {
  if (q == kInf) return 0;
  const double far = std::fmax(10.0, 0.5 * s);
  double sum = 0;
  for (; q < far; ++q) {
    const double term = inverse_power(q, s);
    sum += term;
    if (term <= kNegligible * sum) return sum;
  }
  const double power = inverse_power(q, s);
  sum += power * (q / (s - 1) + 0.5);
  double factor = s * power / q;
  for (int j = 0; j < 12; ++j) {
    const double term = factor * kEulerMaclaurin[j];
    sum += term;
    if (std::fabs(term) <= kNegligible * sum) break;
    factor *= (s + 2 * j + 1) * (s + 2 * j + 2) / (q * q);
  }
  return sum;
}

}  // namespace

double zeta(double s, double q) {
  if (s == 1) return kInf;
  if (!(s > 1) || std::isnan(q)) return kNaN;
  if (q > 0) return zeta_positive(s, q);
  if (q == std::floor(q)) return kInf;
  if (s != std::floor(s)) return kNaN;
  // The terms below zero are those of a sum that runs the other way, from `first` on.
  const double above = std::ceil(q), first = above - q;
  const double below = zeta_positive(s, first) - zeta_positive(s, first + 1 - above);
  return zeta_positive(s, 1 - first) + (std::fmod(s, 2) != 0 ? -below : below);
}

}  // namespace gradcore::portable
