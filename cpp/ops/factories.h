// Factories as programs call them: with TensorOptions, within vmap, and with the random numbers that torch would draw.
// create.cpp and random.cpp have what they are made of.
#pragma once
#include "ops/ops.h"
#include "ops/options.h"

namespace gradcore {
class Generator;
}  // namespace gradcore

namespace gradcore::factories {

using Options = TensorOptions;

Tensor zeros(const Dims& size, const Options& options);
Tensor ones(const Dims& size, const Options& options);
Tensor empty(const Dims& size, const Options& options);
Tensor empty_in(const Dims& size, MemoryFormat format, const Options& options);
// `layout`: the dims from the outermost one in memory inwards.
Tensor empty_permuted(const Dims& size, const Dims& layout, const Options& options);
Tensor empty_strided(const Dims& size, const Dims& stride, const Options& options);
Tensor full(const Dims& size, const Scalar& value, const Options& options);
Tensor scalar_tensor(const Scalar& value, const Options& options);
Tensor range(const Scalar& start, const Scalar& end, const Scalar& step, const Options& options);
Tensor arange(const Scalar& start, const Scalar& end, const Scalar& step, const Options& options);
// The ends may be tensors without dims; no gradient reaches them.
Tensor linspace(const Operand& start, const Operand& end, int64_t steps, const Options& options);
Tensor logspace(const Operand& start, const Operand& end, int64_t steps, double base, const Options& options);
Tensor eye(int64_t n, std::optional<int64_t> m, const Options& options);
Tensor tril_indices(int64_t rows, int64_t cols, int64_t offset, const Options& options);
Tensor triu_indices(int64_t rows, int64_t cols, int64_t offset, const Options& options);

// Of the shape, the dtype and the memory order of `t`.
Tensor zeros_like(const Tensor& t, const Options& options, MemoryFormat format);
Tensor ones_like(const Tensor& t, const Options& options, MemoryFormat format);
Tensor empty_like(const Tensor& t, const Options& options, MemoryFormat format);
Tensor full_like(const Tensor& t, const Scalar& value, const Options& options, MemoryFormat format);

// Of the dtype of `t`, and within vmap of its batch.
Tensor new_full(const Tensor& t, const Dims& size, const Scalar& value, const Options& options);
Tensor new_zeros(const Tensor& t, const Dims& size, const Options& options);
Tensor new_ones(const Tensor& t, const Dims& size, const Options& options);
Tensor new_empty(const Tensor& t, const Dims& size, const Options& options);
Tensor new_empty_strided(const Tensor& t, const Dims& size, const Dims& stride, const Options& options);

// Random numbers: those of `g`, null for the default generator. `out`, where it is defined and of the same shape, gives
// the memory order in which they are drawn.
Tensor rand(const Dims& size, Generator* g, const Tensor& out, const Options& options);
Tensor randn(const Dims& size, Generator* g, const Tensor& out, const Options& options);
Tensor normal(double mean, double std, const Dims& size, Generator* g, const Tensor& out, const Options& options);
Tensor randint(int64_t low, int64_t high, const Dims& size, Generator* g, const Tensor& out, const Options& options);
Tensor randperm(int64_t n, Generator* g, const Options& options);
Tensor rand_like(const Tensor& t, Generator* g, const Options& options, MemoryFormat format);
Tensor randn_like(const Tensor& t, Generator* g, const Options& options, MemoryFormat format);
Tensor randint_like(const Tensor& t, int64_t low, int64_t high, Generator* g, const Options& options,
                    MemoryFormat format);
// Zeros, and ones with probability p.
Tensor bernoulli_like(const Tensor& t, double p, Generator* g);

}  // namespace gradcore::factories
