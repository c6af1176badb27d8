#include "autograd/node.h"

#include <algorithm>
#include <mutex>
#include <unordered_set>

#include "autograd/accumulate.h"
#include "autograd/forward.h"
#include "autograd/locks.h"
#include "autograd/transforms.h"
#include "autograd/views.h"

namespace gradcore {

uint64_t Node::next_seq() {
  static constinit std::atomic<uint64_t> counter{1};
  if (concurrent_mode()) return counter.fetch_add(1, std::memory_order_relaxed);
  const uint64_t n = counter.load(std::memory_order_relaxed);
  counter.store(n + 1, std::memory_order_relaxed);
  return n;
}

Node::Node(Node&& dying)
    : output_count(dying.output_count),
      pyobject(dying.pyobject),
      metadata(std::move(dying.metadata)),
      seq_(dying.seq_),
      origin_(dying.origin_),
      batch_(std::move(dying.batch_)),
      edge_count_(std::exchange(dying.edge_count_, 0)),
      is_for_tangents_(dying.is_for_tangents_),
      has_output_(dying.has_output_),
      output_(std::move(dying.output_)),
      more_outputs_(std::move(dying.more_outputs_)),
      more_edges_(std::move(dying.more_edges_)) {
  std::ranges::move(dying.inline_edges_, inline_edges_);
  hooks_.take(dying.hooks_);
}

void Node::note_further_output(uint32_t nr, const Tensor& t) {
  if (!more_outputs_) more_outputs_ = std::make_unique<std::vector<std::optional<TensorMeta>>>();
  if (more_outputs_->size() <= nr) more_outputs_->resize(nr + 1);
  (*more_outputs_)[nr] = TensorMeta{t.shape(), t.dtype()};
}

void Node::set_edges(std::span<Edge> edges) {
  edge_count_ = static_cast<int>(edges.size());
  if (edge_count_ > kInlineEdges) more_edges_ = std::make_unique<Edge[]>(edges.size());
  for (int i = 0; i < edge_count_; ++i) edge(i) = std::move(edges[i]);
}

AutogradMeta& make_meta(const Tensor& t) {
  if (!t->meta) t->meta = new AutogradMeta;
  return *meta_of(t);
}

static void stop_retaining(AutogradMeta& meta) {
  if (!meta.retains_grad || !meta.grad_fn) return;
  const TapeLock lock = lock_hooks();
  if (HookList* hooks = meta.grad_fn->hooks_or_null())
    std::erase_if(hooks->retained, [&](const HookList::Retained& r) { return r.meta == &meta; });
}

// The accumulator points to us only while it holds our tensor, so it is gone by now.
AutogradMeta::~AutogradMeta() { stop_retaining(*this); }

Ref<Node> grad_fn_of(const Tensor& t) {
  if (t->base) return view_grad_fn(t);
  return t->meta ? meta_of(t)->grad_fn : Ref<Node>();
}

bool is_leaf(const Tensor& t) { return !grad_fn_of(t); }

Edge gradient_edge(const Tensor& t) {
  if (!requires_grad(t)) return {};
  if (Ref<Node> fn = grad_fn_of(t)) return {std::move(fn), meta_of(t)->output_nr};
  // A view that asked for nothing itself follows its base, but it was made outside of the graph: no edge, as in torch.
  if (!t->meta || !t->meta->requires_grad) return {};
  return {accumulator_of(t), 0};
}

static bool over(const TensorImpl* leaf) { return leaf->meta && static_cast<const AutogradMeta*>(leaf->meta)->over; }
static bool made_within(const TensorImpl* leaf, const Transforms& those) {
  const uint32_t number = leaf->created_in.transform();
  return those.first != 0 && those.first <= number && number <= those.last;
}

bool reaches_outside(const Tensor& t, uint64_t begun, const Transforms& those) {
  const Edge start = gradient_edge(t);
  std::vector<const Node*> stack;
  std::unordered_set<const Node*> seen;
  const auto enter = [&](const Node* n) {
    if (n && seen.insert(n).second) stack.push_back(n);
  };
  enter(start.node.get());
  while (!stack.empty()) {
    const Node* n = stack.back();
    stack.pop_back();
    const TensorImpl* leaf = n->leaf();
    if (leaf ? !over(leaf) && !made_within(leaf, those) : n->seq() < begun) return true;
    for (int i = 0; i < n->edge_count(); ++i) enter(n->edge(i).node.get());
  }
  return false;
}

[[gnu::always_inline]] static inline void join(const Tensor& t, Ref<Node>&& node, uint32_t nr) {
  AutogradMeta& meta = make_meta(t);
  if (meta.retains_grad) [[unlikely]] {  // an in-place op: the retained gradient is that of the new value
    stop_retaining(meta);
    const TapeLock lock = lock_hooks();
    node->hooks().retained.push_back({nr, &meta});
  }
  if (t->batch) [[unlikely]]
    node->has_batched_result(t->batch);
  const Ref<Node> before = std::move(meta.grad_fn);  // it goes when all is in order
  meta.grad_fn = std::move(node);
  meta.output_nr = nr;
  meta.requires_grad = true;
  if (t->base) t->view_version = t.version();
}

void set_history(const Tensor& t, Ref<Node> node, uint32_t nr) {
  node->note_output(nr, t);
  join(t, std::move(node), nr);
}
void join_history(const Tensor& t, Ref<Node> node, uint32_t nr) { join(t, std::move(node), nr); }

void set_requires_grad(const Tensor& t, bool on) {
  // As in torch, a view is not asked here whether the history that it would get anew is still allowed.
  const bool computed = t->meta && meta_of(t)->grad_fn;
  if (!on && computed)
    fail(
        "you can only change requires_grad flags of leaf variables. If you want to use a computed variable in a "
        "subgraph that doesn't require differentiation use var_no_grad = var.detach().");
  if (on && !is_floating(t.dtype())) fail("only Tensors of floating point and complex dtype can require gradients");
  if (on && t->created_in.inference() && !inference_mode())
    fail("Setting requires_grad=True on inference tensor outside InferenceMode is not allowed.");
  if (!on && !t->meta) return;
  if (!computed) make_meta(t).requires_grad = on;
}

void retain_grad(const Tensor& t) {
  check(requires_grad(t), "can't retain_grad on Tensor that has requires_grad=False");
  // As in torch, no view is asked for a new history that had none.
  if (!t->meta || !meta_of(t)->grad_fn || meta_of(t)->retains_grad) return;
  const Ref<Node> fn = grad_fn_of(t);
  meta_of(t)->retains_grad = true;
  const TapeLock lock = lock_hooks();
  fn->hooks().retained.push_back({meta_of(t)->output_nr, meta_of(t)});
}

int HookList::traverse(int (*visit)(void* object, void* arg), void* arg) const {
  for (const Entry& e : tensor_hooks)
    if (const int r = e.hook->traverse(visit, arg)) return r;
  for (const Hooks* list : {&pre, &post, &accumulated})
    for (const Ref<Hook>& hook : *list)
      if (const int r = hook->traverse(visit, arg)) return r;
  return 0;
}

int Node::traverse_all(int (*visit)(void* object, void* arg), void* arg) const {
  if (const HookList* hooks = hooks_.get())
    if (const int r = hooks->traverse(visit, arg)) return r;
  if (metadata)
    if (const int r = metadata->traverse(visit, arg)) return r;
  return traverse(visit, arg);
}

static HookList& leaf_hooks(const Tensor& t) { return make_meta(t).hooks.make(); }

void add_hook(const Tensor& t, Ref<Hook> hook) {
  check(requires_grad(t), "cannot register a hook on a tensor that doesn't require gradient");
  const Ref<Node> fn = grad_fn_of(t);
  const TapeLock lock = lock_hooks();
  if (fn)
    fn->hooks().tensor_hooks.push_back({meta_of(t)->output_nr, std::move(hook)});
  else
    leaf_hooks(t).tensor_hooks.push_back({0, std::move(hook)});
}

void add_accumulated_hook(const Tensor& leaf, Ref<Hook> hook) {
  check(requires_grad(leaf), "cannot register a hook on a tensor that doesn't require gradient");
  check(is_leaf(leaf), "post accumulate grad hooks cannot be registered on non-leaf tensors");
  const TapeLock lock = lock_hooks();
  leaf_hooks(leaf).accumulated.push_back(std::move(hook));
}

Hooks hooks_of(const Tensor& t, bool accumulated) {
  Hooks out;
  const Ref<Node> fn = grad_fn_of(t);
  const TapeLock lock = lock_hooks();
  const HookList* list = !t->meta ? nullptr : fn ? fn->hooks_or_null() : meta_of(t)->hooks.get();
  if (!list) return out;
  const auto add = [&](const Ref<Hook>& hook) {
    if (hook->alive) out.push_back(hook);
  };
  if (accumulated)
    for (const Ref<Hook>& hook : list->accumulated) add(hook);
  else
    for (const HookList::Entry& e : list->tensor_hooks)
      if (!fn || e.nr == static_cast<uint32_t>(meta_of(t)->output_nr)) add(e.hook);
  return out;
}

Tensor detach(const Tensor& t) {
  Tensor out = alias_of(t);
  return out;
}

void detach_(const Tensor& t) {
  check(!t->base, "Can't detach views in-place. Use detach() instead.");
  if (!t->meta) return;
  const Ref<Node> before = std::move(meta_of(t)->grad_fn);  // it goes when all is in order
  meta_of(t)->output_nr = 0;
  meta_of(t)->requires_grad = false;
  meta_of(t)->tangents.reset();
}

// What x.data = y changes, though it is no write: a shape in one word. Two shapes of one tensor that have the same are
// not met by chance.
static uint64_t shape_mark(const Dims& shape) {
  uint64_t mark = static_cast<uint64_t>(shape.size());
  for (const int64_t size : shape) {
    mark = (mark ^ static_cast<uint64_t>(size)) * 0x9e3779b97f4a7c15;
    mark ^= mark >> 32;
  }
  return mark;
}

Saved::Saved(const Tensor& t, bool may_detach)
    : t_(t),
      which_(shape_mark(t.shape())),
      version_(t.version()),
      dtype_(t.dtype()),
      filled_(true),
      computed_(!may_detach && t->meta && meta_of(t)->grad_fn) {
  if (t->created_in.inference() && !in_differentiation()) [[unlikely]]  // func captures what it likes, as in torch
    fail(
        "Inference tensors cannot be saved for backward. Please do not use Tensors created in inference mode in "
        "computation tracked by autograd. To work around this, you can make a clone to get a normal tensor and use it "
        "in autograd, or use `torch.no_grad()` instead of `torch.inference_mode()`.");
}

Saved Saved::output(const Tensor& t, uint32_t nr) {
  Saved s;
  s.t_ = alias_of(t);
  s.version_ = t.version();
  s.which_ = nr;
  s.is_output_ = s.filled_ = true;
  if (modes.forward) [[unlikely]]
    share_new_tangents(t, s.t_);
  return s;
}

void Saved::pack_unchanged(SavedHooks& hooks, const Node* node) {
  if (!t_) return;
  if (replaced()) fail_replaced(node);
  pack(hooks);
}

void Saved::pack(SavedHooks& hooks) {
  const Tensor t = t_;  // held: a backward that the hook runs may free what is saved here
  const Ref<Packed> packed = hooks.pack(t);
  check(t.version() == version_,
        "A saved tensor pack hook is modifying its input in place. Tensors provided as input to "
        "pack hook cannot be modified by in-place operations as this can lead to unexpected side-effects.");
  if (!is_output_) {
    packed->edge = gradient_edge(t);
    packed->requires_grad = requires_grad(t);
  }
  if (t->meta) packed->tangents = meta_of(t)->tangents;
  if (!t_) return;  // freed meanwhile, or packed by other hooks
  if (modes.forward) keep_original(packed, t);
  packed_ = packed;
  t_.reset();
}

static std::string line(const char* what, Origin o) {
  const std::string where = origin_text(o);
  return where.empty() ? where : str_cat("\n  ", what, ' ', where);
}

[[gnu::cold, gnu::noinline]] static void fail_modified(const Tensor& t, uint32_t expected, const Node* saver,
                                                       const Node* from, uint32_t nr) {
  fail("one of the variables needed for gradient computation has been modified by an inplace operation: [torch.",
       scalar_type_name(t.dtype()), "Tensor ", t.shape(), "]",
       from ? str_cat(", which is output ", nr, " of ", std::string_view(from->name()), ",") : std::string(),
       " is at version ", t.version(), "; expected version ", expected,
       " instead. Hint: work on a clone() where the tensor is changed, or use an "
       "out-of-place op.",
       from && from->origin() != t->storage->written.load() ? line("computed at", from->origin()) : std::string(),
       line(str_cat("saved for ", std::string_view(saver->name()), " at").c_str(), saver->origin()),
       line("last written to at", t->storage->written.load()));
}

static void take_place(const Tensor& out, const Edge& edge, bool requires_grad) {
  if (edge.node)
    join_history(out, edge.node, edge.nr);  // also a leaf's accumulator: it takes the gradient as its own
  else if (requires_grad)
    set_requires_grad(out, true);
}

// A tensor on the memory of `t`, with its tangents, and with a place in the graph.
static Tensor alias_at(const Tensor& t, const Edge& edge, bool requires_grad) {
  const Tensor out = alias_of(t);
  if (t->meta) make_meta(out).tangents = meta_of(t)->tangents;
  take_place(out, edge, requires_grad);
  return out;
}

Tensor Saved::unpack_nothing(Node* node) const {
  if (filled_) [[unlikely]]
    fail_released(*node);
  return {};
}

Tensor Saved::unpack_defined(Node* node, bool for_user) const {
  if (packed_) [[unlikely]]
    return unpack_packed(node, for_user);
  if (computed_ && !meta_of(t_)->grad_fn && !grad_fn_of(t_)) [[unlikely]]
    fail(
        "Trying to use a saved tensor that has been detached in-place, i.e. with .detach_(). This is not supported, "
        "please use out-of-place `.detach()` instead",
        line(str_cat("saved for ", std::string_view(node->name()), " at").c_str(), node->origin()));
  if (t_.version() != version_) [[unlikely]] {
    const Node* from = is_output_ ? node : t_->meta ? meta_of(t_)->grad_fn.get() : nullptr;
    fail_modified(t_, version_, node, from, is_output_ ? nr() : from ? meta_of(t_)->output_nr : 0);
  }
  if (!for_user && replaced()) [[unlikely]]
    fail_replaced(node);
  // Where a vjp is recorded, each of its ops may run Python code, which may give the user's tensor other data.
  if (!is_output_)
    return modes.grad && !for_user && nodes_run_python() ? alias_at(t_, gradient_edge(t_), requires_grad(t_)) : t_;
  // An output has its history for whoever looks, as in torch; our own vjps do without when nothing is recorded.
  if (!(modes.grad || for_user) || node->is_for_tangents()) return t_;
  return alias_at(t_, {Ref<Node>::share(node), nr()}, false);
}

bool Saved::replaced() const { return !is_output_ && (shape_mark(t_.shape()) != which_ || t_.dtype() != dtype_); }

void Saved::fail_replaced(const Node* node) const {
  fail("one of the variables needed for gradient computation has been given other data meanwhile, of another shape or ",
       "dtype: it is a tensor of shape ", t_.shape(), " now",
       line(str_cat("saved for ", std::string_view(node->name()), " at").c_str(), node->origin()));
}

// What comes back knows nothing of the graph; it gets the place of the tensor that was saved.
Tensor Saved::unpack_packed(Node* node, bool for_user) const {
  const Ref<Packed> packed = packed_;  // held: a backward that the hook runs may free it
  if (!for_user)
    if (const Tensor* early = Unpacked::find(*packed)) return *early;
  const Tensor found = packed->original ? packed->original : packed->unpack();
  // What was no part of the graph is what the hook gives, as in torch.
  const bool outside = !is_output_ && !packed->requires_grad && !packed->tangents && !packed->original;
  if (for_user && outside && !requires_grad(found)) return found;
  Tensor out = alias_of(found);
  if (outside && !requires_grad(found)) return out;
  if (packed->tangents) make_meta(out).tangents = packed->tangents;
  if (!modes.grad && !for_user) return out;
  if (is_output_ && node->is_for_tangents()) return out;
  take_place(out, is_output_ ? Edge{Ref<Node>::share(node), nr()} : packed->edge, packed->requires_grad);
  return out;
}

void fail_released(const Node& node) {
  fail(
      "Trying to backward through the graph a second time (or directly access saved tensors after they have already "
      "been freed): what ",
      node.name(),
      " saved was freed by the first backward(). Specify retain_graph=True there if you need "
      "to go through the graph again, or compute the value anew.",
      line("recorded at", node.origin()));
}

}  // namespace gradcore
