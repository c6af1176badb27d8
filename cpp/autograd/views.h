// Views and in-place ops: who may write, and what the tape makes of it. Read Note [In-place on views] in views.cpp.
#pragma once
#include "autograd/node.h"

namespace gradcore {

// A window on `t`, `shift` elements further on, that remembers its base (what every view op returns).
Tensor make_view(const Tensor& t, const Dims& shape, const Dims& strides, int64_t shift = 0,
                 ViewKind kind = ViewKind::Normal);
// The same of a window on the memory of `t`.
Tensor as_view(const Tensor& t, Tensor window, ViewKind kind = ViewKind::Normal);
// grad_fn of a view, made afresh when the base was written to since.
Ref<Node> view_grad_fn(const Tensor& view);

// `t` has become another window on its memory than `before`, whose history it still has: puts the way back on the tape.
void replay_window(const Tensor& t, const Tensor& before);

// Refuses to change what a transform captured: Note [Captured tensors] in transforms.h.
void refuse_captured(const Tensor& t);
// Refuses an in-place op on `t` where torch does. `history`: of its operands, needs_history().
// `may_overlap`: the op gives every element the same value or writes in order, so that an expanded tensor can take it.
void check_inplace(const Tensor& t, bool history, bool may_overlap = false);
// The same for writes that are no op in place on one tensor (out=, lists, optimizers): they reach captured tensors too.
void check_writable(const Tensor& t, bool history, bool may_overlap = false);
// Refuses to write to `out` what is read from other places of the same memory.
void refuse_partial_overlap(const Tensor& out, const Tensor& in);
// Tells the tape that `node` computed the new content of `t`. Call after the write; bumps the version. `node` may be
// null.
void finish_inplace(const Tensor& t, Ref<Node> node);
// The same after the version was bumped already; `nr`: which output of the node it is (a view can only be the single
// one).
void finish_inplace_counted(const Tensor& t, Ref<Node> node, uint32_t nr = 0);

// An op in place: `check()` refuses, `node()` makes the history (or none), `write(t)` computes; all of them may raise.
// Making the node may run Python code, and all is checked anew then: Note [Python in the middle] in node.h.
template <class Check, class MakeNode, class Write>
void write_in_place(const Tensor& t, Check&& check, MakeNode&& node, Write&& write) {
  check();
  Ref<Node> history = node();
  if (history && nodes_run_python()) [[unlikely]]
    check();
  write(t);
  finish_inplace(t, std::move(history));
}

}  // namespace gradcore
