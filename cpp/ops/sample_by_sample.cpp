#include "core/warning.h"
#include "ops/batching.h"
#include "ops/join.h"

namespace gradcore {

Tensor sample_by_sample(const char* op, std::span<const Tensor> tensors,
                        const std::function<Tensor(std::span<const Tensor>)>& compute) {
  const NoRecordGuard off;
  warn("There is a performance drop because we have not yet implemented the batching rule for aten::", op,
       ": it runs sample by sample.");
  const Levels levels = levels_of(tensors);
  const int64_t count = numel_of(levels.sizes);
  check(count > 0, "The fallback path of vmap does not support dims of size 0");
  std::vector<Tensor> samples, results;
  for (int64_t k = 0; k < count; ++k) {
    samples.clear();
    for (const Tensor& t : tensors) {
      Tensor sample = t ? physical(t, levels) : t;
      int64_t left = k;
      for (int i = levels.count() - 1; t && i >= 0; --i) {
        sample = select(sample, i, left % levels.sizes[i]);
        left /= levels.sizes[i];
      }
      samples.push_back(sample);
    }
    results.push_back(compute(samples));
  }
  Dims shape = levels.sizes;
  const Tensor all = stack(results, 0);
  for (int64_t d : results[0].shape()) shape.push_back(d);
  return hide(reshape(all, shape).as_new(), levels);
}

}  // namespace gradcore
