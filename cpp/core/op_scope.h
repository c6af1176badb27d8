// Which op runs, told to whoever listens (the profiler). Start at OpScope.
//
// Note [Who knows an op's name]
// A scope is opened where a name is known: the named functions and methods, the number slots and subscripts of the
// Tensor type, each node of a backward pass, optimizer steps, custom Functions. Scopes nest; ops that ops are made of
// open none. While nobody listens a scope costs one load and one branch that is predicted.
#pragma once
#include <atomic>

#include "core/origin.h"
#include "core/shape.h"

namespace gradcore {

class OpListener {
 public:
  // `name` is only good for the call. `origin`: the line that made a node; else 0, and the line is where we are.
  virtual void enter(const char* name, Origin origin) noexcept = 0;
  // A tensor that the op was given, after enter().
  virtual void input(const Dims& shape) noexcept = 0;
  virtual void leave() noexcept = 0;

 protected:
  ~OpListener() = default;
};
// Never destroyed once it was set here, for a thread may be about to call it.
inline constinit std::atomic<OpListener*> op_listener{nullptr};

class OpScope {
 public:
  explicit OpScope(const char* name, Origin origin = 0) : listener_(op_listener.load(std::memory_order_relaxed)) {
    if (listener_) [[unlikely]]
      listener_->enter(name, origin);
  }
  ~OpScope() {
    if (listener_) [[unlikely]]
      listener_->leave();
  }
  OpScope(const OpScope&) = delete;

 private:
  OpListener* listener_;
};

// The name of an op as a template argument.
template <size_t N> struct OpName {
  char text[N];
  consteval OpName(const char (&name)[N]) {
    for (size_t i = 0; i < N; ++i) text[i] = name[i];
  }
};

// f() inside a scope. Where nobody listens nothing is kept meanwhile, not even the answer: for the shortest paths.
// `inputs(report)` calls report(shape) for each tensor that the op was given.
template <class F, class Inputs>
[[gnu::always_inline]] inline decltype(auto) in_op(const char* name, F&& f, Inputs&& inputs) {
  OpListener* const listener = op_listener.load(std::memory_order_relaxed);
  if (!listener) [[likely]]
    return f();
  const OpScope scope(name);
  inputs([listener](const Dims& shape) { listener->input(shape); });
  return f();
}
template <class F> [[gnu::always_inline]] inline decltype(auto) in_op(const char* name, F&& f) {
  return in_op(name, static_cast<F&&>(f), [](auto&&) {});
}

}  // namespace gradcore
