// Matrices to lanes and back.
#include "kernels/linalg/lanes.h"

#include "kernels/matmul/tiles.h"

namespace gradcore::GC_ISA {

namespace {

template <class T> bool by_columns(int64_t m, int64_t n, const Mat<T>& a) {
  return (a.row == 1 || m == 1) && (a.col == m || n == 1);
}

// `size` numbers side by side of each matrix.
template <class T> void load_dense(int64_t size, const T* from, int64_t each, int64_t used, T* to) {
  for (int64_t e = 0; e < size; e += kLanes<T>)
    transpose(from + e, each, used, smaller(kLanes<T>, size - e), to + e * kLanes<T>, kLanes<T>);
}
template <class T> void store_dense(int64_t size, const T* from, int64_t used, T* to, int64_t each) {
  for (int64_t e = 0; e < size; e += kLanes<T>) {
    const int64_t part = smaller(kLanes<T>, size - e);
    T square[kLanes<T> * kLanes<T>];
    transpose(from + e * kLanes<T>, kLanes<T>, part, kLanes<T>, square, kLanes<T>);
    for (int64_t l = 0; l < used; ++l) {
      const Vec<T> v = load(square + l * kLanes<T>);
      if (part == kLanes<T>)
        store(to + l * each + e, v);
      else
        store_part(to + l * each + e, v, part);
    }
  }
}

}  // namespace

template <class T>
void load_lanes(int64_t m, int64_t n, const Mat<T>& from, int64_t each, int64_t used, const Lanes<T>& to) {
  if (by_columns(m, n, from)) return load_dense(m * n, from.data, each, used, to.data);
  if (by_columns(n, m, from.transposed())) {
    T rows[kSmall * kSmall * kLanes<T>];
    load_dense(m * n, from.data, each, used, rows);
    for (int64_t j = 0; j < n; ++j)
      for (int64_t i = 0; i < m; ++i) to.set(i, j, load(rows + (i * n + j) * kLanes<T>));
    return;
  }
  for (int64_t j = 0; j < n; ++j)
    for (int64_t i = 0; i < m; ++i)
      for (int64_t l = 0; l < kLanes<T>; ++l) to.at(i, j)[l] = l < used ? (&from(i, j))[l * each] : T(0);
}
template <class T>
void store_lanes(int64_t m, int64_t n, const Lanes<T>& from, int64_t used, const Mat<T>& to, int64_t each) {
  if (by_columns(m, n, to)) return store_dense(m * n, from.data, used, to.data, each);
  for (int64_t j = 0; j < n; ++j)
    for (int64_t i = 0; i < m; ++i)
      for (int64_t l = 0; l < used; ++l) (&to(i, j))[l * each] = from.at(i, j)[l];
}
template void load_lanes<float>(int64_t, int64_t, const Mat<float>&, int64_t, int64_t, const Lanes<float>&);
template void load_lanes<double>(int64_t, int64_t, const Mat<double>&, int64_t, int64_t, const Lanes<double>&);
template void store_lanes<float>(int64_t, int64_t, const Lanes<float>&, int64_t, const Mat<float>&, int64_t);
template void store_lanes<double>(int64_t, int64_t, const Lanes<double>&, int64_t, const Mat<double>&, int64_t);

}  // namespace gradcore::GC_ISA
