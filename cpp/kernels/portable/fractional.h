// Maxima of windows of one size that begin anywhere.
#pragma once
#include <cstdint>

#include "core/dtype.h"

namespace gradcore::portable {

// From [planes, sizes] to [planes, outs], dense, float32 or float64. Plane p has row p % tables of `starts`: where the
// windows begin along the first dim, then along the second and the third. All lie inside.
struct FractionalMaxArgs {
  const void* x;
  const int64_t* starts;
  void* out;
  int64_t* index;  // where in its plane the maximum lies
  int64_t planes, tables, sizes[3], outs[3], kernel[3];
  DType dtype;
};
void fractional_max(const FractionalMaxArgs& a);

}  // namespace gradcore::portable
