// Images sampled at the places of a grid, as baseline code sees it.
#pragma once
#include <cstdint>

#include "core/dtype.h"

namespace gradcore {

enum class GridMode : uint8_t { Linear, Nearest, Cubic };  // of torch's numbers
enum class GridPadding : uint8_t { Zeros, Border, Reflection };

// Images [samples, channels, sizes] and a grid [samples, points, dims], both dense. The sizes of two dims are the last
// two. The coordinates of a point begin with that of the last dim.
struct GridGeometry {
  int64_t samples, channels, points;
  int dims;
  int64_t size[3];
  GridMode mode;
  GridPadding padding;
  bool corners;  // -1 and 1 are the centres of the pixels at the ends, rather than their edges

  int64_t places() const { return size[0] * size[1] * size[2]; }
};

struct GridSampleArgs {
  const void* x;
  const void* grid;
  void* out;  // [samples, channels, points]
  GridGeometry geometry;
};
struct GridSampleBackwardArgs {
  const void* grad;
  const void* x;
  const void* grid;
  void* x_grad;     // or null
  void* grid_grad;  // or null
  GridGeometry geometry;
};
struct GridSampleKernels {
  FloatRow<void (*)(const GridSampleArgs&)> sample;
  FloatRow<void (*)(const GridSampleBackwardArgs&)> backward;
};

#ifdef GC_ISA
namespace GC_ISA {
extern const GridSampleKernels grid_sample_kernels;
}  // namespace GC_ISA
#endif

}  // namespace gradcore
