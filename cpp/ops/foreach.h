// Ops over lists of tensors, torch's _foreach_ functions: one call for the whole list. Start at
// for_each_tensor().
#pragma once
#include <variant>
#include <vector>

#include "ops/ops.h"

namespace gradcore {

using Tensors = std::vector<Tensor>;

// What every tensor of a list is combined with: one number or tensor for all of them, or one for each.
class Each {
 public:
  Each() : value_(Scalar(1)) {}
  Each(Scalar s) : value_(s) {}
  Each(Tensor t) : value_(std::move(t)) {}
  Each(std::vector<Scalar> s) : value_(std::move(s)) {}
  Each(Tensors t) : value_(std::move(t)) {}

  void check_length(size_t n) const;
  Operand operand(size_t i) const;  // points into this object
  Scalar scalar(size_t i) const { return operand(i).scalar; }

 private:
  std::variant<Scalar, Tensor, std::vector<Scalar>, Tensors> value_;
};

struct ForeachArgs {
  Tensors self;
  Each in[2];  // further operands
  Each value;  // alpha, or the factor of addcmul and addcdiv
};

// One tensor of the list with what belongs to it, and the op that it asks for.
struct ForeachItem {
  const Tensor& self;
  Operand in[2];
  Scalar value;
};
using MakeCall = ElementwiseCall (*)(const ForeachItem&);

// Lists that nothing records, of dense tensors of one dtype, are one parallel pass over all of their
// elements. Any other list is the ordinary op for each tensor in turn. An error leaves every tensor as it
// was.
Tensors for_each_tensor(MakeCall make, const ForeachArgs& args);
void for_each_tensor_(MakeCall make, const ForeachArgs& args);

Tensors foreach_norm(const Tensors& tensors, const Scalar& ord, MaybeDType dtype);
Tensors foreach_max(const Tensors& tensors);
void foreach_zero_(const Tensors& tensors);
void foreach_copy_(const Tensors& to, const Tensors& from);

// A tensor without dims for all of them. With an alpha of 1 torch adds it as the number that it holds, unless it wants
// a gradient.
Each one_for_all(const Tensor& t);
Each one_for_all(const Tensor& t, const Scalar& alpha);
// The numbers of a 1-d tensor, one for each of n tensors.
std::vector<Scalar> packed_scalars(const Tensor& scalars, size_t n);

}  // namespace gradcore
