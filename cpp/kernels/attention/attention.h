// Attention as baseline code sees it: arguments and the table.
#pragma once
#include <cstdint>

#include "core/dtype.h"

namespace gradcore {

// A (batch, heads, rows, columns) whose columns lie side by side.
struct HeadsArg {
  void* data;
  int64_t batch, head, row;  // strides
};
// Of each batch and head: softmax(q k^T scale + mask) v. Where there are fewer heads of k and v, each serves several
// of q. All sizes are positive.
struct AttentionSizes {
  int64_t batch, heads, shared;           // shared: heads of q for one of k and v
  int64_t queries, keys, depth, columns;  // depth: of q and k; columns: of v
  double scale;
  bool causal;  // query i sees the keys 0 .. i
};
struct AttentionArgs {
  HeadsArg q, k, v, out;
  HeadsArg mask;  // [queries, keys], added; its data may be null
  void* lse;      // [batch, heads, queries]: logarithms of the sums, infinite where a query sees nothing; or null
  AttentionSizes sizes;
};
struct AttentionBackwardArgs {
  HeadsArg q, k, v, out, g, mask;  // g: gradient of out
  const void* lse;
  HeadsArg dq, dk, dv;
  AttentionSizes sizes;
};

struct AttentionKernels {
  FloatRow<void (*)(const AttentionArgs&)> forward;
  FloatRow<void (*)(const AttentionBackwardArgs&)> backward;
};

#ifdef GC_ISA
namespace GC_ISA {
extern const AttentionKernels attention_kernels;
}
#endif

}  // namespace gradcore
