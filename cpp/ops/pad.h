// Padding: with a number, or with what the tensor has.
#pragma once
#include <optional>
#include <string_view>

#include "tensor/tensor.h"

namespace gradcore {

// pad[0] elements of `value` before the last dim and pad[1] behind it, pad[2] and pad[3] about the dim before ...;
// negative numbers cut.
Tensor constant_pad_nd(const Tensor& t, const Dims& pad, const Scalar& value);
// As nn.functional has it. mode: "constant", or of the last one, two or three dims "reflect", "replicate" or
// "circular".
Tensor pad(const Tensor& t, const Dims& pad, std::string_view mode, const std::optional<Scalar>& value);

}  // namespace gradcore
