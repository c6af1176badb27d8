// Products that certainly vanish or become infinite, without multiplying. Start at ProductBounds.
//
// Exponent and fraction of a positive float, read as one whole number, are its logarithm to base 2 in units of the last
// place, too small by 0.0861 at most (J. N. Mitchell, "Computer Multiplication and Division Using Binary Logarithms",
// 1962). So a sum of such numbers bounds the logarithm of a product from both sides.
#pragma once
#include <type_traits>

#include "kernels/common.h"

namespace gradcore::GC_ISA {

// Bounds for the products of kCols columns.
template <class T> class ProductBounds {
  using W = std::conditional_t<sizeof(T) == 4, uint32_t, uint64_t>;
  using V = Vec<W>;
  static constexpr int kVectors = 2;
  static constexpr int64_t kWords = kLanes<T>;
  static constexpr int kFraction = sizeof(T) == 4 ? 23 : 52, kKept = 8;  // bits of a fraction, and those that count
  static constexpr int64_t kBias = sizeof(T) == 4 ? 127 : 1023;
  static constexpr double kLowest = sizeof(T) == 4 ? -150 : -1075;  // the logarithm of half the least number
  static constexpr double kSlack = 0.0861 + 1.0 / (1 << kKept);     // of one factor
  static constexpr W kNoSign = static_cast<W>(-1) >> 1, kNormal = W{1} << kFraction;
  static constexpr W kInfinite = kNoSign >> kFraction << kFraction;

 public:
  static constexpr int64_t kCols = kVectors * kWords;

  ProductBounds() {
    for (int64_t j = 0; j < kCols; ++j) odd_[j] = most_[j] = 0, least_[j] = kNoSign, log_[j] = 0;
  }
  // Multiplies the columns by `rows` rows of factors.
  void add(const T* p, int64_t stride, int64_t rows) {
    constexpr int64_t kMost = 1 << 12;  // no sum of so many leaves a word
    for (int64_t first = 0; first < rows; first += kMost)
      add_some(p + first * stride, stride, smaller(kMost, rows - first));
    count_ += rows;
  }
  // The product of column j: 0 or infinite, or NaN where it may be something else.
  T column(int64_t j) const { return product(log_[j], least_[j], most_[j], odd_[j], count_); }
  // The product of all columns.
  T all() const {
    W odd = 0, most = 0, least = kNoSign;
    int64_t log = 0;
    for (int64_t j = 0; j < kCols; ++j) {
      odd ^= odd_[j];
      most = most_[j] > most ? most_[j] : most;
      least = least_[j] < least ? least_[j] : least;
      log += log_[j];
    }
    return product(log, least, most, odd, count_ * kCols);
  }

 private:
  void add_some(const T* p, int64_t stride, int64_t rows) {
    V odd[kVectors], most[kVectors], least[kVectors], log[kVectors];
    for (int k = 0; k < kVectors; ++k) odd[k] = most[k] = log[k] = V{}, least[k] = V{} + kNoSign;
    for (int64_t r = 0; r < rows; ++r, p += stride)
      for (int k = 0; k < kVectors; ++k) {
        const V bits = reinterpret_cast<V>(load(p + k * kWords)), size = bits & kNoSign;
        odd[k] ^= bits;
        most[k] = size > most[k] ? size : most[k];
        least[k] = size < least[k] ? size : least[k];
        log[k] += size >> (kFraction - kKept);
      }
    for (int64_t j = 0; j < kCols; ++j) {
      const int64_t k = j / kWords, l = j % kWords;
      odd_[j] ^= odd[k][l];
      most_[j] = most[k][l] > most_[j] ? most[k][l] : most_[j];
      least_[j] = least[k][l] < least_[j] ? least[k][l] : least_[j];
      log_[j] += static_cast<int64_t>(log[k][l]);
    }
  }
  static T product(int64_t log, W least, W most, W odd, int64_t count) {
    const double n = static_cast<double>(count), low = static_cast<double>(log) / (1 << kKept) - n * kBias;
    const T sign = odd > kNoSign ? T(-1) : T(1);
    if (most < kInfinite && low + n * kSlack < kLowest) return sign * T(0);
    if (most < kInfinite && least >= kNormal && low > static_cast<double>(kBias + 1)) return sign * T(__builtin_inf());
    return T(__builtin_nan(""));
  }

  alignas(64) W odd_[kCols], most_[kCols], least_[kCols];  // whose first bits are signs; greatest, least magnitudes
  int64_t log_[kCols], count_ = 0;
};

}  // namespace gradcore::GC_ISA
