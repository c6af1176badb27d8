// The transforms of func that run in this thread, as far as the core knows them: what a program may not do in them.
//
// Note [Captured tensors]
// A transform that differentiates (grad, vjp, jvp and the like, not vmap) gets a number, larger than those of the
// transforms around it. A tensor knows the transform that it was made in, and windows on it have its number. So a
// tensor with a smaller number than the innermost transform comes from outside: it was captured, and an op in place may
// not write to it. The points of a transform are windows on what it was given, and get its own number; except for a
// point on what an outer transform captured, which stays captured.
#pragma once
#include "tensor/batch.h"

namespace gradcore {

// Set while the forward of a custom Function runs: to it no transform that differentiates is there.
inline thread_local constinit bool transforms_left = false;

inline bool in_differentiation() { return creation_context.transform() != 0 && !transforms_left; }
inline bool in_transform() { return batch_level != 0 || in_differentiation(); }

// A transform that differentiates, and what it puts back when it is over.
struct Differentiation {
  uint32_t number;
  uint32_t outer;  // the number of the one around it, 0 for none
  bool left;
  bool inference;  // inference mode, in which nothing could be differentiated, is off meanwhile
};
Differentiation enter_differentiation();
uint32_t last_differentiation();  // the number of the one that was entered last
void exit_differentiation(const Differentiation& d);
// Makes `t` a point of the transform.
void make_point(const Tensor& t, const Differentiation& d);

class LeaveTransforms {
 public:
  LeaveTransforms() { transforms_left = true; }
  ~LeaveTransforms() { transforms_left = before_; }
  LeaveTransforms(const LeaveTransforms&) = delete;
  LeaveTransforms& operator=(const LeaveTransforms&) = delete;

 private:
  bool before_ = transforms_left;
};

}  // namespace gradcore
