// Rows of a table by their numbers.
#pragma once
#include "tensor/tensor.h"

namespace gradcore {

// table[index], (*index.shape, D). The row `padding`, if it is not negative, gets no gradient; `scaled`: gradients are
// divided by how often a row was taken.
Tensor embedding(const Tensor& table, const Tensor& index, int64_t padding, bool scaled, bool sparse);

}  // namespace gradcore
