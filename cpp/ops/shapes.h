// Grids, diagonals, and tensors arranged anew: ops on shapes that are made of views and joins.
#pragma once
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "tensor/tensor.h"

namespace gradcore {

// The matrix with `t` on a diagonal where it is a vector; that diagonal of `t`, copied, where it is a matrix.
Tensor diag(const Tensor& t, int64_t diagonal);
Tensor diagflat(const Tensor& t, int64_t offset);  // of all elements in a row
Tensor trace(const Tensor& t);
Tensor block_diag(std::span<const Tensor> tensors);

// Views with dims of one element where there are too few.
Tensor atleast_1d(const Tensor& t);
Tensor atleast_2d(const Tensor& t);
Tensor atleast_3d(const Tensor& t);
std::vector<Tensor> atleast_1d(std::span<const Tensor> tensors);
std::vector<Tensor> atleast_2d(std::span<const Tensor> tensors);
std::vector<Tensor> atleast_3d(std::span<const Tensor> tensors);

std::vector<Tensor> broadcast_tensors(std::span<const Tensor> tensors);
// "ij": the first tensor runs along dim 0 and the second along dim 1. "xy": the other way round.
std::vector<Tensor> meshgrid(std::span<const Tensor> tensors, std::string_view indexing);
Tensor cartesian_prod(std::span<const Tensor> tensors);
Tensor combinations(const Tensor& t, int64_t r, bool with_replacement);

// The powers of a vector's elements as columns, `count` of them: from the highest to 0, or `increasing` from there.
Tensor vander(const Tensor& x, std::optional<int64_t> count, bool increasing);

Tensor flipud(const Tensor& t);
Tensor fliplr(const Tensor& t);
Tensor rot90(const Tensor& t, int64_t k, const Dims& dims);

// Each index as often as its count says: [2, 0, 1] gives [0, 0, 2]. `output_size` must be the sum of the counts.
Tensor repeat_interleave(const Tensor& repeats, std::optional<int64_t> output_size);
// Each slice along `dim` that often; without a dim, each element of the flattened tensor.
Tensor repeat_interleave(const Tensor& t, const Tensor& repeats, std::optional<int64_t> dim,
                         std::optional<int64_t> output_size);
Tensor repeat_interleave(const Tensor& t, int64_t repeats, std::optional<int64_t> dim,
                         std::optional<int64_t> output_size);

}  // namespace gradcore
