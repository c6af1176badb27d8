// The loops of sums, products, quotients and signs.
#include "formulas/arithmetic.h"

#include "kernels/elementwise/loops.h"

namespace gradcore::GC_ISA {
template struct KernelsOf<formulas::Arithmetic>;
}
