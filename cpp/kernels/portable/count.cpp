#include "kernels/portable/count.h"

#include <cmath>

#include "kernels/portable/ordered.h"

namespace gradcore::portable {

namespace {

void count_range(const CountArgs& a, int64_t begin, int64_t end, int64_t* totals) {
  for (int64_t i = begin; i < end; ++i) {
    const uint64_t number = static_cast<uint64_t>(a.numbers[i]);
    if (number < static_cast<uint64_t>(a.bins)) ++totals[number];
  }
}

// Each block of the numbers has totals of its own, which are added up.
void count_in_blocks(const CountArgs& a, int64_t blocks) {
  int64_t* const totals = static_cast<int64_t*>(a.totals);
  if (blocks <= 1) return count_range(a, 0, a.n, totals);
  const Scratch<int64_t> part(blocks * a.bins);
  std::fill(part.data(), part.data() + blocks * a.bins, 0);
  parallel_blocks(
      blocks, [&](int64_t b) { count_range(a, a.n * b / blocks, a.n * (b + 1) / blocks, part.data() + b * a.bins); });
  for (int64_t b = 0; b < blocks; ++b)
    for (int64_t j = 0; j < a.bins; ++j) totals[j] += part[b * a.bins + j];
}

template <class T> void add_weights(const CountArgs& a) {
  const T* const weights = static_cast<const T*>(a.weights);
  T* const totals = static_cast<T*>(a.totals);
  for (int64_t i = 0; i < a.n; ++i) {
    const uint64_t number = static_cast<uint64_t>(a.numbers[i]);
    if (number < static_cast<uint64_t>(a.bins)) totals[number] += weights[i];
  }
}

template <class T> int64_t bin_of(const BinArgs& a, T v) {
  const T* const edges = static_cast<const T*>(a.edges);
  const T low = edges[0], high = edges[a.bins];
  if (!(v >= low && v <= high)) return -1;
  if (v == high) return a.bins - 1;
  if (!a.alike) return std::upper_bound(edges, edges + a.bins, v) - edges - 1;
  const T bins = static_cast<T>(a.bins);
  T share = (v - low) * bins / (high - low);
  if (!std::isfinite(share)) share = (v - low) / (high - low) * bins;  // the product is beyond the largest number
  int64_t bin = std::min(a.bins - 1, static_cast<int64_t>(share));
  if (!a.exact) return bin;
  if (v < edges[bin]) return std::max<int64_t>(0, bin - 1);
  return v >= edges[bin + 1] ? std::min(a.bins - 1, bin + 1) : bin;
}

template <class T> void find_bins_of(const BinArgs& a) {
  const T* const values = static_cast<const T*>(a.values);
  for_blocks_of_row(a.n, [&](int64_t, int64_t i, int64_t end) {
    for (; i < end; ++i) a.numbers[i] = bin_of(a, values[i]);
  });
}

}  // namespace

void count(const CountArgs& a) {
  constexpr int64_t kMostBlocks = 16, kMostTotals = 1 << 14;  // of all blocks
  if (!a.weights)
    return count_in_blocks(a, std::min({kMostBlocks, blocks_of_row(a.n), kMostTotals / std::max<int64_t>(a.bins, 1)}));
  visit_float(a.dtype, [&]<class T>(TypeTag<T>) { add_weights<T>(a); });
}

void find_bins(const BinArgs& a) {
  visit_float(a.dtype, [&]<class T>(TypeTag<T>) { find_bins_of<T>(a); });
}

}  // namespace gradcore::portable
