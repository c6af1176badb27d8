// The backward of a fused op by the ops that it stands for: where it has to be derivable itself, or comes in batches.
#pragma once
#include <span>
#include <vector>

#include "autograd/engine.h"
#include "ops/ops.h"
#include "ops/record.h"

namespace gradcore {

// Fills `out` with the gradients of compose(inputs), which returns the op's outputs. Each input that needs one is moved
// by a leaf of zeros: its own history goes on behind it, and its gradient is the leaf's.
template <class Compose>
void vjp_of_composed(const Node& self, std::span<const Tensor> inputs, std::span<const Tensor> g, std::span<Tensor> out,
                     const Compose& compose) {
  BackwardRequest request;
  request.accumulate = false;
  request.create_graph = request.keep_graph = modes.grad;
  std::vector<size_t> wanted;
  {
    const GradModeGuard on(true);
    std::vector<Tensor> points(inputs.begin(), inputs.end());
    for (size_t i = 0; i < inputs.size(); ++i) {
      if (!inputs[i] || !self.needs(static_cast<int>(i))) continue;
      const Tensor leaf = zeros_like(inputs[i]);
      set_requires_grad(leaf, true);
      points[i] = add(inputs[i], leaf);
      request.inputs.push_back(gradient_edge(leaf));
      wanted.push_back(i);
    }
    const auto outputs = compose(points);
    for (size_t k = 0; k < outputs.size(); ++k) {
      if (!g[k] || !requires_grad(outputs[k])) continue;
      request.roots.push_back(gradient_edge(outputs[k]));
      request.grads.push_back(g[k]);
    }
  }
  if (request.roots.empty() || wanted.empty()) return;
  std::vector<Tensor> found = run_backward(std::move(request));
  for (size_t i = 0; i < wanted.size(); ++i) out[wanted[i]] = std::move(found[i]);
}

}  // namespace gradcore
