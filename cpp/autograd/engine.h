// Backward. Start at run_backward().
#pragma once
#include <span>
#include <vector>

#include "autograd/node.h"

namespace gradcore {

struct BackwardRequest {
  std::vector<Edge> roots;
  std::vector<Tensor> grads;  // one for each root, of its shape
  std::vector<Edge> inputs;   // empty: accumulate into every leaf that is reached
  bool accumulate = true;     // with inputs: into their .grad; otherwise return their gradients
  bool keep_graph = false;
  bool create_graph = false;
};

// Sends the gradients back through the graph. With `inputs` and not `accumulate`, returns one gradient for each input,
// undefined where none came. Needs no GIL; state is the call's own, so calls may run inside and beside each other.
std::vector<Tensor> run_backward(BackwardRequest&& request);

// A gradient for a node of C++ to work on, which relies on its shape: Python code that was shown `grad` may give that
// one other data while the node unpacks what it saved. It has the same history.
Tensor own_gradient(const Tensor& grad);

// The backward that this thread is in, by a number of its own, and the one around it all; zeros where there is none.
struct RunningBackward {
  uint64_t id = 0, outermost = 0;
};
RunningBackward running_backward();
// Called at the end of this thread's innermost backward; an error where there is none.
void queue_callback(Ref<Hook> callback);
// Whether the running backward accumulates into every leaf; true where there is none.
bool backward_reaches_all_leaves();
// Whether the running backward goes through `node`.
bool backward_reaches(const Node* node);

}  // namespace gradcore
