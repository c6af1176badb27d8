// The diagonal family: elementwise ops of one to three operands, driven by records made from formulas. Start at
// elementwise(). Typed conveniences (add, tanh, ...) are declared in ops.h.
#pragma once
#include <span>

#include "autograd/node.h"
#include "core/op_info.h"
#include "kernels/table.h"

namespace gradcore {

struct Sym;  // a value in a recorded formula: formula_ops.h

// All that the driver needs to know of an op, made at compile time from its formula.
struct ElementwiseOp {
  const OpInfo* info;
  int arity;
  int params;
  int index;          // in its family's list
  unsigned uses[3];   // Note [What a vjp reads]
  Sym (*vjp[3])(const Sym* operands_g_a_b_c_y, const Sym* params);

  bool differentiable(int k) const { return uses[k] != 0; }
  const ElementwiseKernels& kernels() const {
    const KernelTable& t = gradcore::kernels();
    return (arity == 1 ? t.unary : arity == 2 ? t.binary : t.ternary)[index];
  }
};

// A tensor or a plain number.
struct Operand {
  const Tensor* tensor = nullptr;
  Scalar scalar;
  Operand(const Tensor& t) : tensor(&t) {}
  Operand(const Scalar& s) : scalar(s) {}
  bool is_tensor() const { return tensor != nullptr; }
};

// A fresh result.
Tensor elementwise(const ElementwiseOp& op, std::span<const Operand> in, const Scalar* params = nullptr);
// Writes into `self`, which is also an operand (an in-place op).
void elementwise_(const ElementwiseOp& op, const Tensor& self, std::span<const Operand> in, const Scalar* params = nullptr);
// Writes into `out`, resized to fit (out=): not recorded.
void elementwise_out(const ElementwiseOp& op, const Tensor& out, std::span<const Operand> in, const Scalar* params = nullptr);

// torch's rule for the type of an op's operands: dimensioned tensors first, then 0-d ones, then numbers.
DType result_type(std::span<const Operand> in);

// Sums the dims that were broadcast away, so that the result has `shape`.
Tensor sum_to(const Tensor& t, const Dims& shape);

}  // namespace gradcore
