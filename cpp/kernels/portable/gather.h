// Loops with one index for each element, along one dim: gather, scatter, and scatter_add and its kin. Start at
// IndexWalk.
//
// Every element of the index pairs an element of the indexed tensor with one of the list (gather's result, scatter's
// source). Two pairs meet in one indexed element only if they differ in nothing but their position along the indexed
// dim. So the work is cut along the other dims, and the order of writes to any element is that of the positions, for
// any number of threads.
#pragma once
#include <cstdint>

#include "core/dtype.h"
#include "core/error.h"
#include "core/shape.h"

namespace gradcore::portable {

// Nested loops, the outermost first. Constructors here keep two kilobytes from being zeroed in every call.
struct IndexWalk {
  struct Loop {
    int64_t size;
    int64_t index, indexed, list;  // strides in elements
  };
  int ndim = 0;
  int cut = -1;    // the longest loop that may be cut into blocks
  int along = -1;  // the loop along the indexed dim
  int64_t total = 1;
  Loop loop[kMaxDims];

  IndexWalk() {}
  void add(const Loop& l, bool may_cut);
};

struct GatherArgs {
  const int64_t* index;
  bool checked = false;  // check_index() did, and what another thread makes of them is 0. Else a bad one raises.
  char* indexed;
  char* list;
  int64_t size, step;  // of the indexed tensor along the indexed dim
  int dim;             // for the message about an index outside of it
  DType dtype;
  IndexWalk walk;
  GatherArgs() {}
};
void gather(const GatherArgs& a);       // list = indexed[index]
void scatter(const GatherArgs& a);      // indexed[index] = list
void scatter_add(const GatherArgs& a);  // indexed[index] += list
void scatter_multiply(const GatherArgs& a);
void scatter_max(const GatherArgs& a);  // indexed[index] = the larger one of the two; NaN stays
void scatter_min(const GatherArgs& a);

// Refuses indices outside of [0, size).
struct CheckIndexArgs {
  const int64_t* index;
  int64_t size;
  int dim;  // for the message
  IndexWalk walk;
  CheckIndexArgs() {}
};
void check_index(const CheckIndexArgs& a);

// indexed += list, element by element in order: safe for windows that overlap themselves.
struct AddInOrderArgs {
  char* indexed;
  const char* list;
  DType dtype;
  IndexWalk walk;
  AddInOrderArgs() {}
};
void add_in_order(const AddInOrderArgs& a);

}  // namespace gradcore::portable
