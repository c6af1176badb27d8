// A number as a fraction from 1/2 to 1 times a power of two.
#include <cmath>

#include "kernels/portable/special/special.h"

namespace gradcore::portable {

double frexp_mantissa(double x) {
  int exponent;
  return std::frexp(x, &exponent);
}
double frexp_exponent(double x) {
  int exponent = 0;
  if (std::isfinite(x)) (void)std::frexp(x, &exponent);
  return exponent;
}

}  // namespace gradcore::portable
