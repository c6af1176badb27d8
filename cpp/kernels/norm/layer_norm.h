// Layer and root mean square normalisation as baseline code sees them: arguments and the table.
#pragma once
#include <cstdint>

#include "core/dtype.h"

namespace gradcore {

// Everything dense: [rows, n], weight and bias [n] or null.
struct LayerNormArgs {
  const void *x, *weight, *bias;
  void* out;
  int64_t rows, n;
  double eps;
  bool centred;  // about the mean; else about 0
};
// The gradients of the input, and of weight and bias where they are not null.
struct LayerNormBackwardArgs {
  const void *g, *x, *weight;
  void *dx, *dweight, *dbias;
  int64_t rows, n;
  double eps;
  bool centred;
};

struct LayerNormKernels {
  FloatRow<void (*)(const LayerNormArgs&)> forward;
  FloatRow<void (*)(const LayerNormBackwardArgs&)> backward;
};

#ifdef GC_ISA
namespace GC_ISA {
extern const LayerNormKernels layer_norm_kernels;
}
#endif

}  // namespace gradcore
