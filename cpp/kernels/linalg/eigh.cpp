// Eigenvalues of symmetric matrices: Householder's reflections to three diagonals, then QL steps with implicit shifts
// (Wilkinson), as in Golub and Van Loan, "Matrix Computations", 8.3.
#include <initializer_list>

#include "kernels/linalg/lanes_reflect.h"
#include "kernels/linalg/reflect.h"
#include "kernels/linalg/rotate.h"

namespace gradcore::GC_ISA {

namespace {

// T = Q' A Q with diagonal d and e[i] beside d[i] and d[i + 1]. `a` (stored by columns, both triangles) is overwritten;
// column i keeps the reflection that made e[i] below its diagonal. `memory` has room for n elements.
template <class T> void to_three_diagonals(int64_t n, const Mat<T>& a, T* d, T* e, T* tau, T* memory) {
  for (int64_t i = 0; i + 1 < n; ++i) {
    const int64_t rest = n - i - 1;
    T* const v = a.column(i) + i + 1;
    const Mat<T> b = a.at(i + 1, i + 1);
    tau[i] = reflection(rest, v);
    e[i] = v[0];
    d[i] = a(i, i);
    if (tau[i] == 0) continue;
    v[0] = 1;
    // B = H B H = B - v w' - w v' with w = p - tau / 2 (p'v) v and p = tau B v.
    T* const w = memory;
    for (int64_t j = 0; j < rest; ++j) w[j] = 0;
    for (int64_t j = 0; j < rest; ++j) add_scaled(rest, tau[i] * v[j], b.column(j), w);
    add_scaled(rest, -tau[i] / 2 * dot(rest, w, v), v, w);
    for (int64_t j = 0; j < rest; ++j) {
      T* const column = b.column(j);
      const T vj = v[j], wj = w[j];
      for (int64_t r = 0; r < rest; ++r) column[r] -= v[r] * wj + w[r] * vj;
    }
  }
  if (n > 0) d[n - 1] = a(n - 1, n - 1);
}

// Steps for one eigenvalue, two or three are usual, after which an element beside the diagonal is zero where it is one
// beside the largest: next to far smaller ones what rounding leaves over may never go.
constexpr int64_t kPatience = 20, kSteps = 60;

// Diagonalises; the columns of z turn along, if it has any. False where it does not converge.
template <class T> bool diagonalise(int64_t n, T* d, T* e, int64_t rows, const Mat<T>& z) {
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
        if (rows) rotate(rows, cosine, sine, z.column(i), z.column(i + 1));
      }
      if (i >= first) continue;
      d[first] -= p;
      e[first] = g;
      e[last] = 0;
    }
  }
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

template <class T> void fill_from_triangle(int64_t n, bool upper, T by, const Mat<T>& from, const Mat<T>& to) {
  for (int64_t j = 0; j < n; ++j)
    for (int64_t i = j; i < n; ++i) to(i, j) = to(j, i) = by * (upper ? from(j, i) : from(i, j));
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

// `memory` has room for 3 n + n n elements.
template <class T> bool eigen(const EighArgs& g, const Mat<T>& a, T* d, const Mat<T>& vectors, T* memory) {
  const int64_t n = g.n;
  T *const e = memory, *const tau = memory + n, *const w = memory + 2 * n;
  const T most = largest_in_triangle(n, g.upper, a);
  if (!(most <= Limits<T>::value)) return false;
  const T by = scale_for(most);
  const Mat<T> work{memory + 3 * n, 1, n};
  fill_from_triangle(n, g.upper, by, a, work);
  to_three_diagonals(n, work, d, e, tau, w);
  const int64_t rows = g.vectors.data ? n : 0;
  if (rows) {
    for (int64_t i = 0; i < n; ++i) vectors(i, 0) = vectors(0, i) = i == 0;
    if (n > 1) multiply_reflections(n - 1, n - 1, n - 1, work.at(1, 0), tau, vectors.at(1, 1));
  }
  if (!diagonalise(n, d, e, rows, vectors)) return false;
  sort_rising(n, d, rows, vectors);
  if (by != 1) scale(n, 1 / by, d);
  return true;
}

template <class T> void eigh_one_by_one(const EighArgs& g, int64_t begin, int64_t end) {
  const Scratch<T> memory(g.n * (g.n + 3));
  for (int64_t i = begin; i < end; ++i) {
    const Mat<T> vectors = g.vectors.data ? matrix<T>(g.vectors, i) : Mat<T>{nullptr, 0, 0};
    *vector<int32_t>(g.info, i) = !eigen(g, matrix<T>(g.a, i), vector<T>(g.values, i), vectors, memory.data());
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
