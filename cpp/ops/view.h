// Other windows on the same memory. Each op is a view that records itself; names and errors are torch's.
#pragma once
#include "ops/view_core.h"

namespace gradcore {

// What as_strided's gradient is to its input; geometries with offsets in elements (TapeOps in autograd/accumulate.h).
Tensor as_strided_backward(const Tensor& grad, const Dims& in_shape, const Dims& in_strides, int64_t in_offset,
                           const Dims& out_shape, const Dims& out_strides, int64_t out_offset);
Tensor numpy_T(const Tensor& t);
// A view whose tangents are its own: first of all those that `t` has at the levels which ops see.
Tensor view_without_tangents(const Tensor& t, const char* node);

}  // namespace gradcore
