// The mean or sum of a loss that was computed for each element.
#pragma once
#include "tensor/tensor.h"

namespace gradcore {

// `loss` is the new result of an op, which nobody else holds: the mean or sum takes over its node, by its name.
Tensor reduced_loss(const Tensor& loss, bool mean);

}  // namespace gradcore
