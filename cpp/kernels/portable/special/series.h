// What special functions have in common: constants, tables, and polynomials.
#pragma once
#include <cmath>
#include <limits>

namespace gradcore::portable {

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kPi = 3.141592653589793;

// Temme's expansion of the incomplete gamma functions: polynomials in eta, a row for each power of 1 / a.
constexpr double kTemme[3][8] = {
    {-0.33333333333333333, 0.083333333333333333, -0.014814814814814815, 0.0011574074074074074, 0.0003527336860670194,
     -0.00017875514403292181, 3.9192631785224378e-5, -2.1854485106799922e-6},
    {-0.0018518518518518519, -0.0034722222222222222, 0.0026455026455026455, -0.00099022633744855967,
     0.00020576131687242798, -4.0187757201646091e-7, -1.8098550334489978e-5, 7.6491609160811101e-6},
    {0.0041335978835978836, -0.0026813271604938272, 0.00077160493827160494, 2.0093878600823045e-6,
     -0.00010736653226365161, 5.2923448829120125e-5, -1.2760635188618728e-5, 3.4235787340961381e-8}};

// c[0] + x * (c[1] + x * (...))
template <int n> double polynomial(double x, const double (&c)[n]) {
  double sum = c[n - 1];
  for (int i = n - 2; i >= 0; --i) sum = sum * x + c[i];
  return sum;
}

}  // namespace gradcore::portable
