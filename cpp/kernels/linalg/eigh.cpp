// Eigenvalues of symmetric matrices: Householder's reflections to three diagonals, then QL steps with implicit shifts
// (Wilkinson), as in Golub and Van Loan, "Matrix Computations", 8.3.
#include <initializer_list>

#include "kernels/linalg/lanes_reflect.h"
#include "kernels/linalg/reflect.h"
#include "kernels/linalg/rotate.h"

namespace gradcore::GC_ISA {

namespace {

// B -= v w' + w v' and y = B x in one way through the lower triangle of B (stored by columns). Without v nothing is
// subtracted, without x nothing multiplied. B and the vectors have `rows` rows, those from n on being zeros.
template <class T> struct TwoSided {
  const T *v, *w, *x;
  T* y;

  void run(int64_t n, int64_t rows, const Mat<T>& b) const {
    for (int64_t i = 0; x && i < rows; ++i) y[i] = 0;
    int64_t j = 0;
    for (; j + kColumns <= n; j += kColumns) {
      corner(j, j + kColumns, b);
      if (v && x)
        columns<true, true>(rows, j, b);
      else if (v)
        columns<true, false>(rows, j, b);
      else
        columns<false, true>(rows, j, b);
    }
    corner(j, n, b);
  }

 private:
  static constexpr int kColumns = 2;  // at once: what belongs to a row is loaded for both

  // Rows and columns from `begin` to `end`.
  void corner(int64_t begin, int64_t end, const Mat<T>& b) const {
    for (int64_t j = begin; j < end; ++j)
      for (int64_t i = j; i < end; ++i) {
        if (v) b(i, j) -= v[i] * w[j] + w[i] * v[j];
        if (!x) continue;
        y[i] += b(i, j) * x[j];
        if (i > j) y[j] += b(i, j) * x[i];
      }
  }
  // Two columns from j on, below their corner. The first vector may begin above it, or before the column: what is in
  // those lanes counts as 0 and stays as it is.
  template <bool kSubtract, bool kMultiply> void columns(int64_t rows, int64_t j, const Mat<T>& b) const {
    using Bits = Vec<SameWidthInt<T>>;
    constexpr int64_t L = kLanes<T>;
    const int64_t first = j + kColumns, left = rows - first, before = (L - left % L) % L;
    int64_t i = first - before;
    T *const b0 = b.column(j), *const b1 = b.column(j + 1);
    const T v0 = kSubtract ? v[j] : T(0), v1 = kSubtract ? v[j + 1] : T(0);
    const T w0 = kSubtract ? w[j] : T(0), w1 = kSubtract ? w[j + 1] : T(0);
    const T x0 = kMultiply ? x[j] : T(0), x1 = kMultiply ? x[j + 1] : T(0);
    Vec<T> sum0{}, sum1{};
    const auto step = [&](const auto& kept) __attribute__((always_inline)) {
      Vec<T> c0 = load(b0 + i), c1 = load(b1 + i);
      if constexpr (kSubtract) {
        const Vec<T> vi = load(v + i), wi = load(w + i), old0 = c0, old1 = c1;
        c0 -= vi * w0 + wi * v0;
        c1 -= vi * w1 + wi * v1;
        store(b0 + i, kept(c0, old0));
        store(b1 + i, kept(c1, old1));
      }
      if constexpr (kMultiply) {
        c0 = kept(c0, Vec<T>{}), c1 = kept(c1, Vec<T>{});
        const Vec<T> xi = kept(load(x + i), Vec<T>{});
        store(y + i, load(y + i) + (c0 * x0 + c1 * x1));
        sum0 += c0 * xi;
        sum1 += c1 * xi;
      }
    };
    if (before > 0) {
      Bits lane;
      for (int64_t l = 0; l < L; ++l) lane[l] = static_cast<SameWidthInt<T>>(l);
      const Bits counts = lane >= static_cast<SameWidthInt<T>>(before);
      step([&](Vec<T> a, Vec<T> other) { return counts ? a : other; });
      i += L;
    }
    for (; i < rows; i += L) step([](Vec<T> a, Vec<T>) { return a; });
    if constexpr (kMultiply) y[j] += sum_over_lanes(sum0), y[j + 1] += sum_over_lanes(sum1);
  }
};

// T = Q' A Q with diagonal d and e[i] beside d[i] and d[i + 1]. The lower triangle of `a` (stored by columns) is
// overwritten; column i keeps the reflection that made e[i] below its diagonal. `a` has zeros up to a.col rows;
// `memory` has room for two columns.
//
// A step turns B, what is below and right of it, into H B H = B - v w' - w v' with w = p - tau / 2 (p'v) v and p = tau
// B v. It leaves that to the next one, but for the column that this one begins with.
template <class T> void to_three_diagonals(int64_t n, const Mat<T>& a, T* d, T* e, T* tau, T* memory) {
  for (int64_t i = 0; i < 2 * a.col; ++i) memory[i] = 0;
  const T* last_v = nullptr;  // of the step before, from row i + 1 on
  const T* last_w = nullptr;
  for (int64_t i = 0; i + 1 < n; ++i) {
    const int64_t rest = n - i - 1;
    T* const v = a.column(i) + i + 1;
    const Mat<T> b = a.at(i + 1, i + 1);
    tau[i] = reflection(rest, v);
    e[i] = v[0];
    d[i] = a(i, i);
    v[0] = 1;
    T* const w =
        memory + i % 2 * a.col + i + 1;  // where v stands in its column: what is before and behind it can be read
    const T by = tau[i];
    if (last_v || by != 0) TwoSided<T>{last_v, last_w, by != 0 ? v : nullptr, w}.run(rest, a.col - i - 1, b);
    last_v = nullptr;
    if (by == 0) continue;
    scale(rest, by, w);
    add_scaled(rest, -by / 2 * dot(rest, w, v), v, w);
    for (int64_t r = 0; r < rest; ++r) b(r, 0) -= v[r] * w[0] + w[r] * v[0];
    last_v = v + 1, last_w = w + 1;
  }
  if (n > 0) d[n - 1] = a(n - 1, n - 1);
}

// Steps for one eigenvalue, two or three are usual, after which an element beside the diagonal is zero where it is one
// beside the largest: next to far smaller ones what rounding leaves over may never go.
constexpr int64_t kPatience = 20, kSteps = 60;

// Diagonalises; columns turn along. False where it does not converge.
template <class T> bool diagonalise(int64_t n, T* d, T* e, Rotations<T>& turned) {
  if (n > 0) e[n - 1] = 0;
  const T d_most = largest(n, d), e_most = largest(n, e), most = d_most > e_most ? d_most : e_most;
  for (int64_t first = 0; first < n; ++first) {
    for (int64_t step = 0;; ++step) {
      int64_t last = first;  // the block that hangs together: [first, last]
      for (; last + 1 < n; ++last)
        if (absolute(e[last]) <= Limits<T>::epsilon * (absolute(d[last]) + absolute(d[last + 1])) ||
            (step > kPatience && absolute(e[last]) <= Limits<T>::epsilon * most))
          break;
      if (last == first) break;
      if (step == kSteps) return false;
      // Wilkinson's shift: the eigenvalue of the first two rows that is nearer to d[first].
      const T half = (d[first + 1] - d[first]) / (2 * e[first]);
      const T radius = hypotenuse(half, static_cast<T>(1));
      T g = d[last] - d[first] + e[first] / (half + (half < 0 ? -radius : radius));
      T sine = 1, cosine = 1, p = 0;
      int64_t i = last - 1;
      turned.begin(last, -1);
      for (; i >= first; --i) {
        const T f = sine * e[i], b = cosine * e[i];
        const T r = hypotenuse(f, g);
        e[i + 1] = r;
        if (r == 0) {  // it falls apart here
          d[i + 1] -= p;
          e[last] = 0;
          break;
        }
        sine = f / r;
        cosine = g / r;
        g = d[i + 1] - p;
        const T t = (d[i] - g) * sine + 2 * cosine * b;
        p = sine * t;
        d[i + 1] = g + p;
        g = cosine * t - b;
        turned.add(cosine, sine);
      }
      if (i >= first) continue;
      d[first] -= p;
      e[first] = g;
      e[last] = 0;
    }
  }
  turned.apply();
  return true;
}

template <class T> void sort_rising(int64_t n, T* d, int64_t rows, const Mat<T>& z) {
  for (int64_t i = 0; i + 1 < n; ++i) {
    int64_t least = i;
    for (int64_t j = i + 1; j < n; ++j)
      if (d[j] < d[least]) least = j;
    if (least == i) continue;
    exchange(d[i], d[least]);
    for (int64_t r = 0; r < rows; ++r) exchange(z(r, i), z(r, least));
  }
}

// The lower triangle of `to`, and zeros behind its last row.
template <class T> void fill_from_triangle(int64_t n, bool upper, T by, const Mat<T>& from, const Mat<T>& to) {
  for (int64_t j = 0; j < n; ++j) {
    for (int64_t i = j; i < n; ++i) to(i, j) = by * (upper ? from(j, i) : from(i, j));
    for (int64_t i = n; i < to.col; ++i) to(i, j) = 0;
  }
}

// The largest element of the triangle that is read; a NaN where there is one.
template <class T> T largest_in_triangle(int64_t n, bool upper, const Mat<T>& a) {
  T most = 0;
  for (int64_t j = 0; j < n; ++j)
    for (int64_t i = j; i < n; ++i) {
      const T size = absolute(upper ? a(j, i) : a(i, j));
      if (!(size <= most)) most = size;
      if (most != most) return most;
    }
  return most;
}

// The memory for one matrix.
template <class T> struct EigenMemory {
  int64_t n, column = round_up(n, kLanes<T>);
  Scratch<T> all{(n + 2) * column + 2 * n + kLanes<T> + Rotations<T>::room(n)};
  T *e = all.data(), *tau = e + n, *w = tau + n, *rotations = w + 2 * column;
  // In front of the first column a vector can be read.
  Mat<T> work{rotations + Rotations<T>::room(n) + kLanes<T>, 1, column};
};

template <class T>
bool eigen(const EighArgs& g, const Mat<T>& a, T* d, const Mat<T>& vectors, const EigenMemory<T>& memory) {
  const int64_t n = g.n;
  const T most = largest_in_triangle(n, g.upper, a);
  if (!(most <= Limits<T>::value)) return false;
  const T by = scale_for(most);
  const Mat<T>& work = memory.work;
  fill_from_triangle(n, g.upper, by, a, work);
  to_three_diagonals(n, work, d, memory.e, memory.tau, memory.w);
  const int64_t rows = g.vectors.data ? n : 0;
  if (rows) {
    for (int64_t i = 0; i < n; ++i) vectors(i, 0) = vectors(0, i) = i == 0;
    if (n > 1) form_reflections(n - 1, n - 1, n - 1, work.at(1, 0), memory.tau, vectors.at(1, 1));
  }
  Rotations<T> turned(rows, n, vectors, memory.rotations);
  if (!diagonalise(n, d, memory.e, turned)) return false;
  sort_rising(n, d, rows, vectors);
  if (by != 1) scale(n, 1 / by, d);
  return true;
}

template <class T> void eigh_one_by_one(const EighArgs& g, int64_t begin, int64_t end) {
  const EigenMemory<T> memory{g.n};
  for (int64_t i = begin; i < end; ++i) {
    const Mat<T> vectors = g.vectors.data ? matrix<T>(g.vectors, i) : Mat<T>{nullptr, 0, 0};
    *vector<int32_t>(g.info, i) = !eigen(g, matrix<T>(g.a, i), vector<T>(g.values, i), vectors, memory);
  }
}

// ---- the same with a matrix in each lane

// A vector for each of n places.
template <class T> struct LaneRow {
  T* data;
  Vec<T> operator[](int64_t i) const { return load(data + i * kLanes<T>); }
  void set(int64_t i, Vec<T> v) const { store(data + i * kLanes<T>, v); }
  void set_where(LaneInts<T> mask, int64_t i, Vec<T> v) const { set(i, mask ? v : (*this)[i]); }
};

// Reads and writes the lower triangle of `a` alone.
template <class T>
bool to_three_diagonals(int64_t n, const Lanes<T>& a, const LaneRow<T>& d, const LaneRow<T>& e, const LaneRow<T>& tau) {
  T memory[kSmall * kLanes<T>];
  const LaneRow<T> w{memory};
  for (int64_t i = 0; i + 1 < n; ++i) {
    Vec<T> t;
    if (!reflection_of_lanes<T>(n, i + 1, i, a, t)) return false;
    tau.set(i, t);
    e.set(i, a(i + 1, i));
    d.set(i, a(i, i));
    a.set(i + 1, i, all_lanes<T>(1));
    for (int64_t j = i + 1; j < n; ++j) w.set(j, Vec<T>{});
    for (int64_t j = i + 1; j < n; ++j) {
      const Vec<T> vj = t * a(j, i);
      Vec<T> sum = w[j] + a(j, j) * vj;
      for (int64_t r = j + 1; r < n; ++r) {
        w.set(r, w[r] + a(r, j) * vj);
        sum += a(r, j) * (t * a(r, i));
      }
      w.set(j, sum);
    }
    Vec<T> product{};
    for (int64_t j = i + 1; j < n; ++j) product += w[j] * a(j, i);
    const Vec<T> by = t * product / 2;
    for (int64_t j = i + 1; j < n; ++j) w.set(j, w[j] - by * a(j, i));
    for (int64_t j = i + 1; j < n; ++j) {
      const Vec<T> vj = a(j, i), wj = w[j];
      for (int64_t r = j; r < n; ++r) a.set(r, j, a(r, j) - (a(r, i) * wj + w[r] * vj));
    }
  }
  d.set(n - 1, a(n - 1, n - 1));
  return true;
}

// The lengths of (f, g); with care where squares are lost.
template <class T> Vec<T> hypotenuses(LaneInts<T> where, Vec<T> f, Vec<T> g) {
  const Vec<T> sum = f * f + g * g;
  Vec<T> r = roots<T>(sum);
  if (!any_lane<T>(where & ~((sum > Limits<T>::small) & (sum <= Limits<T>::value)))) return r;
  for (int64_t l = 0; l < kLanes<T>; ++l) r[l] = hypotenuse(static_cast<T>(f[l]), static_cast<T>(g[l]));
  return r;
}

// One implicit step in the lanes `active`, each from its row last[lane] up to row `first`.
template <class T>
void turn_lanes(int64_t n, int64_t first, LaneInts<T> last, LaneInts<T> active, const LaneRow<T>& d,
                const LaneRow<T>& e, bool vectors, const Lanes<T>& z) {
  const auto number = [](int64_t i) { return LaneInts<T>{} + static_cast<SameWidthInt<T>>(i); };
  Vec<T> d_last{};
  for (int64_t m = first + 1; m < n; ++m) d_last = last == number(m) ? d[m] : d_last;
  const Vec<T> half = (d[first + 1] - d[first]) / (2 * e[first]), radius = roots<T>(half * half + 1);
  Vec<T> g = d_last - d[first] + e[first] / (half + (half < 0 ? -radius : radius));
  Vec<T> sine = all_lanes<T>(1), cosine = sine, p{};
  LaneInts<T> apart{};
  for (int64_t i = n - 2; i >= first; --i) {
    LaneInts<T> run = active & (last > number(i)) & ~apart;
    if (!any_lane<T>(run)) continue;
    const Vec<T> f = sine * e[i], b = cosine * e[i], r = hypotenuses<T>(run, f, g);
    e.set_where(run, i + 1, r);
    const LaneInts<T> falls = run & (r == 0);
    d.set_where(falls, i + 1, d[i + 1] - p);
    apart |= falls;
    run &= ~falls;
    sine = run ? f / r : sine;
    cosine = run ? g / r : cosine;
    const Vec<T> next = d[i + 1] - p, t = (d[i] - next) * sine + 2 * cosine * b;
    p = run ? sine * t : p;
    d.set_where(run, i + 1, next + p);
    g = run ? cosine * t - b : g;
    if (!vectors) continue;
    const Vec<T> c = run ? cosine : all_lanes<T>(1), s = run ? sine : Vec<T>{};
    for (int64_t k = 0; k < n; ++k) {
      const Vec<T> x = z(k, i), y = z(k, i + 1);
      z.set(k, i, c * x - s * y);
      z.set(k, i + 1, s * x + c * y);
    }
  }
  d.set_where(active & ~apart, first, d[first] - p);
  e.set_where(active & ~apart, first, g);
  for (int64_t m = first + 1; m < n; ++m) e.set_where(active & (last == number(m)), m, Vec<T>{});
}

// Gives the lanes that do not converge.
template <class T>
LaneInts<T> diagonalise(int64_t n, const LaneRow<T>& d, const LaneRow<T>& e, bool vectors, const Lanes<T>& z) {
  LaneInts<T> failed{};
  e.set(n - 1, Vec<T>{});
  Vec<T> most{};
  for (int64_t i = 0; i < n; ++i)
    for (const LaneRow<T>& row : {d, e}) most = size_of<T>(row[i]) > most ? size_of<T>(row[i]) : most;
  for (int64_t first = 0; first + 1 < n; ++first)
    for (int64_t step = 0;; ++step) {
      LaneInts<T> last = LaneInts<T>{} + static_cast<SameWidthInt<T>>(n - 1);
      for (int64_t m = n - 2; m >= first; --m) {
        const Vec<T> beside = step > kPatience ? most : size_of<T>(d[m]) + size_of<T>(d[m + 1]);
        const LaneInts<T> small = size_of<T>(e[m]) <= Limits<T>::epsilon * beside;
        last = small ? LaneInts<T>{} + static_cast<SameWidthInt<T>>(m) : last;
      }
      const LaneInts<T> active = ~failed & (last > static_cast<SameWidthInt<T>>(first));
      if (!any_lane<T>(active)) break;
      if (step == kSteps)
        failed |= active;
      else
        turn_lanes<T>(n, first, last, active, d, e, vectors, z);
    }
  return failed;
}

// Whether no square in any lane can overflow or be lost.
template <class T> bool of_usual_size(int64_t n, const Lanes<T>& a) {
  LaneInts<T> unusual{};
  for (int64_t j = 0; j < n; ++j) {
    Vec<T> most{};
    for (int64_t i = j; i < n; ++i) {
      const Vec<T> size = size_of<T>(a(i, j));
      unusual |= ~(size < Limits<T>::high);
      most = size > most ? size : most;
    }
    unusual |= (most > 0) & (most < Limits<T>::low);
  }
  return !any_lane<T>(unusual);
}

template <class T> void eigh_in_lanes(const EighArgs& g, int64_t begin, int64_t end) {
  const int64_t n = g.n, size = n * n * kLanes<T>;
  const Scratch<T> memory(2 * size + 3 * n * kLanes<T>);
  const Lanes<T> a{memory.data(), n}, z{memory.data() + size, n};
  const LaneRow<T> d{z.data + size}, e{d.data + n * kLanes<T>}, tau{e.data + n * kLanes<T>};
  each_group<T>(begin, end, [&](int64_t first, int64_t used) {
    const Mat<T> from = matrix<T>(g.a, first);
    load_lanes(n, n, g.upper ? from.transposed() : from, g.a.each, used, a);
    if (!of_usual_size(n, a) || !to_three_diagonals(n, a, d, e, tau)) return eigh_one_by_one<T>(g, first, first + used);
    const bool vectors = g.vectors.data != nullptr;
    if (vectors) {
      for (int64_t j = 0; j < n; ++j)
        for (int64_t i = 0; i < n; ++i) z.set(i, j, all_lanes<T>(i == j));
      for (int64_t i = n - 2; i >= 0; --i)
        for (int64_t j = i + 1; j < n; ++j) reflect_lanes<T>(n, a, i + 1, i, tau[i], z, j);
    }
    const LaneInts<T> failed = diagonalise(n, d, e, vectors, z);
    if (vectors) store_lanes(n, n, z, used, matrix<T>(g.vectors, first), g.vectors.each);
    for (int64_t l = 0; l < used; ++l) {
      T* const values = vector<T>(g.values, first + l);
      for (int64_t i = 0; i < n; ++i) values[i] = d[i][l];
      *vector<int32_t>(g.info, first + l) = failed[l] != 0;
      sort_rising(n, values, vectors ? n : 0, vectors ? matrix<T>(g.vectors, first + l) : Mat<T>{nullptr, 0, 0});
    }
  });
}

template <class T> void eigh(const EighArgs& g, int64_t begin, int64_t end) {
  if (g.n > 1 && lanes_pay<T>(g.n, g.n, end - begin)) return eigh_in_lanes<T>(g, begin, end);
  eigh_one_by_one<T>(g, begin, end);
}

}  // namespace

extern const LinalgRow<EighArgs> eigh_kernels{{eigh<float>, eigh<double>}};

}  // namespace gradcore::GC_ISA
