// The loops of activation functions.
#include "formulas/activation.h"

#include "kernels/elementwise/loops.h"

namespace gradcore::GC_ISA {
template struct KernelsOf<formulas::Activation>;
}
