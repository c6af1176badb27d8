// An integral that Airy's function is made of.
#include <cmath>

#include "kernels/portable/special/series.h"
#include "kernels/portable/special/special.h"

namespace gradcore::portable {

double scaled_k_integral(double x, double order) {
  // The integral of e**(-x (cosh t - 1)) cosh(order t): the trapezoidal rule is exact to the last digits where the step
  // is a part of the hump's width.
  const double step = 0.6 / std::sqrt(std::fmax(x, 8));
  double sum = 0.5;
  for (int k = 1;; ++k) {
    const double t = k * step, s = std::sinh(0.5 * t);
    const double term = std::exp(-2 * x * s * s) * std::cosh(order * t);
    sum += term;
    if (term <= 0x1p-56 * sum) return sum * step;
  }
}

}  // namespace gradcore::portable
