// The derived ops (derived.h) that other ops call.
#pragma once
#include <utility>
#include <variant>
#include <vector>

#include "ops/ops.h"

namespace gradcore {

void clamp_min_(const Tensor& t, const Operand& lo);
Tensor negative(const Tensor& t);  // -t: what the operator says to a bool differs from neg's words
void check_item(const Tensor& t);  // that it has one element
Scalar item(const Tensor& t);

using TwoTensors = std::pair<Tensor, Tensor>;
TwoTensors var_mean(const Tensor& t, const MaybeDims& dim, double correction, bool keepdim);
TwoTensors std_mean(const Tensor& t, const MaybeDims& dim, double correction, bool keepdim);

// The places of the elements that are not zero; as a tuple by dim.
std::variant<Tensor, std::vector<Tensor>> nonzero(const Tensor& t, bool as_tuple);

// A tensor of this dtype: itself where nothing changes and no copy is asked for.
Tensor to(const Tensor& t, MaybeDType dtype, bool copy = false);
void copy_(const Tensor& to, const Operand& from);
Tensor fill(const Tensor& t, const Operand& value);  // a new tensor like `t`, all of `value`
void set_(const Tensor& t, const Tensor& source, int64_t offset, const Dims& shape, const MaybeDims& strides);

}  // namespace gradcore
