// Further distributions: cauchy_, geometric_, log_normal_, poisson, and normal() of tensors.
#pragma once
#include "ops/elementwise.h"

namespace gradcore {

class Generator;

void cauchy_(const Tensor& t, double median, double sigma, Generator* g);
void geometric_(const Tensor& t, double p, Generator* g);
void log_normal_(const Tensor& t, double mean, double std, Generator* g);
Tensor poisson(const Tensor& rates, Generator* g);
Tensor binomial(const Tensor& count, const Tensor& probability, Generator* g);
// A number for each element of what `mean` and `std` broadcast to; at least one of them is a tensor.
Tensor normal(const Operand& mean, const Operand& std, Generator* g);

}  // namespace gradcore
