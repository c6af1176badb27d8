// Loops that are compiled once: they copy elements, work out offsets or wait for memory, and gain nothing from wider
// vectors (docs/adr/0008). Every function takes plain arguments: pointers, sizes and strides in elements, set by the
// ops that launch it. This header has what the files share.
#pragma once
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "core/dtype.h"

namespace gradcore::portable {

// Elements by their size alone: for moving them about.
template <class F> decltype(auto) visit_item_size(int64_t bytes, F&& f) {
  switch (bytes) {
    case 1: return f(TypeTag<uint8_t>{});
    case 2: return f(TypeTag<uint16_t>{});
    case 4: return f(TypeTag<uint32_t>{});
    default: return f(TypeTag<uint64_t>{});
  }
}

// As memcpy, and without a call for 16 to 128 bytes, of which the last may overlap those before.
inline void copy_run(char* to, const char* from, int64_t bytes) {
  if (bytes < 16 || bytes > 128) {
    std::memcpy(to, from, static_cast<size_t>(bytes));
    return;
  }
  const auto copy16 = [&](int64_t i) { std::memcpy(to + i, from + i, 16); };
  copy16(0);
  if (bytes > 64) {
    copy16(32);
    copy16(48);
    copy16(bytes - 64);
    copy16(bytes - 48);
  }
  if (bytes > 32) {
    copy16(16);
    copy16(bytes - 32);
  }
  copy16(bytes - 16);
}

// Elements for adding up. Integers wrap, so that a width is one type, and a bool stays a byte, because memory may hold
// any.
struct BoolByte {
  uint8_t byte;
};
template <class F> decltype(auto) visit_addable(DType t, F&& f) {
  if (t == DType::Bool) return f(TypeTag<BoolByte>{});
  if (t == DType::Float32) return f(TypeTag<float>{});
  if (t == DType::Float64) return f(TypeTag<double>{});
  if (t == DType::Float16) return f(TypeTag<half>{});
  if (t == DType::BFloat16) return f(TypeTag<bfloat16>{});
  return visit_item_size(item_size(t), f);
}
template <class T> T plus(T a, T b) {
  if constexpr (std::is_same_v<T, BoolByte>)
    return {static_cast<uint8_t>((a.byte | b.byte) != 0)};
  else
    return static_cast<T>(a + b);
}

}  // namespace gradcore::portable
