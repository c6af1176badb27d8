#include "ops/reduced_loss.h"

#include "autograd/forward.h"
#include "autograd/node.h"
#include "ops/ops.h"

namespace gradcore {

namespace {

// One node for the loss and its mean or sum, as torch has one: it has the name, the edges and the saved tensors of the
// loss of each element, and gives that one's node its gradients.
class ReducedLossNode final : public Node {
 public:
  ReducedLossNode(Ref<Node> each, const Tensor& loss, bool mean)
      : each_(std::move(each)), shape_(loss.shape()), count_(mean ? loss.numel() : 1) {
    for (int i = 0; i < each_->edge_count(); ++i) add_edge(each_->edge(i));
    number();
  }
  const char* name() const override { return each_->name(); }
  void apply(std::span<Tensor> g, std::span<Tensor> out) override {
    if (!g[0]) return;
    Tensor spread = expand(count_ == 1 ? g[0] : div(g[0], Scalar(static_cast<double>(count_))), shape_);
    each_->apply({&spread, 1}, out);
  }
  void release_saved() override { each_->release_saved(); }
  SavedFields saved_fields() override { return each_->saved_fields(); }
  unsigned hidden_edges() const override { return each_->hidden_edges(); }
  int traverse(int (*visit)(void* object, void* arg), void* arg) const override {
    return each_->traverse_all(visit, arg);
  }

 private:
  Ref<Node> each_;
  Dims shape_;
  int64_t count_;
};

}  // namespace

Tensor reduced_loss(const Tensor& loss, bool mean) {
  const bool plain = needs_history(loss) && !may_have_tangent(loss) && !any_batched(loss);
  if (!plain) return mean ? gradcore::mean(loss) : sum(loss);
  Ref<Node> each = grad_fn_of(loss);
  const NoRecordGuard off;
  Tensor out = mean ? gradcore::mean(loss) : sum(loss);
  record_output(out, Ref<Node>::adopt(new ReducedLossNode(std::move(each), loss, mean)));
  return out;
}

}  // namespace gradcore
