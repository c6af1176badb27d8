// The loops of selections.
#include "formulas/selection.h"

#include "kernels/elementwise/loops.h"

namespace gradcore::GC_ISA {
template struct KernelsOf<formulas::Selection>;
}
