// What random_(from, to) may draw.
#pragma once
#include <cstdint>
#include <optional>

#include "core/dtype.h"

namespace gradcore {

struct RandomRange {
  int64_t base;
  uint64_t range;  // 0 means 2^64
};
// torch's checks, and its rounding of the bounds to what `dtype` holds. No `to` is up to the greatest value.
RandomRange random_range(DType dtype, int64_t from, std::optional<int64_t> to);

}  // namespace gradcore
