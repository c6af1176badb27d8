// Sums that normalisations take, of a dtype's elements in double.
#pragma once
#include "kernels/reduce/fold.h"

namespace gradcore::GC_ISA {

// The sum of value(i), taken in floats for kBuffer elements and in double over those.
template <class T, class F> GC_INLINE double sum_of(int64_t n, const F& value) {
  alignas(64) T buffer[kBuffer];
  double sum = 0;
  for (int64_t i = 0; i < n; i += kBuffer) {
    const int64_t m = smaller(kBuffer, n - i);
#pragma GCC ivdep
    for (int64_t j = 0; j < m; ++j) buffer[j] = value(i + j);
    sum += static_cast<double>(fold_run<SumKind<T>>(buffer, m));
  }
  return sum;
}

}  // namespace gradcore::GC_ISA
