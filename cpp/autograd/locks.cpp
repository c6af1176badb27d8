#include "autograd/locks.h"

#include <cstdint>

#include "core/fork.h"
#include "core/ref.h"

namespace gradcore {

namespace {

constexpr int kGradLocks = 32;

struct Locks {
  std::mutex hooks, grads[kGradLocks], accumulators;
};
constinit Locks locks;

TapeLock lock(std::mutex& m) { return concurrent_mode() ? TapeLock(m) : TapeLock(); }

void take_all() {
  locks.hooks.lock();
  for (std::mutex& m : locks.grads) m.lock();
  locks.accumulators.lock();
}
void release_all() {
  locks.accumulators.unlock();
  for (std::mutex& m : locks.grads) m.unlock();
  locks.hooks.unlock();
}

}  // namespace

TapeLock lock_hooks() { return lock(locks.hooks); }
TapeLock lock_grad(const void* meta) { return lock(locks.grads[reinterpret_cast<uintptr_t>(meta) / 64 % kGradLocks]); }
TapeLock lock_accumulators() { return lock(locks.accumulators); }

void keep_tape_locks_over_forks() { watch_forks(take_all, release_all, release_all); }

}  // namespace gradcore
