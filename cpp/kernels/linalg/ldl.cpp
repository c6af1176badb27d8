// Factors of symmetric matrices that need not be positive-definite, with pivots by Bunch and Kaufman (1977), "Some
// stable methods for calculating inertia and solving symmetric linear systems". Pivots are numbered as in LAPACK, and
// exchanges stay outside of the columns of L that are done.
#include "kernels/linalg/dense.h"

namespace gradcore::GC_ISA {

namespace {

// The place of the largest element among n that lie `step` apart, the first among equals, and its size.
template <class T> struct Largest {
  int64_t place = 0;
  T size = 0;
  Largest(int64_t n, const T* x, int64_t step) {
    for (int64_t i = 0; i < n; ++i) {
      const T size_i = absolute(x[i * step]);
      if (i == 0 || size_i > size) size = size_i, place = i;
    }
  }
};

// The block to be eliminated at step k: how many rows it has, and which row takes the place of its last one.
struct Pivot {
  int64_t rows, from;
};

// (1 + root(17)) / 8 makes the growth of two steps with one row and that of one with two rows equal.
template <class T> Pivot choose(int64_t n, int64_t k, const Mat<T>& a) {
  constexpr T kBalance = static_cast<T>(0.6403882032022076);
  const T diagonal = absolute(a(k, k));
  if (k + 1 == n) return {1, k};
  const Largest<T> below(n - k - 1, &a(k + 1, k), 1);
  if (diagonal >= kBalance * below.size) return {1, k};
  const int64_t row = k + 1 + below.place;
  T beside = Largest<T>(row - k, &a(row, k), a.col).size;
  if (row + 1 < n) {
    const T under = Largest<T>(n - row - 1, &a(row + 1, row), 1).size;
    if (under > beside) beside = under;
  }
  if (diagonal >= kBalance * below.size * (below.size / beside)) return {1, k};
  if (absolute(a(row, row)) >= kBalance * beside) return {1, row};
  return {2, row};
}

// Exchanges rows and columns i < j of the rest of the matrix, whose lower triangle is stored.
template <class T> void exchange_both(int64_t n, const Mat<T>& a, int64_t i, int64_t j) {
  for (int64_t r = j + 1; r < n; ++r) exchange(a(r, i), a(r, j));
  for (int64_t r = i + 1; r < j; ++r) exchange(a(r, i), a(j, r));
  exchange(a(i, i), a(j, j));
}

template <class T> void eliminate_one(int64_t n, int64_t k, const Mat<T>& a) {
  const T inverse = 1 / a(k, k);
  T* const column = a.column(k);
  for (int64_t j = k + 1; j < n; ++j) add_scaled(n - j, -inverse * column[j], column + j, a.column(j) + j);
  scale(n - k - 1, inverse, column + k + 1);
}

// The block is divided by the element beside its diagonal, which the choice made large.
template <class T> void eliminate_two(int64_t n, int64_t k, const Mat<T>& a) {
  if (k + 2 >= n) return;
  const T beside = a(k + 1, k), first = a(k + 1, k + 1) / beside, second = a(k, k) / beside;
  const T by = 1 / (first * second - 1) / beside;
  T *const x = a.column(k), *const y = a.column(k + 1);
  for (int64_t j = k + 2; j < n; ++j) {
    const T lx = by * (first * x[j] - y[j]), ly = by * (second * y[j] - x[j]);
    T* const to = a.column(j);
    for (int64_t i = j; i < n; ++i) to[i] -= x[i] * lx + y[i] * ly;
    x[j] = lx;
    y[j] = ly;
  }
}

// Returns 0, or the number (from 1) of the first pivot that is zero or NaN. `a` is stored by columns.
template <class T> int32_t factor(int64_t n, const Mat<T>& a, int32_t* pivots) {
  int32_t singular = 0;
  for (int64_t k = 0; k < n;) {
    const bool zero = a(k, k) == 0 && Largest<T>(n - k - 1, &a(k, k) + 1, 1).size == 0;
    if (zero || a(k, k) != a(k, k)) {
      if (!singular) singular = static_cast<int32_t>(k + 1);
      pivots[k] = static_cast<int32_t>(k + 1);
      ++k;
      continue;
    }
    const Pivot pivot = choose(n, k, a);
    const int64_t last = k + pivot.rows - 1;
    if (pivot.from != last) exchange_both(n, a, last, pivot.from);
    if (pivot.rows == 2 && pivot.from != last) exchange(a(k + 1, k), a(pivot.from, k));
    const int32_t number = static_cast<int32_t>(pivot.from + 1);
    if (pivot.rows == 1) {
      eliminate_one(n, k, a);
      pivots[k] = number;
    } else {
      eliminate_two(n, k, a);
      pivots[k] = pivots[k + 1] = -number;
    }
    k += pivot.rows;
  }
  return singular;
}

template <class T> void ldl(const LdlArgs& g, int64_t begin, int64_t end) {
  for (int64_t i = begin; i < end; ++i) {
    const Mat<T> from = matrix<T>(g.a, i), to = matrix<T>(g.ld, i);
    for (int64_t c = 0; c < g.n; ++c)
      for (int64_t r = 0; r < g.n; ++r) to(r, c) = r < c ? 0 : from(r, c);
    *vector<int32_t>(g.info, i) = factor(g.n, to, vector<int32_t>(g.pivots, i));
  }
}

// ---- solutions

template <class T> void exchange_rows(int64_t columns, const Mat<T>& x, int64_t i, int64_t j) {
  if (i == j) return;
  for (int64_t c = 0; c < columns; ++c) exchange(x(i, c), x(j, c));
}

// The block that begins at row k, as pivots tell it. Those of a program may lead anywhere: what does not fit counts as
// a block of one row that stays.
struct Blocks {
  int64_t n;
  const int32_t* pivots;
  int64_t rows(int64_t k) const { return pivots[k] < 0 && k + 1 < n ? 2 : 1; }
  int64_t partner(int64_t k, int64_t last) const {
    const int64_t row = (pivots[k] < 0 ? -int64_t{pivots[k]} : int64_t{pivots[k]}) - 1;
    return row >= 0 && row < n ? row : last;
  }
};

template <class T> void divide_by_two(int64_t k, int64_t columns, const Mat<T>& a, const Mat<T>& x) {
  const T beside = a(k + 1, k), first = a(k, k) / beside, second = a(k + 1, k + 1) / beside;
  const T determinant = first * second - 1;
  for (int64_t c = 0; c < columns; ++c) {
    const T u = x(k, c) / beside, v = x(k + 1, c) / beside;
    x(k, c) = (second * u - v) / determinant;
    x(k + 1, c) = (first * v - u) / determinant;
  }
}

// x = D^-1 L^-1 x. Both are stored by columns.
template <class T> void go_down(const Blocks& blocks, int64_t columns, const Mat<T>& a, const Mat<T>& x) {
  const int64_t n = blocks.n;
  for (int64_t k = 0; k < n; k += blocks.rows(k)) {
    const int64_t rows = blocks.rows(k), last = k + rows - 1, rest = n - last - 1;
    exchange_rows(columns, x, last, blocks.partner(k, last));
    for (int64_t i = k; i <= last; ++i)
      for (int64_t c = 0; c < columns; ++c) add_scaled(rest, -x(i, c), a.column(i) + last + 1, x.column(c) + last + 1);
    if (rows == 2)
      divide_by_two(k, columns, a, x);
    else
      for (int64_t c = 0; c < columns; ++c) x(k, c) /= a(k, k);
  }
}

// x = L'^-1 x, block by block from the last one, whose row `last` is.
template <class T> void go_up(const Blocks& blocks, int64_t columns, const Mat<T>& a, const Mat<T>& x) {
  const int64_t n = blocks.n;
  const Scratch<uint8_t> is_first(n);  // blocks are told apart from the front
  for (int64_t k = 0; k < n; ++k) is_first[k] = 0;
  for (int64_t k = 0; k < n; k += blocks.rows(k)) is_first[k] = 1;
  for (int64_t k = n - 1; k >= 0; --k) {
    if (!is_first[k]) continue;
    const int64_t last = k + blocks.rows(k) - 1, rest = n - last - 1;
    for (int64_t i = k; i <= last; ++i)
      for (int64_t c = 0; c < columns; ++c) {
        const T *const l = a.column(i) + last + 1, *const known = x.column(c) + last + 1;
        T sum = 0;
        for (int64_t r = 0; r < rest; ++r) sum += l[r] * known[r];
        x(i, c) -= sum;
      }
    exchange_rows(columns, x, last, blocks.partner(k, last));
  }
}

template <class T> void ldl_solve(const LdlSolveArgs& g, int64_t begin, int64_t end) {
  for (int64_t i = begin; i < end; ++i) {
    const Mat<T> a = matrix<T>(g.ld, i), x = matrix<T>(g.x, i);
    const Blocks blocks{g.n, vector<int32_t>(g.pivots, i)};
    copy_matrix(g.n, g.k, matrix<T>(g.b, i), x);
    go_down(blocks, g.k, a, x);
    go_up(blocks, g.k, a, x);
  }
}

}  // namespace

extern const LinalgRow<LdlArgs> ldl_kernels{{ldl<float>, ldl<double>}};
extern const LinalgRow<LdlSolveArgs> ldl_solve_kernels{{ldl_solve<float>, ldl_solve<double>}};

}  // namespace gradcore::GC_ISA
