#include "kernels/random/transform.h"

#include "kernels/lane.h"

namespace gradcore::GC_ISA {

namespace {

constexpr float kTwoPi = 2 * 3.14159265358979323846;

GC_INLINE float fused(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
GC_INLINE double fused(double a, double b, double c) { return __builtin_fma(a, b, c); }

// torch turns values rounded up to the open end into the closed one.
template <class F> void stretch(F* p, int64_t n, F low, F high) {
  const F width = high - low;
  for (int64_t i = 0; i < n; ++i) {
    const F value = fused(p[i], width, low);
    p[i] = value == high ? low : value;
  }
}

// Coefficients from the highest power down; no arrays and no loops, for the vectoriser's sake.
template <class... C> GC_INLINE float horner(float x, float y, C... rest) {
  ((y = __builtin_fmaf(y, x, rest)), ...);
  return y;
}

// Cephes' single precision logf for 2^-24 <= x <= 1, in the order of operations torch's vector code has.
GC_INLINE float log_unit(float x) {
  const int32_t bits = __builtin_bit_cast(int32_t, x);
  const int32_t half_bits = (bits & 0x007fffff) | 0x3f000000;  // the significand, in [1/2, 1)
  const float half = __builtin_bit_cast(float, half_bits);
  // Below sqrt(1/2) it is doubled; without a branch, which would not vectorise.
  const int32_t small = half < 0.707106781186547524f;
  const float e = static_cast<float>((bits >> 23) - 126 - small);
  const float r = (half - 1.0f) + __builtin_bit_cast(float, half_bits & -small);
  const float z = r * r;
  const float poly = horner(r, 7.0376836292e-2f, -1.1514610310e-1f, 1.1676998740e-1f, -1.2420140846e-1f,
                            1.4249322787e-1f, -1.6668057665e-1f, 2.0000714765e-1f, -2.4999993993e-1f, 3.3333331174e-1f);
  float y = __builtin_fmaf(poly * r, z, e * -2.12194440e-4f);
  y = __builtin_fmaf(-0.5f, z, y);
  return __builtin_fmaf(e, 0.693359375f, r + y);
}

struct SinCos {
  float sin, cos;
};

// Cephes' sinf and cosf for x >= 0: the nearest even octant is taken off, a polynomial serves either.
GC_INLINE SinCos sin_cos(float x) {
  const int32_t octant = (static_cast<int32_t>(x * 1.27323954473516f) + 1) & ~1;
  const float j = static_cast<float>(octant);
  float r = __builtin_fmaf(j, -0.78515625f, x);
  r = __builtin_fmaf(j, -2.4187564849853515625e-4f, r);
  r = __builtin_fmaf(j, -3.77489497744594108e-8f, r);
  const float z = r * r;
  const float cos_poly = horner(z, 2.443315711809948e-5f, -1.388731625493765e-3f, 4.166664568298827e-2f);
  const float sin_poly = horner(z, -1.9515295891e-4f, 8.3321608736e-3f, -1.6666654611e-1f);
  const float c = __builtin_fmaf(cos_poly * z, z, -0.5f * z) + 1.0f;
  const float s = __builtin_fmaf(sin_poly * z, r, r);
  const bool swapped = octant & 2;
  const uint32_t sin_sign = static_cast<uint32_t>(octant & 4) << 29;
  const uint32_t cos_sign = static_cast<uint32_t>(~(octant - 2) & 4) << 29;
  return {__builtin_bit_cast(float, __builtin_bit_cast(uint32_t, swapped ? c : s) ^ sin_sign),
          __builtin_bit_cast(float, __builtin_bit_cast(uint32_t, swapped ? s : c) ^ cos_sign)};
}

// A loop of eight is one vector; unrolled first it would stay scalar.
void normal_f32(float* p, int64_t blocks, float mean, float std) {
  for (float* end = p + 16 * blocks; p != end; p += 16) {
    float radius[8], first[8], second[8];
#pragma GCC unroll 1
    for (int i = 0; i < 8; ++i) radius[i] = __builtin_sqrtf(-2.0f * log_unit(1.0f - p[i]));
#pragma GCC unroll 1
    for (int i = 0; i < 8; ++i) {
      const SinCos angle = sin_cos(kTwoPi * p[i + 8]);
      first[i] = __builtin_fmaf(radius[i] * angle.cos, std, mean);
      second[i] = __builtin_fmaf(radius[i] * angle.sin, std, mean);
    }
    __builtin_memcpy(p, first, sizeof(first));
    __builtin_memcpy(p + 8, second, sizeof(second));
  }
}

}  // namespace

extern const RandomKernels random_kernels{stretch<float>, stretch<double>, normal_f32};

}  // namespace gradcore::GC_ISA
