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
// The node has an edge for each input that requires grad, and no others.
inline void record_underivable(std::span<const Tensor> outs, std::initializer_list<const Tensor*> inputs,
                               UnderivableVjp vjp) {
  std::vector<const Tensor*> recorded;
  for (const Tensor* t : inputs)
    if (t->defined() && is_floating(t->dtype()) && should_record(*t)) recorded.push_back(t);
  if (recorded.empty()) return;
  record_outputs(
      outs, make_node(std::span<const Tensor* const>(recorded), std::move(vjp), static_cast<uint32_t>(outs.size())));
}
inline void record_underivable(const Tensor& out, const Tensor& t, UnderivableVjp vjp) {
  record_underivable({&out, 1}, {&t}, vjp);
}

}  // namespace gradcore
