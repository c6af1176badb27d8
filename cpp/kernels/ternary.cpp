// The loops of the three-operand formulas in formulas/binary.h.
#include "kernels/elementwise.h"

namespace gradcore::GC_ISA {
extern const ElementwiseKernels* const ternary_kernels = KernelsOf<formulas::TernaryOps, 3>::value;
}
