// Momentum, sums in bfloat16 and the move of a parameter: see kernels/optim/muon.h.
#include "kernels/optim/muon.h"

#include "formulas/selection.h"
#include "kernels/lane_ops.h"

namespace gradcore::GC_ISA {

namespace {

template <class T> GC_INLINE T averaged(MuonAverage how, T average, T grad) {
  return formulas::Lerp::fwd(Lane<T>{average}, Lane<T>{grad}, Lane<T>{static_cast<T>(1 - how.momentum)}).v;
}

template <class T>
void update(int64_t n, MuonAverage how, const void* average, const void* grad, bfloat16* __restrict to) {
  const T *m = static_cast<const T*>(average), *g = static_cast<const T*>(grad);
  const Lane<T> ahead{static_cast<T>(how.nesterov ? how.momentum : 1)};
  for (int64_t i = 0; i < n; ++i) {
    const T next = averaged(how, m[i], g[i]);
    to[i] = bfloat16(formulas::Lerp::fwd(Lane<T>{g[i]}, Lane<T>{next}, ahead).v);
  }
}

template <class T>
void move(int64_t n, MuonAverage how, void* param, void* average, const void* grad,
          const bfloat16* __restrict direction, double shrink, double rate) {
  T* __restrict p = static_cast<T*>(param), * __restrict m = static_cast<T*>(average);
  const T *g = static_cast<const T*>(grad), by = static_cast<T>(shrink), step = static_cast<T>(rate);
  for (int64_t i = 0; i < n; ++i) {
    m[i] = averaged(how, m[i], g[i]);
    p[i] = p[i] * by + step * static_cast<T>(float(direction[i]));
  }
}

void divide(int64_t n, bfloat16* x, float by) {
  for (int64_t i = 0; i < n; ++i) x[i] = bfloat16(x[i] / by);
}

void combine(int64_t n, float a, const bfloat16* __restrict x, float b, const float* __restrict y,
             bfloat16* __restrict out) {
  for (int64_t i = 0; i < n; ++i) out[i] = bfloat16(a * x[i] + b * y[i]);
}

}  // namespace

extern const MuonKernels muon_kernels{{update<float>, update<double>}, {move<float>, move<double>}, divide, combine};

}  // namespace gradcore::GC_ISA
