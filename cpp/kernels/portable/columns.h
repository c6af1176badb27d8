// The windows of images as columns, and columns added up where they lie.
#pragma once
#include <cstdint>

#include "core/dtype.h"

namespace gradcore::portable {

// Images [planes, size] and columns [planes, kernel, out], both dense, of two dims.
struct ColumnsArgs {
  const char* from;
  char* to;
  int64_t planes;
  int64_t size[2], kernel[2], stride[2], padding[2], dilation[2];
  int64_t out[2];  // how many windows there are
  DType dtype;
};
void unfold(const ColumnsArgs& a);  // from images to columns; what lies outside is 0
void fold(const ColumnsArgs& a);    // its transpose

}  // namespace gradcore::portable
