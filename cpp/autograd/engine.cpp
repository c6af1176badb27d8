// One sweep over the reachable nodes in descending sequence order (Note [Who owns whom] in node.h says why that is a
// topological order). Start at Sweep::run().
#include "autograd/engine.h"

#include <algorithm>
#include <atomic>
#include <unordered_map>

#include "autograd/accumulate.h"

namespace gradcore {

namespace {

struct Entry {
  Node* node;
  uint64_t seq;
  uint32_t slot;       // first of its gradients in Workspace::slots
  uint32_t waiting;    // edges into it that have not delivered yet (leaves run at zero)
  int32_t capture;     // first of its captures, -1 for none
  bool needed;         // on a way to something that was asked for
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

class Sweep {
 public:
  explicit Sweep(const BackwardRequest& request) : request_(request) {}
  ~Sweep() { marks_.clear(w_->entries); }

  std::vector<Tensor> run() {
    collect_roots();
    discover();
    order();
    find_captures();
    seed();
    const GradModeGuard mode(request_.create_graph);
    for (size_t i = 0; i < w_->entries.size(); ++i) {
      Entry& e = w_->entries[i];
      if (e.needed && !e.node->leaf()) visit(e);
    }
    return std::move(results_);
  }

 private:
  void collect_roots() {
    root_edges_.reserve(request_.roots.size());
    for (size_t i = 0; i < request_.roots.size(); ++i) {
      Edge e = gradient_edge(request_.roots[i]);
      if (!e.node) fail("element ", i, " of tensors does not require grad and does not have a grad_fn");
      root_edges_.push_back(std::move(e));
    }
    for (const Tensor& t : request_.inputs) {
      check(requires_grad(t), "One of the differentiated Tensors does not require grad");
      input_edges_.push_back(gradient_edge(t));
    }
  }

  void enter(Node* n) {
    const uint32_t mark = marks_.get(n);
    if (mark) {
      ++w_->entries[mark - 1].waiting;
      return;
    }
    w_->entries.push_back({n, n->seq(), 0, 1, -1, true});
    marks_.set(n, static_cast<uint32_t>(w_->entries.size()));
    w_->stack.push_back(n);
  }

  void discover() {
    for (const Edge& e : root_edges_) enter(e.node.get());
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
    const uint32_t mark = marks_.get(n);
    return mark ? &w_->entries[mark - 1] : nullptr;
  }

  void find_captures() {
    if (request_.inputs.empty()) return;
    for (Entry& e : w_->entries) e.needed = false;
    results_.resize(request_.accumulate ? 0 : request_.inputs.size());
    for (size_t i = 0; i < input_edges_.size(); ++i) {
      Entry* e = find(input_edges_[i].node.get());
      if (!e) continue;
      e->needed = true;
      if (request_.accumulate) continue;
      w_->captures.push_back({input_edges_[i].nr, static_cast<uint32_t>(i), e->capture});
      e->capture = static_cast<int32_t>(w_->captures.size()) - 1;
    }
    // Ascending: a node's edges lead to entries that are already decided.
    for (size_t i = w_->entries.size(); i-- > 0;) {
      Entry& e = w_->entries[i];
      for (int k = 0; k < e.node->edge_count() && !e.needed; ++k) {
        const Entry* to = e.node->edge(k).node ? find(e.node->edge(k).node.get()) : nullptr;
        e.needed = to && to->needed;
      }
    }
  }

  // Whether anything below a node is asked for; if not, its gradient is only captured.
  bool continues(const Entry& e) {
    if (request_.inputs.empty() || request_.accumulate) return true;
    for (int k = 0; k < e.node->edge_count(); ++k) {
      const Entry* to = e.node->edge(k).node ? find(e.node->edge(k).node.get()) : nullptr;
      if (to && to->needed) return true;
    }
    return false;
  }

  void seed() {
    for (size_t i = 0; i < root_edges_.size(); ++i) {
      // A leaf among the roots is ready only when every edge has delivered, and so are the roots' own.
      deliver(root_edges_[i].node.get(), root_edges_[i].nr, std::move(request_.grads[i]));
    }
  }

  static void add_to(Tensor& slot, Tensor grad) {
    if (!slot) {
      slot = std::move(grad);
      return;
    }
    const bool alike = same_shape(slot, grad) && slot.dtype() == grad.dtype();
    if (!modes.grad && alike && slot.unique() && slot.is_contiguous()) {
      tape_ops.add_into(slot, grad);
    } else if (!modes.grad && alike && grad.unique() && grad.is_contiguous()) {
      tape_ops.add_into(grad, slot);
      slot = std::move(grad);
    } else {
      slot = tape_ops.add(slot, grad);
    }
  }

  void deliver(Node* to, uint32_t nr, Tensor grad) {
    Entry* e = find(to);
    if (!e->needed) return;
    if (grad) add_to(w_->slots[e->slot + nr], std::move(grad));
    if (--e->waiting == 0 && to->leaf()) visit_leaf(*e);
  }

  static void run_hooks(HookList* hooks, std::span<Tensor> grads) {
    for (size_t i = 0; i < hooks->hooks.size(); ++i) {  // by index: a hook may remove or add hooks
      const HookList::Entry entry = hooks->hooks[i];
      if (!grads[entry.nr]) continue;
      Tensor replaced = entry.hook->call(grads[entry.nr]);
      if (replaced) grads[entry.nr] = std::move(replaced);
      if (i >= hooks->hooks.size() || hooks->hooks[i].hook.get() != entry.hook.get()) --i;  // it removed itself
    }
  }

  static void keep_retained(HookList* hooks, std::span<Tensor> grads) {
    for (const auto& r : hooks->retained) {
      const Tensor& g = grads[r.nr];
      if (!g) continue;
      if (!r.meta->grad)
        r.meta->grad = tape_ops.clone(g);
      else
        r.meta->grad = tape_ops.add(r.meta->grad, g);
    }
  }

  void capture(const Entry& e, std::span<Tensor> grads) {
    for (int32_t c = e.capture; c >= 0; c = w_->captures[c].next)
      results_[w_->captures[c].result] = grads[w_->captures[c].nr];
  }

  void visit_leaf(Entry& e) {
    const std::span<Tensor> grad(&w_->slots[e.slot], 1);
    if (!grad[0]) return;
    const Tensor leaf(Ref<TensorImpl>::share(e.node->leaf()));
    if (HookList* hooks = meta_of(leaf)->hooks.get()) run_hooks(hooks, grad);
    if (e.capture >= 0) return capture(e, grad);
    e.node->apply(grad, {});
  }

  void visit(Entry& e) {
    Node* node = e.node;
    // `incoming` and `outgoing` are used up before the next visit, and a sweep inside this one has its own.
    const std::span<Tensor> grads(w_->slots.data() + e.slot, node->output_count);
    bool any = node->runs_without_grads();
    for (const Tensor& g : grads) any |= g.defined();
    auto& out = w_->outgoing;
    out.clear();
    out.resize(node->edge_count());
    if (any) {
      const bool goes_on = continues(e);
      // torch's order: a gradient that was asked for is taken before the hooks where the sweep goes on below it, after
      // them where it ends.
      if (e.capture >= 0 && goes_on) capture(e, grads);
      if (HookList* hooks = node->hooks_or_null()) {
        run_hooks(hooks, grads);
        keep_retained(hooks, grads);
      }
      if (e.capture >= 0 && !goes_on) capture(e, grads);
      if (goes_on) {
        node->apply(grads, out);
        if (!request_.keep_graph) node->release_saved();
      }
    }
    for (Tensor& g : grads) g.reset();
    for (int i = 0; i < node->edge_count(); ++i)
      if (Node* to = node->edge(i).node.get()) deliver(to, node->edge(i).nr, std::move(out[i]));
  }

  const BackwardRequest& request_;
  WorkspaceLease w_;
  Marks marks_;
  std::vector<Edge> root_edges_, input_edges_;
  std::vector<Tensor> results_;
};

}  // namespace

std::vector<Tensor> run_backward(const BackwardRequest& request) { return Sweep(request).run(); }

}  // namespace gradcore
