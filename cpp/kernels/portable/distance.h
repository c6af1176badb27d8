// Gradients of distances between the rows of two matrices by the p-norm.
#pragma once
#include <cstdint>

#include "core/dtype.h"

namespace gradcore::portable {

// The gradient of `a`: out[i] = sum over j of grad[i, j] times the slope of distance[i, j]. At distance 0 it is 0.
struct DistanceBackwardArgs {
  const char* grad;
  const char* a;
  const char* b;
  const char* distance;
  char* out;
  int64_t batch, rows, columns, size;
  double p;
  DType dtype;
};
void distance_backward(const DistanceBackwardArgs& d);

}  // namespace gradcore::portable
