// The loss of connectionist temporal classification as baseline code sees it.
#pragma once
#include <cstdint>

#include "core/dtype.h"

namespace gradcore {

// The log probabilities are dense [steps, samples, classes]. Row n of `paths`, dense [samples, 2 + places], says of a
// sample how many steps and labels it has, then its labels with a blank before, between and behind them.
struct CtcSizes {
  int64_t steps, samples, classes, places;
};
struct CtcArgs {
  const void* x;
  const int64_t* paths;
  void* out;  // [samples]; infinite where no path spells the labels
  CtcSizes sizes;
};
struct CtcBackwardArgs {
  const void* g;  // that of the output
  const void* x;
  const int64_t* paths;
  void* dx;
  CtcSizes sizes;
};
struct CtcKernels {
  FloatRow<void (*)(const CtcArgs&)> loss;
  FloatRow<void (*)(const CtcBackwardArgs&)> backward;
};

#ifdef GC_ISA
namespace GC_ISA {
extern const CtcKernels ctc_kernels;
}
#endif

}  // namespace gradcore
