// One sweep over the reachable nodes in descending sequence order (Note [Who owns whom] in node.h says why that is a
// topological order). Start at Sweep::run().
#include "autograd/engine.h"

#include <algorithm>
#include <atomic>
#include <unordered_map>

#include "autograd/accumulate.h"
#include "autograd/anomaly.h"
#include "autograd/locks.h"
#include "core/op_scope.h"

namespace gradcore {

namespace {

struct Entry {
  Node* node;
  uint64_t seq;
  uint32_t slot;     // first of its gradients in Workspace::slots
  uint32_t waiting;  // edges into it that have not delivered yet (leaves run at zero)
  int32_t capture;   // first of its captures, -1 for none
  bool needed;       // on a way to something that was asked for
};

struct Capture {
  uint32_t nr;
  uint32_t result;
  int32_t next;
};

// The vectors of a sweep, kept by the thread for the next one. A sweep inside a sweep takes another.
struct Workspace {
  std::vector<Entry> entries;
  std::vector<Node*> stack;
  std::vector<Tensor> slots;
  std::vector<Capture> captures;
  std::vector<Tensor> incoming, outgoing;
  std::unique_ptr<Workspace> next;
};
thread_local std::unique_ptr<Workspace> spare;

class WorkspaceLease {
 public:
  WorkspaceLease() : w_(std::move(spare)) {
    if (w_)
      spare = std::move(w_->next);
    else
      w_ = std::make_unique<Workspace>();
  }
  ~WorkspaceLease() {
    w_->entries.clear();
    w_->stack.clear();
    w_->slots.clear();
    w_->captures.clear();
    w_->incoming.clear();
    w_->outgoing.clear();
    if (w_->slots.capacity() > 4096) return;  // a giant's buffers are not worth keeping
    w_->next = std::move(spare);
    spare = std::move(w_);
  }
  Workspace* operator->() { return w_.get(); }

 private:
  std::unique_ptr<Workspace> w_;
};

// Finds a node's entry: by the mark in the node while no other sweep runs, else by a map of this sweep's own.
class Marks {
 public:
  Marks() : inline_(!taken_.exchange(true, std::memory_order_acquire)) {}
  ~Marks() {
    if (inline_) taken_.store(false, std::memory_order_release);
  }
  uint32_t get(const Node* n) const {
    if (inline_) return n->mark;
    const auto it = map_.find(n);
    return it == map_.end() ? 0 : it->second;
  }
  void set(Node* n, uint32_t mark) {
    if (inline_)
      n->mark = mark;
    else
      map_[n] = mark;
  }
  void clear(std::span<const Entry> entries) {
    if (!inline_) return;
    for (const Entry& e : entries) e.node->mark = 0;
  }

 private:
  static constinit inline std::atomic<bool> taken_{false};
  bool inline_;
  std::unordered_map<const Node*, uint32_t> map_;
};

// A sweep inside an apply() leaves out others meanwhile.
class LeavingOut {
 public:
  explicit LeavingOut(LeftOut edges) : own_(edges), outer_(std::exchange(left_out, &own_)) {}
  ~LeavingOut() { left_out = outer_; }
  LeavingOut(const LeavingOut&) = delete;

 private:
  const LeftOut own_, *const outer_;
};

class Sweep {
 public:
  explicit Sweep(BackwardRequest& request) : request_(request), outer_(std::exchange(running_, this)) {
    id_ = ++last_id_;
  }
  ~Sweep() {
    marks_.clear(w_->entries);
    running_ = outer_;
  }

  static RunningBackward running() {
    if (!running_) return {};
    const Sweep* outermost = running_;
    while (outermost->outer_) outermost = outermost->outer_;
    return {running_->id_, outermost->id_};
  }
  static void queue(Ref<Hook> callback) {
    check(running_ != nullptr, "Final callbacks can only be installed during backward pass.");
    running_->callbacks_.push_back(std::move(callback));
  }
  static bool reaches_all_leaves() { return !running_ || running_->request_.inputs.empty(); }
  static bool reaches(const Node* n) {
    const Entry* e = running_ ? running_->find(n) : nullptr;
    return e && e->needed;
  }

  std::vector<Tensor> run() {
    discover();
    order();
    find_captures();
    const GradModeGuard mode(request_.create_graph);  // hooks of a leaf among the roots run when it is seeded
    seed();
    for (size_t i = 0; i < w_->entries.size(); ++i) {
      Entry& e = w_->entries[i];
      if (e.needed && !e.node->leaf()) watched_ ? visit_watched(e) : visit(e);
    }
    for (size_t i = 0; i < callbacks_.size(); ++i) {  // one may queue another
      const Ref<Hook> callback = callbacks_[i];
      callback->call({}, {});
    }
    return std::move(results_);
  }

 private:
  void enter(Node* n) {
    if (n->seq() < oldest_) return;
    const uint32_t mark = marks_.get(n);
    if (mark) {
      ++w_->entries[mark - 1].waiting;
      return;
    }
    w_->entries.push_back({n, n->seq(), 0, 1, -1, true});
    marks_.set(n, static_cast<uint32_t>(w_->entries.size()));
    w_->stack.push_back(n);
  }

  // Edges lead to smaller numbers, so that what is older than every input leads to none of them.
  uint64_t oldest_input() const {
    if (request_.inputs.empty()) return 0;
    uint64_t oldest = UINT64_MAX;
    for (const Edge& e : request_.inputs) oldest = std::min(oldest, e.node ? e.node->seq() : 0);
    return oldest;
  }

  void discover() {
    oldest_ = oldest_input();
    for (const Edge& e : request_.roots) enter(e.node.get());
    while (!w_->stack.empty()) {
      Node* n = w_->stack.back();
      w_->stack.pop_back();
      for (int i = 0; i < n->edge_count(); ++i)
        if (Node* to = n->edge(i).node.get()) enter(to);
    }
  }

  void order() {
    auto& entries = w_->entries;
    const auto later = [](const Entry& a, const Entry& b) { return a.seq > b.seq; };
    if (!std::is_sorted(entries.begin(), entries.end(), later)) std::stable_sort(entries.begin(), entries.end(), later);
    uint32_t slot = 0;
    for (size_t i = 0; i < entries.size(); ++i) {
      marks_.set(entries[i].node, static_cast<uint32_t>(i + 1));
      entries[i].slot = slot;
      slot += entries[i].node->output_count;
    }
    w_->slots.resize(slot);
  }

  Entry* find(const Node* n) {
    const uint32_t mark = n ? marks_.get(n) : 0;
    return mark ? &w_->entries[mark - 1] : nullptr;
  }

  void find_captures() {
    if (request_.inputs.empty()) return;
    for (Entry& e : w_->entries) e.needed = false;
    results_.resize(request_.accumulate ? 0 : request_.inputs.size());
    for (size_t i = 0; i < request_.inputs.size(); ++i) {
      Entry* e = find(request_.inputs[i].node.get());
      if (!e) continue;
      e->needed = true;
      if (request_.accumulate) continue;
      w_->captures.push_back({request_.inputs[i].nr, static_cast<uint32_t>(i), e->capture});
      e->capture = static_cast<int32_t>(w_->captures.size()) - 1;
    }
    // Ascending: a node's edges lead to entries that are already decided.
    for (size_t i = w_->entries.size(); i-- > 0;) {
      Entry& e = w_->entries[i];
      for (int k = 0; k < e.node->edge_count() && !e.needed; ++k) e.needed = leads_on(e.node->edge(k));
    }
  }

  // Whether anything below a node is asked for; if not, its gradient is only captured.
  bool continues(const Entry& e) {
    if (request_.inputs.empty() || request_.accumulate) return true;
    for (int k = 0; k < e.node->edge_count(); ++k)
      if (leads_on(e.node->edge(k))) return true;
    return false;
  }

  void seed() {
    for (size_t i = 0; i < request_.roots.size(); ++i) {
      // A leaf among the roots is ready only when every edge has delivered, and so are the roots' own.
      deliver(request_.roots[i].node.get(), request_.roots[i].nr, std::move(request_.grads[i]));
    }
  }

  static void add_to(Tensor& slot, Tensor grad) {
    if (!slot) {
      slot = std::move(grad);
      return;
    }
    const bool alike = same_shape(slot, grad) && slot.dtype() == grad.dtype() && !any_batched(slot, grad);
    // The sum has the memory order of what came first, as in torch.
    if (!modes.tracking() && alike && slot.unique() && is_dense(slot)) {
      tape_ops.add_into(slot, grad);
    } else if (!modes.tracking() && alike && grad.unique() && grad.is_contiguous() &&
               (slot.is_contiguous() || overlaps_itself(slot))) {
      tape_ops.add_into(grad, slot);
      slot = std::move(grad);
    } else {
      slot = tape_ops.add(slot, grad);
    }
  }

  // What lacks a level that is over was the same for all of its samples: Note [Batch dims].
  static Tensor summed_for(const Ref<Batch>& results, Tensor grad) {
    const Ref<Batch> batch = grad->batch;
    for (int64_t level : batch->levels)
      if (!is_open(level) && !(results && results->find(level) >= 0)) grad = tape_ops.sum_level(grad, level);
    return grad;
  }

  // `from` and its edge `i`: where the gradient comes from, if not from outside.
  void deliver(Node* to, uint32_t nr, Tensor grad, const Node* from = nullptr, int i = 0) {
    Entry* e = find(to);
    if (!e || !e->needed) return;
    if (grad) {
      if (grad->batch) [[unlikely]]
        grad = summed_for(to->batch(), std::move(grad));
      if (const TensorMeta* expected = misfit(*to, nr, grad)) [[unlikely]]
        grad = fitting(std::move(grad), *expected, from, i);
      else if (!to->output(nr))
        grad = fitting_leaf(std::move(grad), to->leaf());
      Tensor& slot = w_->slots[e->slot + nr];
      if (slot) check_kept(*to, nr, slot);
      add_to(slot, std::move(grad));
    }
    if (--e->waiting == 0 && to->leaf()) visit_leaf(*e);
  }

  // What output `nr` of the node is, where a gradient of it has another shape or dtype; else null.
  static const TensorMeta* misfit(const Node& node, uint32_t nr, const Tensor& grad) {
    const TensorMeta* expected = node.output(nr);
    return expected && (grad.shape() != expected->shape || grad.dtype() != expected->dtype) ? expected : nullptr;
  }
  // What a tensor that was given other data (x.data = y) is asked for no longer fits the node that made it.
  static Tensor fitting(Tensor grad, const TensorMeta& expected, const Node* from, int i) {
    if (grad.shape() != expected.shape)
      fail("Function ", from ? std::string_view(from->name()) : std::string_view("(outside)"),
           " returned an invalid gradient at index ", i, " - got ", grad.shape(),
           " but expected shape compatible with ", expected.shape);
    return tape_ops.cast(grad, expected.dtype);
  }

  // A gradient that was computed under autocast.
  static Tensor fitting_leaf(Tensor grad, const TensorImpl* leaf) {
    return leaf && leaf->dtype != grad.dtype() ? tape_ops.cast(grad, leaf->dtype) : std::move(grad);
  }

  // Python code that was shown a gradient may give it other data as long as it is there.
  static void check_kept(const Node& node, uint32_t nr, const Tensor& grad) {
    if (const TensorMeta* expected = misfit(node, nr, grad)) [[unlikely]]
      fail_replaced(node, nr, grad, *expected);
  }
  [[noreturn, gnu::cold, gnu::noinline]] static void fail_replaced(const Node& node, uint32_t nr, const Tensor& grad,
                                                                   const TensorMeta& expected) {
    fail("the gradient of output ", nr, " of ", std::string_view(node.name()),
         " has been given other data meanwhile, by a hook or another thread: it is a tensor of shape ", grad.shape(),
         " and type ", scalar_type_name(grad.dtype()), " now, not of shape ", expected.shape, " and type ",
         scalar_type_name(expected.dtype));
  }
  // One that it still has is not the node's own, which keeps its data while hooks unpack what was saved. A Function is
  // shown what hooks were.
  static void own(const Node& node, std::span<Tensor> grads) {
    for (uint32_t nr = 0; nr < grads.size(); ++nr) {
      if (!grads[nr]) continue;
      check_kept(node, nr, grads[nr]);
      if (grads[nr]->pyobject && !node.runs_without_grads()) [[unlikely]]
        grads[nr] = own_gradient(grads[nr]);
    }
  }

  static const Ref<Hook>& hook_in(const HookList::Entry& e) { return e.hook; }
  static const Ref<Hook>& hook_in(const Ref<Hook>& h) { return h; }

  // The hooks of a list that were there when their turn came.
  template <class E> struct Turn {
    explicit Turn(std::vector<E>& list) {
      const TapeLock lock = lock_hooks();
      for (const E& e : list) {
        if (!hook_in(e)->alive) continue;
        hook_in(e)->begin_turn();
        hooks.push_back(e);
      }
    }
    ~Turn() {
      for (const E& e : hooks) hook_in(e)->end_turn();
    }
    Turn(const Turn&) = delete;
    std::vector<E> hooks;
  };

  // Calls run(entry) for each living hook of those that are there now, as torch does: one that a hook adds meanwhile
  // waits for the next sweep (a hook that registers itself anew would never end), one that a hook takes out has its
  // turn once more. Those taken out are forgotten afterwards.
  template <class E, class Run> static void run_each(std::vector<E>& list, Run&& run) {
    {
      const Turn<E> turn(list);
      for (const E& entry : turn.hooks) run(entry);
    }
    forget_removed(list);
  }
  template <class E> static void forget_removed(std::vector<E>& list) {
    std::vector<E> removed;  // dropped after the lock: Note [Locks of the tape]
    const TapeLock lock = lock_hooks();
    if (std::ranges::all_of(list, [](const E& e) { return hook_in(e)->alive.load(); })) return;
    for (E& e : list)
      if (!hook_in(e)->alive) removed.push_back(std::exchange(e, E()));
    std::erase_if(list, [](const E& e) { return !hook_in(e); });
  }
  static void run_tensor_hooks(HookList* list, std::span<Tensor> grads) {
    run_each(list->tensor_hooks, [&](const HookList::Entry& e) { e.hook->call(grads.subspan(e.nr, 1), {}); });
  }
  static void run_hooks(Hooks& hooks, std::span<Tensor> grads, std::span<Tensor> incoming) {
    run_each(hooks, [&](const Ref<Hook>& hook) { hook->call(grads, incoming); });
  }
  static bool has_any(const Hooks& hooks) {
    const TapeLock lock = lock_hooks();
    return !hooks.empty();
  }

  static void keep_retained(HookList* hooks, std::span<Tensor> grads) {
    const auto next = [&](size_t i) {
      const TapeLock lock = lock_hooks();
      return i < hooks->retained.size() ? hooks->retained[i] : HookList::Retained{0, nullptr};
    };
    for (size_t i = 0;; ++i) {
      const HookList::Retained r = next(i);
      if (!r.meta) return;
      if (const Tensor& g = grads[r.nr])
        while (!keep(*hooks, r, g)) {
        }
    }
  }
  static Tensor contiguous_copy(const Tensor& g) {
    return g.is_contiguous() ? tape_ops.clone(g) : tape_ops.contiguous(g);
  }
  // Adds to what `r` retains, unless its tensor is gone. False when another thread did so meanwhile: then once more.
  static bool keep(const HookList& hooks, const HookList::Retained& r, const Tensor& g) {
    const auto gone = [&] {
      return std::ranges::find(hooks.retained, r.meta, &HookList::Retained::meta) == hooks.retained.end();
    };
    Tensor before;
    {
      const TapeLock lock = lock_hooks();
      if (gone()) return true;
      const TapeLock own = lock_grad(r.meta);
      before = r.meta->grad;
    }
    Tensor sum = before ? tape_ops.add(before, g) : contiguous_copy(g);  // may be recorded: under no lock
    const TapeLock lock = lock_hooks();
    if (gone()) return true;
    const TapeLock own = lock_grad(r.meta);
    if (!r.meta->grad.is_same(before)) return false;
    std::swap(r.meta->grad, sum);
    return true;
  }

  void capture(const Entry& e, std::span<Tensor> grads) {
    for (int32_t c = e.capture; c >= 0; c = w_->captures[c].next)
      results_[w_->captures[c].result] = grads[w_->captures[c].nr];
  }

  // The node's turn, apply(), between its own hooks.
  template <class Apply> void run_node(Node* node, std::span<Tensor> grads, std::span<Tensor> out, Apply&& apply) {
    HookList* hooks = node->hooks_or_null();
    if (!hooks || !(has_any(hooks->pre) || has_any(hooks->post))) [[likely]]
      return apply();
    const Ref<Node> keep = Ref<Node>::share(node);
    run_hooks(hooks->pre, grads, {});
    std::vector<Tensor> incoming(grads.begin(), grads.end());  // held, so that apply() does not reuse their memory
    apply();
    run_post_hooks(*node, hooks->post, out, incoming);
  }

  // A node computes no gradient that nobody asked for, as in torch: in autograd.grad(y, x) none of weights.
  void apply_needed(Node& node, std::span<Tensor> grads, std::span<Tensor> out) {
    if (request_.inputs.empty()) return apply(node, grads, out);
    const LeavingOut edges({&node, edges_left_out(node)});
    apply(node, grads, out);
  }
  uint64_t edges_left_out(const Node& node) {
    uint64_t edges = 0;
    for (int i = 0; i < std::min(node.edge_count(), 64); ++i)
      if (!leads_on(node.edge(i))) edges |= uint64_t{1} << i;
    return edges;
  }
  bool leads_on(const Edge& edge) {
    const Entry* to = edge.node ? find(edge.node.get()) : nullptr;
    return to && to->needed;
  }

  // A node is an op of its own for whoever listens, at the line that made it.
  static void apply(Node& node, std::span<Tensor> grads, std::span<Tensor> out) {
    OpListener* const listener = op_listener.load(std::memory_order_relaxed);
    if (!listener) [[likely]]
      return node.apply(grads, out);
    const OpScope scope(node.name(), node.origin());
    for (const Tensor& g : grads)
      if (g) listener->input(g.shape());
    node.apply(grads, out);
  }

  static void unpack_saved(Node& node) {
    for (const SavedField& field : node.saved_fields()) {
      if (Saved* const* one = std::get_if<Saved*>(&field.value)) (*one)->unpack(&node);
      if (std::vector<Saved>* const* several = std::get_if<std::vector<Saved>*>(&field.value))
        for (const Saved& saved : **several) saved.unpack(&node);
    }
  }

  // Edges that torch's node does not have are not shown to hooks either.
  static void run_post_hooks(const Node& node, Hooks& hooks, std::span<Tensor> out, std::span<Tensor> incoming) {
    if (!node.hidden_edges()) return run_hooks(hooks, out, incoming);
    std::vector<Tensor> shown;
    for (size_t i = 0; i < out.size(); ++i)
      if (node.shows_edge(static_cast<int>(i))) shown.push_back(out[i]);
    run_hooks(hooks, shown, incoming);
    for (size_t i = 0, k = 0; i < out.size(); ++i)
      if (node.shows_edge(static_cast<int>(i))) out[i] = std::move(shown[k++]);
  }

  void visit_leaf(Entry& e) {
    failing_ = e.node;
    const std::span<Tensor> grad(&w_->slots[e.slot], 1);
    const Tensor leaf(Ref<TensorImpl>::share(e.node->leaf()));
    if (!grad[0] && !meta_of(leaf)->hooks.get() && !e.node->hooks_or_null()) return;
    if (HookList* hooks = meta_of(leaf)->hooks.get()) run_tensor_hooks(hooks, grad);
    if (e.capture >= 0) return capture(e, grad);
    run_node(e.node, grad, {}, [&] {
      apply(*e.node, grad, {});
      HookList* hooks = meta_of(leaf)->hooks.get();
      if (!hooks || !has_any(hooks->accumulated)) return;
      Tensor arg = leaf;
      run_hooks(hooks->accumulated, {&arg, 1}, {});
    });
  }

  void visit(Entry& e) {
    Node* node = e.node;
    // `grads` and `out` are used up before the next visit, and a sweep inside this one has its own.
    const std::span<Tensor> grads(w_->slots.data() + e.slot, node->output_count);
    HookList* hooks = node->hooks_or_null();
    bool any = hooks || node->runs_without_grads();  // hooks are told of missing gradients too, as torch's are
    for (const Tensor& g : grads) any |= g.defined();
    auto& out = w_->outgoing;
    out.clear();
    out.resize(node->edge_count());
    if (any) {
      const bool goes_on = continues(e);
      // torch's order: a gradient that was asked for is taken before the hooks where the sweep goes on below it, after
      // them where it ends.
      if (e.capture >= 0 && goes_on) capture(e, grads);
      if (hooks) {
        run_tensor_hooks(hooks, grads);
        keep_retained(hooks, grads);
      }
      if (e.capture >= 0 && !goes_on) capture(e, grads);
      if (goes_on) {
        const InheritOrigin origin(request_.create_graph ? node->origin() : inherited_origin);
        run_node(node, grads, out, [&] {
          own(*node, grads);
          apply_needed(*node, grads, out);
        });
        if (!request_.keep_graph) node->release_saved();
        if (watched_ && anomaly.check_nan) refuse_nan(*node, out);
      }
    } else if (continues(e)) {
      // No gradient came, but it was its turn: what was freed or written to since is refused, and what it has is freed.
      apply_needed(*node, grads, out);
      unpack_saved(*node);
      if (!request_.keep_graph) node->release_saved();
    }
    for (Tensor& g : grads) g.reset();
    for (int i = 0; i < node->edge_count(); ++i)
      if (Node* to = node->edge(i).node.get()) deliver(to, node->edge(i).nr, std::move(out[i]), node, i);
  }

  // Anomaly mode: an exception is explained once, by the node that it came from.
  void visit_watched(Entry& e) {
    const RunningNode running(e.node);
    failing_ = e.node;
    try {
      visit(e);
    } catch (...) {
      anomaly.explain(*failing_);
      throw;
    }
  }

  static thread_local constinit inline Sweep* running_ = nullptr;
  static constinit inline std::atomic<uint64_t> last_id_{0};

  BackwardRequest& request_;
  Sweep* outer_;
  uint64_t id_;
  const bool watched_ = anomaly.on;
  Node* failing_ = nullptr;  // while watched: the node, or the leaf that it leads to, whose turn it is
  uint64_t oldest_ = 0;      // what has a smaller number is left out
  WorkspaceLease w_;
  Marks marks_;
  std::vector<Tensor> results_;
  std::vector<Ref<Hook>> callbacks_;
};

}  // namespace

Tensor own_gradient(const Tensor& grad) {
  Tensor own = alias_of(grad);
  if (!modes.tracking() || !grad->meta) return own;
  if (meta_of(grad)->tangents) make_meta(own).tangents = meta_of(grad)->tangents;
  const Edge edge = gradient_edge(grad);
  if (edge.node) join_history(own, edge.node, edge.nr);
  return own;
}

std::vector<Tensor> run_backward(BackwardRequest&& request) { return Sweep(request).run(); }
void queue_callback(Ref<Hook> callback) { Sweep::queue(std::move(callback)); }
RunningBackward running_backward() { return Sweep::running(); }
bool backward_reaches(const Node* node) { return Sweep::reaches(node); }

bool backward_reaches_all_leaves() { return Sweep::reaches_all_leaves(); }

}  // namespace gradcore
