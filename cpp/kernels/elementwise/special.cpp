// The loops of special functions.
#include "formulas/special.h"

#include "kernels/elementwise/loops.h"

namespace gradcore::GC_ISA {
template struct KernelsOf<formulas::Special>;
}
