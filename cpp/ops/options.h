// What ops take besides tensors and numbers: the keywords of factories, memory orders, how a loss is reduced.
#pragma once
#include <optional>

#include "core/dtype.h"

namespace gradcore {

enum class MemoryFormat : uint8_t { Preserve, Contiguous, ChannelsLast, ChannelsLast3d };
enum class Reduction : uint8_t { None, Mean, Sum };

// The keywords that factories share. Layout, device and pinned memory leave no choice: the bindings check them.
struct TensorOptions {
  std::optional<DType> dtype;
  bool requires_grad = false;
};

}  // namespace gradcore
