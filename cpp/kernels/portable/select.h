// One element of each row, found by its rank or its number.
#pragma once
#include <cstdint>

#include "core/dtype.h"

namespace gradcore::portable {

// Rows of n > 0 elements, dense; one result for each.
struct SelectArgs {
  const void* in;
  void* values;
  int64_t* places;
  int64_t rows, n;
  int64_t k;  // kth
  DType dtype;
};
void kth(const SelectArgs& a);  // the one that is k-th, from 0, in the stable order
// The lower one of the two in the middle. median: the first NaN where there is one. nanmedian: of those that are no
// NaNs; the first where all are.
void median(const SelectArgs& a);
void nanmedian(const SelectArgs& a);
// The least of the most frequent elements, where it stands last. Each NaN is an element of its own.
void mode(const SelectArgs& a);

}  // namespace gradcore::portable
