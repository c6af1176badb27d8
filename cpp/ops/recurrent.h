// Recurrent layers and their cells.
#pragma once
#include <span>
#include <vector>

#include "kernels/recurrent/recurrent.h"
#include "tensor/tensor.h"

namespace gradcore {

// One step, from the state (h) or (h, c) to the next.
std::vector<Tensor> recurrent_cell(Recurrence kind, const Tensor& x, std::span<const Tensor> state, const Tensor& w_ih,
                                   const Tensor& w_hh, const Tensor& b_ih, const Tensor& b_hh);

struct RecurrentOptions {
  bool biases;
  int64_t layers;
  double dropout;
  bool train, bidirectional;
};
// All layers. x: (T, N, features) or, batch first, (N, T, features); state: each of (layers * directions, N, hidden).
// The result is the outputs and the last state. params: w_ih, w_hh, then b_ih and b_hh, then LSTM's w_hr where it is
// projected, for each layer and direction.
std::vector<Tensor> recurrent(Recurrence kind, const Tensor& x, std::span<const Tensor> state,
                              std::span<const Tensor> params, const RecurrentOptions& options, bool batch_first);
// The same of packed sequences: x is (rows of all steps, features), and batch_sizes says how many rows a step has.
std::vector<Tensor> recurrent_packed(Recurrence kind, const Tensor& x, const Tensor& batch_sizes,
                                     std::span<const Tensor> state, std::span<const Tensor> params,
                                     const RecurrentOptions& options);

}  // namespace gradcore
