// The way back from maxima of windows: each element of `picked` belongs to a place of its plane of `whole`. Start at
// put(). A plane is one thread's, so elements of one place add up in order.
#pragma once
#include <cstdint>

#include "core/dtype.h"

namespace gradcore::portable {

// whole: [planes, places, channels], picked and index: [planes, count, channels].
struct PlacesArgs {
  const int64_t* index;  // a place outside of its plane is passed over
  char* whole;
  char* picked;
  int64_t planes, places, count, channels;
  DType dtype;
};
void put(const PlacesArgs& a);   // whole = 0, then whole[index] = picked, of several the last one
void add(const PlacesArgs& a);   // whole = 0, then whole[index] += picked; of floats
void pick(const PlacesArgs& a);  // picked = whole[index]

// Refuses places outside of a plane of these sizes.
struct CheckPlacesArgs {
  const int64_t* index;
  int64_t count, sizes[3];
  int dims;
};
void check_places(const CheckPlacesArgs& a);

}  // namespace gradcore::portable
