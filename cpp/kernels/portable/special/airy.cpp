// Airy's function Ai.
#include <cmath>

#include "kernels/portable/special/series.h"
#include "kernels/portable/special/special.h"

namespace gradcore::portable {

namespace {

// Ai and its derivative at the integers from kFirst on.
constexpr int kFirst = -10, kLast = 3;
constexpr double kAtIntegers[][2] = {
    {0.040241238486443191, 0.99626504413279006},   {-0.022133721547341404, -0.97566398092633159},
    {-0.052705050356386203, 0.93556093819830655},  {0.18428083525050564, -0.77100816841012655},
    {-0.32914517362982311, 0.34593548728134289},   {0.35076100902411432, 0.32719281855444314},
    {-0.070265532949289515, -0.79062857536858138}, {-0.37881429367765807, 0.31458376921659881},
    {0.22740742820168558, 0.61825902074169104},    {0.53556088329235212, -0.010160567116645209},
    {0.35502805388781724, -0.2588194037928068},    {0.13529241631288142, -0.15914744129679321},
    {0.034924130423274379, -0.053090384433653632}, {0.0065911393574607191, -0.011912976705951318}};

// Taylor's series from the nearest integer. Its coefficients follow from y'' = x y.
double from_integer(double x) {
  const double at = std::nearbyint(x), d = x - at;
  const double* start = kAtIntegers[static_cast<int>(at) - kFirst];
  double before = 0, a = start[0], b = start[1];  // the terms k - 1, k and k + 1, with their powers of d
  b *= d;
  double sum = a + b;
  for (int k = 0; k < 30; ++k) {
    const double next = d * d * (at * a + d * before) / ((k + 1) * (k + 2));
    sum += next;
    before = a;
    a = b;
    b = next;
  }
  return sum;
}

// Of the series in 1 / zeta, zeta = 2/3 |x|**(3/2).
constexpr double kAsymptotic[] = {1.0,
                                  0.069444444444444444,
                                  0.037133487654320988,
                                  0.03799305912780064,
                                  0.057649190412669721,
                                  0.11609906402551541,
                                  0.29159139923075051,
                                  0.87766696951001692,
                                  3.079453030173167,
                                  12.341573332345239,
                                  55.622785365917083,
                                  278.46508077760257,
                                  1533.1694320127956,
                                  9207.2065997264147};

// Far on the left it swings.
double swinging(double x) {
  const double size = -x, root = std::sqrt(size), zeta = 2.0 / 3 * size * root;
  double even = 0, odd = 0, power = 1;
  for (int k = 0; k < 14; k += 2) {
    const double sign = k % 4 == 0 ? power : -power;
    even += sign * kAsymptotic[k];
    odd += sign * kAsymptotic[k + 1] / zeta;
    power /= zeta * zeta;
  }
  const double phase = zeta - 0.25 * kPi;
  return (std::cos(phase) * even + std::sin(phase) * odd) / (std::sqrt(kPi) * std::sqrt(root));
}

}  // namespace

double airy_ai(double x) {
  if (std::isnan(x)) return x;
  if (x == -kInf) return 0;
  if (x < kFirst + 0.5) return swinging(x);
  if (x < kLast - 0.5) return from_integer(x);
  const double root = std::sqrt(x), zeta = 2.0 / 3 * x * root;
  if (zeta > 800) return 0;
  return std::sqrt(x / 3) / kPi * scaled_k_integral(zeta, 1.0 / 3) * std::exp(-zeta);
}

}  // namespace gradcore::portable
