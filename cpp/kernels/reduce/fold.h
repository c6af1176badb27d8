// Folding a contiguous run of elements into one value: the inner loop of reductions and softmax. Start at
// fold_run(). A "kind" says how: { Part; kIdentity; map(x); combine(a, b) }, where map and combine of the
// float kinds also take GCC vectors. Integer folds are plain loops, which the compiler vectorises itself; it
// may not reorder float ones.
#pragma once
#include <utility>

#include "kernels/common.h"
#include "kernels/convert.h"
#include "kernels/intrinsics.h"
#include "kernels/math.h"

namespace gradcore::GC_ISA {

template <class T> constexpr T highest() {
  if constexpr (is_float<T>) return static_cast<T>(__builtin_inf());
  if constexpr (static_cast<T>(-1) > 0) return static_cast<T>(-1);
  return static_cast<T>(UINT64_MAX >> (65 - 8 * sizeof(T)));
}
template <class T> constexpr T lowest() {
  if constexpr (is_float<T>) return -highest<T>();
  if constexpr (static_cast<T>(-1) > 0) return 0;
  return static_cast<T>(-highest<T>() - 1);
}

template <class E, class X> GC_INLINE X element(X x) {
  if constexpr (__is_same(E, bool)) return x != 0;
  return x;
}

GC_INLINE float magnitude(float x) { return __builtin_fabsf(x); }
GC_INLINE double magnitude(double x) { return __builtin_fabs(x); }
GC_INLINE Vec<float> magnitude(Vec<float> x) {
  typedef Vec<int32_t> Bits;
  return reinterpret_cast<Vec<float>>(reinterpret_cast<Bits>(x) & INT32_MAX);
}
GC_INLINE Vec<double> magnitude(Vec<double> x) {
  typedef Vec<int64_t> Bits;
  return reinterpret_cast<Vec<double>>(reinterpret_cast<Bits>(x) & INT64_MAX);
}

struct Plus {
  static constexpr bool kExtreme = false;
  template <class X> GC_INLINE X combine(X a, X b) { return a + b; }
};
struct Times {
  static constexpr bool kExtreme = false;
  template <class X> GC_INLINE X combine(X a, X b) { return a * b; }
};
// pick(x, a): x if it is beyond a, else a, also where x is NaN. That is one instruction, but the compiler
// does not find it in the comparison. (The unmasked AVX-512 intrinsics make g++ 12 warn of its own header.)
#if defined(__AVX512F__)
#define GC_PICK(op)                                                                                      \
  GC_INLINE Vec<float> pick(Vec<float> x, Vec<float> a) { return _mm512_maskz_##op##_ps(0xffff, x, a); } \
  GC_INLINE Vec<double> pick(Vec<double> x, Vec<double> a) { return _mm512_maskz_##op##_pd(0xff, x, a); }
#elif defined(__AVX2__)
#define GC_PICK(op)                                                                        \
  GC_INLINE Vec<float> pick(Vec<float> x, Vec<float> a) { return _mm256_##op##_ps(x, a); } \
  GC_INLINE Vec<double> pick(Vec<double> x, Vec<double> a) { return _mm256_##op##_pd(x, a); }
#elif defined(__SSE2__)
#define GC_PICK(op)                                                                     \
  GC_INLINE Vec<float> pick(Vec<float> x, Vec<float> a) { return _mm_##op##_ps(x, a); } \
  GC_INLINE Vec<double> pick(Vec<double> x, Vec<double> a) { return _mm_##op##_pd(x, a); }
#else
template <class X> GC_INLINE X pick_max(X x, X a) { return x > a ? x : a; }
template <class X> GC_INLINE X pick_min(X x, X a) { return x < a ? x : a; }
#define GC_PICK(op) \
  template <class X> GC_INLINE X pick(X x, X a) { return pick_##op(x, a); }
#endif

// NaN wins from either side. Two selects: as one condition it is a branch, and no loop over it vectorises.
struct Larger {
  static constexpr bool kExtreme = true;
  template <class X> GC_INLINE X combine(X a, X b) {
    const X best = b > a ? b : a;
    return b == b ? best : b;
  }
  GC_PICK(max)
};
struct Smaller {
  static constexpr bool kExtreme = true;
  template <class X> GC_INLINE X combine(X a, X b) {
    const X best = b < a ? b : a;
    return b == b ? best : b;
  }
  GC_PICK(min)
};
#undef GC_PICK

// Part is what a run of at most kChunk elements is folded in; Acc merges runs: double keeps long float sums
// exact.
constexpr int64_t kChunk = 32768;

// Floats are folded as they are, integers in a wider type.
template <class E, class Base, class Wide, int kStart> struct ArithmeticKind : Base {
  using Part = If<is_float<E>, E, Wide>;
  using Acc = If<is_float<E>, double, int64_t>;
  using Out = If<is_float<E>, E, int64_t>;
  static constexpr Part kIdentity = kStart;
  template <class X> GC_INLINE auto map(X x) {
    if constexpr (is_float<E>)
      return x;
    else
      return static_cast<Part>(element<E>(x));
  }
};
template <class E> struct SumKind : ArithmeticKind<E, Plus, If<(sizeof(E) < 4), int32_t, int64_t>, 0> {};
template <class E> struct ProdKind : ArithmeticKind<E, Times, int64_t, 1> {
  static constexpr bool kVanishes = true;
};

template <class E, class Base, bool kLargest> struct ExtremeKind : Base {
  using Part = StoredOf<E>;
  using Acc = Part;
  using Out = Part;
  static constexpr Part kIdentity = kLargest ? lowest<Part>() : highest<Part>();
  template <class X> GC_INLINE X map(X x) { return element<E>(x); }
};
template <class E> struct MaxKind : ExtremeKind<E, Larger, true> {};
template <class E> struct MinKind : ExtremeKind<E, Smaller, false> {};

template <class T, int kBytes> struct ShortVector {
  typedef T type __attribute__((vector_size(kBytes)));
};

// The lanes' values, folded pairwise: the vector's halves with each other, down to 16 bytes.
template <class K, class T, int kBytes, int... I>
GC_INLINE T fold_halves(typename ShortVector<T, kBytes>::type v, std::integer_sequence<int, I...>) {
  constexpr int n = static_cast<int>(sizeof...(I));  // lanes of a half
  if constexpr (kBytes == 16) {
    T lane[2 * n];
    __builtin_memcpy(lane, &v, sizeof v);
    if constexpr (n == 1) return K::combine(lane[0], lane[1]);
    if constexpr (n == 2) return K::combine(K::combine(lane[0], lane[2]), K::combine(lane[1], lane[3]));
  } else {
    return fold_halves<K, T, kBytes / 2>(
        K::combine(__builtin_shufflevector(v, v, I...), __builtin_shufflevector(v, v, (I + n)...)),
        std::make_integer_sequence<int, n / 2>());
  }
}
template <class K, class T> GC_INLINE T fold_lanes(Vec<T> v) {
  constexpr int half = static_cast<int>(kLanes<T>) / 2;
  return fold_halves<K, T, kVecBytes>(v, std::make_integer_sequence<int, half>());
}

// What an element is folded as: halves as floats.
template <class In> using FoldedAs = If<is_half_type<In>, float, In>;

// Eight accumulators hide the latency of an addition; what is left after the last full step goes to 4, 2, 1
// of them, and a rest shorter than a vector is read again with its neighbours, whose lanes are then dropped.
template <class K, class In, class T = FoldedAs<In>> GC_OUTLINE T fold_vectors(const In* p, int64_t n) {
  using V = Vec<T>;
  using Bits = Vec<SameWidthInt<T>>;
  constexpr int64_t L = kLanes<T>;
  V acc[8];
#pragma GCC unroll 8
  for (int k = 0; k < 8; ++k) acc[k] = V{} + K::kIdentity;
  const In* const end = p + n;
  for (; end - p >= 8 * L; p += 8 * L)
#pragma GCC unroll 8
    for (int k = 0; k < 8; ++k) acc[k] = K::combine(acc[k], K::map(load_floats(p + k * L)));
  if (end - p >= 4 * L) {
#pragma GCC unroll 4
    for (int k = 0; k < 4; ++k) acc[k] = K::combine(acc[k], K::map(load_floats(p + k * L)));
    p += 4 * L;
  }
  if (end - p >= 2 * L) {
    acc[4] = K::combine(acc[4], K::map(load_floats(p)));
    acc[5] = K::combine(acc[5], K::map(load_floats(p + L)));
    p += 2 * L;
  }
  if (end - p >= L) {
    acc[6] = K::combine(acc[6], K::map(load_floats(p)));
    p += L;
  }
  if (p < end) {
    Bits lane;
#pragma GCC unroll 16
    for (int64_t j = 0; j < L; ++j) lane[j] = static_cast<SameWidthInt<T>>(j);
    const V both = K::combine(acc[7], K::map(load_floats(end - L)));
    acc[7] = lane >= static_cast<SameWidthInt<T>>(L - (end - p)) ? both : acc[7];
  }
#pragma GCC unroll 4
  for (int k = 0; k < 4; ++k) acc[k] = K::combine(acc[k], acc[k + 4]);
  return fold_lanes<K, T>(K::combine(K::combine(acc[0], acc[2]), K::combine(acc[1], acc[3])));
}

// Largest or smallest. Only numbers are compared; a NaN shows in a sum kept beside, and then the careful fold
// decides (which it also does, in vain, for inf together with -inf).
template <class K, class In, class T = FoldedAs<In>> GC_OUTLINE T fold_extreme(const In* p, int64_t n) {
  using V = Vec<T>;
  constexpr int64_t L = kLanes<T>;
  const In* const end = p + n;
  const In* at = p;
  V best[8], sum[4] = {};
#pragma GCC unroll 8
  for (int k = 0; k < 8; ++k) best[k] = V{} + K::kIdentity;
  const auto step = [&](const In* from, V& b, V& s) {
    const V x = K::map(load_floats(from));
    b = K::pick(x, b);
    s += x;
  };
  for (; end - at >= 8 * L; at += 8 * L)
#pragma GCC unroll 8
    for (int k = 0; k < 8; ++k) step(at + k * L, best[k], sum[k % 4]);
  if (end - at >= 4 * L) {
#pragma GCC unroll 4
    for (int k = 0; k < 4; ++k) step(at + k * L, best[k], sum[k]);
    at += 4 * L;
  }
  if (end - at >= 2 * L) {
    step(at, best[4], sum[0]);
    step(at + L, best[5], sum[1]);
    at += 2 * L;
  }
  if (end - at >= L) step(at, best[6], sum[2]);
  step(end - L, best[7], sum[3]);  // the rest, with some again: that changes no extreme
  const T check = fold_lanes<SumKind<T>, T>((sum[0] + sum[1]) + (sum[2] + sum[3]));
  if (check != check) return fold_vectors<K>(p, n);
#pragma GCC unroll 4
  for (int k = 0; k < 4; ++k) best[k] = K::pick(best[k], best[k + 4]);
  return fold_lanes<K, T>(K::pick(K::pick(best[0], best[2]), K::pick(best[1], best[3])));
}

template <class K, class In> GC_INLINE typename K::Part fold_plain(const In* p, int64_t n) {
  typename K::Part acc = K::kIdentity;
  for (int64_t i = 0; i < n; ++i) acc = K::combine(acc, K::map(static_cast<FoldedAs<In>>(p[i])));
  return acc;
}

// Note: a kind whose Part is narrower than the sum of kChunk elements needs (int32_t) must not be given more
// than that.
template <class K, class In> GC_INLINE typename K::Part fold_run(const In* p, int64_t n) {
  using T = FoldedAs<In>;
  if constexpr (is_float<T> && __is_same(typename K::Part, T)) {
    if (n >= kLanes<T>) {
      if constexpr (K::kExtreme) return fold_extreme<K>(p, n);
      return fold_vectors<K>(p, n);
    }
  }
  return fold_plain<K>(p, n);
}

// As fold_run, of a few whole vectors and without a call.
template <class K, int64_t kCount, class T> GC_INLINE T fold_block(const T* p) {
  constexpr int64_t L = kLanes<T>;
  Vec<T> acc[kCount / L];
#pragma GCC unroll 32
  for (int64_t k = 0; k < kCount / L; ++k) acc[k] = load(p + k * L);
#pragma GCC unroll 8
  for (int64_t half = kCount / L / 2; half > 0; half /= 2)
#pragma GCC unroll 16
    for (int64_t k = 0; k < half; ++k) acc[k] = K::combine(acc[k], acc[k + half]);
  return fold_lanes<K, T>(acc[0]);
}

// R elements, `stride` apart, folded pairwise.
template <class K, int R, class In> GC_INLINE typename K::Part fold_column(const In* p, int64_t stride) {
  if constexpr (R == 1)
    return static_cast<typename K::Part>(K::map(*p));
  else
    return K::combine(fold_column<K, R / 2>(p, stride), fold_column<K, R / 2>(p + R / 2 * stride, stride));
}

template <class K, int R, class In>
GC_INLINE void fold_rows(const In* p, int64_t stride, int64_t cols, typename K::Part* part) {
  GC_INDEPENDENT
  for (int64_t j = 0; j < cols; ++j) part[j] = K::combine(part[j], fold_column<K, R>(p + j, stride));
}

// part[j] = column j folded over all rows: eight rows at a time, so that part is seldom loaded and stored.
template <class K, class In>
GC_INLINE void fold_band(const In* p, int64_t stride, int64_t rows, int64_t cols, typename K::Part* part) {
  for (int64_t j = 0; j < cols; ++j) part[j] = K::kIdentity;
  for (; rows >= 8; rows -= 8, p += 8 * stride) fold_rows<K, 8>(p, stride, cols, part);
  for (; rows > 0; --rows, p += stride) fold_rows<K, 1>(p, stride, cols, part);
}

constexpr int64_t kPad = 16;      // elements; a multiple of every vector's lanes
constexpr int64_t kBuffer = 256;  // elements mapped at a time

// out[i] = f(in[i]) for a function that may call exp or pow. Its vector form rounds differently from its
// scalar one, so a rest is padded to whole vectors: the same bits at every position. in may be out.
template <class T, class F> GC_INLINE void map_run(const T* in, T* out, int64_t n, const F& f) {
  const int64_t whole = n / kPad * kPad;
  GC_INDEPENDENT
  for (int64_t i = 0; i < whole; ++i) out[i] = f(Lane<T>{in[i]}).v;
  if (whole == n) return;
  alignas(64) T pad[kPad];
  for (int64_t i = 0; i < kPad; ++i) pad[i] = in[whole + i < n ? whole + i : whole];
  GC_INDEPENDENT
  for (int64_t i = 0; i < kPad; ++i) pad[i] = f(Lane<T>{pad[i]}).v;
  for (int64_t i = whole; i < n; ++i) out[i] = pad[i - whole];
}

constexpr int64_t kExpBlock = 64;
constexpr int64_t kExpRun = 8192;  // a lane's float sum grows no longer than this / kExpBlock terms

// acc[j] gets exp(x[j] - max), which also goes to `out`, if there is one. A fixed count: no vector loop's
// entry and tail.
template <int64_t kCount, bool kStore, class T> GC_INLINE void exp_block(const T* x, T* out, T max, T* acc) {
  GC_INDEPENDENT
  for (int64_t j = 0; j < kCount; ++j) {
    const T e = exp(Lane<T>{x[j] - max}).v;
    if constexpr (kStore) out[j] = e;
    acc[j] += e;
  }
}

// The sum of exp(x - max). With kStore the terms go to out, which may be x.
// A rest shorter than kPad is computed again with its neighbours, out of a copy made before they are
// overwritten.
template <bool kStore, class T> GC_INLINE T sum_exp_run(const T* x, T* out, int64_t n, T max) {
  alignas(64) T acc[kExpBlock] = {};
  alignas(64) T last[kPad];
  const int64_t rest = n % kPad, whole = n - rest;
  if (rest && whole) __builtin_memcpy(last, x + n - kPad, sizeof last);
  int64_t i = 0;
  for (; i + kExpBlock <= whole; i += kExpBlock) exp_block<kExpBlock, kStore>(x + i, kStore ? out + i : out, max, acc);
  for (; i < whole; i += kPad) exp_block<kPad, kStore>(x + i, kStore ? out + i : out, max, acc);
  if (rest) {
    if (!whole)
      for (int j = 0; j < kPad; ++j) last[j] = x[j < kPad - rest ? 0 : j - (kPad - rest)];
    const int skip = static_cast<int>(kPad - rest);
    for (int j = 0; j < kPad; ++j) {
      last[j] = exp(Lane<T>{last[j] - max}).v;
      acc[j] += j < skip ? T(0) : last[j];
    }
    if constexpr (kStore) {
      if (whole)
        __builtin_memcpy(out + n - kPad, last, sizeof last);
      else
        for (int64_t j = 0; j < n; ++j) out[j] = last[skip + j];
    }
  }
  return fold_block<SumKind<T>, kExpBlock>(acc);
}

template <bool kStore, class T> GC_OUTLINE double sum_exp(const T* x, T* out, int64_t n, T max) {
  double sum = 0;
  for (int64_t i = 0; i < n; i += kExpRun) {
    const int64_t m = n - i < kExpRun ? n - i : kExpRun;
    sum += static_cast<double>(sum_exp_run<kStore>(x + i, kStore ? out + i : out, m, max));
  }
  return sum;
}

}  // namespace gradcore::GC_ISA
