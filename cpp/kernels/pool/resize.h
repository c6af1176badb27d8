// Images of bytes at another resolution, as baseline code sees them.
#pragma once
#include "kernels/portable/taps.h"

namespace gradcore {

// From [outer, size, inner] to [outer, out, inner], dense: weighted sums along one dim, with weights of 16 bits and
// rounded to bytes, as image libraries and torch do it.
struct ResizeBytesArgs {
  const uint8_t* x;
  uint8_t* out;
  portable::TapDim dim;
  int64_t outer, inner;
};

#ifdef GC_ISA
namespace GC_ISA {
void resize_bytes(const ResizeBytesArgs& a);
}
#endif

}  // namespace gradcore
