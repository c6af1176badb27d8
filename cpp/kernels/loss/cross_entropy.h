// Cross entropy of scores with classes as baseline code sees it.
#pragma once
#include <cstdint>

#include "core/dtype.h"
#include "kernels/loss/ctc.h"
#include "kernels/loss/margin.h"

namespace gradcore {

struct ClassLossSizes {
  int64_t rows, classes, ignored;  // the class of rows that do not count
  double smoothing;                // the share of the uniform distribution in the target
  bool reduces, averages;          // to one number; by what the weights of the rows' classes add up to
};
// x: dense [rows, classes]; target: [rows], checked where no other thread writes to it; weight: [classes] or null.
struct CrossEntropyArgs {
  const void* x;
  const int64_t* target;
  const void* weight;
  void* out;  // one number, or [rows]
  ClassLossSizes sizes;
};
struct CrossEntropyBackwardArgs {
  const void *g, *x;  // g is that of the output
  const int64_t* target;
  const void* weight;
  void* dx;
  ClassLossSizes sizes;
};

struct LossKernels {
  FloatRow<void (*)(const CrossEntropyArgs&)> cross_entropy;
  FloatRow<void (*)(const CrossEntropyBackwardArgs&)> cross_entropy_backward;
  const CtcKernels& ctc;
  const MarginKernels& margin;
};

#ifdef GC_ISA
namespace GC_ISA {
extern const LossKernels loss_kernels;
}
#endif

}  // namespace gradcore
