// Forward mode: tangents that ops carry along. Read Note [Forward mode] in forward.cpp.
#pragma once
#include "autograd/node.h"

namespace gradcore {

// Opens a level on this thread, and says how deep it lies; closes the innermost one. The tangents of a closed level are
// gone.
// `switch_on`: until the level is closed, ops see tangents however the switch stands.
int enter_forward_level(bool switch_on);
void exit_forward_level();
int forward_levels();  // how many are open
// Whether ops of this thread see tangents at all: not where the switch is off, nor in inference mode. Setting it tells
// how the switch stood.
bool forward_enabled();
bool set_forward_enabled(bool on);

// The tangent of a tensor at the level `depth`; undefined where it has none.
Tensor tangent_of(const Tensor& t, int depth);
// Of the shape of `t`, which has tangents of its own.
void set_tangent(const Tensor& t, int depth, const Tensor& tangent);
// What is seen of all levels, to be given to another tensor; null where that is nothing.
Ref<Tangents> tangents_of(const Tensor& t);
// A new view of `t` sees its tangents.
void follow_tangents(const Tensor& view, const Tensor& t);
// Gives both the same tangents, none so far: the output of an op, and what its node keeps of it.
void share_new_tangents(const Tensor& out, const Tensor& saved);

// What hooks made another thing of when it was saved: a node's first derivative needs it as it was. Kept until then.
void keep_original(const Ref<Packed>& packed, const Tensor& t);
void forget_originals();

// The edge for an input of a node that is being made. One with a tangent gets an edge even if it requires no grad,
// and so does a view that was made under no_grad: until the node is complete, to tell that it is recorded.
Edge tracked_edge(const Tensor& t);
inline Edge input_edge(const Tensor& t) { return modes.forward ? tracked_edge(t) : gradient_edge(t); }
// Ends the making of a node whose output is written in place. False if that leaves nothing for backward.
bool carry_tangents_inplace(const Tensor& t, Node& node);

// Gives results their history: the tangents, and where an input requires grad the node. `outs`: all outputs, in order.
void record_tracked(std::span<const Tensor> outs, const Ref<Node>& node);
inline void record_outputs(std::span<const Tensor> outs, const Ref<Node>& node) {
  if (modes.forward) [[unlikely]]
    return record_tracked(outs, node);
  for (size_t i = 0; i < outs.size(); ++i) set_history(outs[i], node, static_cast<uint32_t>(i));
}
inline void record_output(const Tensor& out, Ref<Node> node) {
  if (modes.forward) [[unlikely]]
    return record_tracked({&out, 1}, node);
  set_history(out, std::move(node));
}

}  // namespace gradcore
