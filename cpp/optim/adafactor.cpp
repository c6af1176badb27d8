#include "optim/adafactor.h"

#include <algorithm>
#include <cmath>

#include "ops/ops.h"

namespace gradcore {

namespace {

double number(const Tensor& t) { return t.dtype() == DType::Float32 ? *t.data<float>() : *t.data<double>(); }

// Root of the mean square, 0 of nothing.
double rms(const Tensor& t) {
  return t.numel() ? number(norm(t, 2, {}, false, {})) / std::sqrt(static_cast<double>(t.numel())) : 0;
}

// Running means of the squared gradient, `take` being the weight of the new one; the variance that they stand for.
Tensor variance_of(const AdafactorItem& item, double take, double eps1) {
  const Tensor squared = square(item.grad);
  if (squared.dim() < 2) {
    lerp_(item.row, squared, Scalar(take));
    return clone(item.row);
  }
  lerp_(item.row, mean(squared, Dims{-1}, true), Scalar(take));
  lerp_(item.column, mean(squared, Dims{-2}, true), Scalar(take));
  const Tensor total = clamp(mean(item.row, Dims{-2}, true), Operand(Scalar(eps1)), {});
  return mul(div(item.row, total), item.column);
}

// Algorithms 4 and 5 of the paper: for a matrix, for a vector.
void update(const AdafactorItem& item, const AdafactorOptions& o) {
  add_(item.step, Scalar(1));
  const double t = number(item.step);
  const double rate = std::max(o.eps2, rms(item.param)) * std::min(o.lr, 1 / std::sqrt(t));
  if (o.weight_decay != 0) mul_(item.param, Scalar(1 - o.lr * o.weight_decay));
  const Tensor step = variance_of(item, std::pow(t, o.beta2_decay), o.eps1);
  clamp_(step, Operand(Scalar(o.eps1 * o.eps1)), {});
  rsqrt_(step);
  mul_(step, item.grad);
  const double size = rate / std::max(1.0, rms(step) / o.d);
  add_(item.param, step, Scalar(o.maximize ? size : -size));
}

}  // namespace

void adafactor_step(std::span<const AdafactorItem> items, const AdafactorOptions& options) {
  const GradModeGuard off(false);
  for (const AdafactorItem& item : items) update(item, options);
}

}  // namespace gradcore
