// Gathers this instruction set's kernels into the table that baseline code sees.
#include "kernels/table.h"

namespace gradcore::GC_ISA {

extern const ElementwiseKernels* const unary_kernels;
extern const ElementwiseKernels* const binary_kernels;
extern const ElementwiseKernels* const ternary_kernels;
extern const LoopFn (*const copy_kernels)[kDTypeCount];

const KernelTable& table() {
  static constexpr const ReduceFn(*reduce)[kDTypeCount] = reduce_table;
  static const KernelTable t{unary_kernels, binary_kernels, ternary_kernels, copy_kernels,
                             reduce,        row_table,      gemm_f32,        gemm_f64,
                             optim_kernels, &muon_kernels,  &lbfgs_kernels,  &adafactor_kernels};
  return t;
}

}  // namespace gradcore::GC_ISA
