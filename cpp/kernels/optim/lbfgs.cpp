// Sums of vectors, and dot products with them on the way: see kernels/optim/lbfgs.h.
#include "kernels/optim/lbfgs.h"

#include "kernels/lane.h"

namespace gradcore::GC_ISA {

namespace {

template <class T, bool kPlus, bool kDot>
double combine_of(int64_t n, T a, const T* x, T b, const T* y, T* to, const T* w) {
  double sum = 0;
#pragma omp simd reduction(+ : sum)
  for (int64_t i = 0; i < n; ++i) {
    T v = a * x[i];
    if (kPlus) v += b * y[i];
    to[i] = v;
    if (kDot) sum += static_cast<double>(v) * static_cast<double>(w[i]);
  }
  return sum;
}

template <class T>
double combine(int64_t n, double a, const void* x, double b, const void* y, void* to, const void* w) {
  const auto run = y ? (w ? combine_of<T, true, true> : combine_of<T, true, false>)
                     : (w ? combine_of<T, false, true> : combine_of<T, false, false>);
  return run(n, static_cast<T>(a), static_cast<const T*>(x), static_cast<T>(b), static_cast<const T*>(y),
             static_cast<T*>(to), static_cast<const T*>(w));
}

template <class T>
void learn(int64_t n, const void* grad, const void* before, double t, const void* d, void* y, void* s, double* sums) {
  const T *g = static_cast<const T*>(grad), *old = static_cast<const T*>(before), *way = static_cast<const T*>(d);
  T *change = static_cast<T*>(y), *step = static_cast<T*>(s);
  const T length = static_cast<T>(t);
  double ys = 0, yy = 0;
#pragma omp simd reduction(+ : ys, yy)
  for (int64_t i = 0; i < n; ++i) {
    const T u = g[i] - old[i], v = length * way[i];
    change[i] = u;
    step[i] = v;
    ys += static_cast<double>(u) * static_cast<double>(v);
    yy += static_cast<double>(u) * static_cast<double>(u);
  }
  sums[0] = ys;
  sums[1] = yy;
}

}  // namespace

extern const LbfgsKernels lbfgs_kernels{{combine<float>, combine<double>}, {learn<float>, learn<double>}};

}  // namespace gradcore::GC_ISA
