// The loops of powers and roots.
#include "formulas/power.h"

#include "kernels/elementwise/loops.h"
#include "kernels/special_math.h"

namespace gradcore::GC_ISA {

template <> constexpr bool in_lanes<formulas::FrexpMantissa, float> = true;
template <> constexpr bool in_lanes<formulas::FrexpExponent, float> = true;

template struct KernelsOf<formulas::Power>;
}  // namespace gradcore::GC_ISA
