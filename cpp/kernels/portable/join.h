// Copies that lay pieces of memory beside each other or turn them around.
#pragma once
#include <cstdint>

#include "core/loop.h"

namespace gradcore::portable {

// The output is rows of pieces: each row holds `bytes` of every piece in turn.
struct Piece {
  const char* data;
  int64_t bytes;
};
struct JoinArgs {
  char* out;
  const Piece* pieces;
  int64_t count;
  int64_t row_bytes, bytes;  // of a row, and of all rows
};
void join(const JoinArgs& a);

// Copies matrices with zeros on one side of a diagonal: line i is cut before column (i mod rows) + shift. The lower
// part keeps what is left of the cut, the upper part the rest.
struct TriangleArgs {
  const char* in;  // contiguous, as the output
  char* out;
  int64_t lines;  // of all matrices
  int64_t rows, columns;
  int64_t shift;
  int64_t item;
  bool upper;
};
void triangle(const TriangleArgs& a);

}  // namespace gradcore::portable
