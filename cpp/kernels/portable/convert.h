// Copies between dtypes that are seldom met: the wide unsigned integers to and from all others.
#pragma once
#include "core/loop.h"

namespace gradcore::portable {

// Elements of any strides. What the target cannot hold wraps around.
void convert(DType to, DType from, const LoopArgs& a);

}  // namespace gradcore::portable
