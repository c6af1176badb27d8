// The places where a mask is true. A mask is contiguous, one byte for each element, zero for false.
//
// They are found in two passes, both cut into blocks of kMaskBlock elements: the first counts the true elements of
// every block, the second knows from that where each block's go.
#pragma once
#include <cstdint>

#include "core/dtype.h"
#include "core/shape.h"
#include "kernels/portable/take.h"

namespace gradcore::portable {

constexpr int64_t kMaskBlock = 64 << 10;  // elements
constexpr int64_t mask_blocks(int64_t n) { return (n + kMaskBlock - 1) / kMaskBlock; }

// starts[b]: how many true elements lie before block b; one entry more than blocks, the last is their number.
struct CountTrueArgs {
  const uint8_t* mask;
  int64_t n;
  int64_t* starts;
};
void count_true(const CountTrueArgs& a);

// out = the elements of `from` where the mask is true; element i of the mask stands for from[offset i].
struct CompressArgs {
  const uint8_t* mask;
  const int64_t* starts;
  int64_t n;
  const int64_t* offsets;  // a table, or null
  int64_t step;            // where there is no table
  const char* from;
  char* out;
  DType dtype;
};
void compress(const CompressArgs& a);

// out = offset i of every true element i.
struct TrueOffsetsArgs {
  const uint8_t* mask;
  const int64_t* starts;
  int64_t n;
  const int64_t* offsets;
  int64_t step;
  int64_t* out;
};
void true_offsets(const TrueOffsetsArgs& a);

// out: a column of `count` coordinates for each dim.
struct NonzeroArgs {
  const uint8_t* mask;
  const int64_t* starts;
  int64_t n;
  int64_t* out;
  int64_t count;
  int ndim;
  int64_t shape[kMaxDims];
  NonzeroArgs() {}
};
void nonzero(const NonzeroArgs& a);

// data[i] = value for all `each` elements that a true element i of the mask stands for.
struct FillWhereArgs {
  const uint8_t* mask;
  int64_t n;
  char* data;  // contiguous: n * each elements
  const char* value;
  int64_t each;
  DType dtype;
};
void fill_where(const FillWhereArgs& a);

}  // namespace gradcore::portable
