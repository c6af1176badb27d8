#include "ops/tape_ops.h"

#include "autograd/accumulate.h"
#include "ops/ops.h"
#include "ops/view.h"

namespace gradcore {

void fill_tape_ops() {
  tape_ops.add = [](const Tensor& a, const Tensor& b) { return add(a, b); };
  tape_ops.add_into = [](const Tensor& to, const Tensor& b) { add_(to, b); };
  tape_ops.clone = [](const Tensor& t) { return clone(t); };
  tape_ops.contiguous = contiguous;
  tape_ops.copy_into = [](const Tensor& to, const Tensor& from) { copy_(to, from); };
  tape_ops.as_strided = [](const Tensor& t, const Dims& shape, const Dims& strides, int64_t offset) {
    return as_strided(t, shape, strides, offset);
  };
  tape_ops.ones_like = [](const Tensor& t) { return ones_like(t); };
  tape_ops.zero = [](const Tensor& t) { zero_(t); };
  tape_ops.has_nan = [](const Tensor& t) {
    return is_floating(t.dtype()) && *any(isnan(t), {}, false).host<uint8_t>() != 0;
  };
  tape_ops.cast = cast;
  tape_ops.sum_level = [](const Tensor& t, int64_t level) { return sum(remove_batch_dim(t, level, 0, 0), Dims{0}); };
  tape_ops.as_strided_backward = as_strided_backward;
}

}  // namespace gradcore
