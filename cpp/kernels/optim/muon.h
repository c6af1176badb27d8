// The loops of Muon's step, as baseline code sees them; optim/muon.cpp puts them together.
#pragma once
#include <cstdint>

#include "core/dtype.h"

namespace gradcore {

struct MuonAverage {
  double momentum;
  bool nesterov;
};

// Arrays of the parameter's dtype come for float32 and for float64. What is bfloat16 in torch is float32 here, rounded.
struct MuonKernels {
  // update = what the average of gradients gives for this step, rounded; nothing else is written
  FloatRow<void (*)(int64_t n, MuonAverage how, const void* average, const void* grad, float* update)> update;
  // average = with this gradient; p = shrink * p + rate * direction
  FloatRow<void (*)(int64_t n, MuonAverage how, void* p, void* average, const void* grad, const float* direction,
                    double shrink, double rate)>
      move;
  void (*round)(int64_t n, float* x);
  void (*divide)(int64_t n, float* x, float by);                                            // x = x / by, rounded
  void (*combine)(int64_t n, float a, const float* x, float b, float* y);                   // y = a x + b y, rounded
  void (*transpose)(int64_t rows, int64_t cols, const float* from, float* to, int64_t ld);  // rows of both are ld apart
};

#ifdef GC_ISA
namespace GC_ISA {
extern const MuonKernels muon_kernels;
}
#endif

}  // namespace gradcore
