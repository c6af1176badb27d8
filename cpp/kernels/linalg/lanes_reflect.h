// Householder's reflections of a matrix in each lane: reflect.h with vectors in place of numbers.
#pragma once
#include "kernels/linalg/lanes.h"

namespace gradcore::GC_ISA {

// a = H a for the rows from `row` on of column j. v[0] counts as 1; the others follow below h(row, column).
template <class T>
GC_INLINE void reflect_lanes(int64_t m, const Lanes<T>& h, int64_t row, int64_t column, Vec<T> tau, const Lanes<T>& a,
                             int64_t j) {
  Vec<T> sums[4] = {a(row, j)};  // four hide the latency of an addition
  int64_t i = row + 1;
  for (; i + 4 <= m; i += 4)
    for (int64_t u = 0; u < 4; ++u) sums[u] += h(i + u, column) * a(i + u, j);
  for (; i < m; ++i) sums[0] += h(i, column) * a(i, j);
  const Vec<T> by = tau * ((sums[0] + sums[1]) + (sums[2] + sums[3]));
  a.set(row, j, a(row, j) - by);
  for (i = row + 1; i < m; ++i) a.set(i, j, a(i, j) - by * h(i, column));
}

// Like reflection(), of the elements from h(row, column) down. False where a square in some lane would overflow or be
// lost: that wants more care.
template <class T> bool reflection_of_lanes(int64_t m, int64_t row, int64_t column, const Lanes<T>& h, Vec<T>& tau) {
  tau = Vec<T>{};
  if (m - row <= 1) return true;
  Vec<T> rest{}, most{};
  for (int64_t i = row + 1; i < m; ++i) {
    const Vec<T> y = h(i, column), size = size_of<T>(y);
    rest += y * y;
    most = size > most ? size : most;
  }
  const Vec<T> x = h(row, column), sum = rest + x * x;
  const LaneInts<T> none = (most == 0) & (rest == 0);  // of a NaN neither
  if (any_lane<T>(~none & ~((rest > Limits<T>::small) & (sum <= Limits<T>::value)))) return false;
  const Vec<T> length = roots<T>(sum), beta = x > 0 ? -length : length;
  tau = none ? Vec<T>{} : (beta - x) / beta;
  const Vec<T> by = none ? all_lanes<T>(1) : x - beta;
  for (int64_t i = row + 1; i < m; ++i) h.set(i, column, h(i, column) / by);
  h.set(row, column, none ? x : beta);
  return true;
}

}  // namespace gradcore::GC_ISA
