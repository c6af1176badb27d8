// QR by Householder's reflections. Large matrices go by panels, whose reflections are applied together as products:
// H_1 ... H_b = 1 - V T V' (Schreiber and Van Loan 1989).
#include "kernels/linalg/lanes_reflect.h"
#include "kernels/linalg/reflect.h"

namespace gradcore::GC_ISA {

namespace {

// Columns of a panel.
constexpr int64_t kPanel = 32;

template <class T> void factor_panel(int64_t m, int64_t n, const Mat<T>& a, T* tau) {
  for (int64_t j = 0; j < smaller(m, n); ++j) {
    tau[j] = reflection(m - j, a.column(j) + j);
    if (j + 1 < n) reflect_columns(m - j, n - j - 1, a.column(j) + j, tau[j], a.at(j, j + 1));
  }
}

// The reflections of a panel (m x b) as matrices: v with its ones and zeros, and the triangle t.
template <class T> struct Block {
  int64_t m, b;
  Mat<T> v, t;

  Block(int64_t m_, int64_t b_, const Mat<T>& h, const T* tau, T* memory)
      : m(m_), b(b_), v{memory, 1, m_}, t{memory + m_ * b_, 1, b_} {
    for (int64_t j = 0; j < b; ++j)
      for (int64_t i = 0; i < m; ++i) v(i, j) = i > j ? h(i, j) : static_cast<T>(i == j);
    for (int64_t j = 0; j < b; ++j) {
      for (int64_t i = 0; i < b; ++i) t(i, j) = 0;
      t(j, j) = tau[j];
      T products[kPanel];
      for (int64_t i = 0; i < j; ++i) products[i] = -tau[j] * dot(m - j, v.column(i) + j, v.column(j) + j);
      for (int64_t k = 0; k < j; ++k)
        for (int64_t i = 0; i <= k; ++i) t(i, j) += t(i, k) * products[k];
    }
  }
  // a (m x n) -= V T V' a, or with T' in place of T. `memory` has room for 2 b n elements.
  void apply(bool transposed, int64_t n, const Mat<T>& a, T* memory) const {
    const Mat<T> w{memory, 1, b}, tw{memory + b * n, 1, b};
    multiply(b, n, m, v.transposed(), a, w, false);
    multiply(b, n, b, transposed ? t.transposed() : t, w, tw, false);
    subtract_product(m, n, b, v, tw, a);
  }
  static int64_t room(int64_t m, int64_t n) { return kPanel * (m + kPanel + 2 * n); }
};

template <class T> void factor(int64_t m, int64_t n, const Mat<T>& a, T* tau) {
  const int64_t steps = smaller(m, n);
  if (steps <= kPanel) return factor_panel(m, n, a, tau);
  const Scratch<T> memory(Block<T>::room(m, n));
  for (int64_t j = 0; j < steps; j += kPanel) {
    const int64_t b = smaller(kPanel, steps - j), right = n - j - b;
    factor_panel(m - j, b, a.at(j, j), tau + j);
    if (right == 0) break;
    const Block<T> block(m - j, b, a.at(j, j), tau + j, memory.data());
    block.apply(true, right, a.at(j, j + b), memory.data() + kPanel * (m + kPanel));
  }
}

// Columns for which a product with a panel does not pay.
constexpr int64_t kFew = 8;
template <class T>
void apply_one_by_one(bool transposed, int64_t m, int64_t n, int64_t k, const Mat<T>& h, const T* tau,
                      const Mat<T>& x) {
  const Scratch<T> memory(x.row == 1 ? 0 : m * n);
  const Mat<T> to = x.row == 1 ? x : Mat<T>{memory.data(), 1, m};
  if (x.row != 1) copy_matrix(m, n, x, to);
  for (int64_t step = 0; step < k; ++step) {
    const int64_t j = transposed ? step : k - 1 - step;
    reflect_columns(m - j, n, h.column(j) + j, tau[j], to.at(j, 0));
  }
  if (x.row != 1) copy_matrix(m, n, to, x);
}

// x = Q x: the last panel first; Q' has them in the other order.
template <class T>
void apply(bool transposed, int64_t m, int64_t n, int64_t k, const Mat<T>& h, const T* tau, const Mat<T>& x) {
  if (k == 0 || n == 0) return;
  if (n <= kFew) return apply_one_by_one(transposed, m, n, k, h, tau, x);
  const Scratch<T> memory(Block<T>::room(m, n));
  const int64_t panels = (k + kPanel - 1) / kPanel;
  for (int64_t step = 0; step < panels; ++step) {
    const int64_t j = (transposed ? step : panels - 1 - step) * kPanel;
    const Block<T> block(m - j, smaller(kPanel, k - j), h.at(j, j), tau + j, memory.data());
    block.apply(transposed, n, x.at(j, 0), memory.data() + kPanel * (m + kPanel));
  }
}

// ---- the same with a matrix in each lane

template <class T> bool factor_lanes(int64_t m, int64_t n, const Lanes<T>& h, T* tau) {
  for (int64_t j = 0; j < smaller(m, n); ++j) {
    Vec<T> t;
    if (!reflection_of_lanes<T>(m, j, j, h, t)) return false;
    store(tau + j * kLanes<T>, t);
    for (int64_t c = j + 1; c < n; ++c) reflect_lanes<T>(m, h, j, j, t, h, c);
  }
  return true;
}

template <class T> void qr_factor_one_by_one(const QrArgs& g, int64_t begin, int64_t end);

template <class T> void qr_factor_in_lanes(const QrArgs& g, int64_t begin, int64_t end) {
  const int64_t steps = smaller(g.m, g.n), r_rows = g.r.data ? g.r_rows : 0;
  const Scratch<T> memory((g.m + r_rows) * g.n * kLanes<T>);
  const Lanes<T> h{memory.data(), g.m}, r{memory.data() + g.m * g.n * kLanes<T>, r_rows};
  each_group<T>(begin, end, [&](int64_t first, int64_t used) {
    T tau[kSmall * kLanes<T>];
    load_lanes(g.m, g.n, matrix<T>(g.a, first), g.a.each, used, h);
    if (!factor_lanes(g.m, g.n, h, tau)) return qr_factor_one_by_one<T>(g, first, first + used);
    store_lanes(g.m, g.n, h, used, matrix<T>(g.h, first), g.h.each);
    for (int64_t l = 0; l < used; ++l)
      for (int64_t k = 0; k < steps; ++k) vector<T>(g.tau, first + l)[k] = tau[k * kLanes<T> + l];
    if (r_rows == 0) return;
    for (int64_t j = 0; j < g.n; ++j)
      for (int64_t k = 0; k < r_rows; ++k) r.set(k, j, k <= j ? h(k, j) : Vec<T>{});
    store_lanes(r_rows, g.n, r, used, matrix<T>(g.r, first), g.r.each);
  });
}

template <class T> void qr_form_in_lanes(const QrFormArgs& g, int64_t begin, int64_t end) {
  const Scratch<T> memory(g.m * (g.k + g.columns) * kLanes<T>);
  const Lanes<T> h{memory.data(), g.m}, q{memory.data() + g.m * g.k * kLanes<T>, g.m};
  each_group<T>(begin, end, [&](int64_t first, int64_t used) {
    load_lanes(g.m, g.k, matrix<T>(g.h, first), g.h.each, used, h);
    for (int64_t j = 0; j < g.columns; ++j)
      for (int64_t i = 0; i < g.m; ++i) q.set(i, j, all_lanes<T>(i == j));
    for (int64_t i = g.k - 1; i >= 0; --i) {
      T tau[kLanes<T>] = {};
      for (int64_t l = 0; l < used; ++l) tau[l] = vector<T>(g.tau, first + l)[i];
      for (int64_t j = i; j < g.columns; ++j) reflect_lanes<T>(g.m, h, i, i, load(tau), q, j);
    }
    store_lanes(g.m, g.columns, q, used, matrix<T>(g.q, first), g.q.each);
  });
}

template <class T> void qr_factor_one_by_one(const QrArgs& g, int64_t begin, int64_t end) {
  for (int64_t i = begin; i < end; ++i) {
    const Mat<T> h = matrix<T>(g.h, i);
    copy_matrix(g.m, g.n, matrix<T>(g.a, i), h);
    factor(g.m, g.n, h, vector<T>(g.tau, i));
    if (!g.r.data) continue;
    const Mat<T> r = matrix<T>(g.r, i);
    for (int64_t j = 0; j < g.n; ++j)
      for (int64_t k = 0; k < g.r_rows; ++k) r(k, j) = k <= j ? h(k, j) : 0;
  }
}

template <class T> void qr_factor(const QrArgs& g, int64_t begin, int64_t end) {
  if (lanes_pay<T>(g.m, g.n, end - begin) && g.r_rows <= kSmall) return qr_factor_in_lanes<T>(g, begin, end);
  qr_factor_one_by_one<T>(g, begin, end);
}

template <class T> void qr_form(const QrFormArgs& g, int64_t begin, int64_t end) {
  if (lanes_pay<T>(g.m, g.columns, end - begin)) return qr_form_in_lanes<T>(g, begin, end);
  for (int64_t i = begin; i < end; ++i)
    form_reflections(g.m, g.columns, g.k, matrix<T>(g.h, i), vector<T>(g.tau, i), matrix<T>(g.q, i));
}

template <class T> void qr_apply(const QrApplyArgs& g, int64_t begin, int64_t end) {
  for (int64_t i = begin; i < end; ++i) {
    const Mat<T> x = matrix<T>(g.x, i);
    copy_matrix(g.m, g.n, matrix<T>(g.b, i), x);
    apply(g.transposed, g.m, g.n, g.k, matrix<T>(g.h, i), vector<T>(g.tau, i), x);
  }
}

}  // namespace

template <class T>
void form_reflections(int64_t m, int64_t columns, int64_t k, const Mat<T>& h, const T* tau, const Mat<T>& q) {
  if (k <= kPanel) return multiply_reflections(m, columns, k, h, tau, q);
  const Scratch<T> memory(Block<T>::room(m, columns));
  for (int64_t j = 0; j < columns; ++j)
    for (int64_t i = 0; i < m; ++i) q(i, j) = i == j;
  for (int64_t j = (k - 1) / kPanel * kPanel; j >= 0; j -= kPanel) {
    const Block<T> block(m - j, smaller(kPanel, k - j), h.at(j, j), tau + j, memory.data());
    block.apply(false, columns - j, q.at(j, j), memory.data() + kPanel * (m + kPanel));
  }
}

template void form_reflections<float>(int64_t, int64_t, int64_t, const Mat<float>&, const float*, const Mat<float>&);
template void form_reflections<double>(int64_t, int64_t, int64_t, const Mat<double>&, const double*,
                                       const Mat<double>&);

extern const LinalgRow<QrArgs> qr_factor_kernels{{qr_factor<float>, qr_factor<double>}};
extern const LinalgRow<QrFormArgs> qr_form_kernels{{qr_form<float>, qr_form<double>}};
extern const LinalgRow<QrApplyArgs> qr_apply_kernels{{qr_apply<float>, qr_apply<double>}};

}  // namespace gradcore::GC_ISA
