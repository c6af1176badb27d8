// Recording ops that are not elementwise. An op describes its backward as a small struct:
//   struct SumVjp {
//     static constexpr const char* kName = "SumBackward0";
//     Dims shape;                                        // what it keeps; tensors as Saved
//     void vjp(Node& self, std::span<Tensor> g, std::span<Tensor> out) { ... }
//     auto saves() { return std::tie(x); }               // only if it keeps tensors: all of them
//     SavedFields fields() { return {{"self", &x}}; }    // what viewers see of it, by torch's names; dims are not
//     negative
//   };
// and calls record(). vjp is written in differentiable ops, so that it is its own double backward.
#pragma once
#include <initializer_list>
#include <tuple>
#include <vector>

#include "autograd/forward.h"
#include "autograd/node.h"
#include "autograd/views.h"

namespace gradcore {

template <class Vjp> class OpNode final : public Node {
 public:
  explicit OpNode(Vjp&& v) : vjp_(std::move(v)) {}
  const char* name() const override {
    if constexpr (requires { vjp_.name(); })
      return vjp_.name();
    else
      return Vjp::kName;
  }
  void apply(std::span<Tensor> g, std::span<Tensor> out) override {
    if (released_) fail_released(*this);
    bool any = false;
    for (const Tensor& t : g) any |= t.defined();
    if (!any) return;
    if (has_packed()) [[unlikely]]
      return apply_with_hooks(g, out);
    vjp_.vjp(*this, g, out);
  }
  std::vector<Tensor> jvp(std::span<const Tensor> tangents, std::span<const Tensor> outputs) override {
    if constexpr (requires { vjp_.jvp(*this, tangents, outputs[0]); })
      return {vjp_.jvp(*this, tangents, outputs[0])};
    else
      return Node::jvp(tangents, outputs);
  }
  void release_saved() override {
    if constexpr (!kSaves) return;
    released_ = true;  // first: what goes may run Python code
    for_each_saved([](Saved& saved) { saved.reset(); });
  }
  unsigned hidden_edges() const override {
    if constexpr (requires { Vjp::kHiddenEdges; })
      return Vjp::kHiddenEdges;
    else
      return Node::hidden_edges();
  }
  void mark_in_place() override {
    if constexpr (requires { vjp_.in_place = true; }) vjp_.in_place = true;
  }
  SavedFields saved_fields() override {
    if constexpr (requires { vjp_.fields(); })
      return vjp_.fields();
    else
      return {};
  }
  Vjp& state() { return vjp_; }
  void pack_saved(SavedHooks& hooks) {
    for_each_saved([&](Saved& saved) { saved.pack_unchanged(hooks, this); });
  }

 private:
  bool has_packed() {
    bool any = false;
    for_each_saved([&](Saved& saved) { any |= saved.is_packed(); });
    return any;
  }
  [[gnu::noinline]] void apply_with_hooks(std::span<Tensor> g, std::span<Tensor> out) {
    Saved::Unpacked unpacked;
    for_each_saved([&](Saved& saved) {
      if (saved.is_packed()) unpacked.add(saved, this);
    });
    vjp_.vjp(*this, g, out);
  }
  template <class F> void for_each_saved(F&& f) {
    if constexpr (kSaves) visit_all(std::forward<F>(f), vjp_.saves());
  }
  template <class F, class Tuple> static void visit_all(F&& f, Tuple saves) {
    const auto visit = [&]<class S>(S& saved) {
      if constexpr (std::is_same_v<S, Saved>)
        f(saved);
      else
        for (Saved& one : saved) f(one);
    };
    std::apply([&](auto&... saved) { (visit(saved), ...); }, saves);
  }

  static constexpr bool kSaves = requires(Vjp& v) { v.saves(); };
  Vjp vjp_;
  bool released_ = false;
};

template <class Vjp> Ref<Node> make_node(std::span<const Tensor* const> inputs, Vjp&& v, uint32_t outputs = 1) {
  auto* made = new OpNode<Vjp>(std::move(v));
  auto node = Ref<Node>::adopt(made);
  if (inputs.size() <= 3) {
    for (const Tensor* t : inputs) node->add_edge(input_edge(*t));
  } else {
    std::vector<Edge> edges;
    edges.reserve(inputs.size());
    for (const Tensor* t : inputs) edges.push_back(input_edge(*t));
    node->set_edges(edges);
  }
  node->output_count = outputs;
  if (saved_hooks) [[unlikely]]
    made->pack_saved(*saved_hooks);
  node->number();
  return node;
}
template <class Vjp> Ref<Node> make_node(std::initializer_list<const Tensor*> inputs, Vjp&& v, uint32_t outputs = 1) {
  return make_node(std::span<const Tensor* const>(inputs.begin(), inputs.size()), std::move(v), outputs);
}

// Gives `out` the history of an op with one output. Call it only under should_record(inputs...).
template <class Vjp> void record(const Tensor& out, std::initializer_list<const Tensor*> inputs, Vjp v) {
  record_output(out, make_node(inputs, std::move(v)));
}

}  // namespace gradcore
