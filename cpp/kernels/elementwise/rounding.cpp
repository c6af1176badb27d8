// The loops of rounding, and divisions that round.
#include "formulas/rounding.h"

#include "kernels/elementwise/loops.h"

namespace gradcore::GC_ISA {

template <> constexpr bool near_integers<formulas::FloorDivide> = true;
template <> constexpr bool near_integers<formulas::Remainder> = true;

template struct KernelsOf<formulas::Rounding>;

}  // namespace gradcore::GC_ISA
