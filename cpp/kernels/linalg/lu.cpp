// Gauss's elimination with pivots by rows, and what follows from its factors: solutions and determinants.
#include "kernels/linalg/lanes.h"

namespace gradcore::GC_ISA {

namespace {

constexpr int64_t kPanel = 16;  // columns of a large matrix that are eliminated one by one

template <class T> void exchange_rows(int64_t columns, const Mat<T>& a, int64_t i, int64_t j) {
  if (i == j) return;
  for (int64_t c = 0; c < columns; ++c) exchange(a(i, c), a(j, c));
}

// The row that step i was exchanged with. Pivots may come from the program: one that is no row changes nothing.
int64_t partner(int64_t i, int32_t pivot, int64_t n) { return pivot >= 1 && pivot <= n ? pivot - 1 : i; }

// The exchanges of the steps from `begin` on among the m rows of `a`, or those back again. Each column, or each row,
// is gone through once.
template <class T>
void apply_pivots(int64_t m, int64_t columns, const Mat<T>& a, const int32_t* pivots, int64_t begin, int64_t end,
                  bool back = false) {
  const int64_t steps = end - begin, together = a.row == 1 ? 1 : columns;
  for (int64_t c = 0; c < columns; c += together)
    for (int64_t s = 0; s < steps; ++s) {
      const int64_t i = back ? end - 1 - s : begin + s;
      exchange_rows(together, a.at(0, c), i, partner(i, pivots[i], m));
    }
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
  apply_pivots(m, right, above, pivots, 0, left);
  solve_triangle(false, true, left, right, a, above);
  subtract_product(m - left, right, left, a.at(left, 0), above, rest);
  const int32_t later = factor(m - left, right, rest, pivots + left);
  for (int64_t i = left; i < steps; ++i) pivots[i] += static_cast<int32_t>(left);
  apply_pivots(m, left, a, pivots, left, steps);
  if (!singular && later) singular = later + static_cast<int32_t>(left);
  return singular;
}

// ---- the same with a matrix in each lane

// The rows from k on of column j: row k changes places with row p[lane], and its multiples are subtracted from the
// others; `factors` has none where there is nothing to subtract.
template <class T> struct LaneStep {
  int64_t m, k;
  LaneInts<T> p;
  const T* factors;

  void run(const Lanes<T>& a, int64_t j) const {
    const Vec<T> old = a(k, j);
    Vec<T> top = old;
    for (int64_t i = k + 1; i < m; ++i) top = p == static_cast<SameWidthInt<T>>(i) ? a(i, j) : top;
    a.set(k, j, top);
    for (int64_t i = k + 1; i < m; ++i) {
      const Vec<T> x = p == static_cast<SameWidthInt<T>>(i) ? old : a(i, j);
      a.set(i, j, factors ? x - load(factors + i * kLanes<T>) * top : x);
    }
  }
};

template <class T> LaneInts<T> lane_pivots(int64_t m, int64_t k, const Lanes<T>& a) {
  LaneInts<T> p = LaneInts<T>{} + static_cast<SameWidthInt<T>>(k);
  Vec<T> most = size_of<T>(a(k, k));
  for (int64_t i = k + 1; i < m; ++i) {
    const Vec<T> size = size_of<T>(a(i, k));
    p = size > most ? LaneInts<T>{} + static_cast<SameWidthInt<T>>(i) : p;
    most = size > most ? size : most;
  }
  return p;
}

// Gives the infos. pivots: of step k in lane l at [k * lanes + l], from 0.
template <class T> LaneInts<T> eliminate_lanes(int64_t m, int64_t n, const Lanes<T>& a, SameWidthInt<T>* pivots) {
  LaneInts<T> singular{};
  T factors[kSmall * kLanes<T>];
  for (int64_t k = 0; k < smaller(m, n); ++k) {
    const LaneInts<T> p = lane_pivots<T>(m, k, a);
    __builtin_memcpy(pivots + k * kLanes<T>, &p, sizeof p);
    for (int64_t j = 0; j <= k; ++j) LaneStep<T>{m, k, p, nullptr}.run(a, j);
    const Vec<T> pivot = a(k, k);
    const LaneInts<T> zero = pivot == 0;
    singular = (zero & (singular == 0)) ? LaneInts<T>{} + static_cast<SameWidthInt<T>>(k + 1) : singular;
    const Vec<T> divisor = zero ? all_lanes<T>(1) : pivot;
    for (int64_t i = k + 1; i < m; ++i) {
      const Vec<T> f = a(i, k) / divisor;
      a.set(i, k, f);
      store(factors + i * kLanes<T>, zero ? Vec<T>{} : f);
    }
    for (int64_t j = k + 1; j < n; ++j) LaneStep<T>{m, k, p, factors}.run(a, j);
  }
  return singular;
}

template <class T> void lu_in_lanes(const LuArgs& g, int64_t begin, int64_t end) {
  const Scratch<T> memory(g.m * g.n * kLanes<T>);
  const Lanes<T> a{memory.data(), g.m};
  each_group<T>(begin, end, [&](int64_t first, int64_t used) {
    SameWidthInt<T> pivots[kSmall * kLanes<T>];
    load_lanes(g.m, g.n, matrix<T>(g.a, first), g.a.each, used, a);
    const LaneInts<T> info = eliminate_lanes<T>(g.m, g.n, a, pivots);
    store_lanes(g.m, g.n, a, used, matrix<T>(g.lu, first), g.lu.each);
    for (int64_t l = 0; l < used; ++l) {
      *vector<int32_t>(g.info, first + l) = static_cast<int32_t>(info[l]);
      int32_t* const to = vector<int32_t>(g.pivots, first + l);
      for (int64_t k = 0; k < smaller(g.m, g.n); ++k) to[k] = static_cast<int32_t>(pivots[k * kLanes<T> + l] + 1);
    }
  });
}

template <class T> void lu(const LuArgs& g, int64_t begin, int64_t end) {
  if (lanes_pay<T>(g.m, g.n, end - begin)) return lu_in_lanes<T>(g, begin, end);
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

// ---- solutions with a matrix in each lane

// A X = B with a triangle of A, or of A'; x holds B and becomes X.
template <class T> struct LaneTriangle {
  Lanes<T> a;
  bool upper, unit, adjoint;
  Vec<T> of(int64_t i, int64_t j) const { return adjoint ? a(j, i) : a(i, j); }

  // kColumns columns of x, from j on.
  template <int kColumns> void solve_columns(int64_t n, const Lanes<T>& x, int64_t j) const {
    for (int64_t step = 0; step < n; ++step) {
      const int64_t i = upper ? n - 1 - step : step;
      Vec<T> known[kColumns];
      for (int c = 0; c < kColumns; ++c) {
        known[c] = x(i, j + c);
        if (unit) continue;
        known[c] /= a(i, i);
        x.set(i, j + c, known[c]);
      }
      for (int64_t r = upper ? 0 : i + 1; r < (upper ? i : n); ++r) {
        const Vec<T> by = of(r, i);
        for (int c = 0; c < kColumns; ++c) x.set(r, j + c, x(r, j + c) - by * known[c]);
      }
    }
  }
  void solve(int64_t n, int64_t k, const Lanes<T>& x) const {
    int64_t j = 0;
    for (; j + 4 <= k; j += 4) solve_columns<4>(n, x, j);
    for (; j < k; ++j) solve_columns<1>(n, x, j);
  }
};

// Where each row of B comes from in P' B.
void order_of(int64_t n, const int32_t* pivots, int32_t* order) {
  for (int64_t i = 0; i < n; ++i) order[i] = static_cast<int32_t>(i);
  for (int64_t s = 0; s < n; ++s) exchange(order[s], order[partner(s, pivots[s], n)]);
}

// Row order[i] of B as row i of x; the other way round where it is adjoint, and x as row order[i] of what is stored.
template <class T>
void load_sides(const LuSolveArgs& g, int64_t first, int64_t used, const int32_t* orders, const Lanes<T>& x) {
  if (g.adjoint && g.b.data) return load_lanes(g.n, g.k, matrix<T>(g.b, first), g.b.each, used, x);
  __builtin_memset(x.data, 0, static_cast<size_t>(g.n * g.k * kLanes<T>) * sizeof(T));
  for (int64_t l = 0; l < used; ++l) {
    const int32_t* const order = orders + l * kSmall;
    const Mat<T> b = matrix<T>(g.b, first + l);
    for (int64_t j = 0; j < g.k; ++j)
      for (int64_t i = 0; i < g.n; ++i) {
        const int64_t from = g.adjoint ? i : order[i];
        if (g.b.data)
          x.at(i, j)[l] = b(from, j);
        else
          x.at(i, j)[l] = from == j;
      }
  }
}
template <class T>
void store_sides(const LuSolveArgs& g, int64_t first, int64_t used, const int32_t* orders, const Lanes<T>& x) {
  if (!g.adjoint) return store_lanes(g.n, g.k, x, used, matrix<T>(g.x, first), g.x.each);
  for (int64_t l = 0; l < used; ++l) {
    const int32_t* const order = orders + l * kSmall;
    const Mat<T> to = matrix<T>(g.x, first + l);
    for (int64_t j = 0; j < g.k; ++j)
      for (int64_t i = 0; i < g.n; ++i) to(order[i], j) = x.at(i, j)[l];
  }
}

template <class T> void lu_solve_in_lanes(const LuSolveArgs& g, int64_t begin, int64_t end) {
  const Scratch<T> memory(g.n * (g.n + g.k) * kLanes<T>);
  const Lanes<T> a{memory.data(), g.n}, x{memory.data() + g.n * g.n * kLanes<T>, g.n};
  each_group<T>(begin, end, [&](int64_t first, int64_t used) {
    int32_t orders[kSmall * kLanes<T>];
    for (int64_t l = 0; l < used; ++l) order_of(g.n, vector<int32_t>(g.pivots, first + l), orders + l * kSmall);
    load_lanes(g.n, g.n, matrix<T>(g.lu, first), g.lu.each, used, a);
    load_sides(g, first, used, orders, x);
    LaneTriangle<T>{a, false, !g.adjoint, g.adjoint}.solve(g.n, g.k, x);
    LaneTriangle<T>{a, true, g.adjoint, g.adjoint}.solve(g.n, g.k, x);
    store_sides(g, first, used, orders, x);
  });
}

template <class T> void lu_solve(const LuSolveArgs& g, int64_t begin, int64_t end) {
  if (lanes_pay<T>(g.n, g.k, end - begin)) return lu_solve_in_lanes<T>(g, begin, end);
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
      apply_pivots(g.n, g.k, x, pivots, 0, g.n, true);
    } else {
      apply_pivots(g.n, g.k, x, pivots, 0, g.n);
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
