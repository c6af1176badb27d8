// The one table that each instruction set's build of the kernels exports. Start at kernels().
#pragma once
#include "core/cpu.h"
#include "core/loop.h"
#include "kernels/linalg/linalg.h"
#include "kernels/matmul/gemm.h"
#include "kernels/norm/distance.h"
#include "kernels/norm/layer_norm.h"
#include "kernels/optim/adafactor.h"
#include "kernels/optim/lbfgs.h"
#include "kernels/optim/muon.h"
#include "kernels/optim/rules.h"
#include "kernels/random/transform.h"
#include "kernels/reduce/reduce.h"
#include "kernels/scan/scan.h"

namespace gradcore {

struct AttentionKernels;
struct RecurrentKernels;
struct ConvKernels;
struct PoolKernels;
struct ChannelNormKernels;
struct LossKernels;

// One member for each family.
struct KernelTable {
  const ElementwiseKernels* const* elementwise;  // [group][formula], as formulas::place_of says
  const CopyKernels& copy;
  const ReduceKernels& reduce;
  const ScanKernels& scan;
  const MatmulKernels& matmul;
  const LinalgKernels& linalg;
  const LayerNormKernels& layer_norm;
  const DistanceRow& distance;
  const ConvKernels& conv;
  const ChannelNormKernels& channel_norm;
  const PoolKernels& pool;
  const LossKernels& loss;
  const OptimKernels& rules;
  const AdafactorKernels& adafactor;
  const LbfgsKernels& lbfgs;
  const MuonKernels& muon;
  const RandomKernels& random;
  const RecurrentKernels& recurrent;
  const AttentionKernels& attention;
};

// The table of the active instruction set.
const KernelTable& kernels();

}  // namespace gradcore
