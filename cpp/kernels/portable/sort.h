// Sorting rows, and the first elements of sorted rows.
#pragma once
#include <cstdint>

#include "core/dtype.h"

namespace gradcore::portable {

// Rows of n elements, dense; the results are rows of k.
struct SortArgs {
  const void* in;
  void* values;     // may be null
  int64_t* places;  // may be null
  int64_t rows, n, k;
  DType dtype;
  bool descending;
};
void sort(const SortArgs& a);   // the first k of the sorted row, with their places; equal elements keep their order
void top_k(const SortArgs& a);  // the same, for k that is much less than n

}  // namespace gradcore::portable
