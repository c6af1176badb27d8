// The loops of special functions.
#include "formulas/special.h"

#include "kernels/elementwise/loops.h"
#include "kernels/special_math.h"

namespace gradcore::GC_ISA {

template <> constexpr bool in_lanes<formulas::Lgamma, float> = true;
template <> constexpr bool in_lanes<formulas::Digamma, float> = true;

template struct KernelsOf<formulas::Special>;

}  // namespace gradcore::GC_ISA
