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

// Rotations of neighbouring columns of z (stored by columns), held back and applied together: to a few rows at a time,
// which stay in the cache meanwhile. A chain turns a column with the next one, that one with the next, and so on, to
// the right (step 1) or to the left (-1): (p, q) = (c p + s q, c q - s p), of which q goes on.
template <class T> class Rotations {
 public:
  static int64_t room(int64_t n) { return n * (2 * kHeld + kRows); }

  // Without rows nothing is kept. `memory` has room(n) elements, n being the columns of z.
  Rotations(int64_t rows, int64_t n, const Mat<T>& z, T* memory)
      : rows_(rows),
        most_(kHeld * n),
        z_(z),
        pairs_(memory),
        panel_(rows ? memory + 2 * most_ : nullptr),
        low_(n),
        high_(0) {}

  void begin(int64_t column, int64_t step) {
    if (most_ < kHeld * kMany) {
      chain_[0] = {column, step, 0};
      return;
    }
    if (chains_ == kChains || count_ + most_ / kHeld > most_) apply();
    chain_[chains_++] = {column, step, 0};
  }
  void add(T c, T s) {
    if (rows_ == 0) return;
    if (most_ < kHeld * kMany) return turn_now(c, s);
    pairs_[2 * count_] = c, pairs_[2 * count_ + 1] = s;
    ++count_, ++chain_[chains_ - 1].count;
  }
  void apply() {
    for (int64_t k = 0; k < chains_; ++k) {
      const int64_t from = chain_[k].column, to = from + chain_[k].step * chain_[k].count;
      low_ = smaller(low_, smaller(from, to)), high_ = larger(high_, larger(from, to));
    }
    if (count_ > 0)  // rows that a panel does not have are zeros
      for (int64_t i = low_ * kRows; i < (high_ + 1) * kRows; ++i) panel_[i] = 0;
    for (int64_t row = 0; row < rows_ && count_ > 0; row += kRows) turn(row, smaller(kRows, rows_ - row));
    low_ = most_ / kHeld, high_ = 0, chains_ = count_ = 0;
  }
  int64_t rows() const { return rows_; }

 private:
  static constexpr int64_t kVecs = 4, kRows = kVecs * kLanes<T>;
  static constexpr int64_t kHeld = 16, kChains = 64;
  static constexpr int64_t kMany = 192;  // columns; fewer turn while the next rotation is computed
  struct Chain {
    int64_t column, step, count;
  };

  void turn(int64_t row, int64_t rows) {
    for (int64_t j = low_; j <= high_; ++j) copy_rows(rows, z_.column(j) + row, panel_ + j * kRows);
    const T* pair = pairs_;
    for (int64_t k = 0; k < chains_; ++k) pair = turn(chain_[k], pair);
    for (int64_t j = low_; j <= high_; ++j) copy_rows(rows, panel_ + j * kRows, z_.column(j) + row);
  }
  void turn_now(T c, T s) {
    int64_t& column = chain_[0].column;
    T *const p = z_.column(column), *const q = z_.column(column + chain_[0].step);
    rotate(rows_, c, -s, p, q);
    column += chain_[0].step;
  }
  static void copy_rows(int64_t rows, const T* __restrict from, T* __restrict to) {
    if (rows == kRows)
      __builtin_memcpy(to, from, kRows * sizeof(T));
    else
      for (int64_t i = 0; i < rows; ++i) to[i] = from[i];
  }
  const T* turn(const Chain& chain, const T* pair) {
    T* at = panel_ + chain.column * kRows;
    Vec<T> p[kVecs];
#pragma GCC unroll 4
    for (int64_t v = 0; v < kVecs; ++v) p[v] = load(at + v * kLanes<T>);
    for (int64_t k = 0; k < chain.count; ++k, pair += 2) {
      T* const next = at + chain.step * kRows;
      const T c = pair[0], s = pair[1];
#pragma GCC unroll 4
      for (int64_t v = 0; v < kVecs; ++v) {
        const Vec<T> q = load(next + v * kLanes<T>);
        store(at + v * kLanes<T>, c * p[v] + s * q);
        p[v] = c * q - s * p[v];
      }
      at = next;
    }
#pragma GCC unroll 4
    for (int64_t v = 0; v < kVecs; ++v) store(at + v * kLanes<T>, p[v]);
    return pair;
  }

  int64_t rows_, most_;
  Mat<T> z_;
  T *pairs_, *panel_;
  int64_t low_, high_, chains_ = 0, count_ = 0;
  Chain chain_[kChains];
};

// By what a matrix with this largest element is multiplied so that no square of it overflows or is lost: 1, or a power
// of two.
template <class T> T scale_for(T most) {
  if (most == 0 || (most > Limits<T>::low && most < Limits<T>::high)) return 1;
  int exponent;
  (void)__builtin_frexp(static_cast<double>(most), &exponent);
  return static_cast<T>(__builtin_ldexp(1.0, -exponent));
}

}  // namespace gradcore::GC_ISA
