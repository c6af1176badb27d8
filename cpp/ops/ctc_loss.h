// The loss of connectionist temporal classification.
#pragma once
#include "ops/options.h"
#include "tensor/tensor.h"

namespace gradcore {

// log_probs: (T, N, C) or (T, C); targets: (N, S), or all of them one after another; lengths: integers, one a sample.
// Mean divides each loss by the length of its target first. zero_infinity: what no path spells counts 0.
Tensor ctc_loss(const Tensor& log_probs, const Tensor& targets, const Tensor& input_lengths,
                const Tensor& target_lengths, int64_t blank, Reduction reduction, bool zero_infinity);

}  // namespace gradcore
