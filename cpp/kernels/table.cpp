// Gathers this instruction set's kernels into the table that baseline code sees.
#include "kernels/table.h"

#include "formulas/all.h"
#include "kernels/attention/attention.h"
#include "kernels/conv/conv.h"
#include "kernels/elementwise/group.h"
#include "kernels/loss/cross_entropy.h"
#include "kernels/norm/channel_norm.h"
#include "kernels/pool/pool.h"
#include "kernels/recurrent/recurrent.h"

// Families that this set does not compile for itself (cmake/layers.cmake, families_up_to_v3) are another set's.
namespace gradcore::GC_NARROW_ISA {
extern const LinalgKernels linalg_kernels;
extern const LayerNormKernels layer_norm_kernels;
extern const ChannelNormKernels channel_norm_kernels;
extern const DistanceRow distance_row;
extern const PoolKernels pool_kernels;
extern const OptimKernels optim_kernels;
extern const AdafactorKernels adafactor_kernels;
extern const LbfgsKernels lbfgs_kernels;
extern const MuonKernels muon_kernels;
extern const RandomKernels random_kernels;
}  // namespace gradcore::GC_NARROW_ISA

namespace gradcore::GC_ISA {

namespace narrow = gradcore::GC_NARROW_ISA;

template <class List> struct AllGroups;
template <class... Groups> struct AllGroups<TypeList<Groups...>> {
  static constexpr const ElementwiseKernels* kernels[] = {KernelsOf<Groups>::table.of...};
};

const KernelTable& table() {
  static constinit const KernelTable t{.elementwise = AllGroups<formulas::Groups>::kernels,
                                       .copy = copy_kernels,
                                       .reduce = reduce_kernels,
                                       .scan = scan_kernels,
                                       .matmul = matmul_kernels,
                                       .linalg = narrow::linalg_kernels,
                                       .layer_norm = narrow::layer_norm_kernels,
                                       .distance = narrow::distance_row,
                                       .conv = conv_kernels,
                                       .channel_norm = narrow::channel_norm_kernels,
                                       .pool = narrow::pool_kernels,
                                       .loss = loss_kernels,
                                       .rules = narrow::optim_kernels,
                                       .adafactor = narrow::adafactor_kernels,
                                       .lbfgs = narrow::lbfgs_kernels,
                                       .muon = narrow::muon_kernels,
                                       .random = narrow::random_kernels,
                                       .recurrent = recurrent_kernels,
                                       .attention = attention_kernels};
  return t;
}

}  // namespace gradcore::GC_ISA
