// Means of windows and interpolations: linear maps of the last dims, a dim at a time.
#pragma once
#include "kernels/pool/pool.h"
#include "ops/batching.h"

namespace gradcore {

// What is done to the last `dims` dims: those of `dim` at its end.
struct TapDims {
  int dims;
  portable::TapDim dim[3];
  portable::TapDim& operator[](int i) { return dim[3 - dims + i]; }
  const portable::TapDim& operator[](int i) const { return dim[3 - dims + i]; }
};

// A tensor as the kernels see it: planes of dense dims, and those of a channels-last one together.
struct Planes {
  Tensor dense;
  bool channels_last;
  Planes(const Tensor& t, int dims, bool may_be_last = true);
  PoolGeometry geometry(const TapDims& d) const;
  // A new tensor in the same order, with other sizes of the last dims.
  Tensor with_sizes(std::span<const int64_t> sizes, DType dtype) const;
};
// The same work with short rows put together, where their windows reach no other row.
PoolGeometry joined(PoolGeometry g);
bool is_channels_last(const Tensor& t, int dims);
Tensor in_channels_last(const Tensor& t);

// The names of the nodes of a sum and of its gradient, and whether the first keeps the input, as torch's does.
struct TapNodes {
  const char* forward;
  const char* backward;
  bool keeps_input = false;
};
// The weighted sums, divided by `divisor` or, where that is 0, by the numbers of elements of the windows; and the
// gradient of what they sum.
Tensor tap_sum(const Tensor& x, const TapDims& d, int64_t divisor, TapNodes nodes);
Tensor tap_sum_backward(const Tensor& g, const TapDims& d, int64_t divisor, TapNodes nodes);

}  // namespace gradcore
