// The loops of extremes and bounds.
#include "formulas/bounds.h"

#include "kernels/elementwise/loops.h"

namespace gradcore::GC_ISA {
template struct KernelsOf<formulas::Bounds>;
}
