// Orthogonal polynomials of degree n, each by its recurrence from p(0) = 1 and p(1). A fraction of n is cut off; a
// negative degree gives 0, as in torch. A recurrence takes n steps that nothing can stop: above kMostSteps of them
// Chebyshev's polynomials are taken from angles, those of Laguerre and Legendre are NaN. (Hermite's overflow long
// before.)
#include <cmath>
#include <limits>

#include "kernels/portable/special/series.h"
#include "kernels/portable/special/special.h"

namespace gradcore::portable {

namespace {

constexpr double kMostSteps = 1 << 20;

// next(p, before, k) is the polynomial of degree k + 1. What has become infinite or NaN stays so.
template <class F> double of_degree(double n, double first, const F& next) {
  const double degree = std::trunc(n);
  if (!(degree >= 0)) return 0;
  if (degree == 0) return 1;
  double before = 1, p = first;
  for (double k = 1; k < degree && std::isfinite(p); ++k) {
    if (k == kMostSteps) return std::numeric_limits<double>::quiet_NaN();
    const double after = next(p, before, k);
    before = p;
    p = after;
  }
  return p;
}

// Chebyshev's four kinds, each a quotient of a wave of the angle times n + `shift` and, but for the first kind, one of
// the angle times `shift`: cosines for T and V, sines for U and W.
struct Chebyshev {
  bool sines;
  double shift;
};
constexpr Chebyshev kT{false, 0}, kU{true, 1}, kV{false, 0.5}, kW{true, 0.5};

double from_angle(const Chebyshev& kind, double x, double n) {
  const bool inside = x <= 1;
  const double angle = inside ? std::acos(x) : std::acosh(x);
  const auto wave = [&](double a) {
    if (kind.sines) return inside ? std::sin(a) : std::sinh(a);
    return inside ? std::cos(a) : std::cosh(a);
  };
  if (kind.sines && angle == 0) return (n + kind.shift) / kind.shift;
  const double above = wave((n + kind.shift) * angle);
  return kind.shift == 0 || std::isinf(above) ? above : above / wave(kind.shift * angle);
}

double chebyshev(const Chebyshev& kind, double x, double n) {
  if (!(n > kMostSteps)) {
    const double first = 2 * x + (kind.shift != 0.5 ? 0 : kind.sines ? 1 : -1);
    return of_degree(n, kind.shift == 0 ? x : first,
                     [x](double p, double before, double) { return 2 * x * p - before; });
  }
  const double degree = std::trunc(n);
  if (x >= 0 || std::isnan(x)) return from_angle(kind, x, degree);
  // T and U are even or odd as n is; V and W change places at -x.
  const Chebyshev mirrored = kind.shift != 0.5 ? kind : kind.sines ? kV : kW;
  const double there = from_angle(mirrored, -x, degree);
  return std::fmod(degree, 2) == 0 ? there : -there;
}

}  // namespace

double chebyshev_polynomial_t(double x, double n) { return chebyshev(kT, x, n); }
double chebyshev_polynomial_u(double x, double n) { return chebyshev(kU, x, n); }
double chebyshev_polynomial_v(double x, double n) { return chebyshev(kV, x, n); }
double chebyshev_polynomial_w(double x, double n) { return chebyshev(kW, x, n); }
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
