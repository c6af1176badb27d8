// Attention.
#pragma once
#include <optional>

#include "tensor/tensor.h"

namespace gradcore {

// softmax(query key^T scale + mask) value. query: (..., queries, depth); key: (..., keys, depth); value: (..., keys,
// columns). The mask broadcasts to (..., queries, keys): numbers to add, or bools that say where attention is allowed.
Tensor attention(const Tensor& query, const Tensor& key, const Tensor& value, const Tensor& mask, double dropout,
                 bool causal, std::optional<double> scale, bool grouped_heads);

}  // namespace gradcore
