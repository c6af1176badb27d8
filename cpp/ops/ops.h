// Every op on tensors, as C++ functions. Each records itself when grad mode asks for it. Elementwise names with an
// Operand take a tensor or a number. Start in the file named by each section.
#pragma once
#include <optional>
#include <string_view>
#include <vector>

#include "ops/elementwise.h"
#include "tensor/batch.h"

namespace gradcore {

class Generator;

// elementwise.cpp: one function for each formula, f and in-place f_.
#define GC_UNARY_OPS(X)                                                                                               \
  X(neg, Neg)                                                                                                         \
  X(abs, Abs)                                                                                                         \
  X(sign, Sign)                                                                                                       \
  X(reciprocal, Reciprocal)                                                                                           \
  X(sqrt, Sqrt) X(rsqrt, Rsqrt) X(exp, Exp) X(expm1, Expm1) X(log, Log) X(log1p, Log1p) X(log2, Log2) X(log10, Log10) \
      X(sin, Sin) X(cos, Cos) X(tan, Tan) X(asin, Asin) X(acos, Acos) X(atan, Atan) X(sinh, Sinh) X(cosh, Cosh)       \
          X(tanh, Tanh) X(sigmoid, Sigmoid) X(erf, Erf) X(erfc, Erfc) X(relu, Relu) X(floor, Floor) X(ceil, Ceil)     \
              X(round, Round) X(trunc, Trunc) X(logical_not, LogicalNot) X(bitwise_not, BitwiseNot)
#define GC_BINARY_OPS(X)                                                                                            \
  X(mul, Mul)                                                                                                       \
  X(div, Div)                                                                                                       \
  X(floor_divide, FloorDivide)                                                                                      \
  X(div_floor, DivFloor)                                                                                            \
  X(div_trunc, DivTrunc) X(relu_backward, ReluBackward) X(remainder, Remainder) X(fmod, Fmod) X(atan2, Atan2)       \
      X(maximum, Maximum) X(minimum, Minimum) X(eq, Eq) X(ne, Ne) X(lt, Lt) X(le, Le) X(gt, Gt) X(ge, Ge)           \
          X(logical_and, LogicalAnd) X(logical_or, LogicalOr) X(logical_xor, LogicalXor) X(bitwise_and, BitwiseAnd) \
              X(bitwise_or, BitwiseOr) X(bitwise_xor, BitwiseXor) X(bitwise_left_shift, LeftShift)                  \
                  X(bitwise_right_shift, RightShift)
#define GC_DECLARE(f, Op)    \
  Tensor f(const Tensor& a); \
  void f##_(const Tensor& a);
GC_UNARY_OPS(GC_DECLARE)
#undef GC_DECLARE
#define GC_DECLARE(f, Op)                       \
  Tensor f(const Operand& a, const Operand& b); \
  void f##_(const Tensor& a, const Operand& b);
GC_BINARY_OPS(GC_DECLARE)
#undef GC_DECLARE
Tensor add(const Operand& a, const Operand& b, const Scalar& alpha = 1);
void add_(const Tensor& a, const Operand& b, const Scalar& alpha = 1);
Tensor sub(const Operand& a, const Operand& b, const Scalar& alpha = 1);
void sub_(const Tensor& a, const Operand& b, const Scalar& alpha = 1);
Tensor pow(const Operand& a, const Operand& b);
Tensor square(const Tensor& t);
void square_(const Tensor& t);
void pow_(const Tensor& a, const Operand& b);
Tensor isnan(const Tensor& t);
Tensor round_to(const Tensor& t, int64_t decimals);
Tensor isinf(const Tensor& t);
Tensor isfinite(const Tensor& t);
Tensor where(const Tensor& condition, const Operand& a, const Operand& b);
Tensor masked_fill(const Tensor& t, const Tensor& mask, const Operand& value);
void masked_fill_(const Tensor& t, const Tensor& mask, const Operand& value);
Tensor addcmul(const Tensor& t, const Operand& a, const Operand& b, const Scalar& value = 1);
void addcmul_(const Tensor& t, const Operand& a, const Operand& b, const Scalar& value = 1);
Tensor addcdiv(const Tensor& t, const Operand& a, const Operand& b, const Scalar& value = 1);
void addcdiv_(const Tensor& t, const Operand& a, const Operand& b, const Scalar& value = 1);
Tensor lerp(const Tensor& a, const Tensor& b, const Operand& weight);
void lerp_(const Tensor& a, const Tensor& b, const Operand& weight);
using Bound = std::optional<Operand>;
Tensor clamp(const Tensor& t, const Bound& lo, const Bound& hi);
void clamp_(const Tensor& t, const Bound& lo, const Bound& hi);
Tensor clamp_min(const Tensor& t, const Operand& lo);
Tensor clamp_max(const Tensor& t, const Operand& hi);

// The same ops as calls that have not run yet: foreach.cpp runs many of them together. Making one raises what the op
// raises, but for shapes and for types that no kernel takes.
namespace calls {
#define GC_DECLARE(f, Op) ElementwiseCall f(const Tensor& a);
GC_UNARY_OPS(GC_DECLARE)
#undef GC_DECLARE
#define GC_DECLARE(f, Op) ElementwiseCall f(const Operand& a, const Operand& b);
GC_BINARY_OPS(GC_DECLARE)
#undef GC_DECLARE
ElementwiseCall add(const Operand& a, const Operand& b, const Scalar& alpha);
ElementwiseCall sub(const Operand& a, const Operand& b, const Scalar& alpha);
ElementwiseCall pow(const Operand& a, const Operand& b);
ElementwiseCall addcmul(const Operand& t, const Operand& a, const Operand& b, const Scalar& value);
ElementwiseCall addcdiv(const Operand& t, const Operand& a, const Operand& b, const Scalar& value);
ElementwiseCall lerp(const Tensor& a, const Tensor& b, const Operand& weight);
ElementwiseCall clamp_min(const Tensor& t, const Operand& lo);
ElementwiseCall clamp_max(const Tensor& t, const Operand& hi);
}  // namespace calls

// copy.cpp
Tensor cast(const Tensor& t, DType dtype);               // recorded; `t` itself when nothing changes
Tensor clone(const Tensor& t, bool contiguous = false);  // keeps the memory order unless told otherwise
Tensor contiguous(const Tensor& t);
void copy_(const Tensor& to, const Tensor& from);        // broadcasts and converts; recorded
void check_copy_(const Tensor& to, const Tensor& from);  // raises what copy_ would raise
void copy_raw(const Tensor& to, const Tensor& from);     // the same without tape, version or checks
void check_fits(const Scalar& v, DType dtype);           // refuses a number that `dtype` cannot hold
void fill_(const Tensor& t, const Operand& value);
void fill_raw(const Tensor& t, const Scalar& value);
void zero_(const Tensor& t);
void fill_diagonal_(const Tensor& t, const Scalar& value, bool wrap);

// create.cpp
Tensor full(const Dims& shape, const Scalar& value, DType dtype);
Tensor zeros(const Dims& shape, DType dtype);
Tensor full_batched(const Levels& levels, const Dims& shape, const Scalar& value, DType dtype);
Tensor ones(const Dims& shape, DType dtype);
Tensor empty_like(const Tensor& t, DType dtype);
Tensor zeros_like(const Tensor& t);
Tensor ones_like(const Tensor& t);
Tensor full_like(const Tensor& t, const Scalar& value, DType dtype);
Tensor scalar_tensor(const Scalar& value, DType dtype);
Tensor arange(const Scalar& start, const Scalar& end, const Scalar& step, std::optional<DType> dtype);
Tensor logspace(const Scalar& start, const Scalar& end, int64_t steps, double base, DType dtype);
Tensor linspace(const Scalar& start, const Scalar& end, int64_t steps, DType dtype);
Tensor eye(int64_t n, int64_t m, DType dtype);
Tensor tril(const Tensor& t, int64_t diagonal);
Tensor triu(const Tensor& t, int64_t diagonal);

// view.cpp
Tensor as_strided(const Tensor& t, const Dims& shape, const Dims& strides, std::optional<int64_t> offset);
// What as_strided's gradient is to its input; geometries with offsets in elements (TapeOps in autograd/accumulate.h).
Tensor as_strided_backward(const Tensor& grad, const Dims& in_shape, const Dims& in_strides, int64_t in_offset,
                           const Dims& out_shape, const Dims& out_strides, int64_t out_offset);
Tensor view(const Tensor& t, const Dims& shape);
Tensor view_dtype(const Tensor& t, DType dtype);
Tensor reshape(const Tensor& t, const Dims& shape);
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

// join.cpp
Tensor cat(std::span<const Tensor> tensors, int64_t dim);
Tensor stack(std::span<const Tensor> tensors, int64_t dim);
Tensor flip(const Tensor& t, const Dims& dims);
Tensor roll(const Tensor& t, const Dims& shifts, const Dims& dims);
Tensor repeat(const Tensor& t, const Dims& repeats);

// reduce.cpp
using MaybeDims = std::optional<Dims>;
using MaybeDType = std::optional<DType>;
struct ValuesIndices {
  Tensor values, indices;
};
Tensor sum(const Tensor& t, const MaybeDims& dim = {}, bool keepdim = false, MaybeDType dtype = {});
Tensor mean(const Tensor& t, const MaybeDims& dim = {}, bool keepdim = false, MaybeDType dtype = {});
Tensor prod(const Tensor& t, std::optional<int64_t> dim = {}, bool keepdim = false, MaybeDType dtype = {});
Tensor var(const Tensor& t, const MaybeDims& dim, double correction, bool keepdim);
Tensor std(const Tensor& t, const MaybeDims& dim, double correction, bool keepdim);
Tensor max(const Tensor& t);
Tensor min(const Tensor& t);
ValuesIndices max(const Tensor& t, int64_t dim, bool keepdim);
ValuesIndices min(const Tensor& t, int64_t dim, bool keepdim);
Tensor amax(const Tensor& t, const MaybeDims& dim, bool keepdim);
Tensor amin(const Tensor& t, const MaybeDims& dim, bool keepdim);
Tensor argmax(const Tensor& t, std::optional<int64_t> dim, bool keepdim);
Tensor argmin(const Tensor& t, std::optional<int64_t> dim, bool keepdim);
Tensor any(const Tensor& t, const MaybeDims& dim, bool keepdim);
Tensor all(const Tensor& t, const MaybeDims& dim, bool keepdim);
Tensor norm(const Tensor& t, double p, const MaybeDims& dim, bool keepdim, MaybeDType dtype);
// The norm of each tensor over all of its elements.
std::vector<Tensor> norms(std::span<const Tensor> tensors, double p, MaybeDType dtype);
Tensor logsumexp(const Tensor& t, const Dims& dim, bool keepdim);
Tensor count_nonzero(const Tensor& t, const MaybeDims& dim);
Tensor isclose(const Tensor& a, const Tensor& b, double rtol, double atol, bool equal_nan);

// rowwise.cpp
Tensor softmax(const Tensor& t, int64_t dim, MaybeDType dtype);
Tensor log_softmax(const Tensor& t, int64_t dim, MaybeDType dtype);
Tensor cumsum(const Tensor& t, int64_t dim, MaybeDType dtype);
Tensor cumprod(const Tensor& t, int64_t dim, MaybeDType dtype);

// matmul.cpp
Tensor mm(const Tensor& a, const Tensor& b);
Tensor bmm(const Tensor& a, const Tensor& b);
Tensor mv(const Tensor& a, const Tensor& b);
Tensor dot(const Tensor& a, const Tensor& b);
Tensor matmul(const Tensor& a, const Tensor& b);
Tensor outer(const Tensor& a, const Tensor& b);
Tensor addmm(const Tensor& t, const Tensor& a, const Tensor& b, const Scalar& beta, const Scalar& alpha);

// index.cpp
Tensor index_select(const Tensor& t, int64_t dim, const Tensor& index);
Tensor gather(const Tensor& t, int64_t dim, const Tensor& index);
Tensor scatter(const Tensor& t, int64_t dim, const Tensor& index, const Operand& src);
void scatter_(const Tensor& t, int64_t dim, const Tensor& index, const Operand& src);
Tensor scatter_add(const Tensor& t, int64_t dim, const Tensor& index, const Tensor& src);
void scatter_add_(const Tensor& t, int64_t dim, const Tensor& index, const Tensor& src);
Tensor index_add(const Tensor& t, int64_t dim, const Tensor& index, const Tensor& src, const Scalar& alpha);
void index_add_(const Tensor& t, int64_t dim, const Tensor& index, const Tensor& src, const Scalar& alpha);
Tensor index_copy(const Tensor& t, int64_t dim, const Tensor& index, const Tensor& src);
void index_copy_(const Tensor& t, int64_t dim, const Tensor& index, const Tensor& src);
Tensor index_fill(const Tensor& t, int64_t dim, const Tensor& index, const Operand& value);
void index_fill_(const Tensor& t, int64_t dim, const Tensor& index, const Operand& value);
Tensor nonzero(const Tensor& t);
Tensor masked_select(const Tensor& t, const Tensor& mask);
// Advanced indexing: an undefined tensor stands for a full slice of its dim.
Tensor index(const Tensor& t, std::span<const Tensor> indices);
Tensor index_put(const Tensor& t, std::span<const Tensor> indices, const Tensor& values, bool accumulate);
void index_put_(const Tensor& t, std::span<const Tensor> indices, const Tensor& values, bool accumulate);

// Adds `t` to what `out` is broadcast from, element by element in order: safe for windows that overlap themselves.
void add_raw_overlapping(const Tensor& out, const Tensor& t);

// random.cpp: each draws from the default generator unless told otherwise.
void uniform_(const Tensor& t, double from, double to, Generator* g = nullptr);
void normal_(const Tensor& t, double mean, double std, Generator* g = nullptr);
void random_(const Tensor& t, std::optional<int64_t> low, std::optional<int64_t> high, Generator* g = nullptr);
Tensor randperm(int64_t n, DType dtype, Generator* g = nullptr);

}  // namespace gradcore
