// Sequences: what arange, linspace and logspace write. The numbers are torch's.
#pragma once
#include <cstdint>

#include "core/scalar.h"

namespace gradcore::portable {

// start + step * i, computed in double for floats and modulo 2^64 for integers. dtype is not bool.
struct ArangeArgs {
  char* out;
  int64_t n;
  Scalar start, step;
  DType dtype;
};
void arange(const ArangeArgs& a);

// n >= 1 values from start to end: counted from both ends, so that the last is `end` itself and the values are
// symmetric. dtype is not bool.
struct LinspaceArgs {
  char* out;
  int64_t n;
  Scalar start, end;
  DType dtype;
};
void linspace(const LinspaceArgs& a);

// Ones on the diagonal of a contiguous matrix.
struct DiagonalArgs {
  char* out;
  int64_t rows, columns;
  DType dtype;
};
void set_diagonal(const DiagonalArgs& a);

// The places of a matrix at or below the diagonal that is `offset` right of its own, or at or above it, in row-major
// order: their rows, then their columns. `begin` and `end` enclose the rows that have some.
struct TrianglePlacesArgs {
  int64_t* out;
  int64_t count;  // of places
  int64_t begin, end, columns, offset;
  bool upper;
};
void triangle_places(const TrianglePlacesArgs& a);

// base to the power of each element, in place.
struct RaiseArgs {
  double* data;
  int64_t n;
  double base;
};
void raise_base(const RaiseArgs& a);

}  // namespace gradcore::portable
