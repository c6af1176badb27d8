// Distances between rows as baseline code sees them.
#pragma once
#include <cstdint>

#include "core/dtype.h"

namespace gradcore {

// out[i, j] = |a[i] - b[j]|_p for each of a batch. All are contiguous. `pairs`: a is b, and out has only j > i, row by
// row.
struct DistanceArgs {
  const void* a;
  const void* b;
  void* out;
  int64_t batch, rows, columns;  // rows of a and of b
  int64_t size;                  // of a row of both
  double p;
  bool pairs;
};
using DistanceRow = FloatRow<void (*)(const DistanceArgs&)>;

#ifdef GC_ISA
namespace GC_ISA {
extern const DistanceRow distance_row;
}  // namespace GC_ISA
#endif

}  // namespace gradcore
