// Reading and writing a tensor through lists of offsets. Start at Note [Take and put].
//
// Note [Take and put]
// Advanced indexing, index_select, index_add and their kin visit a product of three lists of offsets into a tensor:
//
//     place(o, k, i) = outer[o] + index[k] + inner[i]
//
// `index` comes from the index tensors: they are broadcast and added up, each times the stride of its dim. `outer` and
// `inner` come from the dims that no index stands for: those left of the indexed ones and those right of them (all of
// them on the right when the indexed dims are not neighbours). The other operand, the list, is contiguous in the order
// (o, k, i). Writes to one place happen in the order of k, and work is cut along o or i only, so the result is the same
// bits for any number of threads.
#pragma once
#include <cstdint>

#include "core/dtype.h"
#include "core/error.h"

namespace gradcore::portable {

// Offsets in elements: a table, or evenly spaced where that is null.
struct Offsets {
  const int64_t* table;
  int64_t step;
  int64_t operator[](int64_t i) const { return table ? table[i] : i * step; }
  bool dense() const { return !table && step == 1; }
};

struct TakeArgs {
  char* tensor;
  char* list;
  const int64_t* outer;  // tables, or null
  const int64_t* index;
  const int64_t* inner;
  int64_t outer_count, index_count, inner_count;
  int64_t outer_step, inner_step;  // where there is no table
  bool one_value;                  // the list is one element, put in all places
  DType dtype;
};
void take(const TakeArgs& a);     // list = tensor[places]
void put(const TakeArgs& a);      // tensor[places] = list
void put_add(const TakeArgs& a);  // tensor[places] += list

// Adds a dim in front of those that a table covers: offsets[i * done + j] = offsets[j] + i * step for i in [0, size).
// The innermost dim has done = 1 and begins the table.
struct OffsetDimArgs {
  int64_t* offsets;
  int64_t done, size, step;
};
void add_offset_dim(const OffsetDimArgs& a);

// Turns indices along a dim into offsets, in place. An index that is out of range raises; the content is then
// undefined.
struct WrapIndexArgs {
  int64_t* index;
  int64_t n;
  int64_t size, stride;  // of the dim
  bool from_end;         // negative indices count from the end
  ErrorKind error;
  int dim;  // for the message; -1 where torch does not name it
};
void wrap_index(const WrapIndexArgs& a);

[[noreturn, gnu::cold]] void fail_out_of_bounds(ErrorKind kind, int64_t index, int dim, int64_t size);

// The sum of counts, none of which may be negative.
struct CountRepeatsArgs {
  const int64_t* counts;
  int64_t n;
  int64_t* total;
};
void count_repeats(const CountRepeatsArgs& a);

// Index i as often as counts[i] says, one after the other; `size` indices at most, whatever became of the counts.
struct RepeatIndexArgs {
  const int64_t* counts;
  int64_t n;
  int64_t* out;
  int64_t size;
};
void repeat_index(const RepeatIndexArgs& a);

}  // namespace gradcore::portable
