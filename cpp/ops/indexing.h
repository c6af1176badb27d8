// What ops that read and write through index tensors share: offsets as tensors, masks, and the two forms of
// an op that writes to a part of a tensor. Note [Take and put] in kernels/portable/take.h.
#pragma once
#include <utility>

#include "kernels/portable/take.h"
#include "ops/batching.h"
#include "ops/ops.h"
#include "ops/record.h"

namespace gradcore {

// A tensor without dims counts as one with a single dim of one element.
inline int64_t size_along(const Tensor& t, int d) { return t.dim() == 0 ? 1 : t.size(d); }
inline int64_t stride_along(const Tensor& t, int d) { return t.dim() == 0 || t.numel() == 0 ? 0 : t.stride(d); }
inline bool is_index_dtype(const Tensor& t) { return t.dtype() == DType::Int64 || t.dtype() == DType::Int32; }

// The contiguous window on the same elements, or a copy. Never recorded.
Tensor dense(const Tensor& t);
// The source of an in-place op whose target it must not share elements with, unless it `may`; a copy where that cannot
// be told.
Tensor apart_from(const Tensor& source, const Tensor& target, bool may = false);

// ---- offsets

// A list of offsets in elements: evenly spaced, or a table.
struct Offsets {
  int64_t count = 1;
  int64_t step = 0;
  Tensor table;
};
// Of all elements of a window, in logical order.
Offsets offsets_of(std::span<const int64_t> shape, std::span<const int64_t> strides);
// Of some dims of a tensor alone.
Offsets offsets_of(const Tensor& t, int begin, int end);

// Index values as offsets along a dim of this size and stride: contiguous. `from_end`: negative ones count from the
// end. One that is out of range raises `error`, which names the dim unless it is -1.
Tensor offsets_from(const Tensor& index, int64_t size, int64_t stride, bool from_end, ErrorKind error, int dim);

// The places that an index stands for: Note [Take and put].
struct IndexPlan {
  Offsets outer, index, inner;
  int64_t numel() const { return outer.count * index.count * inner.count; }
};
// Dim `d` indexed by `offsets`, all others whole.
IndexPlan plan_along(const Tensor& t, int d, const Tensor& offsets);
// out, contiguous, = what lies there.
void take(const Tensor& out, const Tensor& t, const IndexPlan& s);
// What lies there = values, or += them: contiguous in the order of the places, or one element for all.
enum class Put : uint8_t { Assign, Add };
void put(const Tensor& t, const IndexPlan& s, const Tensor& values, bool one_value, Put how);

// Joins `src`, or the number where it is undefined, with the elements of `t` that an index of one dim points to.
// Without history; within a batch `t` has all levels. An error leaves `t` as it was, but a new one half written.
enum class Scatter : uint8_t { Assign, Add, Multiply, Max, Min };
enum class Target : bool { Old, New };
void scatter_to(const Tensor& t, Target target, int dim, const Tensor& index, const Tensor& src, const Scalar& number,
                Scatter how);
// The gradient of the indexed part of a source, with zeros for the rest.
Tensor padded_source(const Tensor& gradient, const Tensor& index, const Dims& shape);

// ---- masks

inline bool is_mask(const Tensor& index) { return index.dtype() == DType::Bool || index.dtype() == DType::UInt8; }

// The true elements of a mask, counted.
struct TrueElements {
  Tensor mask;    // contiguous, one byte for each element in logical order
  Tensor starts;  // how many lie before each block of the mask
  int64_t count;
};
TrueElements true_elements(const Tensor& mask);
// The offset of each true element, where element i of the mask has offset i.
Tensor offsets_where(const TrueElements& e, const Offsets& offsets);
// The elements of `t` at the offsets of true elements.
Tensor compress(const Tensor& t, const TrueElements& e, const Offsets& offsets);
// t[mask] = value, for contiguous ones: the mask covers the leading dims.
void fill_where(const Tensor& t, const Tensor& mask, const Tensor& value);

// ---- advanced indices: where they point to

void check_indices(const Tensor& t, std::span<const Tensor> indices);

struct Resolved {
  IndexPlan plan;
  Dims shape, strides;  // of the result
};
// `values`, if any, must broadcast to the result.
Resolved resolve(const Tensor& t, std::span<const Tensor> indices, const Tensor* values = nullptr);

// t[indices] = values, or += values, which have the dtype of `t`. Not recorded, and no write that is counted.
void put(const Tensor& t, std::span<const Tensor> indices, const Tensor& values, Put how);

// ---- ops that write to a part of a tensor

// torch lets them write one number to elements that share memory, but for how long is open.
void warn_of_filling_expanded(const char* op);

// The form that leaves `t` as it is, beside write_in_place(): the same on a copy with all the levels of the operands.
// The history comes last.
template <class MakeNode, class Write>
Tensor write_to_copy(const Tensor& t, const Levels& levels, bool contiguous, MakeNode&& node, Write&& write) {
  Tensor out;
  {
    const NoRecordGuard off;
    out = levels.none() ? clone(t, contiguous) : widened_copy(t, levels);
    write(out);
    out.as_new();
  }
  if (Ref<Node> history = node()) record_output(out, std::move(history));
  return out;
}

}  // namespace gradcore
