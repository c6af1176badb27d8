// Other resolutions of the last dims.
#pragma once
#include <string_view>
#include <vector>

#include "core/scalar.h"
#include "tensor/tensor.h"

namespace gradcore {

// The input (N, C, d1 ...) with sizes `out` of the last dims. mode: "nearest", "nearest-exact", "linear", "bilinear",
// "trilinear" or "bicubic"; factors: by which the sizes grew, or nothing where the sizes themselves tell.
struct UpsampleOptions {
  std::string_view mode;
  bool corners;  // whether the centres of the pixels at the ends are aligned, rather than their edges
  bool smooth;   // as image libraries shrink
};
Tensor upsample(const Tensor& x, const Dims& out, const std::vector<Scalar>& factors, const UpsampleOptions& o);

}  // namespace gradcore
