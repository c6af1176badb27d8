// Normalisations.
#pragma once
#include <array>
#include <optional>

#include "tensor/tensor.h"

namespace gradcore {

// Over the last dims, whose sizes are `shape`; weight and bias have that shape, or are undefined.
Tensor layer_norm(const Tensor& x, const Dims& shape, const Tensor& weight, const Tensor& bias, double eps);

// The same about 0 instead of the mean; without eps it is that of the dtype.
Tensor rms_norm(const Tensor& x, const Dims& shape, const Tensor& weight, std::optional<double> eps);
// By channel, dim 1. In training mean and variance are those of the input, and the running ones, where there are any,
// move towards them by `momentum`; else they are the running ones.
struct RunningStatistics {
  Tensor mean, var;
};
Tensor batch_norm(const Tensor& x, const RunningStatistics& running, const Tensor& weight, const Tensor& bias,
                  bool training, double momentum, double eps);
// With mean and 1 / sqrt(var + eps) of the batch; of no elements where they are not computed.
std::array<Tensor, 3> native_batch_norm(const Tensor& x, const RunningStatistics& running, const Tensor& weight,
                                        const Tensor& bias, bool training, double momentum, double eps);
// With mean and 1 / sqrt(var + eps) of each part that is normalised; those of layer_norm have no history.
std::array<Tensor, 3> native_layer_norm(const Tensor& x, const Dims& shape, const Tensor& weight, const Tensor& bias,
                                        double eps);
// `sizes`: how many samples, channels and places x has.
std::array<Tensor, 3> native_group_norm(const Tensor& x, const std::array<int64_t, 3>& sizes, int64_t groups,
                                        const Tensor& weight, const Tensor& bias, double eps);
// Over groups of channels of each sample.
Tensor group_norm(const Tensor& x, int64_t groups, const Tensor& weight, const Tensor& bias, double eps);
// Over each channel of each sample; the running ones move towards the mean of the samples'.
Tensor instance_norm(const Tensor& x, const RunningStatistics& running, const Tensor& weight, const Tensor& bias,
                     bool use_input, double momentum, double eps);

}  // namespace gradcore
