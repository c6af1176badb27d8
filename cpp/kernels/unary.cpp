// The loops of formulas/unary.h.
#include "kernels/elementwise.h"

namespace gradcore::GC_ISA {
extern const ElementwiseKernels* const unary_kernels = KernelsOf<formulas::UnaryOps, 1>::value;
}
