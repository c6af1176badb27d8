// The contract between an iteration plan and a kernel: plain pointers and strides.
#pragma once
#include <cstdint>

#include "core/dtype.h"

namespace gradcore {

constexpr int kMaxOperands = 6;  // the output first

// n steps of `inner`, m times with `outer`; strides in bytes. A stride of 0 repeats one element.
struct LoopArgs {
  char* ptr[kMaxOperands];
  int64_t inner[kMaxOperands];
  int64_t outer[kMaxOperands];
  int64_t n, m;
  const void* params;
};
using LoopFn = void (*)(const LoopArgs&);

// The loops of one elementwise formula.
struct ElementwiseKernels {
  LoopFn fwd[kDTypeCount];  // by compute dtype; null where the op has no such type
  LoopFn vjp[3][2];         // by operand, float32 and float64; null where the gradient is handed on as it is
};

}  // namespace gradcore
