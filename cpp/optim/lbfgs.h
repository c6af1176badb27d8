// L-BFGS: D. C. Liu and J. Nocedal, "On the limited memory BFGS method for large scale optimization", Math. Programming
// 45, 1989; the line search: J. Nocedal and S. Wright, "Numerical Optimization", 2006, algorithms 3.5 and 3.6. Start at
// lbfgs_step().
#pragma once
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "tensor/tensor.h"

namespace gradcore {

struct LbfgsOptions {
  double lr, max_iter, max_eval, tolerance_grad, tolerance_change, history_size;
  std::string line_search_fn;

  template <class Read> void options(Read& read) {
    read("lr", lr), read("max_iter", max_iter), read("max_eval", max_eval), read("tolerance_grad", tolerance_grad);
    read("tolerance_change", tolerance_change), read("history_size", history_size);
    read("line_search_fn", line_search_fn);
  }
};

// What is remembered between steps, by torch's names. Vectors go over all parameters, one after the other.
struct LbfgsState {
  int64_t func_evals = 0, n_iter = 0;
  Tensor d, prev_flat_grad;
  double t = 0, h_diag = 1, prev_loss = 0;
  std::vector<Tensor> old_dirs, old_stps;
  std::vector<double> ro;
  std::vector<std::optional<double>> al;  // the weights of the last direction, history_size of them
};

// The dtype of the vectors: float64 if a parameter is. Raises where one is no floating point tensor.
DType flat_dtype(std::span<const Tensor> params);

// Up to max_iter iterations; `closure` computes loss and gradients. When it fails the parameters are where they were,
// and `state` is to be dropped.
void lbfgs_step(std::span<const Tensor> params, const LbfgsOptions& options, LbfgsState& state,
                const std::function<double()>& closure);

}  // namespace gradcore
