#include "ops/resize.h"

#include <algorithm>

#include "ops/ops.h"

namespace gradcore {

void resize_(const Tensor& t, const Dims& shape) {
  check(!requires_grad(t), "cannot resize variables that require grad");
  check(!any_batched(t), "vmap: resize_() is not supported on a Tensor that is being vmapped over");
  const int64_t count = checked_numel(shape);
  if (t.shape() == shape) return;
  const int64_t room = t->storage->bytes / item_size(t.dtype()) - t.offset();
  if (count <= room) return set_(t, checked_window(t, shape, contiguous_strides(shape), t.offset()));
  const Tensor grown = empty(shape, t.dtype());
  if (room > 0) {
    const Dims row{room}, step{1};
    copy_raw(make_window(grown, row, step), checked_window(t, row, step, t.offset()));
  }
  set_(t, grown);
}

}  // namespace gradcore
