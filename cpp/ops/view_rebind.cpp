// Tensors that become another window, and windows that are no views: batch dims added and removed, aliases, set_, and
// what t_() and squeeze_() do.
#include "autograd/accumulate.h"
#include "autograd/transforms.h"
#include "ops/view.h"
#include "ops/viewing.h"
#include "tensor/meta.h"

namespace gradcore {

namespace {

struct AddBatchDimVjp {
  static constexpr const char* kName = "AddBatchDimBackward";
  int dim;
  int64_t level, size;
  void vjp(Node&, std::span<Tensor> g, std::span<Tensor> out) { out[0] = remove_batch_dim(g[0], level, dim, size); }
};
struct RemoveBatchDimVjp {
  static constexpr const char* kName = "RemoveBatchDimBackward";
  int dim;
  int64_t level;
  void vjp(Node&, std::span<Tensor> g, std::span<Tensor> out) { out[0] = add_batch_dim(g[0], dim, level); }
};

}  // namespace

Tensor add_batch_dim(const Tensor& t, int dim, int64_t level) {
  const Tensor out = with_dim_hidden(t, dim, level);
  if (should_record(t)) record(out, {&t}, AddBatchDimVjp{dim, level, t.size(dim)});
  return out;
}

Tensor remove_batch_dim(const Tensor& t, int64_t level, int dim, int64_t size) {
  const Tensor out = with_level_shown(t, level, dim, size);
  if (should_record(t)) record(out, {&t}, RemoveBatchDimVjp{dim, level});
  return out;
}

namespace {

struct IdentityVjp {
  const char* node;
  const char* name() const { return node; }
  void vjp(Node&, std::span<Tensor> g, std::span<Tensor> out) { out[0] = g[0]; }
};

}  // namespace

Tensor alias_without_base(const Tensor& t, const char* node) {
  const Tensor out = alias_of(t);
  if (should_record(t)) record(out, {&t}, IdentityVjp{node});
  return out;
}

Tensor view_without_tangents(const Tensor& t, const char* node) {
  const Tensor out = make_view(t, t.shape(), t.strides());
  make_meta(out).owns_tangents = true;
  if (should_record(t)) record(out, {&t}, IdentityVjp{node});
  return out;
}

// As become_view(), with the tangent of `t` at the level: it becomes that of `v`.
static void follow_tangent(const Tensor& t, const Tensor& v, int depth) {
  const Tensor after = tangent_of(v, depth);  // first: it may give the tangent another memory
  const Tensor before = tangent_of(t, depth);
  if (!before || !after) return;
  const ForwardGuard below(depth);
  const LeaveTransforms captured_too;
  become_view(before, after);
}

static const char* device_name(const Tensor& t) { return is_meta(t) ? "meta" : "cpu"; }

void set_(const Tensor& t, const Tensor& source) {
  check(t.dtype() == source.dtype(), "Could not set tensor of type ", dtype_name(source.dtype()),
        " to a tensor of type ", dtype_name(t.dtype()));
  check(is_meta(t) == is_meta(source), "Attempted to set the storage of a tensor on device \"", device_name(t),
        "\" to a storage on different device \"", device_name(source),
        "\".  This is no longer allowed; the devices must match.");
  check_inplace(t, needs_history(t, source), true);  // no element is written
  check(!should_record(t, source), ErrorKind::NotImplemented,
        "derivative for set_ is not implemented: use x.data = y, or no_grad()");
  set_window(t, source);
  forget_accumulator(t);
  t.bump_version();
}

// The tensor keeps its identity and its memory; only the window and the history change.
void become_view(const Tensor& t, const Tensor& v) {
  check_inplace(t, needs_history(t), true);  // no element is written
  const Ref<Node> history = grad_fn_of(v);
  if (history) history->mark_in_place();
  const Tensor before = alias_of(t);
  const bool leaf = is_leaf(t);
  if (owns_tangents(t))
    for (int depth = 0; depth < modes.forward; ++depth) follow_tangent(t, v, depth);
  move_window(t, v);
  t.bump_version();
  if (history)
    set_history(t, history, meta_of(v)->output_nr);
  else if (!leaf && !(t->base && t->view_kind != ViewKind::Normal))  // whose history cannot be asked for any more
    replay_window(t, before);  // under no_grad: gradients still have to find the way back
}

}  // namespace gradcore
