// The loops of L-BFGS over flat vectors, as baseline code sees them; optim/lbfgs.cpp puts them together.
#pragma once
#include <cstdint>

namespace gradcore {

// For float32, then float64. Sums are float64.
struct LbfgsKernels {
  // to = a x + b y, where `to` may be y, and there may be no y; the sum of the new to * w, 0 without w
  double (*combine[2])(int64_t n, double a, const void* x, double b, const void* y, void* to, const void* w);
  // y = grad - before, s = t d; the sums of y s and of y y
  void (*learn[2])(int64_t n, const void* grad, const void* before, double t, const void* d, void* y, void* s,
                   double* sums);
};

#ifdef GC_ISA
namespace GC_ISA {
extern const LbfgsKernels lbfgs_kernels;
}
#endif

}  // namespace gradcore
