// The diagonal family: elementwise ops of one to three operands, driven by records made from formulas. Start at
// elementwise(). Typed conveniences (add, tanh, ...) are declared in pointwise.h.
#pragma once
#include <optional>
#include <span>

#include "autograd/node.h"
#include "core/op_info.h"
#include "kernels/table.h"
#include "tensor/loop.h"

namespace gradcore {

struct Sym;  // a value in a recorded formula: formula_ops.h

// All that the driver needs to know of an op, made at compile time from its formula.
struct ElementwiseOp {
  const OpInfo* info;
  int arity;
  int params;
  int group, index;      // formulas::place_of
  unsigned uses[3];      // Note [What a vjp reads]
  unsigned used_anyway;  // used_anyway() of tensors alone
  Sym (*vjp[3])(const Sym* operands_g_a_b_c_y, const Sym* params);

  bool differentiable(int k) const { return uses[k] != 0; }
  const ElementwiseKernels& kernels() const { return gradcore::kernels().elementwise[group][index]; }
};

// A tensor or a plain number.
struct Operand {
  const Tensor* tensor = nullptr;
  Scalar scalar;
  Operand() = default;
  Operand(const Tensor& t) : tensor(&t) {}
  Operand(const Scalar& s) : scalar(s) {}
  bool is_tensor() const { return tensor != nullptr; }
};

// An op with its arguments, ready to run.
struct ElementwiseCall {
  const ElementwiseOp* op;
  Operand in[3];  // op->arity of them
  Scalar params[kMaxParams];
  std::optional<DType> compute;  // set where a parameter raises the type in which the op computes
  std::span<const Operand> operands() const { return {in, static_cast<size_t>(op->arity)}; }
};

// A fresh result.
Tensor elementwise(const ElementwiseCall& call);
Tensor elementwise(const ElementwiseOp& op, std::span<const Operand> in, const Scalar* params = nullptr);
// Writes into `self`, which is also an operand (an in-place op).
void elementwise_(const ElementwiseCall& call, const Tensor& self);
void elementwise_(const ElementwiseOp& op, const Tensor& self, std::span<const Operand> in,
                  const Scalar* params = nullptr);
// Raises what elementwise_ would raise; the second, of a call that is not recorded and has a dense loop.
void check_elementwise_(const ElementwiseCall& call, const Tensor& self);
void check_dense_write(const Tensor& self, std::span<const Operand> in);
// Whether grad mode is on and the op has a gradient to some operand that wants one.
bool recording(const ElementwiseOp& op, std::span<const Operand> in);
// Writes the result of a call that is not recorded straight into `out`, where that has its shape and its type. False
// where it has not: nothing is done then.
bool elementwise_into(const ElementwiseCall& call, const Tensor& out);

// The common case of an op, done without a plan: dense operands of one type and one shape, and numbers (or tensors
// without dims) that fit the type.
struct DenseLoop {
  const Tensor* lead;  // the operand that the result is like
  DType result;
  FlatLoop loop;  // the output is for the caller to set

  DenseLoop() {}  // nothing is initialised: this is on the path of every op
  void set_output(const Tensor& out) { loop.set(0, out.window(), item_size(result)); }
};
// False where there is anything to convert, to broadcast or to think about, or where the first operand does not lead.
bool make_dense_loop(DenseLoop& to, const ElementwiseOp& op, std::span<const Operand> in, const Scalar* params);

// torch's rule for the type of an op's operands: dimensioned tensors first, then 0-d ones, then numbers.
DType result_type(std::span<const Operand> in);

// Sums the dims that were broadcast away, so that the result has `shape`.
Tensor sum_to(const Tensor& t, const Dims& shape);

}  // namespace gradcore
