#include "core/affinity.h"

#include <cstdio>
#include <thread>

namespace gradcore {

#if defined(__linux__)

namespace {

// The container's CPU quota, rounded up; 0 where there is none. cgroup v2, then v1.
int cgroup_limit() {
  long long quota = -1, period = 0;
  if (FILE* f = std::fopen("/sys/fs/cgroup/cpu.max", "r")) {
    if (std::fscanf(f, "%lld %lld", &quota, &period) != 2) quota = -1;
    std::fclose(f);
  } else if (FILE* q = std::fopen("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "r")) {
    if (std::fscanf(q, "%lld", &quota) != 1) quota = -1;
    std::fclose(q);
    if (FILE* p = std::fopen("/sys/fs/cgroup/cpu/cpu.cfs_period_us", "r")) {
      if (std::fscanf(p, "%lld", &period) != 1) period = 0;
      std::fclose(p);
    }
  }
  return quota > 0 && period > 0 ? static_cast<int>((quota + period - 1) / period) : 0;
}

}  // namespace

int processors() {
  static const int count = [] {
    cpu_set_t set;
    const int n = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
    const int limit = cgroup_limit();
    return limit && limit < n ? limit : n;
  }();
  return count;
}

int current_processor() { return sched_getcpu(); }

void SeatAffinity::take() {
  processor_.store(-1, std::memory_order_relaxed);
  worker_.store(pthread_self(), std::memory_order_release);
}

void SeatAffinity::keep_off(int processor) {
  if (processor_.load(std::memory_order_acquire) != processor) return;
  if (narrowed_.load(std::memory_order_acquire)) return;  // and has not woken since
  const pthread_t worker = worker_.load(std::memory_order_acquire);
  if (pthread_getaffinity_np(worker, sizeof allowed_, &allowed_) != 0) return;
  cpu_set_t others = allowed_;
  CPU_CLR(processor, &others);
  if (CPU_COUNT(&others) == 0) return;
  if (pthread_setaffinity_np(worker, sizeof others, &others) != 0) return;
  narrowed_.store(true, std::memory_order_release);  // last: a worker that woke meanwhile widens at its next job
}

void SeatAffinity::widen() {
  if (!narrowed_.load(std::memory_order_acquire)) return;
  pthread_setaffinity_np(pthread_self(), sizeof allowed_, &allowed_);
  narrowed_.store(false, std::memory_order_release);
}

#else

int processors() {
  static const int count = [] {
    const unsigned n = std::thread::hardware_concurrency();
    return n ? static_cast<int>(n) : 1;
  }();
  return count;
}

int current_processor() { return -1; }

#endif

}  // namespace gradcore
