#include "kernels/portable/resize.h"

#include <algorithm>
#include <cmath>

#include "core/parallel.h"
#include "kernels/scratch.h"

namespace gradcore::portable {

namespace {

constexpr int64_t kGrain = 1 << 14;  // products of a parallel block
constexpr int kMostBits = 22;

// Weights as whole numbers over 2 ** bits: the most bits with which none is beyond 16 bits with a sign. Taps of the
// same input are one, so that they are rounded once. The sum of a few hundred bytes times weights that sum up to 2 **
// 22 stays within 32 bits.
struct WholeTaps {
  int64_t most;
  Scratch<int32_t> index, count, weight;
  int bits = 0;

  explicit WholeTaps(const TapDim& d) : most(d.most()), index(d.out * most), count(d.out), weight(d.out * most) {
    Scratch<double> exact(d.out * most);
    std::fill_n(exact.data(), d.out * most, 1.0);  // of a dim that stays as it is
    fill_taps<double>(d, {index.data(), count.data(), exact.data(), nullptr});
    double largest = 0;
    for (int64_t o = 0; o < d.out; ++o) largest = std::max(largest, merge(o * most, count[o], exact.data()));
    while (bits < kMostBits && 0.5 + std::ldexp(largest, bits + 1) < 32768) ++bits;
    for (int64_t o = 0; o < d.out; ++o)
      for (int64_t k = o * most; k < o * most + count[o]; ++k)
        weight[k] = static_cast<int32_t>(std::round(std::ldexp(exact[k], bits)));
  }
  // The largest weight of an output.
  double merge(int64_t first, int32_t n, double* w) {
    double largest = 0;
    for (int64_t k = first + n - 1; k >= first; --k) {
      if (k > first && index[k] == index[k - 1]) w[k - 1] += w[k], w[k] = 0;
      largest = std::max(largest, w[k]);
    }
    return largest;
  }
  uint8_t rounded(int32_t sum) const { return static_cast<uint8_t>(std::clamp(sum >> bits, 0, 255)); }
};

}  // namespace

void resize_bytes(const ResizeBytesArgs& a) {
  const WholeTaps taps(a.dim);
  const int64_t lines = a.outer * a.dim.out, work = lines * a.inner * taps.most;
  const int64_t blocks = std::clamp<int64_t>(work / kGrain, 1, std::max<int64_t>(1, lines));
  parallel_blocks(blocks, [&](int64_t block) {
    Scratch<int32_t> sums(a.inner);
    for (int64_t line = lines * block / blocks; line < lines * (block + 1) / blocks; ++line) {
      const int64_t o = line % a.dim.out;
      const uint8_t* from = a.x + line / a.dim.out * a.dim.size * a.inner;
      std::fill_n(sums.data(), a.inner, taps.bits ? 1 << (taps.bits - 1) : 0);
      for (int64_t k = o * taps.most; k < o * taps.most + taps.count[o]; ++k) {
        const uint8_t* row = from + taps.index[k] * a.inner;
        for (int64_t i = 0; i < a.inner; ++i) sums[i] += taps.weight[k] * row[i];
      }
      for (int64_t i = 0; i < a.inner; ++i) a.out[line * a.inner + i] = taps.rounded(sums[i]);
    }
  });
}

}  // namespace gradcore::portable
