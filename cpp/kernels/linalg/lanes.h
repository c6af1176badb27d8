// Many small matrices at once: a matrix in each lane of the vectors. Their algorithms are those of single matrices,
// with vectors in place of numbers, and no branch but where all matrices agree. Start at each_group().
//
// A group is as many matrices as a vector has lanes. Where there are fewer, the other lanes hold zeros and what comes
// of them, which nobody reads.
#pragma once
#include "kernels/linalg/dense.h"

namespace gradcore::GC_ISA {

template <class T> using LaneInts = Vec<SameWidthInt<T>>;

// Element (i, j) of all matrices of a group, by columns: a Mat whose elements are vectors.
template <class T> struct Lanes {
  T* data;
  int64_t rows;
  T* at(int64_t i, int64_t j) const { return data + (i + j * rows) * kLanes<T>; }
  Vec<T> operator()(int64_t i, int64_t j) const { return load(at(i, j)); }
  void set(int64_t i, int64_t j, Vec<T> v) const { store(at(i, j), v); }
};

// Copies matrices (m x n) `first` ... of `from`, as many as `used` says, to `to`, or back. In lanes.cpp.
template <class T>
void load_lanes(int64_t m, int64_t n, const Mat<T>& from, int64_t each, int64_t used, const Lanes<T>& to);
template <class T>
void store_lanes(int64_t m, int64_t n, const Lanes<T>& from, int64_t used, const Mat<T>& to, int64_t each);
extern template void load_lanes<float>(int64_t, int64_t, const Mat<float>&, int64_t, int64_t, const Lanes<float>&);
extern template void load_lanes<double>(int64_t, int64_t, const Mat<double>&, int64_t, int64_t, const Lanes<double>&);
extern template void store_lanes<float>(int64_t, int64_t, const Lanes<float>&, int64_t, const Mat<float>&, int64_t);
extern template void store_lanes<double>(int64_t, int64_t, const Lanes<double>&, int64_t, const Mat<double>&, int64_t);

template <class T> GC_INLINE Vec<T> all_lanes(T x) { return Vec<T>{} + x; }
template <class T> GC_INLINE Vec<T> size_of(Vec<T> x) { return x < 0 ? -x : x; }
template <class T> GC_INLINE Vec<T> roots(Vec<T> x) {
  T v[kLanes<T>];
  store(v, x);
  for (int64_t i = 0; i < kLanes<T>; ++i) v[i] = root(v[i]);
  return load(v);
}
template <class T> GC_INLINE bool any_lane(LaneInts<T> mask) {
  SameWidthInt<T> found = 0;
  for (int64_t i = 0; i < kLanes<T>; ++i) found |= mask[i];
  return found != 0;
}

// Whether matrices of this size, and so many of them, are worth a lane each.
template <class T> bool lanes_pay(int64_t m, int64_t n, int64_t count) {
  return m <= kSmall && n <= kSmall && 2 * count > kLanes<T> && kLanes<T> > 2;
}
// Calls f(first matrix, how many) for groups.
template <class T, class F> void each_group(int64_t begin, int64_t end, F&& f) {
  for (int64_t i = begin; i < end; i += kLanes<T>) f(i, smaller(kLanes<T>, end - i));
}

}  // namespace gradcore::GC_ISA
