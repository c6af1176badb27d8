// The views (view.h) that ops of other families call.
#pragma once
#include <optional>
#include <vector>

#include "tensor/tensor.h"

namespace gradcore {

Tensor as_strided(const Tensor& t, const Dims& shape, const Dims& strides, std::optional<int64_t> offset);
Tensor view(const Tensor& t, const Dims& shape);
Tensor reshape(const Tensor& t, const Dims& shape);
// A dense tensor that nobody else has, under another shape: not a view of anything.
Tensor unsafe_view(const Tensor& t, const Dims& shape);
Tensor flatten(const Tensor& t, int64_t start = 0, int64_t end = -1);
Tensor transpose(const Tensor& t, int64_t a, int64_t b);
Tensor t(const Tensor& t);
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
Tensor view_dtype(const Tensor& t, DType dtype);
// The same window as a tensor of its own, no view, with the history (of the node's name) and the tangents of `t`.
Tensor alias_without_base(const Tensor& t, const char* node);
Tensor unflatten(const Tensor& t, int64_t dim, const Dims& sizes);
// Makes `t` the window on its memory that `source` is, which counts as a write.
void set_(const Tensor& t, const Tensor& source);
// One dim as a batch level, and back: see tensor/batch.h. Not views: the tape knows them as ops of their own.
Tensor add_batch_dim(const Tensor& t, int dim, int64_t level);
Tensor remove_batch_dim(const Tensor& t, int64_t level, int dim, int64_t size);
// Makes `t` the view that `v` is, a view made from `t` itself: what t_(), squeeze_() and the like do.
void become_view(const Tensor& t, const Tensor& v);

}  // namespace gradcore
