// Linear recurrences along a dim: y[i] = x[i] + a[i] y[i - 1].
#pragma once
#include <cstdint>

#include "core/dtype.h"

namespace gradcore::portable {

// All dense [outer, n, inner]; the recurrence runs along n, in double. The first factors are not read. y may be x or a.
struct RecurrenceArgs {
  const void* x;
  const void* a;
  void* y;
  int64_t outer, n, inner;
  DType dtype;  // float
};
void recur(const RecurrenceArgs& a);

}  // namespace gradcore::portable
