// The contract between an iteration plan and a kernel: plain pointers and strides.
#pragma once
#include <cstdint>

#include "core/dtype.h"
#include "core/op_info.h"

namespace gradcore {

constexpr int kMaxOperands = 6;  // the output first

// n steps of `inner`, m times with `outer`; strides in bytes. A stride of 0 repeats one element. Numbers among the
// operands, and the parameters, are of the type that is computed in: Note [Stored and computed].
struct LoopArgs {
  char* ptr[kMaxOperands];
  int64_t inner[kMaxOperands];
  int64_t outer[kMaxOperands];
  int64_t n, m;
  const void* params;
  unsigned numbers;  // bit k: operand k is a number, no element of a tensor
};
using LoopFn = void (*)(const LoopArgs&);

// The loops of one elementwise formula.
struct ElementwiseKernels {
  DTypeRow<LoopFn> fwd;        // by the operands' dtype; null where the op has no such type
  FloatingRow<LoopFn> vjp[3];  // by operand; null where the gradient is handed on as it is
};

struct CopyKernels {
  DTypeRow<LoopFn> to[kDTypeCount];  // then by the dtype that is read
};

}  // namespace gradcore
