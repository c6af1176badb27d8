// The loops of Bessel functions.
#include "formulas/bessel.h"

#include "kernels/elementwise/loops.h"

namespace gradcore::GC_ISA {
template struct KernelsOf<formulas::Bessel>;
}
