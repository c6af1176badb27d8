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

namespace gradcore::GC_ISA {

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
                                       .linalg = linalg_kernels,
                                       .layer_norm = layer_norm_kernels,
                                       .conv = conv_kernels,
                                       .channel_norm = channel_norm_kernels,
                                       .pool = pool_kernels,
                                       .loss = loss_kernels,
                                       .rules = optim_kernels,
                                       .adafactor = adafactor_kernels,
                                       .lbfgs = lbfgs_kernels,
                                       .muon = muon_kernels,
                                       .random = random_kernels,
                                       .recurrent = recurrent_kernels,
                                       .attention = attention_kernels};
  return t;
}

}  // namespace gradcore::GC_ISA
