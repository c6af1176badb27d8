// Singular values: Householder's reflections to two diagonals, then QR steps with implicit shifts, as in Golub and Van
// Loan, "Matrix Computations", 8.6.
#include "kernels/linalg/rotate.h"

namespace gradcore::GC_ISA {

namespace {

// The upper bidiagonal matrix on the way to a diagonal one: d[i] with e[i] on its right. A = U B V'; the columns of
// both factors turn along, where there are any.
template <class T> struct Bidiagonal {
  int64_t n;
  T *d, *e;
  int64_t u_rows, v_rows;  // 0 without factors
  Mat<T> u, v;
  Rotations<T>&u_turned, &v_turned;

  // Columns that are no neighbours turn at once.
  void turn_u(T c, T s, int64_t x, int64_t y) const {
    u_turned.apply();
    if (u_rows) rotate(u_rows, c, s, u.column(x), u.column(y));
  }
  void turn_v(T c, T s, int64_t x, int64_t y) const {
    v_turned.apply();
    if (v_rows) rotate(v_rows, c, s, v.column(x), v.column(y));
  }

  // Row k, whose diagonal element is nothing, is cleared up to column `last`.
  void clear_row(int64_t k, int64_t last) const {
    T f = e[k];
    d[k] = e[k] = 0;
    for (int64_t j = k + 1; j <= last && f != 0; ++j) {
      const T r = hypotenuse(d[j], f), c = d[j] / r, s = f / r;
      d[j] = r;
      turn_u(c, s, k, j);
      if (j == last) break;
      f = -s * e[j];
      e[j] *= c;
    }
  }
  // Column `last`, whose diagonal element is nothing, is cleared up to row `first`.
  void clear_column(int64_t last, int64_t first) const {
    T f = e[last - 1];
    d[last] = e[last - 1] = 0;
    for (int64_t j = last - 1; j >= first && f != 0; --j) {
      const T r = hypotenuse(d[j], f), c = d[j] / r, s = f / r;
      d[j] = r;
      turn_v(c, s, last, j);
      if (j == first) break;
      f = -s * e[j - 1];
      e[j - 1] *= c;
    }
  }
  // One QR step on the block [first, last], none of whose elements is nothing.
  void step(int64_t first, int64_t last) const {
    // Wilkinson's shift: the eigenvalue of the last two rows of B'B that is nearer to the last diagonal element.
    const T before = last - 1 > first ? e[last - 2] : 0;
    const T a = d[last - 1] * d[last - 1] + before * before, b = d[last - 1] * e[last - 1];
    const T end = d[last] * d[last] + e[last - 1] * e[last - 1], half = (a - end) / 2;
    const T radius = hypotenuse(half, b);
    const T shift = b == 0 ? end : end - b * (b / (half + (half < 0 ? -radius : radius)));
    T f = d[first] - shift / d[first], g = e[first];
    u_turned.begin(first, 1);
    v_turned.begin(first, 1);
    for (int64_t k = first; k < last; ++k) {
      T r = hypotenuse(f, g), c = r == 0 ? 1 : f / r, s = r == 0 ? 0 : g / r;
      if (k > first) e[k - 1] = r;
      v_turned.add(c, s);
      f = c * d[k] + s * e[k];
      e[k] = c * e[k] - s * d[k];
      g = s * d[k + 1];
      d[k + 1] *= c;
      r = hypotenuse(f, g), c = r == 0 ? 1 : f / r, s = r == 0 ? 0 : g / r;
      d[k] = r;
      u_turned.add(c, s);
      f = c * e[k] + s * d[k + 1];
      d[k + 1] = c * d[k + 1] - s * e[k];
      if (k + 1 == last) break;
      g = s * e[k + 1];
      e[k + 1] *= c;
    }
    e[last - 1] = f;
  }
  T largest_element() const {
    const T most = largest(n, d), beside = largest(n - 1, e);
    return most > beside ? most : beside;
  }

  // False where it does not converge.
  bool diagonalise() const {
    constexpr int64_t kSteps = 60;  // for one value, on the average: two or three are usual
    int64_t left = kSteps * n;
    const T nothing = n > 0 ? Limits<T>::epsilon * largest_element() : 0;
    for (int64_t last = n - 1; last > 0;) {
      int64_t first = last;  // the block that hangs together
      for (; first > 0; --first)
        if (absolute(e[first - 1]) <= Limits<T>::epsilon * (absolute(d[first - 1]) + absolute(d[first]))) break;
      if (first > 0) e[first - 1] = 0;
      if (first == last) {
        --last;
        continue;
      }
      if (left-- == 0) return false;
      int64_t zero = first;
      while (zero <= last && absolute(d[zero]) > nothing) ++zero;
      if (zero > last)
        step(first, last);
      else if (zero == last)
        clear_column(last, first);
      else
        clear_row(zero, last);
    }
    u_turned.apply();
    v_turned.apply();
    return true;
  }
  void sort_falling() const {
    for (int64_t i = 0; i < n; ++i) {
      if (!(d[i] < 0)) continue;
      d[i] = -d[i];
      if (v_rows) scale<T>(v_rows, -1, v.column(i));
    }
    for (int64_t i = 0; i + 1 < n; ++i) {
      int64_t most = i;
      for (int64_t j = i + 1; j < n; ++j)
        if (d[j] > d[most]) most = j;
      if (most == i) continue;
      exchange(d[i], d[most]);
      for (int64_t r = 0; r < u_rows; ++r) exchange(u(r, i), u(r, most));
      for (int64_t r = 0; r < v_rows; ++r) exchange(v(r, i), v(r, most));
    }
  }
};

// a (m x n, m >= n, stored by columns) = U B V'. The reflections of U stay below the diagonal of `a`, those of V below
// that of `p` (n x n). `memory` has room for m elements.
template <class T>
void to_two_diagonals(int64_t m, int64_t n, const Mat<T>& a, const Mat<T>& p, T* d, T* e, T* tau_u, T* tau_v,
                      T* memory) {
  for (int64_t k = 0; k < n; ++k) {
    tau_u[k] = reflection(m - k, a.column(k) + k);
    d[k] = a(k, k);
    const int64_t right = n - k - 1, below = m - k - 1;
    if (right == 0) break;
    reflect_columns(m - k, right, a.column(k) + k, tau_u[k], a.at(k, k + 1));
    T* const v = p.column(k) + k + 1;
    for (int64_t j = 0; j < right; ++j) v[j] = a(k, k + 1 + j);
    tau_v[k] = reflection(right, v);
    e[k] = v[0];
    if (tau_v[k] == 0) continue;
    v[0] = 1;
    const Mat<T> rest = a.at(k + 1, k + 1);  // minus tau (rest v) v'
    for (int64_t i = 0; i < below; ++i) memory[i] = 0;
    for (int64_t j = 0; j < right; ++j) add_scaled(below, tau_v[k] * v[j], rest.column(j), memory);
    for (int64_t j = 0; j < right; ++j) add_scaled(below, -v[j], memory, rest.column(j));
  }
}

// What one matrix of m x n, m >= n, needs.
template <class T> struct Work {
  int64_t m, n, columns;  // columns of the longer factor, 0 without factors
  Scratch<T> memory;
  Mat<T> a, p, u, v;
  T *e, *tau_u, *tau_v, *w, *u_turned, *v_turned;

  Work(int64_t m_, int64_t n_, int64_t columns_)
      : m(m_),
        n(n_),
        columns(columns_),
        memory(m * n + n * n + (columns ? m * columns + n * n + 2 * Rotations<T>::room(n) : 0) + 3 * n + m) {
    T* at = memory.data();
    const auto take = [&](int64_t count) {
      T* const taken = at;
      at += count;
      return taken;
    };
    a = {take(m * n), 1, m};
    p = {take(n * n), 1, n};
    u = {columns ? take(m * columns) : nullptr, 1, m};
    v = {columns ? take(n * n) : nullptr, 1, n};
    e = take(n), tau_u = take(n), tau_v = take(n), w = take(m);
    u_turned = columns ? take(Rotations<T>::room(n)) : nullptr,
    v_turned = columns ? take(Rotations<T>::room(n)) : nullptr;
  }

  // 0, or what LAPACK says: -4 where there are NaN, 1 where it did not converge. `a` is filled. As LAPACK's, results of
  // infinities are NaN.
  int32_t run(T* d) const {
    T most = 0;
    for (int64_t j = 0; j < n; ++j) {
      const T size = largest(m, a.column(j));
      if (size != size) return -4;
      if (size > most) most = size;
    }
    if (most > Limits<T>::value) {
      fill_nan(d);
      return 0;
    }
    const T by = scale_for(most);
    if (by != 1) scale(m * n, by, a.data);
    to_two_diagonals(m, n, a, p, d, e, tau_u, tau_v, w);
    if (columns) {
      form_reflections(m, columns, n, a, tau_u, u);
      for (int64_t i = 0; i < n; ++i) v(i, 0) = v(0, i) = i == 0;
      if (n > 1) form_reflections(n - 1, n - 1, n - 1, p.at(1, 0), tau_v, v.at(1, 1));
    }
    const int64_t u_rows = columns ? m : 0, v_rows = columns ? n : 0;
    Rotations<T> of_u(u_rows, n, u, u_turned), of_v(v_rows, n, v, v_turned);
    const Bidiagonal<T> b{n, d, e, u_rows, v_rows, u, v, of_u, of_v};
    if (!b.diagonalise()) return 1;
    b.sort_falling();
    if (by != 1) scale(n, 1 / by, d);
    return 0;
  }
  void fill_nan(T* d) const {
    const T nan = static_cast<T>(__builtin_nan(""));
    for (int64_t i = 0; i < n; ++i) d[i] = nan;
    for (int64_t i = 0; i < m * columns; ++i) u.data[i] = nan;
    if (columns)
      for (int64_t i = 0; i < n * n; ++i) v.data[i] = nan;
  }
};

// A wide matrix is A' = V S U'.
template <class T> void svd(const SvdArgs& g, int64_t begin, int64_t end) {
  const bool wide = g.m < g.n;
  const int64_t m = wide ? g.n : g.m, n = wide ? g.m : g.n;
  const Work<T> work(m, n, g.u.data ? (g.full ? m : n) : 0);
  for (int64_t i = begin; i < end; ++i) {
    const Mat<T> a = matrix<T>(g.a, i);
    copy_matrix(m, n, wide ? a.transposed() : a, work.a);
    *vector<int32_t>(g.info, i) = work.run(vector<T>(g.values, i));
    if (!work.columns) continue;
    const Mat<T> u = matrix<T>(g.u, i), vh = matrix<T>(g.vh, i);
    copy_matrix(m, work.columns, work.u, wide ? vh.transposed() : u);
    copy_matrix(n, n, work.v, wide ? u : vh.transposed());
  }
}

}  // namespace

extern const LinalgRow<SvdArgs> svd_kernels{{svd<float>, svd<double>}};

}  // namespace gradcore::GC_ISA
