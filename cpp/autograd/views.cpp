// Note [In-place on views]
//
//      base ---- history: f(base)             v = base[...]; v.mul_(w)
//       |
//       +--- v   (window on base's memory)
//
// After the write the content of `base` is: the old content outside v, mul(old v, w) inside. So the base's history
// becomes one node, CopySlices, that wraps the op's node:
//
//      base.grad_fn = CopySlices{ geometry of v, MulBackward0 } --edge 0--> old history of base
//                                                               --edge k--> the op's other operands
//      v.grad_fn    = AsStridedBackward0 --> CopySlices          (made when somebody asks: view_grad_fn)
//
// Backward through CopySlices: copy the gradient, hand the part under v to the op's node, put what it returns for its
// first operand back under v. Every other view of the base finds out by the version counter: its grad_fn was made at an
// older version, so it is replaced by an AsStridedBackward0 on the base's new history. All views are strided windows on
// one storage and know their root base, so as_strided replays any chain of them and no view keeps a closure.
//
// Some views may not be written to under grad mode, because what the write means for the history is ambiguous: views
// that were made in no_grad, and the outputs of ops that return several views (unbind, split, chunk). A view of such a
// view inherits the ban.
#include "autograd/views.h"

#include "autograd/accumulate.h"
#include "autograd/forward.h"
#include "autograd/transforms.h"

namespace gradcore {

Tensor as_view(const Tensor& t, Tensor v, ViewKind kind) {
  if (inference_mode() && t->created_in.inference()) return v;
  v->base = t->base ? t->base : t.ref();
  if (t->base && t->view_kind != ViewKind::Normal)
    v->view_kind = t->view_kind;
  else if (!modes.grad)
    v->view_kind = inference_mode() ? ViewKind::Inference : ViewKind::NoGrad;
  else
    v->view_kind = kind;
  v->view_version = v.version();
  if (modes.forward) [[unlikely]]
    follow_tangents(v, t);
  return v;
}

Tensor make_view(const Tensor& t, const Dims& shape, const Dims& strides, int64_t shift, ViewKind kind) {
  return as_view(t, make_window(t, shape, strides, shift), kind);
}

namespace {

struct Geometry {
  Dims shape, strides;
  int64_t offset;
  explicit Geometry(const Tensor& t) : shape(t.shape()), strides(t.strides()), offset(t.offset()) {}
};

// Replays a view from its base.
class AsStridedBackward final : public Node {
 public:
  AsStridedBackward(const Tensor& base, const Tensor& view) : base_(base), view_(view) {}
  const char* name() const override { return "AsStridedBackward0"; }
  void apply(std::span<Tensor> grads, std::span<Tensor> out) override {
    if (!grads[0] || !needs(0)) return;
    out[0] = tape_ops.as_strided_backward(grads[0], base_.shape, base_.strides, base_.offset, view_.shape,
                                          view_.strides, view_.offset);
  }

 private:
  Geometry base_, view_;
};

class CopySlices final : public Node {
 public:
  CopySlices(const Tensor& base, const Tensor& view, Ref<Node> fn) : base_(base), view_(view), fn_(std::move(fn)) {
    std::vector<Edge> edges;
    edges.push_back(gradient_edge(base));
    for (int i = 1; i < fn_->edge_count(); ++i) edges.push_back(fn_->edge(i));
    set_edges(edges);
    number();
  }
  const char* name() const override { return "torch::autograd::CopySlices"; }
  unsigned hidden_edges() const override { return fn_->hidden_edges(); }
  void release_saved() override {
    released_ = true;
    // A recorded backward may have made it a node of another graph, which still needs what it saved.
    if (fn_->use_count() == 1) fn_->release_saved();
  }
  void apply(std::span<Tensor> grads, std::span<Tensor> out) override {
    if (!grads[0]) return;
    if (released_) fail_released(*this);
    Tensor all = empty_strided_batched(levels_of({&grads[0]}), base_.shape, base_.strides, grads[0].dtype());
    tape_ops.copy_into(all, grads[0]);
    Tensor part = tape_ops.as_strided(all, view_.shape, view_.strides, view_.offset - base_.offset);
    Tensor incoming[1] = {tape_ops.clone(part)};
    std::vector<Tensor> result(fn_->edge_count());
    fn_->apply(incoming, result);
    if (needs(0)) {
      if (result[0] && result[0]->batch && levels_of({&all, &result[0]}).count() > levels_of({&all}).count()) {
        const Tensor wide =
            empty_strided_batched(levels_of({&all, &result[0]}), base_.shape, base_.strides, all.dtype());
        tape_ops.copy_into(wide, all);
        all = wide;
        part = tape_ops.as_strided(all, view_.shape, view_.strides, all.offset() + view_.offset - base_.offset);
      }
      if (result[0])
        tape_ops.copy_into(part, result[0]);
      else
        tape_ops.zero(part);
      out[0] = std::move(all);
    }
    for (int i = 1; i < fn_->edge_count(); ++i) out[i] = std::move(result[i]);
  }

 private:
  Geometry base_, view_;
  Ref<Node> fn_;
  bool released_ = false;
};

Tensor base_of(const Tensor& view) { return Tensor(view->base); }

// The op that a node stands for, as torch's messages name it: UnbindBackward0 is Unbind.
std::string_view op_of(const Node& fn) {
  const std::string_view name = fn.name();
  const size_t end = name.rfind("Backward");
  return end == std::string_view::npos ? name : name.substr(0, end);
}

// `through_base`: the write happened to the base or to another of its views.
void refuse_ambiguous_view(const Tensor& view, bool through_base) {
  if (view->view_kind == ViewKind::Normal) return;
  const Node* fn = meta_of(view) ? meta_of(view)->grad_fn.get() : nullptr;
  const bool inference = view->view_kind == ViewKind::Inference;
  const bool outside = view->view_kind == ViewKind::NoGrad || inference;  // it, or what it is a view of
  std::string what = fn ? str_cat("Output ", meta_of(view)->output_nr, " of ", op_of(*fn), " is a view") : "A view";
  if (fn && outside) what += " of a view which";
  if (!fn || outside) what += inference ? " was created in inference mode" : " was created in no_grad mode";
  what += through_base ? " and its base or another view of its base has been" : " and is being";
  what += " modified inplace";
  if (!fn || outside) what += inference ? " in normal mode" : " with grad mode enabled";
  switch (view->view_kind) {
    case ViewKind::MultiOutput:
      fail(what,
           ". This view is the output of a function that returns multiple views. Such functions do not allow the "
           "output views to be modified inplace. You should replace the inplace operation by an out-of-place one.");
    case ViewKind::Function:
      fail(what,
           ". This view was created inside a custom Function (or because an input was returned as-is) and the write "
           "would override the Function's backward. You can fix this by cloning the output of the custom Function.");
    default: {
      const char* block = inference ? "inference_mode" : "no_grad";
      fail(what,
           ". Given that this use case is ambiguous and error-prone, it is forbidden. You can clarify your code by "
           "moving both the view and the inplace either both inside the ",
           block,
           " block (if you don't want the inplace to be tracked) or both outside (if you want it to be tracked).");
    }
  }
}

}  // namespace

Ref<Node> view_grad_fn(const Tensor& view) {
  AutogradMeta* meta = meta_of(view);
  const bool computed = meta && meta->grad_fn;
  if (view->view_version == view.version() || !(computed || requires_grad(view->base.get())))
    return meta ? meta->grad_fn : Ref<Node>();
  const Tensor base = base_of(view);
  refuse_ambiguous_view(view, true);
  Ref<Node> fn = Ref<Node>::adopt(new AsStridedBackward(base, view));
  fn->add_edge(gradient_edge(base));
  fn->number();
  set_history(view, fn);
  return fn;
}

void replay_window(const Tensor& t, const Tensor& before) {
  Ref<Node> fn = Ref<Node>::adopt(new AsStridedBackward(before, t));
  fn->add_edge(gradient_edge(t));
  fn->number();
  set_history(t, fn);
}

// A write to `t` writes to its tangents as well.
static void check_tangents_inplace(const Tensor& t, bool history) {
  for (int depth = 0; depth < modes.forward; ++depth)
    if (const Tensor tangent = tangent_of(t, depth); tangent && !overlaps_itself(tangent)) {
      const ForwardGuard below(depth);
      check_writable(tangent, history || needs_history(tangent));
    }
}

void refuse_captured(const Tensor& t) {
  if (t->created_in.transform() >= creation_context.transform() || transforms_left) return;
  fail(
      "During a grad (vjp, jvp, grad, etc) transform, the function provided attempted to call in-place operation that "
      "would mutate a captured Tensor. This is not supported; please rewrite the function being transformed to "
      "explicitly accept the mutated Tensor(s) as inputs.");
}

static void refuse_inference(const Tensor& t) {
  if (!t->created_in.inference() || inference_mode()) return;
  fail(
      "Inplace update to inference tensor outside InferenceMode is not allowed. You can make a clone to get a normal "
      "tensor before doing inplace update.");
}

[[gnu::always_inline]] static inline void check_write(const Tensor& t, bool history, bool may_overlap, bool by_op) {
  if (t->created_in != creation_context) [[unlikely]] {
    if (by_op) refuse_captured(t);
    refuse_inference(t);
  }
  if (!t->storage->writable) [[unlikely]]
    fail("this tensor's memory is read-only (it came from a read-only buffer): clone() it before writing to it");
  if (!may_overlap && overlaps_itself(t)) [[unlikely]]
    fail(
        "unsupported operation: more than one element of the written-to tensor refers to a single memory location. "
        "Please clone() the tensor before performing the operation.");
  if (!modes.grad || !is_floating(t.dtype())) return;
  if (modes.forward) [[unlikely]]
    check_tangents_inplace(t, history);
  if (!history) return;
  if (t->base) {
    refuse_ambiguous_view(t, false);
    if (requires_grad(t) && is_leaf(base_of(t)))
      fail("a view of a leaf Variable that requires grad is being used in an in-place operation.");
  }
  if (requires_grad(t) && is_leaf(t))
    fail("a leaf Variable that requires grad is being used in an in-place operation.");
}

void check_inplace(const Tensor& t, bool history, bool may_overlap) { check_write(t, history, may_overlap, true); }
void check_writable(const Tensor& t, bool history, bool may_overlap) { check_write(t, history, may_overlap, false); }

void refuse_partial_overlap(const Tensor& out, const Tensor& in) {
  if (overlap_of(out, in) == Overlap::Partial)
    fail(
        "unsupported operation: some elements of the input tensor and the written-to tensor refer to a single memory "
        "location. Please clone() the tensor before performing the operation.");
}

void finish_inplace(const Tensor& t, Ref<Node> node) {
  t.bump_version();
  if (node) finish_inplace_counted(t, std::move(node));
}

void finish_inplace_counted(const Tensor& t, Ref<Node> node, uint32_t nr) {
  if (modes.forward && !carry_tangents_inplace(t, *node)) [[unlikely]]
    return;
  if (!t->base) {
    set_history(t, std::move(node), nr);
    return;
  }
  const Tensor base = base_of(t);
  Ref<Node> copy = Ref<Node>::adopt(new CopySlices(base, t, std::move(node)));
  set_history(base, std::move(copy));
  t->view_version = t.version() - 1;  // older than now: view_grad_fn() makes a fresh one
  if (!t.unique()) view_grad_fn(t);   // now, for the base may be detached later; nobody asks for that of x[i] = y
}

}  // namespace gradcore
