// Fills with random numbers. Each draws from the default generator unless told otherwise.
#pragma once
#include <optional>

#include "tensor/tensor.h"

namespace gradcore {

class Generator;

void uniform_(const Tensor& t, double from, double to, Generator* g = nullptr);
void normal_(const Tensor& t, double mean, double std, Generator* g = nullptr);
void random_(const Tensor& t, std::optional<int64_t> low, std::optional<int64_t> high, Generator* g = nullptr);
void exponential_(const Tensor& t, double lambda, Generator* g = nullptr);
// Zeros, and ones with a probability: one for all, or one for each element, which broadcasts.
void bernoulli_(const Tensor& t, double p, Generator* g = nullptr);
void bernoulli_(const Tensor& t, const Tensor& p, Generator* g = nullptr);
Tensor bernoulli(const Tensor& p, Generator* g = nullptr);
// Categories drawn by the probabilities in `t`, or in each of its rows.
Tensor multinomial(const Tensor& t, int64_t samples, bool replacement, Generator* g = nullptr);
Tensor randperm(int64_t n, DType dtype, Generator* g = nullptr);

}  // namespace gradcore
