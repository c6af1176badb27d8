// Backward. Start at run_backward().
#pragma once
#include <span>
#include <vector>

#include "autograd/node.h"

namespace gradcore {

struct BackwardRequest {
  std::span<const Tensor> roots;
  std::span<Tensor> grads;         // one for each root, of its shape
  std::span<const Tensor> inputs;  // empty: accumulate into every leaf that is reached
  bool accumulate = true;          // with inputs: into their .grad; otherwise return their gradients
  bool keep_graph = false;
  bool create_graph = false;
};

// Sends the gradients back through the graph. With `inputs` and not `accumulate`, returns one gradient for each input,
// undefined where none came. Needs no GIL; state is the call's own, so calls may run inside and beside each other.
std::vector<Tensor> run_backward(const BackwardRequest& request);

}  // namespace gradcore
