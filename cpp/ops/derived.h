// Ops made of other ops: they have no kernel and no node of their own. Those that other ops call are in derived_core.h,
// so that one more here compiles bindings again, and no ops.
#pragma once
#include <span>
#include <string_view>
#include <utility>
#include <variant>

#include "ops/derived_core.h"

namespace gradcore {

// Of numbers and tensors, rounded as `mode` says: "floor", "trunc" or none.
using RoundingMode = std::optional<std::string_view>;
Tensor div(const Operand& a, const Operand& b, const RoundingMode& mode);
void div_(const Tensor& a, const Operand& b, const RoundingMode& mode);
Tensor divided_by(const Operand& a, const Operand& b);  // a / b as the operator does it
Tensor rsub(const Tensor& a, const Operand& b, const Scalar& alpha);
Tensor positive(const Tensor& t);
Tensor inverted(const Tensor& t);  // ~t
void round_to_(const Tensor& t, int64_t decimals);
void clamp_max_(const Tensor& t, const Operand& hi);

bool allclose(const Tensor& a, const Tensor& b, double rtol, double atol, bool equal_nan);
bool equal(const Tensor& a, const Tensor& b);
bool contains(const Tensor& t, const Operand& value);

Tensor nanmean(const Tensor& t, const MaybeDims& dim, bool keepdim, MaybeDType dtype);
Tensor norm(const Tensor& t, std::string_view p, const MaybeDims& dim, bool keepdim, MaybeDType dtype);

// The norms of the parts that `dim` numbers, with dims of one element; of the whole tensor for -1. `pow`: the order.
Tensor norm_except_dim(const Tensor& t, int64_t pow, int64_t dim);
// The exclusive or of the elements' bits, as 64-bit floats or integers. `mode` must be 0.
Tensor hash_tensor(const Tensor& t, const MaybeDims& dim, bool keepdim, int64_t mode);

void cumsum_(const Tensor& t, int64_t dim, MaybeDType dtype);
void cumprod_(const Tensor& t, int64_t dim, MaybeDType dtype);
void tril_(const Tensor& t, int64_t diagonal);
void triu_(const Tensor& t, int64_t diagonal);

Tensor ravel(const Tensor& t);
Tensor tile(const Tensor& t, const Dims& dims);
// Joined beside, below and behind each other, and as columns; tensors of too few dims get dims of one element.
Tensor hstack(std::span<const Tensor> tensors);
Tensor vstack(std::span<const Tensor> tensors);
Tensor dstack(std::span<const Tensor> tensors);
Tensor column_stack(std::span<const Tensor> tensors);
// The places of the elements that are not zero, by dim; a 0-d tensor counts as 1-d.
std::vector<Tensor> nonzero_by_dim(const Tensor& t);

// nonzero(), which vmap runs sample by sample.
Tensor argwhere(const Tensor& t);
// The first `size` of them, or as many with places of `value` behind them.
Tensor nonzero_static(const Tensor& t, int64_t size, int64_t value);
// The sum over the dims along which `shape` would be expanded to that of `t`.
Tensor sum_to_size(const Tensor& t, const Dims& shape);

void requires_grad_(const Tensor& t, bool on);
void detach_from_graph_(const Tensor& t);  // detach_(), which is refused to captured tensors
// Each makes the tensor a view of itself.
void t_(const Tensor& t);
void transpose_(const Tensor& t, int64_t a, int64_t b);
void squeeze_(const Tensor& t);
void squeeze_(const Tensor& t, const Dims& dims);
void unsqueeze_(const Tensor& t, int64_t dim);
void as_strided_(const Tensor& t, const Dims& shape, const Dims& strides, std::optional<int64_t> offset);
void set_(const Tensor& t);  // empty

}  // namespace gradcore
