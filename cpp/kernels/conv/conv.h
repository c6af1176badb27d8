// Convolutions as baseline code sees them: arguments and the table.
#pragma once
#include <cstdint>

#include "core/dtype.h"

namespace gradcore {

// Note [One sum, three kernels]
// All convolutions are about one sum, of x (n, groups * c, places), w (groups * o, c, taps) and y (n, groups * o,
// places):
//
//     sum over all of them of y[n, g o, i] * w[g o, c, k] * x[n, g c, i * stride + k * dilation - padding]
//
// where x is 0 outside. Each kernel writes the derivative with respect to one of the three: `forward` y, `data` x and
// `weight` w. A transposed convolution is `data`, and the gradients of both are the other two kernels.
struct ConvAxis {
  int64_t x, y, kernel;  // sizes
  int64_t stride, padding, dilation;
  int64_t x_step, y_step, w_step;  // strides in memory
};
struct ConvArgs {
  void *x, *w, *y;   // arrays of any strides
  const void* bias;  // dense, or null: added to what `forward` and `data` write
  int64_t n, groups, c, o;
  int64_t x_n, x_c, w_o, w_c, y_n, y_c;
  ConvAxis axis[3];
  bool exact;  // no way whose rounding errors are larger than those of the plain sum
};
using ConvFn = void (*)(const ConvArgs&);

struct ConvKernels {
  FloatRow<ConvFn> forward, data, weight;
};

#ifdef GC_ISA
namespace GC_ISA {
extern const ConvKernels conv_kernels;
}
#endif

}  // namespace gradcore
