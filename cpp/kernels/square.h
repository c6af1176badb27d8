// Squares of elements that are transposed in registers. Start at Square.
#pragma once
#include <utility>

#include "kernels/common.h"

namespace gradcore::GC_ISA {

// As many vectors of 16 bytes as each has elements.
template <class T> struct Square {
  static constexpr int kSide = 16 / sizeof(T);
  typedef T V __attribute__((vector_size(16)));
  V v[kSide];

  // Strides in bytes.
  GC_INLINE Square read(const void* p, int64_t stride) { return read(static_cast<const char*>(p), stride, Lanes()); }
  __attribute__((always_inline)) void write(void* p, int64_t stride) const {
    write(static_cast<char*>(p), stride, Lanes());
  }
  // By perfect shuffles, of which log2(kSide) make a transposition.
  __attribute__((always_inline)) Square transposed() const { return shuffled<1>(*this); }

 private:
  using Lanes = std::make_integer_sequence<int, kSide>;

  template <int... I> GC_INLINE Square read(const char* p, int64_t stride, std::integer_sequence<int, I...>) {
    Square s;
    (__builtin_memcpy(&s.v[I], p + I * stride, 16), ...);
    return s;
  }
  template <int... I>
  __attribute__((always_inline)) void write(char* p, int64_t stride, std::integer_sequence<int, I...>) const {
    (__builtin_memcpy(p + I * stride, &v[I], 16), ...);
  }
  // Elements of a and b in turn: those of the first halves, or of the second ones.
  template <int kFirst, int... I> GC_INLINE V zipped(V a, V b, std::integer_sequence<int, I...>) {
    return __builtin_shufflevector(a, b, (kFirst + I / 2 + I % 2 * kSide)...);
  }
  template <int... I> GC_INLINE Square shuffled_once(const Square& s, std::integer_sequence<int, I...>) {
    return {{zipped<I % 2 * kSide / 2>(s.v[I / 2], s.v[I / 2 + kSide / 2], Lanes())...}};
  }
  template <int kStep> GC_INLINE Square shuffled(const Square& s) {
    if constexpr (kStep >= kSide)
      return s;
    else
      return shuffled<2 * kStep>(shuffled_once(s, Lanes()));
  }
};

}  // namespace gradcore::GC_ISA
