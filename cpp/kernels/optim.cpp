// The optimizers' loops. Each reads like the algorithm; switches are template parameters, so that the loops have none.
#include "kernels/optim.h"

namespace gradcore::GC_ISA {

namespace {

inline float root(float x) { return __builtin_sqrtf(x); }
inline double root(double x) { return __builtin_sqrt(x); }

// Stochastic gradient descent with momentum (Sutskever et al. 2013), as torch words it:
//   g <- grad + weight_decay * p;  b <- momentum * b + (1 - dampening) * g;  p <- p - lr * (nesterov ? g + momentum * b : b)
template <class T, bool Momentum>
void sgd_loop(T* __restrict p, const T* __restrict grad, T* __restrict b, int64_t n, const SgdStep& s) {
  const T lr = static_cast<T>(s.lr), momentum = static_cast<T>(s.momentum), decay = static_cast<T>(s.weight_decay);
  const T sign = s.maximize ? T(-1) : T(1);
  const T keep = s.first ? T(0) : momentum, take = s.first ? T(1) : static_cast<T>(1 - s.dampening);
  const T look = s.nesterov ? momentum : T(1), own = s.nesterov ? T(1) : T(0);
  for (int64_t i = 0; i < n; ++i) {
    T g = sign * grad[i];
    if (decay != 0) g = g + decay * p[i];
    if constexpr (Momentum) {
      b[i] = s.first ? g : keep * b[i] + take * g;
      g = own * g + look * b[i];
    }
    p[i] = p[i] - lr * g;
  }
}

// Adam (Kingma & Ba 2015); AdamW's decoupled decay (Loshchilov & Hutter 2019) is the factor `shrink` on the parameter.
//   m <- m + (1 - beta1)(g - m);  v <- beta2 v + (1 - beta2) g^2;  p <- p - step_size * m / (sqrt(v) / correction2 + eps)
template <class T, bool Amsgrad>
void adam_loop(T* __restrict p, const T* __restrict grad, T* __restrict m, T* __restrict v, T* __restrict v_max, int64_t n,
               const AdamStep& s) {
  const T sign = s.maximize ? T(-1) : T(1), decay = static_cast<T>(s.weight_decay), shrink = static_cast<T>(s.shrink);
  const T take1 = static_cast<T>(1 - s.beta1), keep2 = static_cast<T>(s.beta2), take2 = static_cast<T>(1 - s.beta2);
  const T eps = static_cast<T>(s.eps), step = static_cast<T>(s.step_size), correction = static_cast<T>(s.correction2_sqrt);
  for (int64_t i = 0; i < n; ++i) {
    const T start = shrink * p[i];
    const T g = sign * grad[i] + decay * start;
    m[i] = m[i] + take1 * (g - m[i]);
    v[i] = keep2 * v[i] + take2 * (g * g);
    T second = v[i];
    if constexpr (Amsgrad) {
      second = v_max[i] > second ? v_max[i] : second;
      v_max[i] = second;
    }
    p[i] = start - step * (m[i] / (root(second) / correction + eps));
  }
}

template <class T>
void sgd(T* p, const T* g, T* b, int64_t n, const SgdStep& s) {
  if (b)
    sgd_loop<T, true>(p, g, b, n, s);
  else
    sgd_loop<T, false>(p, g, b, n, s);
}
template <class T>
void adam(T* p, const T* g, T* m, T* v, T* v_max, int64_t n, const AdamStep& s) {
  if (v_max)
    adam_loop<T, true>(p, g, m, v, v_max, n, s);
  else
    adam_loop<T, false>(p, g, m, v, v_max, n, s);
}

}  // namespace

OptimKernels optim_kernels() { return {sgd<float>, sgd<double>, adam<float>, adam<double>}; }

}  // namespace gradcore::GC_ISA
