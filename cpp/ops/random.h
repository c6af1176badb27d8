// Fills with random numbers. Each draws from the default generator unless told otherwise.
#pragma once
#include <optional>

#include "tensor/tensor.h"

namespace gradcore {

class Generator;

void uniform_(const Tensor& t, double from, double to, Generator* g = nullptr);
void normal_(const Tensor& t, double mean, double std, Generator* g = nullptr);
void random_(const Tensor& t, std::optional<int64_t> low, std::optional<int64_t> high, Generator* g = nullptr);
Tensor randperm(int64_t n, DType dtype, Generator* g = nullptr);

}  // namespace gradcore
