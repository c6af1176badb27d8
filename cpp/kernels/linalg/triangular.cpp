// Triangular systems by substitution.
#include "kernels/linalg/dense.h"

namespace gradcore::GC_ISA {

namespace {

// The unknowns that are left once x[i] is known: those behind it, or before it where the triangle is the upper one.
struct Order {
  int64_t n;
  bool upper;
  int64_t unknown(int64_t step) const { return upper ? n - 1 - step : step; }
  int64_t begin(int64_t i) const { return upper ? 0 : i + 1; }
  int64_t end(int64_t i) const { return upper ? i : n; }
};

// x has its columns side by side: one right side after the other. `a` is stored by columns.
template <class T> void solve_columns(const Order& order, bool unit, int64_t k, const Mat<T>& a, const Mat<T>& x) {
  for (int64_t j = 0; j < k; ++j) {
    T* const to = x.column(j);
    for (int64_t step = 0; step < order.n; ++step) {
      const int64_t i = order.unknown(step), begin = order.begin(i);
      if (!unit) to[i] /= a(i, i);
      add_scaled(order.end(i) - begin, -to[i], a.column(i) + begin, to + begin);
    }
  }
}

// x has its rows side by side: an unknown of all right sides at once.
template <class T> void solve_rows(const Order& order, bool unit, int64_t k, const Mat<T>& a, const Mat<T>& x) {
  for (int64_t step = 0; step < order.n; ++step) {
    const int64_t i = order.unknown(step);
    T* const known = x.data + i * x.row;
    if (!unit)
      for (int64_t j = 0; j < k; ++j) known[j] /= a(i, i);
    for (int64_t r = order.begin(i); r < order.end(i); ++r) add_scaled(k, -a(r, i), known, x.data + r * x.row);
  }
}

// Several right sides at once, whose columns are stored one after the other: as rows of a fixed length in between. Each
// unknown is what the ones before it leave.
template <class T> void solve_together(const Order& order, bool unit, int64_t k, const Mat<T>& a, const Mat<T>& x) {
  constexpr int64_t kWide = 64 / static_cast<int64_t>(sizeof(T));
  constexpr int kVecs = 64 / kVecBytes;
  alignas(64) T rows[kSmall * kWide];
  for (int64_t j = 0; j < k; j += kWide) {
    const int64_t used = smaller(kWide, k - j);
    if (used < kWide) __builtin_memset(rows, 0, sizeof rows);
    for (int64_t c = 0; c < used; ++c)
      for (int64_t i = 0; i < order.n; ++i) rows[i * kWide + c] = x(i, j + c);
    for (int64_t step = 0; step < order.n; ++step) {
      const int64_t i = order.unknown(step);
      Vec<T> left[kVecs];
#pragma GCC unroll 4
      for (int v = 0; v < kVecs; ++v) left[v] = load(rows + i * kWide + v * kLanes<T>);
      for (int64_t before = 0; before < step; ++before) {
        const int64_t r = order.unknown(before);
        const T by = a(i, r);
#pragma GCC unroll 4
        for (int v = 0; v < kVecs; ++v) left[v] -= by * load(rows + r * kWide + v * kLanes<T>);
      }
      const T by = unit ? T(1) : a(i, i);
#pragma GCC unroll 4
      for (int v = 0; v < kVecs; ++v) store(rows + i * kWide + v * kLanes<T>, left[v] / by);
    }
    for (int64_t c = 0; c < used; ++c)
      for (int64_t i = 0; i < order.n; ++i) x(i, j + c) = rows[i * kWide + c];
  }
}

template <class T> void solve_small(bool upper, bool unit, int64_t n, int64_t k, const Mat<T>& a, const Mat<T>& x) {
  const Order order{n, upper};
  constexpr int64_t kFew = 32;  // numbers: below, the way there and back takes longer
  if (x.row != 1) return solve_rows(order, unit, k, a, x);
  if (k > 1 && k * n >= kFew) return solve_together(order, unit, k, a, x);
  if (a.row == 1) return solve_columns(order, unit, k, a, x);
  T columns[kSmall * kSmall];
  const Mat<T> copy{columns, 1, n};
  copy_matrix(n, n, a, copy);
  solve_columns(order, unit, k, copy, x);
}

template <class T> void triangular(const TriangularArgs& g, int64_t begin, int64_t end) {
  for (int64_t i = begin; i < end; ++i) {
    const Mat<T> x = matrix<T>(g.x, i);
    copy_matrix(g.n, g.k, matrix<T>(g.b, i), x);
    solve_triangle(g.upper, g.unit, g.n, g.k, matrix<T>(g.a, i), x);
  }
}

}  // namespace

template <class T> void solve_triangle(bool upper, bool unit, int64_t n, int64_t k, const Mat<T>& a, const Mat<T>& x) {
  if (n <= kSmall) return solve_small(upper, unit, n, k, a, x);
  const int64_t half = round_up(n / 2, kSmall), rest = n - half;
  const Mat<T> second = a.at(half, half), x2 = x.at(half, 0);
  if (upper) {
    solve_triangle(upper, unit, rest, k, second, x2);
    subtract_product(half, k, rest, a.at(0, half), x2, x);
    solve_triangle(upper, unit, half, k, a, x);
  } else {
    solve_triangle(upper, unit, half, k, a, x);
    subtract_product(rest, k, half, a.at(half, 0), x, x2);
    solve_triangle(upper, unit, rest, k, second, x2);
  }
}
template void solve_triangle<float>(bool, bool, int64_t, int64_t, const Mat<float>&, const Mat<float>&);
template void solve_triangle<double>(bool, bool, int64_t, int64_t, const Mat<double>&, const Mat<double>&);

extern const LinalgRow<TriangularArgs> triangular_kernels{{triangular<float>, triangular<double>}};

}  // namespace gradcore::GC_ISA
