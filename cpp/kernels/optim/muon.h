// The loops of Muon's step, as baseline code sees them; optim/muon.cpp puts them together.
#pragma once
#include <cstdint>

#include "core/dtype.h"
#include "core/half.h"

namespace gradcore {

struct MuonAverage {
  double momentum;
  bool nesterov;
};

// Arrays of the parameter's dtype come for float32 and for float64. What is bfloat16 is computed in float, and rounded.
struct MuonKernels {
  // update = what the average of gradients gives for this step; nothing else is written
  FloatRow<void (*)(int64_t n, MuonAverage how, const void* average, const void* grad, bfloat16* update)> update;
  // average = with this gradient; p = shrink * p + rate * direction
  FloatRow<void (*)(int64_t n, MuonAverage how, void* p, void* average, const void* grad, const bfloat16* direction,
                    double shrink, double rate)>
      move;
  void (*divide)(int64_t n, bfloat16* x, float by);                                                // x = x / by
  void (*combine)(int64_t n, float a, const bfloat16* x, float b, const float* y, bfloat16* out);  // a x + b y
};

#ifdef GC_ISA
namespace GC_ISA {
extern const MuonKernels muon_kernels;
}
#endif

}  // namespace gradcore
