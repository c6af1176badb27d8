// Operations along one dimension as baseline code sees them: names, arguments, the table. Start at RowArgs.
#pragma once
#include <cstdint>

#include "core/dtype.h"

namespace gradcore {

enum class RowOp : uint8_t {
  Softmax,
  LogSoftmax,  // float
  SoftmaxBackward,
  LogSoftmaxBackward,  // float; in is the output's gradient, in2 the output
  CumSum,
  CumProd,       // float and int64
  LogCumSumExp,  // float
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

struct ScanKernels {
  DTypeRow<RowFn> of[kRowOpCount];  // null where the operation has no such type
  const DTypeRow<RowFn>& operator[](RowOp op) const { return of[static_cast<int>(op)]; }
};

#ifdef GC_ISA
namespace GC_ISA {
extern const ScanKernels scan_kernels;
}
#endif

}  // namespace gradcore
