// Ops of floats that torch has no derivative for: the result requires grad, and backward says that there is none.
#pragma once
#include "ops/record.h"

namespace gradcore {

struct UnderivableVjp {
  const char* op;
  const char* node = nullptr;  // where torch has one of the op's own
  const char* name() const { return node ? node : "torch::autograd::NotImplemented"; }
  void vjp(Node&, std::span<Tensor>, std::span<Tensor>) {
    if (node) fail(ErrorKind::NotImplemented, "the derivative for '", op, "' is not implemented.");
    fail("derivative for aten::", op, " is not implemented");
  }
};
inline void record_underivable(const Tensor& out, const Tensor& t, UnderivableVjp vjp) {
  if (is_floating(t.dtype()) && should_record(t)) record(out, {&t}, vjp);
}

}  // namespace gradcore
