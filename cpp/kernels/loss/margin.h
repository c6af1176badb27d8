// Hinge losses of classes as baseline code sees them.
#pragma once
#include <cstdint>

#include "core/dtype.h"

namespace gradcore {

// x: dense [rows, classes]; labels: dense [rows, width], the classes of a row up to the first that is none; weight:
// [classes] or null.
struct MarginLossArgs {
  const void* g;  // of backward: the gradient of out, [rows]
  const void* x;
  const int64_t* labels;
  const void* weight;
  void* out;  // [rows], or the gradient of x
  int64_t rows, classes, width;
  double margin;
  bool squared;
};
struct MarginKernels {
  FloatRow<void (*)(const MarginLossArgs&)> loss, backward;
};

#ifdef GC_ISA
namespace GC_ISA {
extern const MarginKernels margin_kernels;
}
#endif

}  // namespace gradcore
