// Householder's reflections, of which QR, eigenvalues and singular values are made.
#pragma once
#include "kernels/lane_ops.h"
#include "kernels/linalg/dense.h"

namespace gradcore::GC_ISA {

// The sum over the lanes, by halves: one lane after the other would wait for each addition.
template <class V> GC_INLINE auto sum_over_lanes(V v) {
  constexpr int lanes = static_cast<int>(sizeof v / sizeof v[0]);
  if constexpr (lanes == 2)
    return v[0] + v[1];
  else if constexpr (lanes == 4)
    return sum_over_lanes(__builtin_shufflevector(v, v, 0, 1) + __builtin_shufflevector(v, v, 2, 3));
  else if constexpr (lanes == 8)
    return sum_over_lanes(__builtin_shufflevector(v, v, 0, 1, 2, 3) + __builtin_shufflevector(v, v, 4, 5, 6, 7));
  else
    return sum_over_lanes(__builtin_shufflevector(v, v, 0, 1, 2, 3, 4, 5, 6, 7) +
                          __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15));
}

// sum x y, in vectors: four of them, which do not wait for each other.
template <class T> GC_INLINE T dot(int64_t n, const T* x, const T* y) {
  constexpr int64_t L = kLanes<T>;
  Vec<T> sums{}, more[3] = {};
  int64_t i = 0;
  for (; i + 4 * L <= n; i += 4 * L) {
    sums += load(x + i) * load(y + i);
#pragma GCC unroll 3
    for (int64_t k = 0; k < 3; ++k) more[k] += load(x + i + (k + 1) * L) * load(y + i + (k + 1) * L);
  }
  for (; i + L <= n; i += L) sums += load(x + i) * load(y + i);
  T sum = i ? sum_over_lanes((sums + more[0]) + (more[1] + more[2])) : T(0);
  for (; i < n; ++i) sum += x[i] * y[i];
  return sum;
}

template <class T> GC_INLINE T largest(int64_t n, const T* x) {
  T most = 0;
  for (int64_t i = 0; i < n; ++i) {
    const T size = absolute(x[i]);
    if (size > most || size != size) most = size;  // a NaN stays
  }
  return most;
}

// The length of a vector; no square of an element overflows or is lost.
template <class T> T length(int64_t n, const T* x) {
  const T sum = dot(n, x, x);
  if (sum > Limits<T>::small && sum <= Limits<T>::value) return root(sum);
  const T most = largest(n, x);
  if (!(most > 0) || !(most <= Limits<T>::value)) return most;
  T scaled = 0;
  for (int64_t i = 0; i < n; ++i) scaled += (x[i] / most) * (x[i] / most);
  return most * root(scaled);
}

// H = 1 - tau v v' with v[0] = 1 takes x (n elements side by side) to (beta, 0, ...). Gives tau; x becomes (beta, v[1],
// v[2] ...). As LAPACK has it: beta has the other sign than x[0], and tau is 0 where nothing is to be done.
template <class T> T reflection(int64_t n, T* x) {
  if (n <= 1) return 0;
  const T rest = length(n - 1, x + 1);
  if (rest == 0) return 0;
  const T pair[] = {x[0], rest};
  const T beta = x[0] > 0 ? -length(2, pair) : length(2, pair);
  const T tau = (beta - x[0]) / beta, by = x[0] - beta;
  for (int64_t i = 1; i < n; ++i) x[i] /= by;
  x[0] = beta;
  return tau;
}

// The same of one x and several y, `step` apart; and of the way back, y -= by[c] x.
template <int kColumns, class T>
GC_INLINE void dots(int64_t n, const T* x, const T* y, int64_t step, T (&found)[kColumns]) {
  Vec<T> sums[kColumns] = {};
  int64_t i = 0;
  for (; i + kLanes<T> <= n; i += kLanes<T>) {
    const Vec<T> xi = load(x + i);
#pragma GCC unroll 4
    for (int c = 0; c < kColumns; ++c) sums[c] += xi * load(y + c * step + i);
  }
#pragma GCC unroll 4
  for (int c = 0; c < kColumns; ++c) found[c] = sum_over_lanes(sums[c]);
  for (; i < n; ++i)
    for (int c = 0; c < kColumns; ++c) found[c] += x[i] * y[c * step + i];
}
template <int kColumns, class T>
GC_INLINE void subtract_scaled(int64_t n, const T* x, T* y, int64_t step, const T (&by)[kColumns]) {
  int64_t i = 0;
  for (; i + kLanes<T> <= n; i += kLanes<T>) {
    const Vec<T> xi = load(x + i);
#pragma GCC unroll 4
    for (int c = 0; c < kColumns; ++c) store(y + c * step + i, load(y + c * step + i) - by[c] * xi);
  }
  for (; i < n; ++i)
    for (int c = 0; c < kColumns; ++c) y[c * step + i] -= by[c] * x[i];
}

// a = H a for columns of `a` (m x n, stored by columns). v[0] is not read: it counts as 1.
template <class T> void reflect_columns(int64_t m, int64_t n, const T* v, T tau, const Mat<T>& a) {
  constexpr int kColumns = 4;  // at once: v is loaded for all of them
  if (tau == 0) return;
  int64_t j = 0;
  for (; j + kColumns <= n; j += kColumns) {
    T* const column = a.column(j);
    T by[kColumns];
    dots(m - 1, v + 1, column + 1, a.col, by);
    for (int c = 0; c < kColumns; ++c) {
      by[c] = tau * (column[c * a.col] + by[c]);
      column[c * a.col] -= by[c];
    }
    subtract_scaled(m - 1, v + 1, column + 1, a.col, by);
  }
  for (; j < n; ++j) {
    T* const column = a.column(j);
    const T by = tau * (column[0] + dot(m - 1, v + 1, column + 1));
    column[0] -= by;
    add_scaled(m - 1, -by, v + 1, column + 1);
  }
}

// q (m x columns) = H_1 H_2 ... H_k, with the reflections below the diagonal of `h` (stored by columns).
template <class T>
void multiply_reflections(int64_t m, int64_t columns, int64_t k, const Mat<T>& h, const T* tau, const Mat<T>& q) {
  for (int64_t j = 0; j < columns; ++j)
    for (int64_t i = 0; i < m; ++i) q(i, j) = i == j;
  for (int64_t i = k - 1; i >= 0; --i) reflect_columns(m - i, columns - i, h.column(i) + i, tau[i], q.at(i, i));
}
// The same by panels where there are many. In qr.cpp.
template <class T>
void form_reflections(int64_t m, int64_t columns, int64_t k, const Mat<T>& h, const T* tau, const Mat<T>& q);

}  // namespace gradcore::GC_ISA
