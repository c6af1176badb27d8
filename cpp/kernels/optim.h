// One pass over a slice of a parameter, its gradient and its state, for each optimizer.
#pragma once
#include <cstdint>

namespace gradcore {

struct SgdStep {
  double lr, momentum, dampening, weight_decay;
  bool nesterov, maximize;
  bool first;  // the momentum buffer starts as the gradient
};

// Everything that depends on the step number is computed once, outside the loop.
struct AdamStep {
  double beta1, beta2, eps, weight_decay;
  double step_size;        // lr / (1 - beta1^t)
  double correction2_sqrt; // sqrt(1 - beta2^t)
  double shrink;           // 1 - lr * weight_decay for AdamW, 1 for Adam
  bool maximize;
};

// param, grad, then the state: momentum buffer (or null); first moment, second moment, its maximum (or null).
template <class T>
using SgdFn = void (*)(T* param, const T* grad, T* buffer, int64_t n, const SgdStep& step);
template <class T>
using AdamFn = void (*)(T* param, const T* grad, T* m, T* v, T* v_max, int64_t n, const AdamStep& step);

struct OptimKernels {
  SgdFn<float> sgd_f32;
  SgdFn<double> sgd_f64;
  AdamFn<float> adam_f32;
  AdamFn<double> adam_f64;
};

#ifdef GC_ISA
namespace GC_ISA {
OptimKernels optim_kernels();
}
#endif

}  // namespace gradcore
