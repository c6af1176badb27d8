#include "autograd/accumulate.h"

#include "autograd/locks.h"

namespace gradcore {

TapeOps tape_ops;

namespace {

class AccumulateGrad final : public Node {
 public:
  explicit AccumulateGrad(const Tensor& leaf) : leaf_(leaf) {}
  ~AccumulateGrad() override {
    const TapeLock lock = lock_accumulators();
    if (AutogradMeta* meta = meta_of(leaf_); meta && meta->accumulator == this) meta->accumulator = nullptr;
  }
  const char* name() const override { return "torch::autograd::AccumulateGrad"; }
  TensorImpl* leaf() const override { return leaf_.impl(); }
  std::optional<TensorMeta> output_meta(uint32_t) const override { return TensorMeta{leaf_.shape(), leaf_.dtype()}; }
  void apply(std::span<Tensor> grads, std::span<Tensor>) override {
    // The leaf may have been frozen (requires_grad_(False), detach_()) since the graph was made.
    if (!grads[0]) return;
    if (!is_leaf(leaf_)) fail("leaf variable has been moved into the graph interior");
    if (requires_grad(leaf_)) accumulate_grad(leaf_, std::move(grads[0]));
  }

 private:
  Tensor leaf_;
};

}  // namespace

Ref<Node> accumulator_of(const Tensor& t) {
  AutogradMeta& meta = make_meta(t);
  const TapeLock lock = lock_accumulators();
  if (meta.accumulator && meta.accumulator->retain_if_alive()) return Ref<Node>::adopt(meta.accumulator);
  Ref<Node> fresh = Ref<Node>::adopt(new AccumulateGrad(t));
  meta.accumulator = fresh.get();
  return fresh;
}

void forget_accumulator(const Tensor& t) {
  AutogradMeta* meta = meta_of(t);
  if (!meta) return;
  const TapeLock lock = lock_accumulators();
  meta->accumulator = nullptr;
}

// A dense leaf's gradient takes its memory order.
static Tensor copy_for(const Tensor& leaf, const Tensor& grad) {
  if (!is_dense(leaf) || grad.strides() == leaf.strides()) return tape_ops.clone(grad);
  Tensor copy = empty_strided(leaf.shape(), leaf.strides(), grad.dtype());
  tape_ops.copy_into(copy, grad);
  return copy;
}

// As a write without recording leaves it.
static void keep_history(const Tensor& sum, const Tensor& before) {
  const AutogradMeta* meta = before ? meta_of(before) : nullptr;
  if (!meta || !meta->requires_grad) return;
  if (meta->grad_fn)
    join_history(sum, meta->grad_fn, meta->output_nr);
  else
    set_requires_grad(sum, true);
}

// A sum is recorded, which may ask Python for its place: under no lock. False when another thread's came between.
static bool accumulate_recorded(const Tensor& t, const Tensor& grad) {
  const Tensor before = grad_of(t.impl());
  Tensor sum = before ? tape_ops.add(before, grad) : copy_for(t, grad);
  if (!modes.grad) keep_history(sum, before);
  AutogradMeta& meta = *meta_of(t);
  const TapeLock lock = lock_grad(&meta);
  if (!meta.grad.is_same(before)) return false;
  std::swap(meta.grad, sum);
  return true;
}

void accumulate_grad(const Tensor& t, Tensor grad) {
  if (any_batched(grad, t))
    fail(
        "backward() called inside a functorch transform (vmap). This is not supported: the gradients of single "
        "samples have no place in .grad. Please use func.grad, func.vjp or autograd.grad instead.");
  AutogradMeta& meta = make_meta(t);
  if (modes.grad || (modes.forward && (may_have_tangent(grad) || may_have_tangent(grad_of(t.impl()))))) {
    while (!accumulate_recorded(t, grad)) {
    }
    return;
  }
  const ForwardGuard no_tangents(0);
  const TapeLock lock = lock_grad(&meta);
  if (!meta.grad) {
    const bool mine = grad.unique() && grad.strides() == t.strides() && is_dense(grad);
    meta.grad = mine ? std::move(grad) : copy_for(t, grad);
    return;
  }
  tape_ops.add_into(meta.grad, grad);
}

Tensor grad_of(const TensorImpl* t) {
  const auto* meta = static_cast<const AutogradMeta*>(t->meta);
  if (!meta) return {};
  const TapeLock lock = lock_grad(meta);
  return meta->grad;
}

void set_grad_of(const Tensor& t, Tensor grad) {
  if (!grad && !t->meta) return;
  AutogradMeta& meta = make_meta(t);
  const TapeLock lock = lock_grad(&meta);
  std::swap(meta.grad, grad);  // the old one goes with the argument, after the lock
}

}  // namespace gradcore
