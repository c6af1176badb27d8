// Start at resize_bytes(). Columns are summed kColumns at a time: side by side in memory, or put so first.
#include "kernels/pool/resize.h"

#include <cmath>

#include "kernels/pool/lines.h"

namespace gradcore::GC_ISA {

namespace {

constexpr int64_t kColumns = 64;
constexpr int64_t kGrain = 1 << 15;    // products of a parallel block
constexpr int64_t kScratch = 1 << 20;  // bytes that columns are put side by side in, where one column is not longer
constexpr int kMostBits = 22;

// Weights as whole numbers over 2 ** bits: the most bits with which none is beyond 16 bits with a sign. Taps of the
// same input are one, so that they are rounded once. The sum of bytes times weights that sum up to 2 ** 22 stays within
// 32 bits.
struct WholeTaps {
  const Taps<double> exact;
  Scratch<int32_t> weight;
  int bits = 0;

  explicit WholeTaps(const portable::TapDim& d) : exact(d, false), weight(d.out * exact.most) {
    const Scratch<double> merged(d.out * exact.most);
    double largest = 0;
    for (int64_t o = 0; o < d.out; ++o) {
      const double here = merge(o, &merged[o * exact.most]);
      largest = here > largest ? here : largest;
    }
    while (bits < kMostBits && 0.5 + std::ldexp(largest, bits + 1) < 32768) ++bits;
    for (int64_t o = 0; o < d.out; ++o)
      for (int64_t k = o * exact.most; k < o * exact.most + exact.count[o]; ++k)
        weight[k] = static_cast<int32_t>(std::round(std::ldexp(merged[k], bits)));
  }
  // The largest weight of an output, whose weights are written to w.
  double merge(int64_t o, double* w) const {
    double largest = 0, beyond = 0;  // what the taps behind add to the same input
    for (int64_t k = exact.count[o] - 1; k >= 0; --k) {
      const double sum = exact.weight_of(o, k) + beyond;
      const bool same = k > 0 && exact.at(o, k) == exact.at(o, k - 1);
      beyond = same ? sum : 0;
      w[k] = same ? 0 : sum;
      largest = w[k] > largest ? w[k] : largest;
    }
    return largest;
  }
};

class Resize {
 public:
  explicit Resize(const ResizeBytesArgs& a) : a_(a), taps_(a.dim), rows_(a.inner >= kColumns) {}

  void run() const {
    const int64_t longest = a_.dim.size + a_.dim.out;
    const int64_t width = rows_ ? kColumns : larger(1, smaller(kScratch / longest, kColumns));
    const int64_t along = rows_ ? a_.inner : a_.outer * a_.inner;  // columns that a group may reach over
    const int64_t per = (along + width - 1) / width, groups = rows_ ? a_.outer * per : per;
    const int64_t work = groups * width * a_.dim.out * taps_.exact.most;
    const int64_t blocks = larger(1, smaller(work / kGrain, groups));
    parallel_blocks(blocks, [&](int64_t block) {
      Scratch<uint8_t> side_by_side(rows_ ? 0 : longest * width);
      for (int64_t g = groups * block / blocks; g < groups * (block + 1) / blocks; ++g) {
        const int64_t first = g % per * width, n = smaller(width, along - first);
        if (rows_)
          sum_rows(g / per, first, n);
        else
          sum_columns(first, n, side_by_side.data());
      }
    });
  }

 private:
  void sum_rows(int64_t outer, int64_t first, int64_t n) const {
    sum(a_.x + outer * a_.dim.size * a_.inner + first, a_.inner, a_.out + outer * a_.dim.out * a_.inner + first,
        a_.inner, n);
  }

  void sum_columns(int64_t first, int64_t n, uint8_t* scratch) const {
    uint8_t* const sums = scratch + a_.dim.size * n;
    for (int64_t c = 0; c < n; ++c) {
      const uint8_t* from = a_.x + start_of(first + c, a_.dim.size);
      for (int64_t i = 0; i < a_.dim.size; ++i) scratch[i * n + c] = from[i * a_.inner];
    }
    sum(scratch, n, sums, n, n);
    for (int64_t c = 0; c < n; ++c) {
      uint8_t* to = a_.out + start_of(first + c, a_.dim.out);
      for (int64_t o = 0; o < a_.dim.out; ++o) to[o * a_.inner] = sums[o * n + c];
    }
  }
  int64_t start_of(int64_t column, int64_t length) const {
    return column / a_.inner * length * a_.inner + column % a_.inner;
  }

  void sum(const uint8_t* from, int64_t step, uint8_t* to, int64_t out_step, int64_t n) const {
    for (int64_t o = 0; o < a_.dim.out; ++o, to += out_step) {
      if (n == kColumns)
        sum_one(from, step, to, o, kColumns);
      else
        sum_one(from, step, to, o, n);
    }
  }
  [[gnu::always_inline]] void sum_one(const uint8_t* from, int64_t step, uint8_t* to, int64_t o, int64_t n) const {
    int32_t sums[kColumns];
    const int32_t half = taps_.bits ? 1 << (taps_.bits - 1) : 0;
    for (int64_t j = 0; j < n; ++j) sums[j] = half;
    for (int64_t k = 0; k < taps_.exact.count[o]; ++k) {
      const uint8_t* row = from + taps_.exact.at(o, k) * step;
      const int32_t w = taps_.weight[o * taps_.exact.most + k];
      for (int64_t j = 0; j < n; ++j) sums[j] += w * row[j];
    }
    for (int64_t j = 0; j < n; ++j) {
      const int32_t sum = sums[j] >> taps_.bits;
      to[j] = static_cast<uint8_t>(sum < 0 ? 0 : sum > 255 ? 255 : sum);
    }
  }

  const ResizeBytesArgs& a_;
  const WholeTaps taps_;
  const bool rows_;  // columns lie side by side
};

}  // namespace

void resize_bytes(const ResizeBytesArgs& a) { Resize(a).run(); }

}  // namespace gradcore::GC_ISA
