// Further distributions: cauchy_, geometric_, log_normal_, poisson, binomial, gamma, Dirichlet, and normal() of
// tensors.
#pragma once
#include "ops/elementwise.h"

namespace gradcore {

class Generator;

void cauchy_(const Tensor& t, double median, double sigma, Generator* g);
void geometric_(const Tensor& t, double p, Generator* g);
void log_normal_(const Tensor& t, double mean, double std, Generator* g);
Tensor poisson(const Tensor& rates, Generator* g);
Tensor binomial(const Tensor& count, const Tensor& probability, Generator* g);
// Gamma numbers of rate 1, and numbers that add up to 1 along the last dim. Gamma numbers have gradients.
Tensor standard_gamma(const Tensor& concentration, Generator* g);
Tensor sample_dirichlet(const Tensor& concentration, Generator* g);
// What moves them when their concentrations do: the gradients of samples. That of Dirichlet is divided by 1 - x.
Tensor standard_gamma_grad(const Tensor& concentration, const Tensor& x);
Tensor dirichlet_grad(const Tensor& x, const Tensor& concentration, const Tensor& total);
// A number for each element of what `mean` and `std` broadcast to; at least one of them is a tensor.
Tensor normal(const Operand& mean, const Operand& std, Generator* g);

}  // namespace gradcore
