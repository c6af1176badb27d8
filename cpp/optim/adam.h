// Adam and AdamW over a list of tensors.
#pragma once
#include <span>

#include "kernels/optim.h"
#include "tensor/tensor.h"

namespace gradcore {

struct AdamOptions {
  double lr, beta1, beta2, eps, weight_decay;
  bool decoupled;  // AdamW
  bool maximize;
};
// All dense, of one memory order and dtype for each item; `v_max` is undefined without amsgrad. `step` counts from 1.
struct AdamItem {
  Tensor param, grad, m, v, v_max;
  double step;
  int64_t n;
};
void adam_step(std::span<const AdamItem> items, const AdamOptions& options);

}  // namespace gradcore
