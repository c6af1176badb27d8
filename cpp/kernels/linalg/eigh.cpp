// Eigenvalues of symmetric matrices: Householder's reflections to three diagonals, then QL steps with implicit shifts
// (Wilkinson), as in Golub and Van Loan, "Matrix Computations", 8.3.
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

// Diagonalises; the columns of z turn along, if it has any. False where it does not converge.
template <class T> bool diagonalise(int64_t n, T* d, T* e, int64_t rows, const Mat<T>& z) {
  constexpr int64_t kSteps = 60;  // for one eigenvalue, on the average: two or three are usual
  int64_t left = kSteps * n;
  if (n > 0) e[n - 1] = 0;
  for (int64_t first = 0; first < n; ++first) {
    for (;;) {
      int64_t last = first;  // the block that hangs together: [first, last]
      for (; last + 1 < n; ++last)
        if (absolute(e[last]) <= Limits<T>::epsilon * (absolute(d[last]) + absolute(d[last + 1]))) break;
      if (last == first) break;
      if (left-- == 0) return false;
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

template <class T> void eigh(const EighArgs& g, int64_t begin, int64_t end) {
  const Scratch<T> memory(g.n * (g.n + 3));
  for (int64_t i = begin; i < end; ++i) {
    const Mat<T> vectors = g.vectors.data ? matrix<T>(g.vectors, i) : Mat<T>{nullptr, 0, 0};
    *vector<int32_t>(g.info, i) = !eigen(g, matrix<T>(g.a, i), vector<T>(g.values, i), vectors, memory.data());
  }
}

}  // namespace

extern const LinalgRow<EighArgs> eigh_kernels{{eigh<float>, eigh<double>}};

}  // namespace gradcore::GC_ISA
