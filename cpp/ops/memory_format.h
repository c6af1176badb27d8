// Memory orders that have names: contiguous, and for images and volumes (N, C, *places) the one with channels last.
#pragma once
#include "ops/options.h"
#include "ops/reduce_core.h"
#include "tensor/batch.h"

namespace gradcore {

// The strides of a dense tensor in this order. Raises where the shape has other dims than the order is for.
Dims strides_in(const Dims& shape, MemoryFormat format);
Tensor empty_in(const Levels& levels, const Dims& shape, DType dtype, MemoryFormat format);
// Whether the elements lie exactly so.
bool is_stored_in(const Tensor& t, MemoryFormat format);
// Whether they are in the order of channels last, holes allowed, by torch's rule for shapes that leave it open.
bool has_channels_last_order(const Tensor& t);
// The order that results of `t` have: one with channels last, or contiguous.
MemoryFormat suggested_format(const Tensor& t);

// `t` itself where nothing changes; else a copy. Recorded.
Tensor contiguous_in(const Tensor& t, MemoryFormat format);
Tensor clone_in(const Tensor& t, MemoryFormat format);
Tensor to_in(const Tensor& t, MaybeDType dtype, bool copy, MemoryFormat format);

}  // namespace gradcore
