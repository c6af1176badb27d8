// Random fills: the numbers of torch's CPU generator, draw by draw and rounding by rounding. They write contiguous
// buffers in order. Each takes the generator's lock; the callers have checked their arguments as torch does.
#pragma once
#include <cstdint>

#include "core/dtype.h"

namespace gradcore {
class Generator;
}

namespace gradcore::portable {

// [from, to); dtype is floating.
struct UniformArgs {
  Generator* generator;
  char* out;
  int64_t n;
  double from, to;
  DType dtype;
};
void fill_uniform(const UniformArgs& a);

// dtype is floating. torch draws differently for a tensor that is not contiguous: one by one.
struct NormalArgs {
  Generator* generator;
  char* out;
  int64_t n;
  double mean, std;
  bool one_by_one;
  DType dtype;
};
void fill_normal(const NormalArgs& a);

// `range` values from `base` on; range 0 means 2^64.
struct RandintArgs {
  Generator* generator;
  char* out;
  int64_t n;
  int64_t base;
  uint64_t range;
  DType dtype;
};
void fill_randint(const RandintArgs& a);

// random_() without bounds: all values of an integer, and the whole numbers that a float holds exactly.
struct RandomArgs {
  Generator* generator;
  char* out;
  int64_t n;
  DType dtype;
};
void fill_random(const RandomArgs& a);

// 0, ..., n - 1 shuffled; dtype is not bool and can hold n - 1.
using PermutationArgs = RandomArgs;
void fill_permutation(const PermutationArgs& a);

// The exponential distribution of rate lambda; dtype is floating.
struct ExponentialArgs {
  Generator* generator;
  char* out;
  int64_t n;
  double lambda;
  DType dtype;
};
void fill_exponential(const ExponentialArgs& a);

// Ones with probability `prob` in [0, 1], else zeros.
struct BernoulliArgs {
  Generator* generator;
  char* out;
  int64_t n;
  double prob;
  DType dtype;
};
void fill_bernoulli(const BernoulliArgs& a);

// A probability for each element, of a floating dtype. Refuses those outside of [0, 1] before it draws.
struct BernoulliEachArgs {
  Generator* generator;
  char* out;
  int64_t n;
  const char* probs;
  DType prob_dtype, dtype;
};
void fill_bernoulli_each(const BernoulliEachArgs& a);

// `samples` categories for each row of probabilities, which need not sum up to 1. Without replacement
// samples <= categories. Refuses rows that are no distributions.
struct MultinomialArgs {
  Generator* generator;
  int64_t* out;
  const char* probs;  // rows x categories, contiguous
  int64_t rows, categories, samples;
  bool replacement;
  DType dtype;
};
void sample_multinomial(const MultinomialArgs& a);

}  // namespace gradcore::portable
