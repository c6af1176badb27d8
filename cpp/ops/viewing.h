// What view ops share. Offsets and strides are computed with times(): a window without elements may have any strides.
#pragma once
#include <cstdint>

#include "ops/ops.h"
#include "ops/record.h"

namespace gradcore {

// A product that does not fit belongs to a dim that never steps (one element, or none): any stride will do there.
inline int64_t times(int64_t a, int64_t b) {
  int64_t product;
  return __builtin_mul_overflow(a, b, &product) ? a : product;
}

// A window by its geometry.
struct Geometry {
  Dims shape, strides;
  int64_t offset = 0;  // in elements: from the tensor's first one, or from the storage's where that is said
};

// The view of `t` with this shape and these strides, from its first element on. Recorded.
template <class Vjp> Tensor view_with(const Tensor& t, const Dims& shape, const Dims& strides, Vjp vjp) {
  Tensor v = make_view(t, shape, strides);
  if (should_record(t)) record(v, {&t}, std::move(vjp));
  return v;
}

}  // namespace gradcore
