// Gradients of rows that were taken from a table: each is added to the row that it came from. Start at add_rows().
#pragma once
#include <cstdint>

#include "core/dtype.h"

namespace gradcore::portable {

// table: dense [rows, width], written as a whole; rows_of: dense [count, width]. An index that is `skipped`, or outside
// of the table, adds nothing. `scaled`: each is divided by how often its row was taken.
struct AddRowsArgs {
  const int64_t* index;
  const void* rows_of;
  void* table;
  int64_t count, rows, width, skipped;
  bool scaled;
  DType dtype;
};
void add_rows(const AddRowsArgs& a);

}  // namespace gradcore::portable
