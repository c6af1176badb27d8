// What the algorithms of dense linear algebra have in common: matrices by strides, columns, products. Small matrices
// are worked on column by column; large ones are halved until they are small, so that most of the work is in products.
#pragma once
#include "kernels/common.h"
#include "kernels/linalg/linalg.h"
#include "kernels/table.h"

namespace gradcore::GC_ISA {

// Up to this size a matrix is worked on as it is.
constexpr int64_t kSmall = 32;

// A matrix by strides.
template <class T> struct Mat {
  T* data;
  int64_t row, col;
  T& operator()(int64_t i, int64_t j) const { return data[i * row + j * col]; }
  Mat at(int64_t i, int64_t j) const { return {data + i * row + j * col, row, col}; }
  Mat transposed() const { return {data, col, row}; }
  T* column(int64_t j) const { return data + j * col; }
};
template <class T> GC_INLINE Mat<T> matrix(const Matrices& m, int64_t b) {
  return {static_cast<T*>(m.data) + b * m.each, m.row, m.col};
}
template <class T> GC_INLINE T* vector(const Matrices& m, int64_t b) { return static_cast<T*>(m.data) + b * m.each; }

GC_INLINE float absolute(float x) { return __builtin_fabsf(x); }
GC_INLINE double absolute(double x) { return __builtin_fabs(x); }
GC_INLINE float root(float x) { return __builtin_sqrtf(x); }
GC_INLINE double root(double x) { return __builtin_sqrt(x); }

// The largest number; a sum of squares above `small` has lost nothing; squares of numbers between `low` and `high`, and
// sums of many of them, are far from both ends.
template <class T> struct Limits;
template <> struct Limits<float> {
  static constexpr float value = __FLT_MAX__, epsilon = __FLT_EPSILON__, small = 1e-30f, low = 1e-12f, high = 1e12f;
};
template <> struct Limits<double> {
  static constexpr double value = __DBL_MAX__, epsilon = __DBL_EPSILON__, small = 1e-290, low = 1e-120, high = 1e120;
};

// y += a x, of elements side by side.
template <class T> GC_INLINE void add_scaled(int64_t n, T a, const T* __restrict x, T* __restrict y) {
  for (int64_t i = 0; i < n; ++i) y[i] += a * x[i];
}
template <class T> GC_INLINE void scale(int64_t n, T a, T* x) {
  for (int64_t i = 0; i < n; ++i) x[i] *= a;
}
template <class T> GC_INLINE void exchange(T& a, T& b) {
  const T kept = a;
  a = b;
  b = kept;
}

// By squares: whichever way elements lie side by side, the lines that hold them stay in the cache.
template <class T> void copy_matrix(int64_t m, int64_t n, const Mat<T>& from, const Mat<T>& to) {
  constexpr int64_t kSquare = 16;
  const int64_t rows = from.row == 1 && to.row == 1 ? larger(m, 1) : kSquare;
  for (int64_t j0 = 0; j0 < n; j0 += kSquare)
    for (int64_t i0 = 0; i0 < m; i0 += rows)
      for (int64_t j = j0; j < smaller(n, j0 + kSquare); ++j)
        for (int64_t i = i0; i < smaller(m, i0 + rows); ++i) to(i, j) = from(i, j);
}
template <class T> void negate(int64_t m, int64_t n, const Mat<T>& a) {
  if (a.row != 1) return negate(n, m, a.transposed());
  for (int64_t j = 0; j < n; ++j)
    for (int64_t i = 0; i < m; ++i) a(i, j) = -a(i, j);
}

// Of the active instruction set, which may be a newer one than this code's.
template <class T> GemmFn<T> product_kernel() {
  if constexpr (sizeof(T) == sizeof(float))
    return kernels().matmul.f32;
  else
    return kernels().matmul.f64;
}
// C (m x n) += A (m x k) B (k x n), or C = A B. The rows or the columns of C lie side by side.
template <class T>
void multiply(int64_t m, int64_t n, int64_t k, const Mat<T>& a, const Mat<T>& b, const Mat<T>& c, bool accumulate) {
  const GemmFn<T> product = product_kernel<T>();
  if (c.col == 1)
    product({m, n, k, a.data, a.row, a.col, b.data, b.row, b.col, c.data, c.row, accumulate});
  else
    product({n, m, k, b.data, b.col, b.row, a.data, a.col, a.row, c.data, c.col, accumulate});
}
// C -= A B. A product has no minus: B, which is the caller's to write to, is negated meanwhile, which loses nothing.
template <class T>
void subtract_product(int64_t m, int64_t n, int64_t k, const Mat<T>& a, const Mat<T>& b, const Mat<T>& c) {
  negate(k, n, b);
  multiply(m, n, k, a, b, c, true);
  negate(k, n, b);
}

// A X = B with a triangle of A; x holds B and becomes X. Its rows or its columns lie side by side. In triangular.cpp.
template <class T> void solve_triangle(bool upper, bool unit, int64_t n, int64_t k, const Mat<T>& a, const Mat<T>& x);
extern template void solve_triangle<float>(bool, bool, int64_t, int64_t, const Mat<float>&, const Mat<float>&);
extern template void solve_triangle<double>(bool, bool, int64_t, int64_t, const Mat<double>&, const Mat<double>&);

}  // namespace gradcore::GC_ISA
