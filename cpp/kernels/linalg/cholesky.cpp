// Cholesky's factorisation.
#include "kernels/linalg/lanes.h"

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

// The same with a matrix in each lane. A lane whose pivot is not positive is left as it is from there on.
template <class T> LaneInts<T> factor_lanes(int64_t n, const Lanes<T>& a) {
  LaneInts<T> info{};
  for (int64_t k = 0; k < n; ++k) {
    const Vec<T> pivot = a(k, k);
    const LaneInts<T> bad = (info == 0) & ~(pivot > 0);
    info = bad ? LaneInts<T>{} + static_cast<SameWidthInt<T>>(k + 1) : info;
    const LaneInts<T> good = info == 0;
    const Vec<T> diagonal = roots<T>(good ? pivot : all_lanes<T>(1));
    const Vec<T> inverse = 1 / diagonal;
    a.set(k, k, good ? diagonal : pivot);
    for (int64_t i = k + 1; i < n; ++i) a.set(i, k, good ? a(i, k) * inverse : a(i, k));
    for (int64_t j = k + 1; j < n; ++j) {
      const Vec<T> by = good ? a(j, k) : Vec<T>{};
      for (int64_t i = j; i < n; ++i) a.set(i, j, a(i, j) - by * a(i, k));
    }
  }
  return info;
}

template <class T> void cholesky_in_lanes(const CholeskyArgs& g, int64_t begin, int64_t end) {
  const Scratch<T> memory(g.n * g.n * kLanes<T>);
  const Lanes<T> a{memory.data(), g.n};
  each_group<T>(begin, end, [&](int64_t first, int64_t used) {
    const Mat<T> from = matrix<T>(g.a, first), to = matrix<T>(g.out, first);
    load_lanes(g.n, g.n, g.upper ? from.transposed() : from, g.a.each, used, a);
    const LaneInts<T> info = factor_lanes<T>(g.n, a);
    for (int64_t j = 1; j < g.n; ++j)
      for (int64_t i = 0; i < j; ++i) a.set(i, j, Vec<T>{});
    for (int64_t c = 1; g.upper && c < g.n; ++c)
      for (int64_t r = 0; r < c; ++r) {
        a.set(r, c, a(c, r));
        a.set(c, r, Vec<T>{});
      }
    store_lanes(g.n, g.n, a, used, to, g.out.each);
    for (int64_t l = 0; l < used; ++l) *vector<int32_t>(g.info, first + l) = static_cast<int32_t>(info[l]);
  });
}

template <class T> void cholesky(const CholeskyArgs& g, int64_t begin, int64_t end) {
  if (lanes_pay<T>(g.n, g.n, end - begin)) return cholesky_in_lanes<T>(g, begin, end);
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
