#include "autograd/accumulate.h"

#include <mutex>

namespace gradcore {

TapeOps tape_ops;

namespace {

std::mutex accumulator_mutex;  // guards AutogradMeta::accumulator once threads can meet

std::unique_lock<std::mutex> guard() {
  return concurrent_mode() ? std::unique_lock(accumulator_mutex) : std::unique_lock<std::mutex>();
}

class AccumulateGrad final : public Node {
 public:
  explicit AccumulateGrad(const Tensor& leaf) : leaf_(leaf) {}
  ~AccumulateGrad() override {
    const auto lock = guard();
    if (AutogradMeta* meta = meta_of(leaf_); meta && meta->accumulator == this) meta->accumulator = nullptr;
  }
  const char* name() const override { return "torch::autograd::AccumulateGrad"; }
  TensorImpl* leaf() const override { return leaf_.impl(); }
  void apply(std::span<Tensor> grads, std::span<Tensor>) override {
    // The leaf may have been frozen (requires_grad_(False), detach_()) since the graph was made.
    if (grads[0] && requires_grad(leaf_)) accumulate_grad(leaf_, std::move(grads[0]));
  }

 private:
  Tensor leaf_;
};

}  // namespace

Ref<Node> accumulator_of(const Tensor& t) {
  AutogradMeta& meta = make_meta(t);
  const auto lock = guard();
  if (meta.accumulator && meta.accumulator->retain_if_alive()) return Ref<Node>::adopt(meta.accumulator);
  Ref<Node> fresh = Ref<Node>::adopt(new AccumulateGrad(t));
  meta.accumulator = fresh.get();
  return fresh;
}

void accumulate_grad(const Tensor& t, Tensor grad) {
  if (any_batched(grad, t))
    fail("backward() called inside a functorch transform (vmap). This is not supported: the gradients of single samples have no "
         "place in .grad. Please use func.grad, func.vjp or autograd.grad instead.");
  AutogradMeta& meta = make_meta(t);
  if (!meta.grad) {
    const bool mine = !modes.tracking() && grad.unique() && grad.strides() == t.strides() && is_dense(grad);
    if (mine) {
      meta.grad = std::move(grad);
    } else if (is_dense(t) && grad.strides() != t.strides()) {
      // The gradient takes the leaf's memory order.
      Tensor copy = empty_strided(t.shape(), t.strides(), grad.dtype());
      tape_ops.copy_into(copy, grad);
      meta.grad = std::move(copy);
    } else {
      meta.grad = tape_ops.clone(grad);
    }
    return;
  }
  if (modes.tracking()) {
    meta.grad = tape_ops.add(meta.grad, grad);
    return;
  }
  tape_ops.add_into(meta.grad, grad);
}

}  // namespace gradcore
