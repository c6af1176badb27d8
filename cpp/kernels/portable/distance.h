// Distances between the rows of two matrices by the p-norm, and their gradients.
#pragma once
#include <cstdint>

#include "core/dtype.h"

namespace gradcore::portable {

// out[i, j] = |a[i] - b[j]|_p for each of a batch. All are contiguous, of one floating dtype.
struct DistanceArgs {
  const char* a;
  const char* b;
  char* out;
  int64_t batch, rows, columns;  // rows of a and of b
  int64_t size;                  // of a row of both
  double p;
  DType dtype;
};
void distance(const DistanceArgs& d);

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
