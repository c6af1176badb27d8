// Counting: how often numbers occur, and which bin of a histogram values fall into.
#pragma once
#include <cstdint>

#include "core/dtype.h"

namespace gradcore::portable {

// totals[number] += 1, or += its weight; numbers outside of [0, bins) count nowhere. In the order of the numbers, so
// that sums of weights are the same bits for any number of threads.
struct CountArgs {
  const int64_t* numbers;
  const void* weights;  // of dtype; null: counts in int64
  void* totals;
  int64_t n, bins;
  DType dtype;
};
void count(const CountArgs& a);

// The bin of each value, -1 for what lies outside of [first edge, last edge]. The last bin has both of its edges. Where
// the bins are alike, the number of one is computed; `exact` then compares with the edges beside it. Else it is
// searched for.
struct BinArgs {
  const void* values;  // float
  const void* edges;   // bins + 1 of them
  int64_t* numbers;
  int64_t n, bins;
  DType dtype;
  bool alike, exact;
};
void find_bins(const BinArgs& a);

}  // namespace gradcore::portable
