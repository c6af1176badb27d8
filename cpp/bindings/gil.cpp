#include "bindings/gil.h"

#include <atomic>
#include <chrono>
#include <thread>

#include "core/fork.h"

#if defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#elif defined(__APPLE__)
#include <pthread.h>
#endif

namespace gradcore {

namespace {

std::atomic<int> threads_away{0};
int waiting = 0;                                  // threads in wait_for_all(); under the GIL
thread_local PyThreadState* left_with = nullptr;  // this thread's own, while it is away from the GIL

void wait_for_all() {
  if (left_with) return;  // it would wait for itself
  ++waiting;
  while (const int n = threads_away.load()) {
    PyThreadState* state = PyEval_SaveThread();
    threads_away.wait(n);
    in_python([&] { PyEval_RestoreThread(state); });
  }
  --waiting;
}

void mark_away(PyThreadState* own) {
  threads_away.fetch_add(1);
  left_with = own;
}
void mark_back() {
  if (!std::exchange(left_with, nullptr)) return;
  threads_away.fetch_sub(1);
  threads_away.notify_all();
}

}  // namespace

GilRelease::GilRelease() {
  if (waiting) return;
  PyThreadState* me = PyThreadState_Get();
  PyThreadState* head = PyInterpreterState_ThreadHead(PyThreadState_GetInterpreter(me));
  if (head == me && !PyThreadState_Next(head)) return;
  enter_concurrent_mode();
  before_ =
      std::exchange(inherited_origin, current_origin());  // the interpreter's frame is not ours to read from here on
  if (!inherited_origin) inherited_origin = 1;            // an unknown place, but no question to the interpreter
  mark_away(me);
  state_ = PyEval_SaveThread();
}
GilRelease::~GilRelease() {
  if (!state_) return;
  mark_back();
  in_python([&] { PyEval_RestoreThread(state_); });
  inherited_origin = before_;
}

void sleep_for_good() {
  mark_back();  // it reads nothing any more
  for (;;) std::this_thread::sleep_for(std::chrono::hours(1));
}

#if defined(__linux__)
static bool is_main_thread() { return syscall(SYS_gettid) == getpid(); }
#elif defined(__APPLE__)
static bool is_main_thread() { return pthread_main_np(); }
#else
static const std::thread::id importing_thread = std::this_thread::get_id();
static bool is_main_thread() { return std::this_thread::get_id() == importing_thread; }
#endif

// Whether the interpreter ends in another thread, or has ended: there may be none left to ask for the GIL. The main
// thread is the one that ends it.
static bool is_left_behind() {
#if PY_VERSION_HEX >= 0x030D0000
  const bool ending = Py_IsFinalizing();
#else
  const bool ending = _Py_IsFinalizing();
#endif
  return (ending || !Py_IsInitialized()) && !is_main_thread();
}

// Of the thread that it left with, or of one that has the GIL or never had it. PyGILState_Check() alone says yes to
// every thread once the interpreter has ended.
static PyGILState_STATE take_gil(PyThreadState* own) {
  if (own) {
    in_python([&] { PyEval_RestoreThread(own); });
    return PyGILState_LOCKED;
  }
  const bool has_gil = PyGILState_GetThisThreadState() && PyGILState_Check();
  if (!has_gil && is_left_behind()) sleep_for_good();
  return in_python(PyGILState_Ensure);
}

// See Note [After the interpreter].
GilAcquire::GilAcquire() : left_with_(left_with), state_(take_gil(left_with_)) { mark_back(); }
GilAcquire::~GilAcquire() {
  if (left_with_) {
    mark_away(left_with_);
    PyEval_SaveThread();
  } else {
    PyGILState_Release(state_);
  }
}

void keep_readers_waited_for() {
  await_readers = wait_for_all;
  watch_forks(nullptr, nullptr, [] {  // a child has none of the other threads
    threads_away.store(0);
    waiting = 0;
  });
}

}  // namespace gradcore
