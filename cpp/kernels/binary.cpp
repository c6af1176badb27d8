// The loops of the two-operand formulas in formulas/binary.h.
#include "kernels/elementwise.h"

namespace gradcore::GC_ISA {
extern const ElementwiseKernels* const binary_kernels = KernelsOf<formulas::BinaryOps, 2>::value;
}
