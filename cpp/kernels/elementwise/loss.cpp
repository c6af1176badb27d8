// The loops of losses.
#include "formulas/loss.h"

#include "kernels/elementwise/loops.h"

namespace gradcore::GC_ISA {
template struct KernelsOf<formulas::Loss>;
}
