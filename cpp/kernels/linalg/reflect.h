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

// sum x y, in vectors.
template <class T> GC_INLINE T dot(int64_t n, const T* x, const T* y) {
  Vec<T> sums{};
  int64_t i = 0;
  for (; i + kLanes<T> <= n; i += kLanes<T>) sums += load(x + i) * load(y + i);
  T sum = i ? sum_over_lanes(sums) : T(0);
  for (; i < n; ++i) sum += x[i] * y[i];
  return sum;
}

template <class T> GC_INLINE T largest(int64_t n, const T* x) {
  T most = 0;
  for (int64_t i = 0; i < n; ++i) {
    const T size = absolute(x[i]);
    if (!(size <= most)) most = size;  // a NaN stays
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

// a = H a for columns of `a` (m x n, stored by columns). v[0] is not read: it counts as 1.
template <class T> void reflect_columns(int64_t m, int64_t n, const T* v, T tau, const Mat<T>& a) {
  if (tau == 0) return;
  for (int64_t j = 0; j < n; ++j) {
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

}  // namespace gradcore::GC_ISA
