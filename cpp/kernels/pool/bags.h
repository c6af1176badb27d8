// Bags of rows of a table, summed or compared, as baseline code sees them.
#pragma once
#include <cstdint>

#include "core/dtype.h"

namespace gradcore {

enum class BagMode : uint8_t { Sum, Mean, Max };  // by torch's numbers

// Bag b has the rows index[bounds[b]] ... index[bounds[b + 1] - 1] of table [rows, width], of which `weight` are
// factors. All are dense, of one floating dtype that is no half. A bag without rows is 0.
struct BagsArgs {
  const int64_t* index;
  const int64_t* bounds;
  const void* table;
  const void* weight;  // of sums, or null
  void* out;           // [bags, width]
  int64_t* largest;    // of Max: which row an element of `out` comes from, or -1
  int64_t count, bags, rows, width;
  BagMode mode;
};
using BagsRow = FloatRow<void (*)(const BagsArgs&)>;  // indices and bounds were checked: portable/bags.h

#ifdef GC_ISA
namespace GC_ISA {
extern const BagsRow bags_row;
}  // namespace GC_ISA
#endif

}  // namespace gradcore
