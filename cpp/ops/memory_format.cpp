#include "ops/memory_format.h"

#include <algorithm>

#include "ops/ops.h"

namespace gradcore {

namespace {

// The dims of (N, C, *places) with channels last, from the innermost one outwards.
template <class F> void each_from_channels(int dims, F&& f) {
  f(1);
  for (int d = dims - 1; d >= 2; --d) f(d);
  f(0);
}

int dims_of(MemoryFormat format) { return format == MemoryFormat::ChannelsLast ? 4 : 5; }

}  // namespace

Dims strides_in(const Dims& shape, MemoryFormat format) {
  if (format == MemoryFormat::Contiguous) return contiguous_strides(shape);
  check(format != MemoryFormat::Preserve, "unsupported memory format Preserve");
  const int dims = dims_of(format);
  check(shape.size() == dims, "required rank ", dims, " tensor to use ",
        dims == 4 ? "channels_last" : "channels_last_3d", " format");
  checked_numel(shape);
  Dims strides(dims);
  int64_t step = 1;
  each_from_channels(dims, [&](int d) {
    strides[d] = step;
    step *= std::max<int64_t>(shape[d], 1);
  });
  return strides;
}

Tensor empty_in(const Levels& levels, const Dims& shape, DType dtype, MemoryFormat format) {
  if (format == MemoryFormat::Contiguous) return empty_batched(levels, shape, dtype);
  return empty_strided_batched(levels, shape, strides_in(shape, format), dtype);
}

bool is_stored_in(const Tensor& t, MemoryFormat format) {
  if (format == MemoryFormat::Contiguous || format == MemoryFormat::Preserve) return t.is_contiguous();
  if (t.dim() != dims_of(format)) return false;
  bool fits = true;
  int64_t step = 1;
  each_from_channels(t.dim(), [&](int d) {
    if (t.size(d) == 1) return;
    fits &= t.stride(d) == step;
    step *= t.size(d);
  });
  return fits;
}

bool has_channels_last_order(const Tensor& t) {
  if ((t.dim() != 4 && t.dim() != 5) || t.stride(1) == 0) return false;
  int64_t least = 0;
  bool fits = true;
  each_from_channels(t.dim(), [&](int d) {
    fits &= t.size(d) != 0 && t.stride(d) >= least && !(d == 0 && least == t.stride(1));
    least = t.stride(d) * std::max<int64_t>(t.size(d), 1);
  });
  return fits;
}

MemoryFormat suggested_format(const Tensor& t) {
  if (!has_channels_last_order(t)) return MemoryFormat::Contiguous;
  return t.dim() == 4 ? MemoryFormat::ChannelsLast : MemoryFormat::ChannelsLast3d;
}

Tensor contiguous_in(const Tensor& t, MemoryFormat format) { return is_stored_in(t, format) ? t : clone_in(t, format); }

}  // namespace gradcore
