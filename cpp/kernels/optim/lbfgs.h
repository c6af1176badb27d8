// The loops of L-BFGS over flat vectors, as baseline code sees them; optim/lbfgs.cpp puts them together.
#pragma once
#include <cstdint>

#include "core/dtype.h"

namespace gradcore {

// Sums are float64.
struct LbfgsKernels {
  // to = a x + b y, where `to` may be y, and there may be no y; the sum of the new to * w, 0 without w
  FloatRow<double (*)(int64_t n, double a, const void* x, double b, const void* y, void* to, const void* w)> combine;
  // y = grad - before, s = t d; the sums of y s and of y y
  FloatRow<void (*)(int64_t n, const void* grad, const void* before, double t, const void* d, void* y, void* s,
                    double* sums)>
      learn;
};

#ifdef GC_ISA
namespace GC_ISA {
extern const LbfgsKernels lbfgs_kernels;
}
#endif

}  // namespace gradcore
