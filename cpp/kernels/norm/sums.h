// Sums that normalisations take, of a dtype's elements in double.
#pragma once
#include "kernels/reduce/fold.h"

namespace gradcore::GC_ISA {

// How a sum's term reads elements: a vector of them, or one.
struct VectorAt {
  template <class T> Vec<T> operator()(const T* x, int64_t i) const { return load(x + i); }
};
struct ElementAt {
  template <class T> T operator()(const T* x, int64_t i) const { return x[i]; }
};

// The sum of term(at, i), where at(x, i) reads x: in the dtype for a stretch, and in double over those.
template <class T, class F> GC_INLINE double sum_of(int64_t n, const F& term) {
  constexpr int64_t L = kLanes<T>, kStretch = 1024;
  double sum = 0;
  for (int64_t begin = 0; begin < n; begin += kStretch) {
    const int64_t end = smaller(n, begin + kStretch);
    int64_t i = begin;
    Vec<T> acc[4] = {};
    for (; i + 4 * L <= end; i += 4 * L)
#pragma GCC unroll 4
      for (int64_t k = 0; k < 4; ++k) acc[k] += term(VectorAt(), i + k * L);
    for (; i + L <= end; i += L) acc[0] += term(VectorAt(), i);
    T rest = 0;
    for (; i < end; ++i) rest += term(ElementAt(), i);
    sum += static_cast<double>(fold_lanes<SumKind<T>, T>((acc[0] + acc[1]) + (acc[2] + acc[3])) + rest);
  }
  return sum;
}

template <class X> GC_INLINE X square(X x) { return x * x; }

}  // namespace gradcore::GC_ISA
