// Reductions and row-wise kernels as baseline code sees them: operation names, argument blocks, tables.
// Start at ReduceArgs and RowArgs; the code is in reduce.cpp and rowwise.cpp.
#pragma once
#include <cstdint>

#include "core/dtype.h"

namespace gradcore {

enum class ReduceOp : uint8_t {
  Sum,
  Prod,  // float -> same dtype; integers and bool -> int64
  Max,
  Min,  // every dtype; NaN wins
  ArgMax,
  ArgMin,  // out is int64; the first among equals; the first NaN if any
  MaxIndex,
  MinIndex,  // both of the above: values in out, positions in index
  Any,
  All,  // every dtype -> bool
  SumSquares,
  SumAbs,
  SumPow,        // float; SumPow is sum |x|^param
  CountNonzero,  // every dtype -> int64
  MaxAbs,
  MinAbs,         // float
  SumSquaredDev,  // float; sum (x - mean)^2 in out, the mean in `mean`
  LogSumExp,      // float
  Count
};
constexpr int kReduceOpCount = static_cast<int>(ReduceOp::Count);

// The input seen as [outer, reduce, inner] with strides in elements; outputs are dense [outer, inner].
// An empty reduction gives the operation's neutral value; the caller refuses it where there is none (max,
// arg...).
struct ReduceArgs {
  const void* in;
  void* out;
  int64_t* index;  // MaxIndex, MinIndex
  void* mean;      // SumSquaredDev
  int64_t outer, reduce, inner;
  int64_t s_outer, s_reduce, s_inner;
  double param;  // SumPow
};
using ReduceFn = void (*)(const ReduceArgs&);

enum class RowOp : uint8_t {
  Softmax,
  LogSoftmax,  // float
  SoftmaxBackward,
  LogSoftmaxBackward,  // float; in is the output's gradient, in2 the output
  CumSum,
  CumProd,  // float and int64
  CumMax,
  CumMin,  // every dtype; positions in index, the last among equals
  Count
};
constexpr int kRowOpCount = static_cast<int>(RowOp::Count);

// Everything dense [outer, n, inner]; the operation runs along n. out may be in or in2.
struct RowArgs {
  const void* in;
  const void* in2;
  void* out;
  int64_t* index;  // CumMax, CumMin
  int64_t outer, n, inner;
};
using RowFn = void (*)(const RowArgs&);

#ifdef GC_ISA
namespace GC_ISA {
// [operation][input dtype]; null where the operation has no such type.
extern const ReduceFn reduce_table[kReduceOpCount][kDTypeCount];
extern const RowFn row_table[kRowOpCount][kDTypeCount];
}  // namespace GC_ISA
#endif

}  // namespace gradcore
