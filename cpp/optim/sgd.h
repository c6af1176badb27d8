// Stochastic gradient descent over a list of tensors.
#pragma once
#include <span>

#include "kernels/optim.h"
#include "tensor/tensor.h"

namespace gradcore {

// All dense, of one memory order and dtype for each item; `buffer` is undefined without momentum.
struct SgdItem {
  Tensor param, grad, buffer;
  bool first;
  int64_t n;
};
void sgd_step(std::span<const SgdItem> items, const SgdStep& options);

}  // namespace gradcore
