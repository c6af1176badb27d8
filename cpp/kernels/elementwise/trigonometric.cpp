// The loops of circular and hyperbolic functions.
#include "formulas/trigonometric.h"

#include "kernels/elementwise/loops.h"

namespace gradcore::GC_ISA {
template struct KernelsOf<formulas::Trigonometric>;
}
