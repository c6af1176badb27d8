// How quantiles of distributions move with a parameter: at x minus dF/da over dF/dx, F being the distribution function.
// These are the gradients of samples by implicit reparameterisation (M. Figurnov, S. Mohamed, A. Mnih, 2018).
#pragma once
#include <cstdint>

#include "core/dtype.h"

namespace gradcore::portable {

// Contiguous arrays of n elements of float32 or float64.
struct GammaSlopeArgs {
  const char *concentrations, *x;
  char* out;
  int64_t n;
  DType dtype;
};
void gamma_slopes(const GammaSlopeArgs& a);

// Of the beta distribution of concentrations a and total - a, by a; divided by 1 - x.
struct BetaSlopeArgs {
  const char *x, *concentrations, *totals;
  char* out;
  int64_t n;
  DType dtype;
};
void beta_slopes(const BetaSlopeArgs& a);

}  // namespace gradcore::portable
