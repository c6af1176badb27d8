// Padding with what a tensor has: copies of elements along up to three dims.
#pragma once
#include "kernels/portable/taps.h"

namespace gradcore::portable {

// From [planes, sizes, channels] to [planes, outs, channels], dense, of elements of `item` bytes. Each dim is padded or
// trivial.
struct PadArgs {
  const char* x;
  char* out;
  TapDim dim[3];
  int64_t planes, channels, item;
};
void pad(const PadArgs& a);

}  // namespace gradcore::portable
