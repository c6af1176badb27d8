// Views copied at once: diagonal_copy() and its kin, whose results share no memory with their argument.
#pragma once
#include "ops/copy.h"
#include "ops/record.h"

namespace gradcore {

// The node of a copied view: that of the view, under a name of its own.
struct ViewCopyVjp {
  const char* node;
  Ref<Node> view;
  const char* name() const { return node; }
  SavedFields fields() { return view->saved_fields(); }
  void vjp(Node&, std::span<Tensor> g, std::span<Tensor> out) { view->apply(g, out); }
};

// The node that view() records for an input of this kind. It is made on a stand-in that requires grad: where `t` has
// nothing but tangents, a view keeps no node.
template <class View> Ref<Node> node_of_view(const Tensor& t, View&& view) {
  const Tensor stand_in = alias_of(t);
  make_meta(stand_in).requires_grad = true;
  const GradModeGuard on(true);
  const Tensor v = view(stand_in);
  Ref<Node> node = meta_of(v)->grad_fn;
  node->edge(0) = input_edge(t);  // lets the stand-in go
  return node;
}

// A copy of view(t).
template <class View> Tensor copied_view(const char* node, const Tensor& t, View&& view) {
  Tensor out;
  {
    const NoRecordGuard off;
    out = clone(view(t), true);
  }
  if (should_record(t)) record(out, {&t}, ViewCopyVjp{node, node_of_view(t, view)});
  return out;
}

}  // namespace gradcore
