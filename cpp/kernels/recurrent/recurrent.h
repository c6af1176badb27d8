// Recurrent layers as baseline code sees them: arguments and the table.
#pragma once
#include <cstdint>

#include "core/dtype.h"

namespace gradcore {

enum class Recurrence : uint8_t { Tanh, Relu, Lstm, Gru };
constexpr int kRecurrences = 4;
constexpr int64_t gates_of(Recurrence r) { return r == Recurrence::Lstm ? 4 : r == Recurrence::Gru ? 3 : 1; }

// One layer in one direction, everything dense. Step t has the rows [first[t], first[t + 1]) of all N rows; those of a
// step are the first of the batch, and no step has more than the one before it.
struct RecurrentArgs {
  const void* w;         // [gates * hidden, hidden]
  const void* bias;      // [gates * hidden] of the state's product, or null; GRU alone
  void* gates;           // [N, gates * hidden]: what the input adds; the gates afterwards
  void *h, *c;           // [batch, hidden]: the state, at first and at last; c: LSTM alone
  void* out;             // [N, hidden]
  void *before, *extra;  // [N, hidden], both or neither: h before each step; c before it, or what GRU's r multiplies
  const int64_t* first;
  int64_t steps, batch, hidden;
  bool reverse;
};
struct RecurrentBackwardArgs {
  const void *w, *gates, *before, *extra;
  const void* g;   // gradient of out, or null
  void *dh, *dc;   // [batch, hidden]: gradients of the last state, then of the first
  void* to_input;  // [N, gates * hidden]: gradient of what the input adds
  void* to_state;  // of what the state adds: the same memory, but for GRU
  const int64_t* first;
  int64_t steps, batch, hidden;
  bool reverse;
};

struct RecurrentKernels {
  FloatRow<void (*)(const RecurrentArgs&)> forward[kRecurrences];
  FloatRow<void (*)(const RecurrentBackwardArgs&)> backward[kRecurrences];
};

#ifdef GC_ISA
namespace GC_ISA {
extern const RecurrentKernels recurrent_kernels;
}
#endif

}  // namespace gradcore
