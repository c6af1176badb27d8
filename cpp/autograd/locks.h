// Locks on what threads share of a graph without the GIL. They are taken only once threads can meet
// (concurrent_mode()).
//
// Note [Locks of the tape]
// Who waits for one of these locks may hold the GIL. So nobody takes the GIL while holding one: no Python code runs
// under them, and what a program could have given a __del__ (hooks, gradients) is moved aside and dropped after the
// lock. Where two are held, they are taken in the order below.
#pragma once
#include <mutex>

namespace gradcore {

using TapeLock = std::unique_lock<std::mutex>;

TapeLock lock_hooks();                 // every HookList
TapeLock lock_grad(const void* meta);  // the .grad of one tensor
TapeLock lock_accumulators();          // AutogradMeta::accumulator

// Once, when the module starts and after the allocator's: a forked child finds all of them free.
void keep_tape_locks_over_forks();

}  // namespace gradcore
