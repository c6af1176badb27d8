// The one table that each instruction set's build of the kernels exports. Start at kernels().
#pragma once
#include "core/cpu.h"
#include "core/dtype.h"
#include "core/loop.h"
#include "kernels/adafactor.h"
#include "kernels/gemm.h"
#include "kernels/lbfgs.h"
#include "kernels/muon.h"
#include "kernels/optim.h"
#include "kernels/reduce.h"

namespace gradcore {

struct KernelTable {
  const ElementwiseKernels* unary;  // in the order of formulas::UnaryOps, ...
  const ElementwiseKernels* binary;
  const ElementwiseKernels* ternary;
  const LoopFn (*copy)[kDTypeCount];      // [to][from]
  const ReduceFn (*reduce)[kDTypeCount];  // [ReduceOp][input dtype]
  const RowFn (*row)[kDTypeCount];        // [RowOp][dtype]
  void (*gemm_f32)(const GemmArgs<float>&);
  void (*gemm_f64)(const GemmArgs<double>&);
  const OptimKernels* optim;  // in the order of formulas::UpdateRules
  const MuonKernels* muon;
  const LbfgsKernels* lbfgs;
  const AdafactorKernels* adafactor;
};

// The table of the active instruction set.
const KernelTable& kernels();

}  // namespace gradcore
