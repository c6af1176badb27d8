// Rows of a table by their numbers.
#pragma once
#include <string_view>

#include "tensor/tensor.h"

namespace gradcore {

// table[index], (*index.shape, D). The row `padding`, if it is not negative, gets no gradient; `scaled`: gradients are
// divided by how often a row was taken.
Tensor embedding(const Tensor& table, const Tensor& index, int64_t padding, bool scaled, bool sparse);

// The gradient of a table from those of rows that were taken. Nothing is recorded.
Tensor add_rows(const Tensor& rows, const Tensor& index, const Dims& table, int64_t padding, bool scaled);

// The "sum", "mean" or "max" of bags of rows: those of each row of `index`, or of one dim, which `offsets` cuts into
// bags, the last one being the end where `ends`. `weight`, of sums, may be undefined.
Tensor embedding_bag(const Tensor& table, const Tensor& index, const Tensor& offsets, std::string_view mode,
                     const Tensor& weight, bool ends);

}  // namespace gradcore
