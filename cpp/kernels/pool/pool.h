// Pools and interpolations as baseline code sees them: arguments and the table.
#pragma once
#include <cstdint>

#include "core/dtype.h"
#include "kernels/pool/bags.h"
#include "kernels/pool/grid_sample.h"
#include "kernels/portable/taps.h"

namespace gradcore {

// From [planes, sizes, channels] to [planes, outs, channels], dense: `channels` is 1 where each is a plane of its own,
// else those of a channels-last tensor. Fewer than three dims are trivial ones in front.
struct PoolGeometry {
  portable::TapDim dim[3];
  int64_t planes, channels;
  int64_t joined = 1;  // so many planes of one row each are one plane here

  int64_t places() const { return dim[0].size * dim[1].size * dim[2].size; }
  int64_t outs() const { return dim[0].out * dim[1].out * dim[2].out; }
};

struct MaxPoolArgs {
  const void* x;
  void* out;
  int64_t* index;  // where in its plane the maximum lies, or null
  PoolGeometry geometry;
};
// Weighted sums, divided by `divisor`, or where that is 0 by the numbers of elements that the windows have.
struct TapSumArgs {
  const void* x;
  void* out;
  PoolGeometry geometry;
  int64_t divisor;
};

template <class Args> struct PoolRow {
  FloatRow<void (*)(const Args&)> floats;
  void (*int64)(const Args&);
  auto* operator[](DType t) const { return t == DType::Int64 ? int64 : floats[t]; }
};
struct PoolKernels {
  const PoolRow<MaxPoolArgs>& max;
  const PoolRow<TapSumArgs>& sum;                      // of int64 only windows
  FloatRow<void (*)(const TapSumArgs&)> sum_backward;  // x is the gradient of the sums, and `out` that of what they sum
  const GridSampleKernels& grid;
  const BagsRow& bags;
  void (*resize_bytes)(const TapSumArgs&);  // of bytes, in two dims, one channels or channels-last
};

#ifdef GC_ISA
namespace GC_ISA {
extern const PoolRow<MaxPoolArgs> max_pool_row;
void resize_bytes(const TapSumArgs& a);
extern const PoolKernels pool_kernels;
}  // namespace GC_ISA
#endif

}  // namespace gradcore
