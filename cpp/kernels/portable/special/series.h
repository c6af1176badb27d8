// What special functions have in common: polynomials, and constants.
#pragma once
#include <cmath>
#include <limits>

namespace gradcore::portable {

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kPi = 3.141592653589793;

// c[0] + x * (c[1] + x * (...))
template <int n> double polynomial(double x, const double (&c)[n]) {
  double sum = c[n - 1];
  for (int i = n - 2; i >= 0; --i) sum = sum * x + c[i];
  return sum;
}

}  // namespace gradcore::portable
