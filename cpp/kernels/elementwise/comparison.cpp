// The loops of comparisons and tests.
#include "formulas/comparison.h"

#include "kernels/elementwise/loops.h"

namespace gradcore::GC_ISA {
template struct KernelsOf<formulas::Comparison>;
}
