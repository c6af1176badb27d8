// The loops of powers and roots.
#include "formulas/power.h"

#include "kernels/elementwise/loops.h"
#include "kernels/special_math.h"

namespace gradcore::GC_ISA {

template struct KernelsOf<formulas::Power>;
}  // namespace gradcore::GC_ISA
