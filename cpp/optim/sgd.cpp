#include "optim/sgd.h"

#include "core/slices.h"
#include "kernels/table.h"

namespace gradcore {

template <class T>
static void slice(SgdFn<T> kernel, const SgdItem& i, int64_t begin, int64_t end, const SgdStep& step) {
  T* buffer = i.buffer ? i.buffer.data<T>() + begin : nullptr;
  kernel(i.param.data<T>() + begin, i.grad.data<T>() + begin, buffer, end - begin, step);
}

void sgd_step(std::span<const SgdItem> items, const SgdStep& options) {
  const OptimKernels& k = kernels().optim;
  for_each_slice(items, [&](const SgdItem& i, int64_t begin, int64_t end) {
    SgdStep step = options;
    step.first = i.first;
    if (i.param.dtype() == DType::Float32)
      slice<float>(k.sgd_f32, i, begin, end, step);
    else
      slice<double>(k.sgd_f64, i, begin, end, step);
  });
}

}  // namespace gradcore
