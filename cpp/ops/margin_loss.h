// Hinge losses of classes, of each row: of one class, and of several.
#pragma once
#include "tensor/tensor.h"

namespace gradcore {

// x: (N, C), (C) or a number; target: (N), or one number; weight: (C) or undefined.
Tensor multi_margin_loss(const Tensor& x, const Tensor& target, bool squared, double margin, const Tensor& weight);
// target: of x's shape; the labels of a row end at its first -1.
Tensor multilabel_margin_loss(const Tensor& x, const Tensor& target);

}  // namespace gradcore
