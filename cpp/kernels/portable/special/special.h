// Special functions of plain numbers, a file for each kin: gamma.cpp, zeta.cpp ... Which there are is said in
// formulas/functions.h.
//
// All compute in double, with an error of a few units in the last place where the function is not near a zero; what is
// rounded to float afterwards is right to half a unit. benchmarks/special_accuracy.py measures them against mpmath.
#pragma once
#include "formulas/functions.h"

namespace gradcore::portable {

#define GC_DECLARE(f, Op) double f(double x);
GC_SPECIAL_OF_NUMBERS(GC_DECLARE)
#undef GC_DECLARE
#define GC_DECLARE(f, Op) double f(double x, double y);
GC_SPECIAL_BINARY(GC_DECLARE)
GC_SPECIAL_WITH_PARAMETER(GC_DECLARE)
#undef GC_DECLARE

// e**x K(x), an integral that other functions are made of as well. order from 0 to 1, x > 1.
double scaled_k_integral(double x, double order);

}  // namespace gradcore::portable
