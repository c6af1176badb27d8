// Adafactor: N. Shazeer and M. Stern, "Adafactor: Adaptive Learning Rates with Sublinear Memory Cost", ICML 2018, in torch's
// form: the learning rate bounds the relative step, and the first eps acts on the root of the variance.
#pragma once
#include <span>

#include "tensor/tensor.h"

namespace gradcore {

struct AdafactorOptions {
  double lr, beta2_decay, eps1, eps2, d, weight_decay;
  bool maximize;
};

// A parameter with its gradient and state. A matrix has the running means of its squared gradient's rows and columns, anything
// of less dims the whole variance, in `row`.
struct AdafactorItem {
  Tensor param, grad, step, row, column;
};

// One step of each; nothing is recorded. Shapes must fit.
void adafactor_step(std::span<const AdafactorItem> items, const AdafactorOptions& options);

}  // namespace gradcore
