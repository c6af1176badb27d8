// Further distributions, a number at a time, with the numbers of torch's CPU generator. They write contiguous buffers
// in order and take the generator's lock; the callers have checked their arguments as torch does.
#pragma once
#include <cstdint>

#include "core/dtype.h"

namespace gradcore {
class Generator;
}

namespace gradcore::portable {

// Of two parameters; what they are says the function.
struct LawArgs {
  Generator* generator;
  char* out;
  int64_t n;
  double a, b;
  DType dtype;
};
void fill_cauchy(const LawArgs& a);      // median and sigma; dtype is floating
void fill_log_normal(const LawArgs& a);  // mean and standard deviation of the logarithm; dtype is floating
void fill_geometric(const LawArgs& a);   // the probability of success: how many trials it takes

// Counts of events, each of the rate in the same place; dtype is floating. Refuses negative rates.
struct PoissonArgs {
  Generator* generator;
  char* out;
  int64_t n;
  const char* rates;
  DType dtype;
};
// The same of numbers of successes among counts[i] trials.
struct BinomialArgs {
  Generator* generator;
  const char *counts, *probabilities;
  int64_t n;
  char* out;
  DType dtype;
};
void fill_binomial(const BinomialArgs& a);
void fill_poisson(const PoissonArgs& a);

// Gamma numbers of rate 1, each of the concentration in the same place, none below the smallest normal number; dtype is
// float32 or float64.
struct GammaArgs {
  Generator* generator;
  char* out;
  int64_t n;
  const char* concentrations;
  DType dtype;
};
void fill_gamma(const GammaArgs& a);

// Rows of gamma numbers over their sum, from the smallest normal number to the largest one below 1.
struct DirichletArgs {
  Generator* generator;
  char* out;
  int64_t rows, categories;
  const char* concentrations;
  DType dtype;
};
void fill_dirichlet(const DirichletArgs& a);

}  // namespace gradcore::portable
