// Processors that the process may use, and the affinity of a worker's thread. Only Linux tells; elsewhere a thread
// stays where the system puts it. See Note [Woken elsewhere] in core/team.h.
#pragma once
#include <atomic>

#if defined(__linux__)
#include <pthread.h>
#include <sched.h>
#endif

namespace gradcore {

// The processors that this process may use: its affinity mask and its container's quota.
int processors();

// The processor that the calling thread runs on; -1 where the system does not tell.
int current_processor();

class SeatAffinity {
 public:
#if defined(__linux__)
  // The worker, when it takes the seat.
  void take();
  // The worker, before it waits.
  void arrive() { processor_.store(sched_getcpu(), std::memory_order_release); }
  // The worker, after it was woken.
  void widen();
  // Its caller: keeps the waiting worker off this processor, if it may use another.
  void keep_off(int processor);

 private:
  std::atomic<int> processor_{-1};  // where the worker began to wait
  std::atomic<bool> narrowed_{false};
  std::atomic<pthread_t> worker_{};
  cpu_set_t allowed_;  // what the worker returns to when it was narrowed
#else
  void take() {}
  void arrive() {}
  void widen() {}
  void keep_off(int) {}
#endif
};

}  // namespace gradcore
