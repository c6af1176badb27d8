#include "ops/resize.h"

#include <algorithm>

#include "ops/memory_format.h"
#include "ops/ops.h"

namespace gradcore {

void resize_(const Tensor& t, const Dims& shape, std::optional<MemoryFormat> format) {
  check(!requires_grad(t), "cannot resize variables that require grad");
  check(!any_batched(t), "vmap: resize_() is not supported on a Tensor that is being vmapped over");
  const int64_t count = checked_numel(shape);
  const Dims strides = strides_in(shape, format.value_or(MemoryFormat::Contiguous));
  if (t.shape() == shape) {
    if (format && t.strides() != strides) set_(t, checked_window(t, shape, strides, t.offset()));
    return;
  }
  const int64_t room = t->storage->bytes / item_size(t.dtype()) - t.offset();
  if (count <= room) return set_(t, checked_window(t, shape, strides, t.offset()));
  const Tensor grown = empty_strided(shape, strides, t.dtype());
  if (room > 0) {
    const Dims row{room}, step{1};
    copy_raw(make_window(grown, row, step), checked_window(t, row, step, t.offset()));
  }
  set_(t, grown);
}

void resize_as_(const Tensor& t, const Tensor& other, std::optional<MemoryFormat> format) {
  resize_(t, other.shape(), format == MemoryFormat::Preserve ? suggested_format(other) : format);
}

}  // namespace gradcore
