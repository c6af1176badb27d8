// The thread's switch for gradient recording. (Inference mode is the tensor room's: inference_mode in tensor.h.)
#pragma once

namespace gradcore {

struct Modes {
  bool grad = true;
};
inline thread_local constinit Modes modes;

// Sets the grad switch for a scope.
class GradModeGuard {
 public:
  explicit GradModeGuard(bool on) : before_(modes.grad) { modes.grad = on; }
  ~GradModeGuard() { modes.grad = before_; }
  GradModeGuard(const GradModeGuard&) = delete;

 private:
  bool before_;
};

}  // namespace gradcore
