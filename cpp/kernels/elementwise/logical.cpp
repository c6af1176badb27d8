// The loops of logic on truth values and bits.
#include "formulas/logical.h"

#include "kernels/elementwise/loops.h"

namespace gradcore::GC_ISA {
template struct KernelsOf<formulas::Logical>;
}
