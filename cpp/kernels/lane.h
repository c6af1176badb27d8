// Lane<T>: one element inside a kernel loop. Formulas are templates over their value type; on Lane<T> they
// become the body of a plain loop that the compiler vectorises, on Tensor they record. The wrapper gives
// argument-dependent lookup (tanh(x) finds this ISA's own), and keeps every instantiation inside the ISA's
// namespace. Here: operators, comparisons, select and abs for every element type; math.h has the functions of
// float and double.
#pragma once
#include <cstdint>

#ifndef GC_ISA
#error "kernels are compiled once per ISA: define GC_ISA"
#endif
#define GC_INLINE static inline __attribute__((always_inline))
// Before a loop: no turn of it writes what another one reads.
#if defined(__clang__)
#define GC_INDEPENDENT _Pragma("clang loop vectorize(assume_safety)")
#else
#define GC_INDEPENDENT _Pragma("GCC ivdep")
#endif

namespace gradcore::GC_ISA {

template <class T> constexpr bool is_float = __is_same(T, float) || __is_same(T, double);

template <class T> struct Lane {
  T v;
};

using F32 = Lane<float>;
using F64 = Lane<double>;

// Narrow integers are computed as int and cut back to T, wider ones wrap around (-fwrapv). bool: + is or, *
// is and.
template <class T> GC_INLINE Lane<T> operator+(Lane<T> a, Lane<T> b) { return {static_cast<T>(a.v + b.v)}; }
template <class T> GC_INLINE Lane<T> operator-(Lane<T> a, Lane<T> b) { return {static_cast<T>(a.v - b.v)}; }
template <class T> GC_INLINE Lane<T> operator*(Lane<T> a, Lane<T> b) { return {static_cast<T>(a.v * b.v)}; }
template <class T> GC_INLINE Lane<T> operator-(Lane<T> x) { return {static_cast<T>(-x.v)}; }
// Integers truncate; x / 0 is 0 and x / -1 is -x, where the instruction traps on 0 and on the lowest value by
// -1.
template <class T> GC_INLINE Lane<T> operator/(Lane<T> a, Lane<T> b) {
  constexpr bool is_signed = static_cast<T>(-1) < static_cast<T>(0);
  if constexpr (is_float<T>) return {a.v / b.v};
  if (b.v == static_cast<T>(0)) return {static_cast<T>(0)};
  if (is_signed && b.v == static_cast<T>(-1)) return {static_cast<T>(-a.v)};
  return {static_cast<T>(a.v / b.v)};
}

template <class T> GC_INLINE bool lt(Lane<T> a, Lane<T> b) { return a.v < b.v; }
template <class T> GC_INLINE bool le(Lane<T> a, Lane<T> b) { return a.v <= b.v; }
template <class T> GC_INLINE bool gt(Lane<T> a, Lane<T> b) { return a.v > b.v; }
template <class T> GC_INLINE bool ge(Lane<T> a, Lane<T> b) { return a.v >= b.v; }
template <class T> GC_INLINE bool eq(Lane<T> a, Lane<T> b) { return a.v == b.v; }
template <class T> GC_INLINE bool ne(Lane<T> a, Lane<T> b) { return a.v != b.v; }

template <class T> GC_INLINE Lane<T> select(bool condition, Lane<T> a, Lane<T> b) { return {condition ? a.v : b.v}; }

// The lowest integer is its own absolute value, as in torch. Floats lose their sign bit, also -0 and NaN.
template <class T> GC_INLINE Lane<T> abs(Lane<T> x) {
  if constexpr (__is_same(T, float)) return {__builtin_fabsf(x.v)};
  if constexpr (__is_same(T, double)) return {__builtin_fabs(x.v)};
  return {x.v < static_cast<T>(0) ? static_cast<T>(-x.v) : x.v};
}

}  // namespace gradcore::GC_ISA
