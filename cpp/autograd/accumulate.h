// Where gradients end: the accumulator of a leaf.
#pragma once
#include "autograd/node.h"

namespace gradcore {

// The accumulator of a leaf that requires grad: the living one, else a new one.
Ref<Node> accumulator_of(const Tensor& t);
// The next one is a new one: graphs from before lead to the old one, which still fills the leaf's .grad.
void forget_accumulator(const Tensor& t);
// t.grad += grad, as torch does it: stolen when nobody else has it, copied into t's memory order otherwise.
void accumulate_grad(const Tensor& t, Tensor grad);

// t.grad, and another in its place, beside threads that accumulate.
Tensor grad_of(const TensorImpl* t);
void set_grad_of(const Tensor& t, Tensor grad);

// The few ops that the tape itself needs; the ops layer fills this table when the module starts.
struct TapeOps {
  Tensor (*add)(const Tensor& a, const Tensor& b);
  void (*add_into)(const Tensor& to, const Tensor& b);
  Tensor (*clone)(const Tensor& t);
  Tensor (*contiguous)(const Tensor& t);
  void (*copy_into)(const Tensor& to, const Tensor& from);  // recorded when grad mode is on
  Tensor (*as_strided)(const Tensor& t, const Dims& shape, const Dims& strides, int64_t offset);
  Tensor (*ones_like)(const Tensor& t);
  Tensor (*sum_level)(const Tensor& t, int64_t level);  // over the samples of a batch level
  Tensor (*cast)(const Tensor& t, DType dtype);
  void (*zero)(const Tensor& t);
  bool (*has_nan)(const Tensor& t);
  Tensor (*as_strided_backward)(const Tensor& grad, const Dims& in_shape, const Dims& in_strides, int64_t in_offset,
                                const Dims& out_shape, const Dims& out_strides, int64_t out_offset);
};
extern TapeOps tape_ops;

}  // namespace gradcore
