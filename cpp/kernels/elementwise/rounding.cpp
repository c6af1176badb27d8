// The loops of rounding, and divisions that round.
#include "formulas/rounding.h"

#include "kernels/elementwise/loops.h"

namespace gradcore::GC_ISA {
template struct KernelsOf<formulas::Rounding>;
}
