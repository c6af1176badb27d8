// Other windows on the same memory. Each op is a view that records itself; names and errors are torch's.
#pragma once
#include <optional>
#include <vector>

#include "tensor/tensor.h"

namespace gradcore {

Tensor as_strided(const Tensor& t, const Dims& shape, const Dims& strides, std::optional<int64_t> offset);
// What as_strided's gradient is to its input; geometries with offsets in elements (TapeOps in autograd/accumulate.h).
Tensor as_strided_backward(const Tensor& grad, const Dims& in_shape, const Dims& in_strides, int64_t in_offset,
                           const Dims& out_shape, const Dims& out_strides, int64_t out_offset);
Tensor view(const Tensor& t, const Dims& shape);
Tensor view_dtype(const Tensor& t, DType dtype);
Tensor reshape(const Tensor& t, const Dims& shape);
// A dense tensor that nobody else has, under another shape: not a view of anything.
Tensor unsafe_view(const Tensor& t, const Dims& shape);
Tensor flatten(const Tensor& t, int64_t start = 0, int64_t end = -1);
Tensor unflatten(const Tensor& t, int64_t dim, const Dims& sizes);
Tensor transpose(const Tensor& t, int64_t a, int64_t b);
Tensor t(const Tensor& t);
Tensor numpy_T(const Tensor& t);
Tensor permute(const Tensor& t, const Dims& dims);
Tensor movedim(const Tensor& t, const Dims& from, const Dims& to);
Tensor squeeze(const Tensor& t);
Tensor squeeze(const Tensor& t, const Dims& dims);
Tensor unsqueeze(const Tensor& t, int64_t dim);
Tensor expand(const Tensor& t, const Dims& shape);
Tensor select(const Tensor& t, int64_t dim, int64_t index);
Tensor slice(const Tensor& t, int64_t dim, int64_t start, int64_t end, int64_t step);
Tensor narrow(const Tensor& t, int64_t dim, int64_t start, int64_t length);
Tensor diagonal(const Tensor& t, int64_t offset, int64_t dim1, int64_t dim2);
// New memory with `t` on the diagonals of matrices, zeros beside it.
Tensor diag_embed(const Tensor& t, int64_t offset, int64_t dim1, int64_t dim2);
std::vector<Tensor> unbind(const Tensor& t, int64_t dim = 0);
std::vector<Tensor> split(const Tensor& t, int64_t size, int64_t dim);
std::vector<Tensor> split(const Tensor& t, const Dims& sizes, int64_t dim);
std::vector<Tensor> chunk(const Tensor& t, int64_t chunks, int64_t dim);
Tensor alias(const Tensor& t);
// The same window as a tensor of its own, no view, with the history (of the node's name) and the tangents of `t`.
Tensor alias_without_base(const Tensor& t, const char* node);
// A view whose tangents are its own: first of all those that `t` has at the levels which ops see.
Tensor view_without_tangents(const Tensor& t, const char* node);
// One dim as a batch level, and back: see tensor/batch.h. Not views: the tape knows them as ops of their own.
Tensor add_batch_dim(const Tensor& t, int dim, int64_t level);
Tensor remove_batch_dim(const Tensor& t, int64_t level, int dim, int64_t size);
// Makes `t` the view that `v` is, a view made from `t` itself: what t_(), squeeze_() and the like do.
void become_view(const Tensor& t, const Tensor& v);
// Makes `t` the window on its memory that `source` is, which counts as a write.
void set_(const Tensor& t, const Tensor& source);

}  // namespace gradcore
