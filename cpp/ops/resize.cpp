#include "ops/resize.h"

#include <algorithm>

#include "ops/derived_core.h"
#include "ops/memory_format.h"
#include "ops/ops.h"
#include "tensor/meta.h"

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
  const meta::Scope as_before(is_meta(t));
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

// The source, or where its storage ends before the window does, what resize_() makes of all that the storage holds.
static Tensor reaching(const Tensor& source, const Dims& shape, const Dims& strides, int64_t start) {
  const int64_t held = source->storage->bytes / item_size(source.dtype()), end = window_end(shape, strides, start);
  if (source->batch || end <= held) return source;
  const Tensor whole = checked_window(source, Dims{held}, Dims{1}, 0);
  resize_(whole, Dims{end}, {});
  return whole;
}
void set_(const Tensor& t, const Tensor& source, int64_t offset, const Dims& shape, const MaybeDims& strides) {
  check(offset >= 0, "Tensor: invalid storage offset ", offset);
  int64_t start;  // counted from the source's first element
  check(!__builtin_add_overflow(source.offset(), offset, &start), "Tensor: invalid storage offset ", offset);
  const Dims steps = strides ? *strides : contiguous_strides(shape);
  set_(t, checked_window(reaching(source, shape, steps, start), shape, steps, start));
}

}  // namespace gradcore
