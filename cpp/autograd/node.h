// The tape: nodes, edges, what a tensor knows about its gradient, saved tensors. Start at Node.
//
// Note [Who owns whom]
// tensor -> AutogradMeta -> grad_fn -> edges -> nodes of the inputs -> ... -> AccumulateGrad -> leaf tensor.
// A leaf holds its AccumulateGrad weakly, and a node that saves its own output saves it without its history, so there
// is no cycle; a graph goes when its last output goes. Nodes carry a process-wide sequence number taken after their
// edges are collected: every edge points to a smaller one, so descending numbers are a topological order. What makes a
// cycle is up to the program, as in torch: a tensor written to under grad mode after the same graph saved it
// (x.mul_(x): its backward can only be refused), a .grad made with create_graph=True, and a hook, Function or
// checkpoint that refers to its own results, which Python's collector sees only where it stands right behind a wrapper.
#pragma once
#include <atomic>
#include <memory>
#include <new>
#include <optional>
#include <span>
#include <variant>
#include <vector>

#include "autograd/modes.h"
#include "tensor/batch.h"
#include "tensor/tensor.h"

namespace gradcore {

class Node;
class Saved;

struct Edge {
  Ref<Node> node;
  uint32_t nr = 0;
};

// A function of the user's that backward calls. It is taken out by clearing `alive`, even while it runs; the list it
// stands in forgets it when it is next walked. As in torch, one that is taken out after its turn was set is called
// still.
class Hook : public RefCounted {
 public:
  virtual ~Hook() = default;
  static void destroy(Hook* h) { delete h; }
  // May replace the gradients in both: of a tensor hook {grad}, of a node's prehook {incoming}, of its posthook
  // {returned, incoming}, of a leaf after accumulation {leaf}.
  virtual void call(std::span<Tensor> grads, std::span<Tensor> incoming) = 0;
  // For garbage collectors above: calls visit on each foreign object held.
  virtual int traverse(int (*)(void* object, void* arg), void*) { return 0; }
  // Lets go of what it holds.
  virtual void drop_references() {}
  void remove() {
    alive = false;
    if (turns == 0) drop_references();
  }
  void begin_turn() { ++turns; }
  void end_turn() {
    if (--turns == 0 && !alive) drop_references();
  }
  std::atomic<bool> alive{true};
  std::atomic<int> turns{0};  // of sweeps that are going to call it
};
using Hooks = std::vector<Ref<Hook>>;  // in order of registration

// The derivatives of a tensor in forward mode, by level (forward.h).
struct Tangents final : RefCounted {
  struct Entry {
    uint64_t level;
    Tensor tangent;
  };
  std::vector<Entry> entries;
  Ref<Tangents> before;  // what an op in place replaces
  static void destroy(Tangents* p) { delete p; }
};

struct HookList {
  struct Entry {
    uint32_t nr;  // which output of the node
    Ref<Hook> hook;
  };
  struct Retained {
    uint32_t nr;
    struct AutogradMeta* meta;  // weak: a dying tensor takes its entry out
  };
  std::vector<Entry> tensor_hooks;  // on the gradients of single outputs
  std::vector<Retained> retained;   // outputs whose gradient is kept in .grad
  Hooks pre, post;                  // on the whole node
  Hooks accumulated;                // a leaf's, after its .grad was written

  int traverse(int (*visit)(void* object, void* arg), void* arg) const;
};

// What a node keeps for backward, by torch's names, for viewers of graphs. A number that took a tensor's
// place is a Tensor, undefined when it is freed; a monostate is None.
struct SavedField {
  const char* name;
  std::variant<Saved*, std::vector<Saved>*, Dims, Scalar, Tensor, std::monostate> value;
  bool raw_only = false;  // shown as _raw_saved_* alone: a custom Function's has a name of its own
};
using SavedFields = std::vector<SavedField>;

// Something of the layers above that lives as long as a node.
class NodeMetadata {
 public:
  virtual ~NodeMetadata() = default;
  virtual int traverse(int (*visit)(void* object, void* arg), void* arg) const = 0;  // as Hook's
};

inline constinit std::atomic<void (*)(Node&)> node_watch{nullptr};  // told of each new node in anomaly mode

// A HookList that most nodes and tensors never need. Others are made, and all are changed, under lock_hooks().
class LazyHooks {
 public:
  LazyHooks() = default;
  LazyHooks(const LazyHooks&) = delete;
  ~LazyHooks() { reset(); }
  void take(LazyHooks& from) { list_.store(from.list_.exchange(nullptr), std::memory_order_release); }
  HookList* get() const { return list_.load(std::memory_order_acquire); }
  HookList& make() {
    if (!get()) list_.store(new HookList, std::memory_order_release);
    return *get();
  }
  void reset() {
    if (get()) delete list_.exchange(nullptr);
  }

 private:
  std::atomic<HookList*> list_{nullptr};
};

// Edges of the node whose apply() runs that lead to nothing a program asked for: bit i for edge i of the first 64.
struct LeftOut {
  const Node* node;
  uint64_t edges;
};
inline thread_local constinit const LeftOut* left_out = nullptr;

// What a gradient must fit.
struct TensorMeta {
  Dims shape;
  DType dtype = DType::Float32;
};

class Node : public RefCounted, public Disposable, public Pooled {
 public:
  using Pooled::operator new;
  using Pooled::operator delete;
  static void destroy(Node* n) noexcept { dispose(n); }

  virtual const char* name() const = 0;
  // grads: one for each output of the forward op, possibly undefined; fills one for each edge that has a node.
  virtual void apply(std::span<Tensor> grads, std::span<Tensor> out) = 0;
  // Forward mode: the tangents of the outputs from those of the inputs, one for each edge, possibly undefined. Unless a
  // node knows better, apply() is transposed (forward.cpp).
  virtual std::vector<Tensor> jvp(std::span<const Tensor> tangents, std::span<const Tensor> outputs);
  // Drops what was saved for backward; a later apply() refuses.
  virtual void release_saved() {}
  // Bit i: edge i stands for no input that torch's node would show.
  virtual unsigned hidden_edges() const { return 0; }
  bool shows_edge(int i) const { return i >= 32 || !((hidden_edges() >> i) & 1); }
  // Its result takes the place of its input (t_(), squeeze_() ...): some go by another name then.
  virtual void mark_in_place() {}
  // The leaf tensor of an AccumulateGrad.
  virtual TensorImpl* leaf() const { return nullptr; }
  // A node that must run even when no gradient reached it (custom functions that materialise).
  virtual bool runs_without_grads() const { return false; }

  virtual SavedFields saved_fields() { return {}; }
  // What its output `nr` was when its history was set; null before that. The engine lets no other gradient in: apply()
  // may rely on it.
  const TensorMeta* output(uint32_t nr) const {
    if (nr == 0) return has_output_ ? &output_ : nullptr;
    return more_outputs_ && nr < more_outputs_->size() && (*more_outputs_)[nr] ? &*(*more_outputs_)[nr] : nullptr;
  }
  void note_output(uint32_t nr, const Tensor& t) {
    if (nr != 0) [[unlikely]]
      return note_further_output(nr, t);
    if (has_output_) [[unlikely]]
      output_.shape = t.shape();
    else
      new (&output_.shape) Dims(t.shape());  // a copy of fixed size, where an assignment would be one of any size
    output_.dtype = t.dtype();
    has_output_ = true;
  }
  // The same of any node, of a leaf's too.
  virtual std::optional<TensorMeta> output_meta(uint32_t nr) const {
    return output(nr) ? std::optional(*output(nr)) : std::nullopt;
  }

  // A reference for who has nothing but the node's wrapper; none where it is dying.
  virtual Ref<Node> own_node() { return retain_if_alive() ? Ref<Node>::adopt(this) : Ref<Node>(); }

  // As Hook::traverse, for what the node itself holds.
  virtual int traverse(int (*)(void* object, void* arg), void*) const { return 0; }
  // The same with its hooks and metadata.
  int traverse_all(int (*visit)(void* object, void* arg), void* arg) const;

  void set_edges(std::span<Edge> edges);
  int edge_count() const { return edge_count_; }
  Edge& edge(int i) { return edge_count_ <= kInlineEdges ? inline_edges_[i] : more_edges_[i]; }
  const Edge& edge(int i) const { return const_cast<Node*>(this)->edge(i); }
  // Whether backward must give edge i its gradient.
  bool needs(int i) const {
    if (left_out && left_out->node == this && i < 64 && left_out->edges >> i & 1) [[unlikely]]
      return false;
    return has_edge(i);
  }
  bool has_edge(int i) const { return static_cast<bool>(edge(i).node); }
  // For nodes with few inputs, without a detour.
  void add_edge(Edge e) { inline_edges_[edge_count_++] = std::move(e); }

  uint64_t seq() const { return seq_; }
  // Call once, after the edges are there.
  void number() {
    seq_ = next_seq();
    origin_ = current_origin();
    if (const auto watch = node_watch.load(std::memory_order_relaxed)) [[unlikely]]
      watch(*this);
  }
  Origin origin() const { return origin_; }
  // The batch of its results, none where they are the same for all samples.
  const Ref<Batch>& batch() const { return batch_; }
  void has_batched_result(const Ref<Batch>& batch) {
    if (!batch_ || batch_->levels.size() < batch->levels.size()) batch_ = batch;
  }
  static uint64_t next_seq();
  // Made for the tangents of its results alone, which have no history of their own.
  bool is_for_tangents() const { return is_for_tangents_; }
  void make_for_tangents() { is_for_tangents_ = true; }

  HookList& hooks() { return hooks_.make(); }
  HookList* hooks_or_null() const { return hooks_.get(); }

  uint32_t output_count = 1;
  uint32_t mark = 0;         // the engine's: position in the running backward, plus one
  void* pyobject = nullptr;  // the Python wrapper, not owned
  std::unique_ptr<NodeMetadata> metadata;

 protected:
  static constexpr int kInlineEdges = 3;
  Node() = default;
  Node(Node&& dying);  // takes the place of a node that nobody refers to

 private:
  void note_further_output(uint32_t nr, const Tensor& t);

  uint64_t seq_ = 0;  // 0 for leaf accumulators: they come last in the order and are run as soon as they are ready
  Origin origin_ = 0;
  Ref<Batch> batch_;
  int edge_count_ = 0;
  bool is_for_tangents_ = false;
  bool has_output_ = false;
  TensorMeta output_;
  std::unique_ptr<std::vector<std::optional<TensorMeta>>> more_outputs_;
  Edge inline_edges_[kInlineEdges];
  std::unique_ptr<Edge[]> more_edges_;
  LazyHooks hooks_;
};

struct AutogradMeta final : AutogradMetaBase, Pooled {
  using Pooled::operator new;
  using Pooled::operator delete;
  Tensor grad;
  Ref<Node> grad_fn;
  uint32_t output_nr = 0;
  bool retains_grad = false;
  Node* accumulator = nullptr;   // weak
  Ref<Tangents> tangents;        // a view reads its own off another tensor: tangent_owner()
  Ref<TensorImpl> tangent_base;  // of a view whose tangents are neither its own nor its base's: whose they are
  bool owns_tangents = false;    // of a view: make_dual gave it some, or unpack_dual took them away
  bool over = false;             // the point of a differentiation (func.grad) that has ended
  LazyHooks hooks;               // a leaf's

  ~AutogradMeta() override;
};

inline AutogradMeta* meta_of(const Tensor& t) { return static_cast<AutogradMeta*>(t->meta); }
AutogradMeta& make_meta(const Tensor& t);

inline bool requires_grad(const TensorImpl* t) {
  if (t->meta && t->meta->requires_grad) return true;
  return t->base && t->base->meta &&
         t->base->meta->requires_grad;  // a view follows its base, even after an in-place op
}
inline bool requires_grad(const Tensor& t) { return t && requires_grad(t.impl()); }
// The tensor that has the tangents which `t` is seen with: all views of a memory see one tangent's memory.
inline TensorImpl* tangent_owner(TensorImpl* t) {
  if (!t->base) return t;
  const auto* meta = static_cast<const AutogradMeta*>(t->meta);
  if (meta && meta->owns_tangents) return t;
  return meta && meta->tangent_base ? meta->tangent_base.get() : t->base.get();
}
inline bool owns_tangents(const Tensor& t) { return tangent_owner(t.impl()) == t.impl(); }
inline bool may_have_tangent(const Tensor& t) {
  if (!t || inference_mode()) return false;
  const AutogradMetaBase* meta = tangent_owner(t.impl())->meta;
  return meta && static_cast<const AutogradMeta*>(meta)->tangents;
}
template <class... T> inline bool needs_history(const T&... t) { return modes.grad && (requires_grad(t) || ...); }
// Whether an op on these must be recorded: for backward, or because a tangent has to come along.
template <class... T> inline bool should_record(const T&... t) {
  return needs_history(t...) || (modes.forward && (may_have_tangent(t) || ...));
}

// grad_fn as a program sees it; a view whose base was written through another view gets a fresh one.
Ref<Node> grad_fn_of(const Tensor& t);
bool is_leaf(const Tensor& t);
// Where the gradient of `t` goes; no node when it needs none.
Edge gradient_edge(const Tensor& t);
// Whether the history of `t` leads out of a differentiation (func.grad) whose own nodes are numbered from `begun` on:
// to an older node, or to a leaf that is neither the point of one that has ended nor made in this one: in a transform
// of these numbers (first 0: it has none).
struct Transforms {
  uint32_t first, last;
};
bool reaches_outside(const Tensor& t, uint64_t begun, const Transforms& those);
// Makes `t` the output `nr` of a node that is new, or of one whose output another tensor is already.
void set_history(const Tensor& t, Ref<Node> node, uint32_t nr = 0);
void join_history(const Tensor& t, Ref<Node> node, uint32_t nr);
void set_requires_grad(const Tensor& t, bool on);
void retain_grad(const Tensor& t);
void add_hook(const Tensor& t, Ref<Hook> hook);
void add_accumulated_hook(const Tensor& leaf, Ref<Hook> hook);
// Those that add_hook() added and that are in still; with `accumulated` those of add_accumulated_hook().
Hooks hooks_of(const Tensor& t, bool accumulated);
// A tensor on the same memory without history.
Tensor detach(const Tensor& t);
void detach_(const Tensor& t);

// What a user's hooks made of a saved tensor (graph.saved_tensors_hooks), with what reconnects it to the graph.
struct Packed : RefCounted {
  virtual ~Packed() = default;
  static void destroy(Packed* p) { delete p; }
  virtual Tensor unpack() = 0;
  Edge edge;                   // of an input
  bool requires_grad = false;  // of an input, which may have no edge: a view made under no_grad
  Ref<Tangents> tangents;
  Tensor original;  // until the node has its first derivative: keep_original()
};
// The innermost pair of hooks of this thread, or null.
struct SavedHooks {
  virtual Ref<Packed> pack(const Tensor& t) = 0;

 protected:
  ~SavedHooks() = default;
};
inline thread_local constinit SavedHooks* saved_hooks = nullptr;
// Whether the making of a node runs Python code.
inline bool nodes_run_python() { return saved_hooks || node_watch.load(std::memory_order_relaxed); }

// Note [Python in the middle]
// Some steps of C++ run Python code: hooks that pack and unpack saved tensors, __index__ and __iter__ of arguments,
// warnings, anomaly mode; before Python 3.12 the garbage collector inside of an allocation; and whatever lets go of the
// last reference to a foreign object. That code may free, resize or replace any tensor, node and list that it can
// reach, ours too. So what was looked at before it ran is worth nothing afterwards, unless it was held:
//
//   - An op with a new result computes it first and makes its node last: packing comes when nothing is read any more.
//   - An op in place makes its node first, and looks at shapes, dtypes, indices and memory afterwards, all of them
//   anew.
//   - A node saves all its tensors before hooks pack any of them.
//   - Hooks unpack all that a node saved before its vjp starts (Saved::Unpacked), and unpack() runs no Python code
//   then. What it gives has the shape and dtype that were saved: a vjp may rely on those, but neither on strides nor on
//   what the elements are. Where a vjp is recorded, its own ops run hooks: it reads aliases (alias_at), which keep
//   their shape when the user's tensor is given other data.
//   - What calls Python holds a reference of its own to what it goes on with (Saved::pack, Packed, ctx's tuples).
//   - What walks a tensor while Python may run walks an alias of it (tolist).
//   - A list or tuple is copied, or its items are counted and checked where they are taken (item_of).
//   - Who replaces a reference has put everything in order before the old one goes (move_window).
//
// tests/faults/test_swapped_operands.py swaps every operand of every op at every such moment.

// A tensor kept for backward. As an input it is kept as it is; as the node's own output it is kept without its history
// and gets it back on unpacking. With hooks, what they made of it is kept instead: the node has everything packed once
// it has saved everything, for a hook may replace what is not saved yet.
class Saved {
 public:
  Saved() = default;
  // A custom Function is given what it saved even if that was detach_()ed since, as in torch: it `may_detach`.
  explicit Saved(const Tensor& t, bool may_detach = false);
  static Saved output(const Tensor& t, uint32_t nr = 0);

  bool defined() const { return t_ || packed_; }
  bool freed() const { return filled_ && !defined(); }
  bool is_packed() const { return static_cast<bool>(packed_); }
  // Checks that nobody wrote to it meanwhile. `node` is the one that saved it.
  Tensor unpack(Node* node) const {
    if (!defined()) return unpack_nothing(node);
    return unpack_defined(node, false);
  }
  // The same for the user's eyes: what an unpack hook returned and has no history is shown itself, as in torch.
  Tensor unpack_for_user(Node* node) const { return defined() ? unpack_defined(node, true) : unpack_nothing(node); }
  void reset() {
    t_.reset();
    packed_.reset();
  }
  const Tensor& raw() const { return t_; }  // undefined when packed
  // Keeps what the hooks make of the tensor in its place.
  void pack(SavedHooks& hooks);
  class Unpacked;
  // The same as pack() for a `node` that has just saved it; hooks that packed others must not have replaced it
  // meanwhile.
  void pack_unchanged(SavedHooks& hooks, const Node* node);

 private:
  // Nothing, where nothing was saved; refuses where it is freed, which may have happened in the middle of a vjp.
  Tensor unpack_nothing(Node* node) const;
  Tensor unpack_defined(Node* node, bool for_user) const;
  Tensor unpack_packed(Node* node, bool for_user) const;

  uint32_t nr() const { return static_cast<uint32_t>(which_); }
  bool replaced() const;  // by x.data = y
  [[noreturn]] void fail_replaced(const Node* node) const;

  Tensor t_;
  Ref<Packed> packed_;
  uint64_t which_ = 0;  // of an output its number; of an input what shape_mark() says of its shape
  uint32_t version_ = 0;
  DType dtype_ = DType::Float32;
  bool is_output_ = false;
  bool filled_ = false;    // something was saved, even if it is freed by now
  bool computed_ = false;  // it was no leaf when it was saved, and must not have become one
};

// Runs unpack hooks early: until this ends, unpack() gives this thread what they gave. It belongs to the thread, for
// others may go backward through the same node meanwhile.
class Saved::Unpacked {
 public:
  Unpacked() : around_(innermost_) { innermost_ = this; }
  ~Unpacked() { innermost_ = around_; }
  Unpacked(const Unpacked&) = delete;
  Unpacked& operator=(const Unpacked&) = delete;
  void add(const Saved& saved, Node* node) {
    Ref<Packed> packed = saved.packed_;  // held before the hook runs: find() tells them by address
    Tensor t = saved.unpack(node);
    items_.push_back({std::move(packed), std::move(t)});
  }
  // Null where nothing was unpacked for the vjp that runs.
  static const Tensor* find(const Packed& packed) {
    if (!innermost_) return nullptr;
    for (const Item& item : innermost_->items_)
      if (item.packed.get() == &packed) return &item.tensor;
    return nullptr;
  }

 private:
  struct Item {
    Ref<Packed> packed;
    Tensor tensor;
  };
  std::vector<Item> items_;
  const Unpacked* around_;  // of the vjp around, in which a hook called backward
  static thread_local constinit inline const Unpacked* innermost_ = nullptr;
};

[[noreturn]] void fail_released(const Node& node);

}  // namespace gradcore
