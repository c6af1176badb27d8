// Givens's rotations, by which diagonals are freed from what stands beside them.
#pragma once
#include "kernels/linalg/reflect.h"

namespace gradcore::GC_ISA {

// The length of (a, b).
template <class T> GC_INLINE T hypotenuse(T a, T b) {
  const T sum = a * a + b * b;
  if (sum > Limits<T>::small && sum <= Limits<T>::value) return root(sum);
  const T pair[] = {a, b};
  return length(2, pair);
}

// (x, y) = (c x - s y, s x + c y), of columns side by side in memory.
template <class T> GC_INLINE void rotate(int64_t n, T c, T s, T* __restrict x, T* __restrict y) {
  for (int64_t i = 0; i < n; ++i) {
    const T a = x[i], b = y[i];
    x[i] = c * a - s * b;
    y[i] = s * a + c * b;
  }
}

// By what a matrix with this largest element is multiplied so that no square of it overflows or is lost: 1, or a power
// of two.
template <class T> T scale_for(T most) {
  if (most == 0 || (most > Limits<T>::low && most < Limits<T>::high)) return 1;
  int exponent;
  (void)__builtin_frexp(static_cast<double>(most), &exponent);
  return static_cast<T>(__builtin_ldexp(1.0, -exponent));
}

}  // namespace gradcore::GC_ISA
