// Cholesky's factorisation.
#include "kernels/linalg/dense.h"

namespace gradcore::GC_ISA {

namespace {

// Each returns 0, or the number (from 1) of the first pivot that is not positive; then the rest is left as it is. `a`
// is stored by columns.
template <class T> int32_t factor_small(int64_t n, const Mat<T>& a) {
  for (int64_t k = 0; k < n; ++k) {
    T* const column = a.column(k);
    if (!(column[k] > 0)) return static_cast<int32_t>(k + 1);
    column[k] = root(column[k]);
    scale(n - k - 1, 1 / column[k], column + k + 1);
    for (int64_t j = k + 1; j < n; ++j) add_scaled(n - j, -column[j], column + j, a.column(j) + j);
  }
  return 0;
}

// The upper triangle is free: the transpose of a block of L stands there while its product is subtracted.
template <class T> int32_t factor(int64_t n, const Mat<T>& a) {
  if (n <= kSmall) return factor_small(n, a);
  constexpr int64_t kStripe = 128;  // columns of the rest that are updated at once: above the diagonal there is waste
  const int64_t half = round_up(n / 2, kSmall), rest = n - half;
  const Mat<T> block = a.at(half, 0), opposite = a.at(0, half), last = a.at(half, half);
  if (const int32_t bad = factor(half, a)) return bad;
  solve_triangle(false, false, half, rest, a, block.transposed());
  for (int64_t j = 0; j < rest; ++j)
    for (int64_t i = 0; i < half; ++i) opposite(i, j) = -block(j, i);
  for (int64_t j = 0; j < rest; j += kStripe)
    multiply(rest - j, smaller(kStripe, rest - j), half, block.at(j, 0), opposite.at(0, j), last.at(j, j), true);
  const int32_t bad = factor(rest, last);
  return bad ? bad + static_cast<int32_t>(half) : 0;
}

template <class T> void clear_above_diagonal(int64_t n, const Mat<T>& a) {
  for (int64_t j = 1; j < n; ++j)
    for (int64_t i = 0; i < j; ++i) a(i, j) = 0;
}

template <class T> void cholesky(const CholeskyArgs& g, int64_t begin, int64_t end) {
  for (int64_t i = begin; i < end; ++i) {
    const Mat<T> from = matrix<T>(g.a, i), to = matrix<T>(g.out, i);
    copy_matrix(g.n, g.n, g.upper ? from.transposed() : from, to);
    *vector<int32_t>(g.info, i) = factor(g.n, to);
    clear_above_diagonal(g.n, to);
    if (!g.upper) continue;
    for (int64_t c = 1; c < g.n; ++c)
      for (int64_t r = 0; r < c; ++r) exchange(to(r, c), to(c, r));
  }
}

}  // namespace

extern const LinalgRow<CholeskyArgs> cholesky_kernels{{cholesky<float>, cholesky<double>}};

}  // namespace gradcore::GC_ISA
