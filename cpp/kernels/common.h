// What the kernels have in common: vectors and their lanes, how elements lie in memory, small integers.
#pragma once
#include <cstddef>
#include <cstdint>

#include "core/dtype.h"
#include "kernels/lane.h"
#include "kernels/scratch.h"

// Called from several places, and large: kept once.
#if defined(__clang__)  // which makes no clones
#define GC_OUTLINE __attribute__((noinline)) static
#else
#define GC_OUTLINE __attribute__((noinline, noclone)) static
#endif

namespace gradcore::GC_ISA {

// ---- types ----

template <bool B, class A, class C> struct Choice {
  using type = A;
};
template <class A, class C> struct Choice<false, A, C> {
  using type = C;
};
template <bool B, class A, class C> using If = typename Choice<B, A, C>::type;

template <class T>
using SameWidthInt = If<sizeof(T) == 1, int8_t, If<sizeof(T) == 2, int16_t, If<sizeof(T) == 4, int32_t, int64_t>>>;

// How an element lies in memory. A bool may be any byte there: it is never read as one, only compared with 0.
template <class T> struct StoredAs {
  using type = T;
};
template <> struct StoredAs<bool> {
  using type = uint8_t;
};
template <class T> using StoredOf = typename StoredAs<T>::type;

// For code that only moves elements: one copy per width instead of one per type.
template <int kBytes> struct WordOf {
  typedef If<kBytes == 1, uint8_t, If<kBytes == 2, uint16_t, If<kBytes == 4, uint32_t, uint64_t>>> type
      __attribute__((may_alias));
};
template <class T> using Word = typename WordOf<static_cast<int>(sizeof(T))>::type;
// Calls f(Word{}) with the word of `item` bytes.
template <class F> GC_INLINE auto with_word(int64_t item, const F& f) {
  switch (item) {
    case 1: return f(Word<uint8_t>{});
    case 2: return f(Word<uint16_t>{});
    case 4: return f(Word<uint32_t>{});
    default: return f(Word<uint64_t>{});
  }
}

// ---- vectors ----

#if defined(__AVX512F__)
constexpr int kVecBytes = 64;
#elif defined(__AVX2__)
constexpr int kVecBytes = 32;
#else
constexpr int kVecBytes = 16;
#endif

template <class T> struct VecOf {
  typedef T type __attribute__((vector_size(kVecBytes)));
};
template <class T> using Vec = typename VecOf<T>::type;
template <class T> constexpr int64_t kLanes = kVecBytes / static_cast<int>(sizeof(T));

template <class T> GC_INLINE Vec<T> load(const T* p) {
  Vec<T> v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}
template <class T> GC_INLINE void store(T* p, Vec<T> v) { __builtin_memcpy(p, &v, sizeof v); }

// ---- small integers ----

GC_INLINE int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }
GC_INLINE int64_t larger(int64_t a, int64_t b) { return a > b ? a : b; }
GC_INLINE int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }
GC_INLINE int64_t round_up(int64_t a, int64_t b) { return ceil_div(a, b) * b; }

}  // namespace gradcore::GC_ISA
