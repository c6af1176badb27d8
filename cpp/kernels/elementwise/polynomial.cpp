// The loops of orthogonal polynomials.
#include "formulas/polynomial.h"

#include "kernels/elementwise/loops.h"

namespace gradcore::GC_ISA {
template struct KernelsOf<formulas::Polynomials>;
}
