// Letting go of the interpreter's lock and taking it: GilRelease around work, GilAcquire in callbacks.
#pragma once
#include "bindings/python.h"

namespace gradcore {

// Lets other Python threads run. With a single thread nobody could, so the GIL is kept and counts stay cheap:
// Note [Counts without locks] in core/ref.h.
//
// Note [Away from the GIL]
// A thread that computes without the GIL reads shapes and memory of tensors that others know too. Where a tensor
// becomes another window (x.data = y, x.t_()), await_readers() therefore waits until no thread is away. Meanwhile no
// further one leaves: it computes with the GIL in its hands, so that the wait ends. In a callback (GilAcquire) a thread
// is not away.
// Named ops leave where their tensors are large (ops/register.h). Views never do: they take no time, and those that
// make a tensor another window are the ones that wait. Nor does an in-place op that is recorded: it changes the history
// of a tensor that others may be reading. Ops that take Python objects keep the GIL.
class GilRelease {
 public:
  GilRelease();
  ~GilRelease();
  GilRelease(const GilRelease&) = delete;

 private:
  PyThreadState* state_ = nullptr;
  Origin before_ = 0;
};

// For callbacks that may come without the GIL.
//
// Note [After the interpreter]
// Threads that nobody waits for still compute when the main thread ends the interpreter. Who asks for the GIL then gets
// no answer: PyEval_RestoreThread() ends the thread, which in_python() turns into sleep for good. But
// PyGILState_Ensure() looks up the thread's state, finds none any more, and makes one of an interpreter that is gone.
// So a thread comes back with the state that it left with; only a thread that never had one is asked for with
// PyGILState_Ensure().
class GilAcquire {
 public:
  GilAcquire();
  ~GilAcquire();
  GilAcquire(const GilAcquire&) = delete;

 private:
  PyThreadState* left_with_;  // null where the thread was not away
  PyGILState_STATE state_;
  InheritOrigin origin_{0};  // Python code has lines of its own
};

constexpr int64_t kReleaseWork = 1 << 18;  // elements from which other threads may run meanwhile

template <class F> auto run_released(int64_t work, F&& f) {
  if (work < kReleaseWork) return f();
  const GilRelease release;
  return f();
}

// Once, when the module starts.
void keep_readers_waited_for();

}  // namespace gradcore
