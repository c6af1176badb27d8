// Rows that are taken from a table, and their gradients: each is added to the row that it came from.
#pragma once
#include <cstdint>

#include "core/dtype.h"

namespace gradcore::portable {

// out[i] = table[index[i]], of rows of so many bytes. Refuses an index outside of the table.
struct TakeRowsArgs {
  const int64_t* index;
  const char* table;
  char* out;
  int64_t count, rows, bytes;
};
void take_rows(const TakeRowsArgs& a);

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
