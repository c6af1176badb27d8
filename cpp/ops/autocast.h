// What autocast asks of the ops: the dtype to cast to, and casts that are remembered for parameters. The switch is
// `modes.autocast`. Products cast by themselves; what other ops cast stands in their rows (bindings/op_function.h).
#pragma once
#include "autograd/modes.h"
#include "tensor/tensor.h"

namespace gradcore {

DType autocast_dtype();
void set_autocast_dtype(DType dtype);
// As cast(). A leaf that requires grad is cast once for as long as the cache lives.
Tensor autocast_cast(const Tensor& t, DType dtype);
// `t` in the dtype, where it is a float, no float64, and defined.
Tensor autocast_lowered(const Tensor& t);
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

// f(tensors...) in autocast's dtype. Products call it where autocast is on, so that ops that are made of them need not
// know of it.
template <class F, class... T> Tensor in_lower_precision(F&& f, const T&... tensors) {
  const AutocastOff off;
  return f(autocast_lowered(tensors)...);
}

}  // namespace gradcore
