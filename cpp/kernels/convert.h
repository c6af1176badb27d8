// Floats of sixteen bits as floats and back, many at a time. Start at to_floats() and from_floats(); what one element
// becomes is said in core/half.h.
#pragma once
#include "kernels/common.h"
#include "kernels/intrinsics.h"

namespace gradcore::GC_ISA {

#if defined(__AVX512F__)
constexpr int64_t kHalfStep = 16;
GC_INLINE void to_float_step(float* to, const half* from) {
  const __m256i h = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
  _mm512_storeu_ps(to, _mm512_maskz_cvtph_ps(0xffff, h));
}
GC_INLINE void from_float_step(half* to, const float* from) {
  const __m256i h = _mm512_maskz_cvtps_ph(0xffff, _mm512_loadu_ps(from), _MM_FROUND_TO_NEAREST_INT);
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), h);
}
#elif defined(__F16C__)
constexpr int64_t kHalfStep = 8;
GC_INLINE void to_float_step(float* to, const half* from) {
  _mm256_storeu_ps(to, _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from))));
}
GC_INLINE void from_float_step(half* to, const float* from) {
  const __m128i h = _mm256_cvtps_ph(_mm256_loadu_ps(from), _MM_FROUND_TO_NEAREST_INT);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to), h);
}
#else
constexpr int64_t kHalfStep = 1;
GC_INLINE void to_float_step(float* to, const half* from) { *to = *from; }
GC_INLINE void from_float_step(half* to, const float* from) { *to = half(*from); }
#endif

// A vector of them in registers: as fast as a load of floats where there is an instruction.
template <class H> constexpr bool loads_as_floats = __is_same(H, bfloat16) || (kHalfStep == kLanes<float>);
GC_INLINE Vec<float> load_floats(const float* p) { return load(p); }
GC_INLINE Vec<double> load_floats(const double* p) { return load(p); }
GC_INLINE Vec<float> load_floats(const bfloat16* p) {
  typedef uint16_t Halves __attribute__((vector_size(kVecBytes / 2)));
  Halves bits;
  __builtin_memcpy(&bits, p, sizeof bits);
  return reinterpret_cast<Vec<float>>(__builtin_convertvector(bits, Vec<uint32_t>) << 16);
}
GC_INLINE Vec<float> load_floats(const half* p) {
  alignas(64) float wide[kLanes<float>];
  to_float_step(wide, p);
  return load(wide);
}

GC_INLINE void to_floats(float* to, const half* from, int64_t n) {
  int64_t i = 0;
  for (; i + kHalfStep <= n; i += kHalfStep) to_float_step(to + i, from + i);
  for (; i < n; ++i) to[i] = from[i];
}
GC_INLINE void from_floats(half* to, const float* from, int64_t n) {
  int64_t i = 0;
  for (; i + kHalfStep <= n; i += kHalfStep) from_float_step(to + i, from + i);
  for (; i < n; ++i) to[i] = half(from[i]);
}
GC_INLINE void to_floats(float* to, const bfloat16* from, int64_t n) {
  const int64_t whole = n & -kLanes<float>;
  for (int64_t i = 0; i < whole; i += kLanes<float>) store(to + i, load_floats(from + i));
  for (int64_t i = whole; i < n; ++i) to[i] = from[i];
}
// As bfloat16's own rounding.
GC_INLINE void from_float_step(bfloat16* to, Vec<float> x) {
  typedef uint16_t Halves __attribute__((vector_size(kVecBytes / 2)));
  const Vec<uint32_t> bits = reinterpret_cast<Vec<uint32_t>>(x);
  const Vec<uint32_t> rounded = (bits + 0x7fffu + (bits >> 16 & 1u)) >> 16, nan = Vec<uint32_t>{} + 0x7fc0u;
  const Halves halves = __builtin_convertvector((bits & 0x7fffffffu) > 0x7f800000u ? nan : rounded, Halves);
  __builtin_memcpy(to, &halves, sizeof halves);
}
GC_INLINE void from_floats(bfloat16* to, const float* from, int64_t n) {
  const int64_t whole = n & -kLanes<float>;
  for (int64_t i = 0; i < whole; i += kLanes<float>) from_float_step(to + i, load(from + i));
  for (int64_t i = whole; i < n; ++i) to[i] = bfloat16(from[i]);
}
GC_INLINE void from_floats(float* to, const float* from, int64_t n) { __builtin_memcpy(to, from, n * sizeof(float)); }

// By dtype.
GC_INLINE void halves_to_floats(DType from, float* to, const void* p, int64_t n) {
  if (from == DType::Float16) return to_floats(to, static_cast<const half*>(p), n);
  to_floats(to, static_cast<const bfloat16*>(p), n);
}
GC_INLINE void floats_to_halves(DType to, void* p, const float* from, int64_t n) {
  if (to == DType::Float16) return from_floats(static_cast<half*>(p), from, n);
  from_floats(static_cast<bfloat16*>(p), from, n);
}

}  // namespace gradcore::GC_ISA
