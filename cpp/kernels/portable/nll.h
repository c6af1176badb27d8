// The loss of log probabilities: minus that of each row's class. Start at nll().
#pragma once
#include <cstdint>

#include "core/dtype.h"

namespace gradcore::portable {

// x: dense [samples, classes, places]; target: [samples, places]; weight: [classes] or null. A row is a sample's place.
struct NllArgs {
  const int64_t* target;
  const void* weight;
  const void* x;  // or the gradient of the loss
  void* out;      // one number or [samples, places]; or the gradient of x
  int64_t samples, classes, places, ignored;
  bool reduces, averages;
  DType dtype;
};
void nll(const NllArgs& a);
void nll_backward(const NllArgs& a);

// Refuses classes outside of [0, classes) but for the one that is ignored.
struct CheckClassesArgs {
  const int64_t* target;
  int64_t count, classes, ignored;
};
void check_classes(const CheckClassesArgs& a);

}  // namespace gradcore::portable
