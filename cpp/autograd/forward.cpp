// Note [Forward mode]
// Each op is recorded as for backward, and when its node is complete, the tangents of its outputs are computed from
// those of its inputs. A node's vjp is linear in the gradient u that comes in, whatever it saved:
//
//     vjp(u) = J' u        so        J v = d/du <vjp(u), v>
//
// Running the vjp on a stand-in for u with recording on, and going back from there with v, is the product with J
// itself: every op that can be differentiated twice has its forward mode for nothing. (Elementwise ops use their vjp
// directly: J is diagonal.) What the vjp saved has its history, so the tangents are differentiable in turn: forward
// over reverse.
//
// While a node is made, an input with tangents stands in its edges as a DualEdge, which keeps them from being changed
// by the op itself (in place) and makes the node save what it needs. Afterwards the DualEdge gives way to the edge that
// backward would have; a node that is left without any edge is dropped.
//
// Levels nest. Those that ops see are the first modes.forward of the thread's stack; tangents of one level are computed
// with only the levels below seen, so that they carry tangents of those, and derivatives of different levels are never
// mixed up. Levels are numbered for good: what a tensor carries of one that was closed is ignored.
//
// All views of a tensor see one memory, and so do their tangents: only the tensor that is no view has them, a view's is
// the same window on its base's. make_dual and unpack_dual give views that begin anew: with tangents of their own,
// which the views of them see (tangent_owner in node.h). A write in place writes to the tangent's memory too, which may
// be the program's own.
//
// A node that saved its own output shares the output's tangents. Where they have a history it leads back to that node,
// which would keep itself alive: the end of a level takes its tangents out of all such sets, which are noted in
// `returning`.
#include "autograd/forward.h"

#include <algorithm>
#include <atomic>
#include <optional>

#include "autograd/accumulate.h"
#include "autograd/engine.h"
#include "autograd/transforms.h"
#include "autograd/views.h"
#include "tensor/door.h"

namespace gradcore {

namespace {

struct OpenLevel {
  uint64_t number;
  std::optional<bool> switch_after;  // how the switch stood, if the level sets it
  std::vector<Ref<Tangents>> returning;
};
constexpr int kMaxLevels = 64;
// With the thread, or the process, a level that was left open goes without freeing: the interpreter may be gone by
// then.
struct OpenLevels : std::vector<OpenLevel> {
  ~OpenLevels() {
    for (OpenLevel& level : *this)
      for (Ref<Tangents>& tangents : level.returning) tangents.leak();
  }
};
thread_local OpenLevels levels;

uint64_t level_at(int depth) { return levels[static_cast<size_t>(depth)].number; }

// Forgets the sets that nobody else holds. What they hold dies last: that may run Python code which computes in turn.
void forget_unshared(std::vector<Ref<Tangents>>& sets) {
  const auto gone = std::ranges::partition(sets, [](const Ref<Tangents>& t) { return t->use_count() > 1; });
  const std::vector<Ref<Tangents>> dying(std::make_move_iterator(gone.begin()), std::make_move_iterator(gone.end()));
  sets.erase(gone.begin(), gone.end());
  if (2 * sets.size() > sets.capacity()) sets.reserve(4 * sets.size());
}

void note_returning(const Ref<Tangents>& tangents) {
  if (const auto& sets = levels.back().returning; sets.size() == sets.capacity())
    forget_unshared(levels.back().returning);
  levels.back().returning.push_back(tangents);
}

struct Originals {
  std::vector<Ref<Packed>> kept;
  Originals() = default;
  Originals(Originals&&) = default;
  Originals& operator=(Originals&&) = default;
  ~Originals() {
    for (const Ref<Packed>& p : kept) p->original.reset();
  }
};
// Of the node that is being made, or was when an exception came: those go unfreed with the thread, as levels do.
struct PendingOriginals : Originals {
  ~PendingOriginals() {
    for (Ref<Packed>& p : kept) p.leak();
    kept.clear();
  }
};
thread_local PendingOriginals originals;
Originals take_originals() { return std::exchange(static_cast<Originals&>(originals), {}); }

Tensor* entry_of(const Ref<Tangents>& in, uint64_t level) {
  if (!in) return nullptr;
  for (auto& e : in->entries)
    if (e.level == level) return &e.tangent;
  return nullptr;
}
Tensor* entry_of(const TensorImpl* t, uint64_t level) {
  const auto* meta = static_cast<const AutogradMeta*>(t->meta);
  return meta ? entry_of(meta->tangents, level) : nullptr;
}

Tangents& tangents_made(const Tensor& t) {
  Ref<Tangents>& tangents = make_meta(t).tangents;
  if (!tangents) tangents = Ref<Tangents>::adopt(new Tangents);
  return *tangents;
}

void set_own(const Tensor& t, int depth, const Tensor& tangent) {
  if (Tensor* entry = entry_of(t.impl(), level_at(depth)))
    *entry = tangent;
  else
    tangents_made(t).entries.push_back({level_at(depth), tangent});
}

// Windows on `like` must find their place in the tangent too.
Tensor in_layout_of(const Tensor& like, const Tensor& tangent, bool same_place = true) {
  if ((tangent.strides() == like.strides() && same_place) || like.numel() == 0) return tangent;
  const Tensor out = empty_strided_batched(levels_of({&tangent}), like.shape(), like.strides(), tangent.dtype());
  tape_ops.copy_into(out, tangent);
  return out;
}

Tensor zeros_as(const Tensor& t, const Levels& levels = {}) {
  const Tensor out = empty_strided_batched(levels, t.shape(), t.strides(), t.dtype());
  launch(ZeroBytes::storage_of(out.window()));
  return out;
}

Tensor window_of(const Tensor& whole, const Tensor& base, const Tensor& view) {
  return tape_ops.as_strided(whole, view.shape(), view.strides(), view.offset() - base.offset() + whole.offset());
}

Tensor owner_of(const Tensor& t) { return Tensor(Ref<TensorImpl>::share(tangent_owner(t.impl()))); }

Tensor find_tangent(const Ref<Tangents>& in, int depth) {
  const Tensor* found = entry_of(in, level_at(depth));
  return found ? *found : Tensor();
}

class DualEdge final : public Node {
 public:
  DualEdge(Edge real, bool recorded, const Tensor& t) : real_(std::move(real)), recorded_(recorded) {
    for (int depth = 0; depth < modes.forward; ++depth) {
      tangents_.push_back(tangent_of(t, depth));
      any_ |= tangents_.back().defined();
    }
  }
  const char* name() const override { return "DualEdge"; }
  void apply(std::span<Tensor>, std::span<Tensor>) override {}
  bool any() const { return any_; }
  const Tensor& at(int depth) const { return tangents_[static_cast<size_t>(depth)]; }
  // Not the same as a real edge: a view made under no_grad of what requires grad has none, yet its uses are recorded.
  bool recorded() const { return recorded_; }
  Edge take_real() { return std::move(real_); }

 private:
  Edge real_;
  std::vector<Tensor> tangents_;
  bool any_ = false, recorded_;
};

// Where the stand-in for a gradient comes from, and what going back ends at.
class Placeholder final : public Node {
 public:
  const char* name() const override { return "Placeholder"; }
  void apply(std::span<Tensor>, std::span<Tensor>) override {}
};

// The tangents that a node's edges carry, then nothing but its edges.
class TangentsOfEdges {
 public:
  explicit TangentsOfEdges(Node& node) : node_(node), duals_(static_cast<size_t>(node.edge_count())) {
    for (size_t i = 0; i < duals_.size(); ++i) duals_[i] = dynamic_cast<DualEdge*>(edge(i).node.get());
  }
  ~TangentsOfEdges() {
    for (size_t i = 0; i < duals_.size(); ++i)
      if (duals_[i]) edge(i) = duals_[i]->take_real();
  }
  // Whether the node is one that would be made without tangents too.
  bool recorded() const {
    for (size_t i = 0; i < duals_.size(); ++i)
      if (duals_[i] ? duals_[i]->recorded() : node_.needs(static_cast<int>(i))) return true;
    return false;
  }
  // False where no edge has one.
  bool at(int depth, std::vector<Tensor>& tangents) const {
    bool any = false;
    tangents.assign(duals_.size(), Tensor());
    for (size_t i = 0; i < duals_.size(); ++i) {
      if (duals_[i]) tangents[i] = duals_[i]->at(depth);
      any |= tangents[i].defined();
    }
    return any;
  }

 private:
  Edge& edge(size_t i) { return node_.edge(static_cast<int>(i)); }
  Node& node_;
  std::vector<DualEdge*> duals_;
};

// A tensor's tangent may be written to, another's must not change with it.
bool shares_memory(const Tensor& t, std::span<const Tensor> with) {
  return std::ranges::any_of(with, [&](const Tensor& other) { return other && other->storage == t->storage; });
}

// True if the node has a history to give them besides.
bool carry_tangents(std::span<const Tensor> outs, Node& node, bool inplace = false) {
  const TangentsOfEdges edges(node);
  const bool has_history = edges.recorded();
  if (!has_history) node.make_for_tangents();
  std::vector<Tensor> tangents;
  for (int depth = 0; depth < modes.forward; ++depth) {
    if (!edges.at(depth, tangents)) continue;
    const ForwardGuard below(depth);
    const auto requires_it = [](const Tensor& t) { return requires_grad(t); };
    const GradModeGuard recorded(modes.grad && (has_history || std::ranges::any_of(tangents, requires_it)));
    if (inplace && modes.grad)  // what the derivative keeps of them will be written to
      for (Tensor& t : tangents)
        if (t) t = tape_ops.clone(t);
    std::vector<Tensor> result = node.jvp(tangents, outs);
    for (size_t i = 0; i < outs.size(); ++i) {
      if (!outs[i] || !is_floating(outs[i].dtype())) continue;
      if (!result[i]) result[i] = zeros_as(outs[i]);
      if (shares_memory(result[i], tangents)) result[i] = tape_ops.clone(result[i]);
      set_own(outs[i], depth, result[i]);
    }
  }
  for (const Tensor& out : outs) {
    if (!out || !out->meta) continue;
    const Ref<Tangents>& own = meta_of(out)->tangents;
    const auto recorded = [](const Tangents::Entry& e) { return requires_grad(e.tangent); };
    if (own && own->use_count() > 1 && std::ranges::any_of(own->entries, recorded)) note_returning(own);
  }
  return has_history;
}

// The new tangent at a level goes to the memory of the one before, `to`, if there is such a memory.
void write_tangent(const Tensor& t, int depth, const Tensor& to) {
  Tensor* now = entry_of(t.impl(), level_at(depth));
  if (!to || !now || overlaps_itself(to) || any_batched(*now, to)) return;
  const ForwardGuard below(depth);
  if ((*now)->storage == to->storage)
    to.bump_version();
  else
    tape_ops.copy_into(to, *now);
  *now = to;
}

// The owner's tangent is another one from now on, with the view's part replaced.
void write_through(const Tensor& view) {
  const Tensor base = owner_of(view);
  const Ref<Tangents> parts = std::move(make_meta(view).tangents);
  if (!parts || parts->entries.empty()) return;
  const Ref<Tangents> before = std::move(make_meta(base).tangents);
  for (int depth = 0; depth < modes.forward; ++depth) {
    const ForwardGuard below(depth);
    Tensor whole = find_tangent(before, depth);
    const Tensor part = find_tangent(parts, depth);
    const bool written = part && whole && part->storage == whole->storage;
    if (part && !written) {
      const Tensor before_write = whole ? in_layout_of(base, whole) : Tensor();
      Levels levels = levels_of({&part});
      if (before_write) levels.add(before_write);
      whole = zeros_as(base, levels);
      if (before_write) tape_ops.copy_into(whole, before_write);
      tape_ops.copy_into(window_of(whole, base, view), part);
    }
    if (whole) set_own(base, depth, whole);
  }
}

}  // namespace

static thread_local constinit bool switched_on = true;

static void see_levels() { modes.forward = switched_on ? static_cast<uint8_t>(levels.size()) : 0; }

bool forward_enabled() { return switched_on && !inference_mode(); }

bool set_forward_enabled(bool on) {
  const bool before = std::exchange(switched_on, on);
  if (before != on) see_levels();
  return before;
}

int enter_forward_level(bool switch_on) {
  static constinit std::atomic<uint64_t> last{0};
  check(forward_levels() < kMaxLevels, "forward mode is nested more than ", kMaxLevels, " levels deep");
  levels.push_back({++last, switch_on ? std::optional(std::exchange(switched_on, true)) : std::nullopt, {}});
  see_levels();
  return forward_levels() - 1;
}

void exit_forward_level() {
  check(!levels.empty(), "no forward AD level is open");
  const OpenLevel closed = std::move(levels.back());
  levels.pop_back();
  switched_on = closed.switch_after.value_or(switched_on);
  see_levels();
  forget_originals();  // of an op that failed
  std::vector<Tensor> dying;
  for (const Ref<Tangents>& tangents : closed.returning) {
    bool has_others = false;
    for (auto& e : tangents->entries) {
      if (e.level == closed.number) dying.push_back(std::move(e.tangent));
      has_others |= e.tangent.defined();
    }
    if (has_others) note_returning(tangents);
  }
}

int forward_levels() { return static_cast<int>(levels.size()); }

Tensor tangent_of(const Tensor& t, int depth) {
  Tensor* tangent = entry_of(tangent_owner(t.impl()), level_at(depth));
  if (!tangent || owns_tangents(t)) return tangent ? *tangent : Tensor();
  const ForwardGuard below(depth);
  const Tensor base = owner_of(t);
  *tangent = in_layout_of(base, *tangent);
  return window_of(*tangent, base, t);
}

void follow_tangents(const Tensor& view, const Tensor& t) {
  TensorImpl* owner = tangent_owner(t.impl());
  if (owner != view->base.get()) make_meta(view).tangent_base = Ref<TensorImpl>::share(owner);
}

void set_tangent(const Tensor& t, int depth, const Tensor& tangent) {
  // As in torch, a tangent that does not lie in its memory as `t` does in its own is copied: later writes do not reach
  // it.
  const bool same_place =
      any_batched(t, tangent) || (t.offset() == tangent.offset() && t->storage->bytes == tangent->storage->bytes);
  set_own(t, depth, in_layout_of(t, tangent, same_place));
}

Ref<Tangents> tangents_of(const Tensor& t) {
  if (!modes.forward || !may_have_tangent(t)) return {};
  auto all = Ref<Tangents>::adopt(new Tangents);
  for (int depth = 0; depth < modes.forward; ++depth)
    if (Tensor tangent = tangent_of(t, depth)) all->entries.push_back({level_at(depth), std::move(tangent)});
  return all;
}

void share_new_tangents(const Tensor& out, const Tensor& saved) {
  auto shared = Ref<Tangents>::adopt(new Tangents);
  shared->before = make_meta(out).tangents;
  make_meta(out).tangents = shared;
  make_meta(saved).tangents = std::move(shared);
}

Edge tracked_edge(const Tensor& t) {
  const bool recorded = modes.grad && requires_grad(t);
  Edge real = recorded ? gradient_edge(t) : Edge{};
  const bool outside = recorded && !real.node;  // a view made under no_grad
  if (!outside && !may_have_tangent(t)) return real;
  auto dual = Ref<DualEdge>::adopt(new DualEdge(std::move(real), recorded, t));
  if (!outside && !dual->any()) return dual->take_real();
  return {std::move(dual), 0};
}

void keep_original(const Ref<Packed>& packed, const Tensor& t) {
  packed->original = t;
  originals.kept.push_back(packed);
}

void forget_originals() { take_originals(); }

void record_tracked(std::span<const Tensor> outs, const Ref<Node>& node) {
  const Originals until_done = take_originals();
  const bool views = !outs.empty() && outs[0] && !owns_tangents(outs[0]);  // theirs are windows on those of their owner
  if (!(views ? TangentsOfEdges(*node).recorded() : carry_tangents(outs, *node))) return;
  for (size_t i = 0; i < outs.size(); ++i) set_history(outs[i], node, static_cast<uint32_t>(i));
}

bool carry_tangents_inplace(const Tensor& t, Node& node) {
  const LeaveTransforms captured_too;  // the tangent that a point was given is the program's
  const Originals until_done = take_originals();
  // A set without entries belongs to what the node saved of the output; any other is that of the old value.
  Ref<Tangents>& own = make_meta(t).tangents;
  const bool is_new = own && own->entries.empty();
  const Ref<Tangents> before = is_new && own->before ? own->before : tangents_of(t);
  if (is_new)
    own->before.reset();
  else
    own.reset();
  const bool recorded = carry_tangents({&t, 1}, node, true);
  for (int depth = 0; depth < modes.forward; ++depth) write_tangent(t, depth, find_tangent(before, depth));
  if (!owns_tangents(t)) write_through(t);
  return recorded;
}

// The levels of vmaps that are over. A tangent that comes back through a stand-in without them would be summed as a
// gradient is: Note [Batch dims].
static Levels levels_over(std::span<const Tensor> tangents, std::span<const Tensor> outputs) {
  Levels all, over;
  for (const std::span<const Tensor> tensors : {tangents, outputs})
    for (const Tensor& t : tensors) all.add(t);
  for (int i = 0; i < all.count(); ++i) {
    if (is_open(all.ids[i])) continue;
    over.ids.push_back(all.ids[i]);
    over.sizes.push_back(all.sizes[i]);
  }
  return over;
}

std::vector<Tensor> Node::jvp(std::span<const Tensor> tangents, std::span<const Tensor> outputs) {
  const auto placeholder = Ref<Node>::adopt(new Placeholder);
  placeholder->output_count = static_cast<uint32_t>(outputs.size());
  placeholder->number();
  BackwardRequest request;
  const Levels over = levels_over(tangents, outputs);
  {
    const GradModeGuard on(true);
    std::vector<Tensor> u(outputs.size()), back(static_cast<size_t>(edge_count()));
    for (size_t i = 0; i < u.size(); ++i) {
      request.inputs.push_back({placeholder, static_cast<uint32_t>(i)});
      if (!outputs[i] || !is_floating(outputs[i].dtype())) continue;
      u[i] = zeros_as(outputs[i], over);
      set_history(u[i], placeholder, static_cast<uint32_t>(i));
    }
    apply(u, back);
    for (size_t k = 0; k < back.size(); ++k) {
      if (!tangents[k] || !requires_grad(back[k])) continue;
      request.roots.push_back(gradient_edge(back[k]));
      request.grads.push_back(tape_ops.cast(tangents[k], back[k].dtype()));
    }
  }
  if (request.roots.empty()) return std::vector<Tensor>(outputs.size());
  request.accumulate = false;
  request.keep_graph = request.create_graph = modes.grad;
  return run_backward(std::move(request));
}

}  // namespace gradcore
