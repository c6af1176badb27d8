// Products that leave the range of numbers on the way: mantissas are multiplied, and exponents added, apart from each
// other. Start at ScaledProducts.
#pragma once
#include "kernels/common.h"

namespace gradcore::GC_ISA {

// The products of kCols columns.
template <class T> class ScaledProducts {
  using V = Vec<double>;
  using Bits = Vec<uint64_t>;
  static constexpr int kVectors = 4;
  static constexpr int64_t kWords = kLanes<double>;

 public:
  static constexpr int64_t kCols = kVectors * kWords;

  ScaledProducts() {
    for (int k = 0; k < kVectors; ++k) mantissas_[k] = V{} + 1.0, powers_[k] = Bits{};
  }
  // Multiplies the columns by `rows` rows of factors.
  void add(const T* p, int64_t stride, int64_t rows) {
    constexpr int64_t kMost = 512;  // the product of so many mantissas is a double
    for (int64_t first = 0; first < rows; first += kMost)
      add_some(p + first * stride, stride, smaller(kMost, rows - first));
  }
  double column(int64_t j) const { return scaled(mantissa(j), power(j)); }
  // The product of all columns.
  double all() const {
    double product = 1;
    int64_t exponent = 0;
    for (int64_t j = 0; j < kCols; ++j) product *= mantissa(j), exponent += power(j);
    return scaled(product, exponent);
  }

 private:
  double mantissa(int64_t j) const { return mantissas_[j / kWords][j % kWords]; }
  int64_t power(int64_t j) const { return static_cast<int64_t>(powers_[j / kWords][j % kWords]); }

  static double scaled(double x, int64_t power) {
    constexpr int64_t kFar = 2200;  // a power beyond any double
    return __builtin_ldexp(x, static_cast<int>(smaller(larger(power, -kFar), kFar)));
  }
  GC_INLINE V doubles(const T* p) {
    if constexpr (sizeof(T) == 8) return load(p);
    typedef T Narrow __attribute__((vector_size(kWords * sizeof(T))));
    Narrow v;
    __builtin_memcpy(&v, p, sizeof v);
    return __builtin_convertvector(v, V);
  }
  // Mantissas from 1 to 2, their exponents added to `power`. Zeros, infinities and NaN stay as they are.
  GC_INLINE V mantissas_of(V x, Bits& power) {
    constexpr uint64_t kExponent = 0x7ff, kPlace = 52;
    Bits bits = reinterpret_cast<Bits>(x);
    if constexpr (sizeof(T) == 8) {  // denormal numbers have no exponent of their own; no float is a denormal double
      const Bits small = reinterpret_cast<Bits>((bits & kExponent << kPlace) == 0);
      bits = (small & reinterpret_cast<Bits>(x * 0x1p54)) | (~small & bits);
      power -= small & 54;
    }
    const Bits e = bits >> kPlace & kExponent;
    const Bits usual = reinterpret_cast<Bits>((e != 0) & (e != kExponent));
    power += usual & (e - 1023);
    return reinterpret_cast<V>((bits & ~(usual & kExponent << kPlace)) | (usual & uint64_t(1023) << kPlace));
  }
  void add_some(const T* p, int64_t stride, int64_t rows) {
    V mantissas[kVectors];
    Bits powers[kVectors];
    for (int k = 0; k < kVectors; ++k) mantissas[k] = mantissas_[k], powers[k] = powers_[k];
    for (int64_t r = 0; r < rows; ++r, p += stride)
      for (int k = 0; k < kVectors; ++k) mantissas[k] *= mantissas_of(doubles(p + k * kWords), powers[k]);
    for (int k = 0; k < kVectors; ++k) {
      mantissas_[k] = mantissas_of(mantissas[k], powers[k]);
      powers_[k] = powers[k];
    }
  }

  V mantissas_[kVectors];
  Bits powers_[kVectors];
};

}  // namespace gradcore::GC_ISA
