// Reductions as baseline code sees them: names of operations, their arguments, the table. Start at ReduceArgs.
#pragma once
#include <cstdint>

#include "core/dtype.h"

namespace gradcore {

enum class ReduceOp : uint8_t {
  Sum,
  Mean,  // float; the sum / param
  Prod,  // float -> same dtype; integers and bool -> int64
  Max,
  Min,  // every dtype; NaN wins
  ArgMax,
  ArgMin,  // out is int64; the first among equals; the first NaN if any
  MaxIndex,
  MinIndex,  // both of the above: values in out, positions in index
  Any,
  All,  // every dtype -> bool
  Norm2,
  SumAbs,
  NanSum,        // zeros in place of NaN
  NormP,         // float; NormP is (sum |x|^param)^(1/param)
  CountNonzero,  // every dtype -> int64
  MaxAbs,
  MinAbs,  // float
  Var,
  Std,        // float; Var is sum (x - mean)^2 / param, Std its root
  LogSumExp,  // float
  Count
};
constexpr int kReduceOpCount = static_cast<int>(ReduceOp::Count);

// The input seen as [groups, outer, inner] outputs, each of [slabs, reduce] elements, with strides in elements; outputs
// are dense. Most inputs have one group and one slab.
// An empty reduction gives the operation's neutral value; the caller refuses it where there is none (max,
// arg...).
struct ReduceArgs {
  const void* in;
  void* out;
  int64_t* index;  // MaxIndex, MinIndex
  int64_t outer, reduce, inner;
  int64_t s_outer, s_reduce, s_inner;
  double param;  // Mean, NormP, Var, Std
  int64_t groups = 1, slabs = 1;
  int64_t s_group = 0, s_slab = 0;
};
using ReduceFn = void (*)(const ReduceArgs&);

struct ReduceKernels {
  DTypeRow<ReduceFn> of[kReduceOpCount];  // by the input's dtype; null where the operation has no such type
  const DTypeRow<ReduceFn>& operator[](ReduceOp op) const { return of[static_cast<int>(op)]; }
};

#ifdef GC_ISA
namespace GC_ISA {
extern const ReduceKernels reduce_kernels;
}
#endif

}  // namespace gradcore
