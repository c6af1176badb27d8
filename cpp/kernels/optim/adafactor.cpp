// Squared gradients, what they make of an update, and its sums: see kernels/optim/adafactor.h.
#include "kernels/optim/adafactor.h"

#include "formulas/selection.h"
#include "kernels/lane_ops.h"

namespace gradcore::GC_ISA {

namespace {

GC_INLINE float root(float x) { return __builtin_sqrtf(x); }
GC_INLINE double root(double x) { return __builtin_sqrt(x); }

// A variance that is NaN stays so.
template <class T> GC_INLINE T update_of(T g, T variance, T floor) {
  return g * (T(1) / root(variance < floor ? floor : variance));
}
template <class T> GC_INLINE double squared(T x) { return static_cast<double>(x) * static_cast<double>(x); }

template <class T>
void vary(int64_t n, const void* param, const void* grad, void* variance, double take, double floor, double* sums) {
  const T *p = static_cast<const T*>(param), *g = static_cast<const T*>(grad);
  T* v = static_cast<T*>(variance);
  const T weight = static_cast<T>(take), least = static_cast<T>(floor);
  double params = 0, updates = 0;
#pragma omp simd reduction(+ : params, updates)
  for (int64_t i = 0; i < n; ++i) {
    const T next = formulas::Lerp::fwd(Lane<T>{v[i]}, Lane<T>{g[i] * g[i]}, Lane<T>{weight}).v;
    v[i] = next;
    params += squared(p[i]);
    updates += squared(update_of(g[i], next, least));
  }
  sums[0] = params;
  sums[1] = updates;
}

template <class T> void move(int64_t n, void* param, const void* grad, const void* variance, AdafactorMove how) {
  T* __restrict p = static_cast<T*>(param);
  const T *g = static_cast<const T*>(grad), *v = static_cast<const T*>(variance);
  const T shrink = static_cast<T>(how.shrink), size = static_cast<T>(how.size), least = static_cast<T>(how.floor);
  for (int64_t i = 0; i < n; ++i) p[i] = p[i] * shrink + size * update_of(g[i], v[i], least);
}

template <class T>
double squares(int64_t rows, int64_t columns, const void* param, const void* grad, double* row_sums,
               double* __restrict column_sums) {
  const T *p = static_cast<const T*>(param), *g = static_cast<const T*>(grad);
  double params = 0;
  for (int64_t i = 0; i < rows; ++i, p += columns, g += columns) {
    double row = 0;
#pragma omp simd reduction(+ : row, params)
    for (int64_t j = 0; j < columns; ++j) {
      const double square = squared(g[j]);
      row += square;
      column_sums[j] += square;
      params += squared(p[j]);
    }
    row_sums[i] = row;
  }
  return params;
}

template <class T>
double size(int64_t rows, int64_t columns, const void* grad, const double* row, const void* column, double floor) {
  const T *g = static_cast<const T*>(grad), *c = static_cast<const T*>(column), least = static_cast<T>(floor);
  double updates = 0;
  for (int64_t i = 0; i < rows; ++i, g += columns) {
    const T r = static_cast<T>(row[i]);
#pragma omp simd reduction(+ : updates)
    for (int64_t j = 0; j < columns; ++j) updates += squared(update_of(g[j], r * c[j], least));
  }
  return updates;
}

template <class T>
void move_rows(int64_t rows, int64_t columns, void* param, const void* grad, const double* row, const void* column,
               AdafactorMove how) {
  T* __restrict p = static_cast<T*>(param);
  const T *g = static_cast<const T*>(grad), *c = static_cast<const T*>(column);
  const T shrink = static_cast<T>(how.shrink), size = static_cast<T>(how.size), least = static_cast<T>(how.floor);
  for (int64_t i = 0; i < rows; ++i, p += columns, g += columns) {
    const T r = static_cast<T>(row[i]);
    for (int64_t j = 0; j < columns; ++j) p[j] = p[j] * shrink + size * update_of(g[j], r * c[j], least);
  }
}

}  // namespace

extern const AdafactorKernels adafactor_kernels{{vary<float>, vary<double>},
                                                {move<float>, move<double>},
                                                {squares<float>, squares<double>},
                                                {size<float>, size<double>},
                                                {move_rows<float>, move_rows<double>}};

}  // namespace gradcore::GC_ISA
