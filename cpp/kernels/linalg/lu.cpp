// Gauss's elimination with pivots by rows, and what follows from its factors: solutions and determinants.
#include "kernels/linalg/dense.h"

namespace gradcore::GC_ISA {

namespace {

constexpr int64_t kPanel = 16;  // columns of a large matrix that are eliminated one by one

template <class T> void exchange_rows(int64_t columns, const Mat<T>& a, int64_t i, int64_t j) {
  if (i == j) return;
  for (int64_t c = 0; c < columns; ++c) exchange(a(i, c), a(j, c));
}

// The exchanges from step `begin` on, each numbered in rows of `a`.
template <class T>
void apply_pivots(int64_t columns, const Mat<T>& a, const int32_t* pivots, int64_t begin, int64_t end) {
  for (int64_t i = begin; i < end; ++i) exchange_rows(columns, a, i, pivots[i] - 1);
}

// The place of the largest element, the first among equals. As in LAPACK, a NaN counts only in the first place.
template <class T> int64_t pivot_of(int64_t n, const T* column) {
  int64_t best = 0;
  T most = absolute(column[0]);
  for (int64_t i = 1; i < n; ++i) {
    const T size = absolute(column[i]);
    if (size > most) most = size, best = i;
  }
  return best;
}

// Each returns 0, or the number (from 1) of the first pivot that is zero. `a` is stored by columns.
template <class T> int32_t eliminate(int64_t m, int64_t n, const Mat<T>& a, int32_t* pivots) {
  int32_t singular = 0;
  for (int64_t k = 0; k < smaller(m, n); ++k) {
    T* const column = a.column(k);
    const int64_t pivot = k + pivot_of(m - k, column + k);
    pivots[k] = static_cast<int32_t>(pivot + 1);
    exchange_rows(n, a, k, pivot);
    if (column[k] == 0) {
      if (!singular) singular = static_cast<int32_t>(k + 1);
      continue;
    }
    const T inverse = 1 / column[k];
    if (absolute(inverse) <= Limits<T>::value)
      scale(m - k - 1, inverse, column + k + 1);
    else  // the pivot is subnormal
      for (int64_t i = k + 1; i < m; ++i) column[i] /= column[k];
    for (int64_t j = k + 1; j < n; ++j) add_scaled(m - k - 1, -a(k, j), column + k + 1, a.column(j) + k + 1);
  }
  return singular;
}

// Columns by halves: the left ones are factored, then what they leave of the right ones (Toledo 1997).
template <class T> int32_t factor(int64_t m, int64_t n, const Mat<T>& a, int32_t* pivots) {
  const int64_t steps = smaller(m, n);
  if (steps <= kPanel || (m <= kSmall && n <= kSmall)) return eliminate(m, n, a, pivots);
  const int64_t left = round_up(steps / 2, kPanel), right = n - left;
  const Mat<T> above = a.at(0, left), rest = a.at(left, left);
  int32_t singular = factor(m, left, a, pivots);
  apply_pivots(right, above, pivots, 0, left);
  solve_triangle(false, true, left, right, a, above);
  subtract_product(m - left, right, left, a.at(left, 0), above, rest);
  const int32_t later = factor(m - left, right, rest, pivots + left);
  for (int64_t i = left; i < steps; ++i) pivots[i] += static_cast<int32_t>(left);
  apply_pivots(left, a, pivots, left, steps);
  if (!singular && later) singular = later + static_cast<int32_t>(left);
  return singular;
}

template <class T> void lu(const LuArgs& g, int64_t begin, int64_t end) {
  for (int64_t i = begin; i < end; ++i) {
    const Mat<T> to = matrix<T>(g.lu, i);
    copy_matrix(g.m, g.n, matrix<T>(g.a, i), to);
    *vector<int32_t>(g.info, i) = factor(g.m, g.n, to, vector<int32_t>(g.pivots, i));
  }
}

template <class T> void fill_identity(int64_t n, const Mat<T>& x) {
  for (int64_t j = 0; j < n; ++j)
    for (int64_t i = 0; i < n; ++i) x(i, j) = i == j;
}

// The row that step i was exchanged with. Pivots come from the program here: one that is no row changes nothing.
int64_t partner(int64_t i, int32_t pivot, int64_t n) { return pivot >= 1 && pivot <= n ? pivot - 1 : i; }

template <class T> void lu_solve(const LuSolveArgs& g, int64_t begin, int64_t end) {
  for (int64_t i = begin; i < end; ++i) {
    const Mat<T> a = matrix<T>(g.lu, i), x = matrix<T>(g.x, i);
    const int32_t* const pivots = vector<int32_t>(g.pivots, i);
    if (g.b.data)
      copy_matrix(g.n, g.k, matrix<T>(g.b, i), x);
    else
      fill_identity(g.n, x);
    if (g.adjoint) {
      solve_triangle(false, false, g.n, g.k, a.transposed(), x);
      solve_triangle(true, true, g.n, g.k, a.transposed(), x);
      for (int64_t s = g.n - 1; s >= 0; --s) exchange_rows(g.k, x, s, partner(s, pivots[s], g.n));
    } else {
      for (int64_t s = 0; s < g.n; ++s) exchange_rows(g.k, x, s, partner(s, pivots[s], g.n));
      solve_triangle(false, true, g.n, g.k, a, x);
      solve_triangle(true, false, g.n, g.k, a, x);
    }
  }
}

template <class T> void lu_det(const LuDetArgs& g, int64_t begin, int64_t end) {
  for (int64_t i = begin; i < end; ++i) {
    const Mat<T> a = matrix<T>(g.lu, i);
    const int32_t* const pivots = vector<int32_t>(g.pivots, i);
    T sign = 1, product = 1, sum = 0;
    for (int64_t s = 0; s < g.n; ++s) {
      const T u = a(s, s);
      if (pivots[s] != s + 1) sign = -sign;
      if (g.logarithm) {
        sign *= static_cast<T>((u > 0) - (u < 0));  // of a NaN 0, as torch has it
        sum += static_cast<T>(__builtin_log(static_cast<double>(absolute(u))));
      } else {
        product *= u;
      }
    }
    *vector<T>(g.det, i) = sign * product;
    if (g.logarithm) *vector<T>(g.log, i) = sum;
  }
}

}  // namespace

extern const LinalgRow<LuArgs> lu_kernels{{lu<float>, lu<double>}};
extern const LinalgRow<LuSolveArgs> lu_solve_kernels{{lu_solve<float>, lu_solve<double>}};
extern const LinalgRow<LuDetArgs> lu_det_kernels{{lu_det<float>, lu_det<double>}};

}  // namespace gradcore::GC_ISA
