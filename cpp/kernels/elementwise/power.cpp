// The loops of powers and roots.
#include "formulas/power.h"

#include "kernels/elementwise/loops.h"

namespace gradcore::GC_ISA {
template struct KernelsOf<formulas::Power>;
}
