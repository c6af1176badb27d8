// What normalisations have in common where they are recorded as a composition.
#pragma once
#include "ops/derived_core.h"
#include "ops/ops.h"

namespace gradcore {

// (x - mean) / sqrt(var + eps), and 1 / sqrt(var + eps), in ops that record; about 0 where it is not `centred`.
struct Normalised {
  Tensor value, scale;
  Normalised(const Tensor& x, const Dims& dims, double eps, bool centred = true) {
    if (!centred || x.numel() == 0) {  // var() would warn of no elements
      scale = rsqrt(add(mean(square(x), dims, true), Scalar(eps)));
      value = mul(x, scale);
      return;
    }
    const auto [var, about] = var_mean(x, dims, 0, true);
    scale = rsqrt(add(var, Scalar(eps)));
    value = mul(sub(x, about), scale);
  }
};

// Another thread may have given the weight other data while the kernel ran without the GIL: what was saved has then not
// the shape that the op was called with.
inline void check_saved_weight(const Tensor& weight, const Dims& shape) {
  check(!weight || weight.numel() == checked_numel(shape), "the weight was given data of shape ",
        weight ? weight.shape() : Dims(), " before it was saved for backward, where it had ", shape);
}

// Halves with parameters and statistics of float32, as networks in mixed precision have them: they compute in float32.
inline bool is_half_beside_float(const Tensor& x, std::initializer_list<const Tensor*> others) {
  bool some = false;
  if (!is_half(x.dtype())) return false;
  for (const Tensor* t : others) {
    if (*t && t->dtype() != DType::Float32) return false;
    some = some || t->defined();
  }
  return some;
}

}  // namespace gradcore
