// What the ops that read and write through index tensors share: index.cpp (whole slabs) and gather.cpp
// (single elements).
#pragma once
#include <cstdint>
#include <type_traits>

#include "ops/ops.h"

namespace gradcore {

// Elements by their size alone: for moving them about.
template <class F> decltype(auto) visit_item_size(int64_t bytes, F&& f) {
  switch (bytes) {
    case 1: return f(TypeTag<uint8_t>{});
    case 2: return f(TypeTag<uint16_t>{});
    case 4: return f(TypeTag<uint32_t>{});
    default: return f(TypeTag<uint64_t>{});
  }
}

// Elements for arithmetic: like visit_dtype(), but a bool stays a byte, because memory may hold any.
struct BoolByte {
  uint8_t byte;
};
template <class F> decltype(auto) visit_stored(DType t, F&& f) {
  if (t == DType::Bool) return f(TypeTag<BoolByte>{});
  return visit_dtype(t, f);
}

// a + b as the dtype adds: integers wrap, bools are or-ed.
template <class T> T plus(T a, T b) {
  if constexpr (std::is_same_v<T, BoolByte>)
    return {static_cast<uint8_t>((a.byte | b.byte) != 0)};
  else if constexpr (std::is_integral_v<T>)
    return static_cast<T>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b));
  else
    return a + b;
}

// The source of an in-place op whose target it must not share elements with, unless it `may`; a copy where that
// cannot be told.
inline Tensor apart_from(const Tensor& source, const Tensor& target, bool may = false) {
  if (source->storage.get() != target->storage.get()) return source;
  check(may || overlap_of(target, source) == Overlap::None,
        "unsupported operation: some elements of the input tensor and the written-to tensor refer to a single memory "
        "location. Please clone() the tensor before performing the operation.");
  const NoRecordGuard off;
  return clone(source);
}

[[noreturn, gnu::cold]] inline void fail_out_of_bounds(ErrorKind kind, int64_t index, int64_t dim, int64_t size) {
  fail(kind, "index ", index, " is out of bounds for dimension ", dim, " with size ", size);
}

}  // namespace gradcore
