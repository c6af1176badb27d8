#include "optim/adam.h"

#include <cmath>

#include "core/slices.h"
#include "kernels/table.h"

namespace gradcore {

template <class T>
static void slice(AdamFn<T> kernel, const AdamItem& i, int64_t begin, int64_t end, const AdamStep& step) {
  T* v_max = i.v_max ? i.v_max.data<T>() + begin : nullptr;
  kernel(i.param.data<T>() + begin, i.grad.data<T>() + begin, i.m.data<T>() + begin, i.v.data<T>() + begin, v_max, end - begin,
         step);
}

static AdamStep constants(const AdamOptions& o, double t) {
  AdamStep s{};
  s.beta1 = o.beta1;
  s.beta2 = o.beta2;
  s.eps = o.eps;
  s.weight_decay = o.decoupled ? 0 : o.weight_decay;
  s.shrink = o.decoupled ? 1 - o.lr * o.weight_decay : 1;
  s.step_size = o.lr / (1 - std::pow(o.beta1, t));
  s.correction2_sqrt = std::sqrt(1 - std::pow(o.beta2, t));
  s.maximize = o.maximize;
  return s;
}

void adam_step(std::span<const AdamItem> items, const AdamOptions& options) {
  const OptimKernels& k = kernels().optim;
  // Items nearly always share their step number: the constants are computed once for it.
  const double t0 = items.empty() ? 1 : items[0].step;
  const AdamStep shared = constants(options, t0);
  for_each_slice(items, [&](const AdamItem& i, int64_t begin, int64_t end) {
    const AdamStep step = i.step == t0 ? shared : constants(options, i.step);
    if (i.param.dtype() == DType::Float32)
      slice<float>(k.adam_f32, i, begin, end, step);
    else
      slice<double>(k.adam_f64, i, begin, end, step);
  });
}

}  // namespace gradcore
