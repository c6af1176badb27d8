// Orthogonal polynomials of degree n, each by its recurrence from p(0) = 1 and p(1). A fraction of n is cut off; a
// negative degree gives 0, as in torch.
#include <cmath>

#include "kernels/portable/special/series.h"
#include "kernels/portable/special/special.h"

namespace gradcore::portable {

namespace {

// next(p, before, k) is the polynomial of degree k + 1. What has become infinite or NaN stays so.
template <class F> double of_degree(double n, double first, const F& next) {
  const double degree = std::trunc(n);
  if (!(degree >= 0)) return 0;
  if (degree == 0) return 1;
  double before = 1, p = first;
  for (double k = 1; k < degree && std::isfinite(p); ++k) {
    const double after = next(p, before, k);
    before = p;
    p = after;
  }
  return p;
}

double chebyshev(double x, double n, double first) {
  return of_degree(n, first, [x](double p, double before, double) { return 2 * x * p - before; });
}

}  // namespace

double chebyshev_polynomial_t(double x, double n) { return chebyshev(x, n, x); }
double chebyshev_polynomial_u(double x, double n) { return chebyshev(x, n, 2 * x); }
double chebyshev_polynomial_v(double x, double n) { return chebyshev(x, n, 2 * x - 1); }
double chebyshev_polynomial_w(double x, double n) { return chebyshev(x, n, 2 * x + 1); }
double shifted_chebyshev_polynomial_t(double x, double n) { return chebyshev_polynomial_t(2 * x - 1, n); }
double shifted_chebyshev_polynomial_u(double x, double n) { return chebyshev_polynomial_u(2 * x - 1, n); }
double shifted_chebyshev_polynomial_v(double x, double n) { return chebyshev_polynomial_v(2 * x - 1, n); }
double shifted_chebyshev_polynomial_w(double x, double n) { return chebyshev_polynomial_w(2 * x - 1, n); }

double hermite_polynomial_h(double x, double n) {
  return of_degree(n, 2 * x, [x](double p, double before, double k) { return 2 * x * p - 2 * k * before; });
}
double hermite_polynomial_he(double x, double n) {
  return of_degree(n, x, [x](double p, double before, double k) { return x * p - k * before; });
}
double laguerre_polynomial_l(double x, double n) {
  return of_degree(n, 1 - x,
                   [x](double p, double before, double k) { return ((2 * k + 1 - x) * p - k * before) / (k + 1); });
}
double legendre_polynomial_p(double x, double n) {
  return of_degree(n, x,
                   [x](double p, double before, double k) { return ((2 * k + 1) * x * p - k * before) / (k + 1); });
}

}  // namespace gradcore::portable
