// Cross products of vectors of three numbers.
#pragma once
#include <cstdint>

#include "core/dtype.h"

namespace gradcore::portable {

// All are [outer, 3, inner], dense, of one floating dtype that is no half.
struct CrossArgs {
  const char* a;
  const char* b;
  char* out;
  int64_t outer, inner;
  DType dtype;
};
void cross(const CrossArgs& c);

}  // namespace gradcore::portable
