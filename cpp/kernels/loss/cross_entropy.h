// The cross entropy of rows of scores with one class each, as baseline code sees it: arguments and the table.
#pragma once
#include <cstdint>

#include "core/dtype.h"

namespace gradcore {

// Everything dense: x [rows, classes]; target and loss [rows]; stats [rows, 2]: the largest score, and the logarithm of
// the sum of exp(x - that). The loss of a row whose target is `ignored` is 0; other targets are classes.
struct CrossEntropyArgs {
  const void* x;
  const int64_t* target;
  void *loss, *stats;
  int64_t rows, classes, ignored;
};
// g: one number a row, or the same for all with g_step 0; it is multiplied with `scale`.
struct CrossEntropyBackwardArgs {
  const void* x;
  const int64_t* target;
  const void *stats, *g;
  void* dx;
  int64_t rows, classes, ignored, g_step;
  double scale;
};

struct CrossEntropyKernels {
  FloatRow<void (*)(const CrossEntropyArgs&)> forward;
  FloatRow<void (*)(const CrossEntropyBackwardArgs&)> backward;
};

#ifdef GC_ISA
namespace GC_ISA {
extern const CrossEntropyKernels cross_entropy_kernels;
}
#endif

}  // namespace gradcore
