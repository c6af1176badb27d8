// The thread's switches for recording. (Inference mode is the tensor layer's: inference_mode in tensor.h.)
#pragma once
#include <cstdint>

namespace gradcore {

struct Modes {
  bool grad = true;       // ops on tensors that require grad are recorded for backward
  uint8_t forward = 0;    // so many levels of forward mode are seen by ops: Note [Forward mode] in forward.cpp
  bool autocast = false;  // named ops cast their arguments: ops/autocast.h
  // Whether results must be derivable: then nothing may be computed behind the ops' backs.
  bool tracking() const { return grad | (forward != 0); }
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

// Sets for a scope how many levels of forward mode are seen.
class ForwardGuard {
 public:
  explicit ForwardGuard(int levels) : before_(modes.forward) { modes.forward = static_cast<uint8_t>(levels); }
  ~ForwardGuard() { modes.forward = before_; }
  ForwardGuard(const ForwardGuard&) = delete;

 private:
  uint8_t before_;
};

// A scope whose ops only compute.
class NoRecordGuard {
  GradModeGuard grad_{false};
  ForwardGuard forward_{0};
};

}  // namespace gradcore
