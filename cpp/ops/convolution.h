// Convolutions.
#pragma once
#include <string_view>

#include "tensor/tensor.h"

namespace gradcore {

// Whether 3 x 3 windows may be summed by Winograd's algorithm, whose rounding errors are about twice those of the plain
// sum.
bool winograd_enabled();
void enable_winograd(bool on);

// Of input (N, C, *places) and weight (out, C / groups, *kernel), or (C, out / groups, *kernel) where `transposed`.
// bias may be undefined.
Tensor convolution(const Tensor& input, const Tensor& weight, const Tensor& bias, const Dims& stride,
                   const Dims& padding, const Dims& dilation, bool transposed, const Dims& output_padding,
                   int64_t groups);

// The same in 1 to 3 dims, of one sample or a batch; a list of one int stands for all dims.
Tensor conv(int dims, const Tensor& input, const Tensor& weight, const Tensor& bias, const Dims& stride,
            const Dims& padding, const Dims& dilation, int64_t groups);
// padding: "same" or "valid".
Tensor conv(int dims, const Tensor& input, const Tensor& weight, const Tensor& bias, const Dims& stride,
            std::string_view padding, const Dims& dilation, int64_t groups);
Tensor conv_transpose(int dims, const Tensor& input, const Tensor& weight, const Tensor& bias, const Dims& stride,
                      const Dims& padding, const Dims& output_padding, int64_t groups, const Dims& dilation);

}  // namespace gradcore
