// Further ways to cut tensors: windows that slide along a dim, parts at given places.
#pragma once
#include <vector>

#include "tensor/tensor.h"

namespace gradcore {

// All windows of `size` elements along `dim`, each `step` behind the one before; they are the last dim of the result.
Tensor unfold(const Tensor& t, int64_t dim, int64_t size, int64_t step);

// About equal sections, or the parts between indices.
std::vector<Tensor> tensor_split(const Tensor& t, int64_t sections, int64_t dim);
std::vector<Tensor> tensor_split(const Tensor& t, const Dims& indices, int64_t dim);
std::vector<Tensor> tensor_split(const Tensor& t, const Tensor& indices_or_sections, int64_t dim);
// The same along columns, rows and depth; sections must be equal.
std::vector<Tensor> hsplit(const Tensor& t, int64_t sections);
std::vector<Tensor> hsplit(const Tensor& t, const Dims& indices);
std::vector<Tensor> vsplit(const Tensor& t, int64_t sections);
std::vector<Tensor> vsplit(const Tensor& t, const Dims& indices);
std::vector<Tensor> dsplit(const Tensor& t, int64_t sections);
std::vector<Tensor> dsplit(const Tensor& t, const Dims& indices);
// split() and chunk() whose parts autograd does not take for views.
std::vector<Tensor> unsafe_split(const Tensor& t, int64_t size, int64_t dim);
std::vector<Tensor> unsafe_split(const Tensor& t, const Dims& sizes, int64_t dim);
std::vector<Tensor> unsafe_chunk(const Tensor& t, int64_t chunks, int64_t dim);

}  // namespace gradcore
