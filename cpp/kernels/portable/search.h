// Places of values in sorted rows.
#pragma once
#include <cstdint>

#include "core/dtype.h"

namespace gradcore::portable {

// Each value's place in a sorted row of n: how many elements are less, or with `right` not greater. A NaN's is n.
struct SearchArgs {
  const void* sorted;
  const void* values;
  void* places;  // int64, or int32 where `narrow`
  int64_t rows;  // of `sorted`
  int64_t n, m;  // a row of `sorted`, and the values that are looked for in it
  DType dtype;
  bool right, narrow;
};
void search(const SearchArgs& a);

// Lexicographic order of the rows of a dense matrix: order[i] is the number of the row that is i-th. Equal rows keep
// their order.
struct RowSortArgs {
  const void* in;
  int64_t* order;
  int64_t rows, n;
  DType dtype;
};
void sort_rows(const RowSortArgs& a);

}  // namespace gradcore::portable
