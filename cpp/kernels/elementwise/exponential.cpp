// The loops of exponentials and logarithms.
#include "formulas/exponential.h"

#include "kernels/elementwise/loops.h"

namespace gradcore::GC_ISA {
template struct KernelsOf<formulas::Exponential>;
}
