// What autocast asks of the ops: the dtype to cast to, and casts that are remembered for parameters. The switch is
// `modes.autocast`; which op casts what stands in its row (bindings/op_function.h).
#pragma once
#include "autograd/modes.h"
#include "tensor/tensor.h"

namespace gradcore {

DType autocast_dtype();
void set_autocast_dtype(DType dtype);
// As cast(). A leaf that requires grad is cast once for as long as the cache lives.
Tensor autocast_cast(const Tensor& t, DType dtype);
// matmul() of operands that were cast to the dtype.
Tensor autocast_matmul(const Tensor& a, const Tensor& b);
bool autocast_caches();
void set_autocast_caches(bool on);
void clear_autocast_cache();

// A scope without.
class AutocastOff {
 public:
  AutocastOff() : before_(modes.autocast) { modes.autocast = false; }
  ~AutocastOff() { modes.autocast = before_; }
  AutocastOff(const AutocastOff&) = delete;

 private:
  bool before_;
};

}  // namespace gradcore
