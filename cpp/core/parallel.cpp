#include "core/parallel.h"

#include <omp.h>
#include <pthread.h>
#include <sched.h>

#include <atomic>
#include <cstdio>
#include <exception>

#include "core/error.h"

namespace gradcore {

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

int default_threads() {
  int n = omp_get_max_threads();  // OMP_NUM_THREADS, else the processors of our affinity mask
  const int limit = cgroup_limit();
  return limit && limit < n ? limit : n;
}

std::atomic<bool> forked{false};  // libgomp's workers do not exist in a child: it runs everything inline

std::atomic<int>& thread_count() {
  static std::atomic<int> count = [] {
    pthread_atfork(nullptr, nullptr, [] { forked.store(true); });
    return default_threads();
  }();
  return count;
}

thread_local bool inside = false;

void run_team(int64_t blocks, BlockFn fn, void* ctx, int threads) {
  std::exception_ptr error;
  std::atomic<bool> failed{false};
#pragma omp parallel num_threads(threads)
  {
    inside = true;
    const int64_t team = omp_get_num_threads(), me = omp_get_thread_num();
    // A contiguous share each: neighbouring blocks touch neighbouring memory.
    const int64_t begin = blocks * me / team, end = blocks * (me + 1) / team;
    try {
      for (int64_t b = begin; b < end && !failed.load(std::memory_order_relaxed); ++b) fn(ctx, b);
    } catch (...) {
      if (!failed.exchange(true)) error = std::current_exception();
    }
    inside = false;
  }
  if (error) std::rethrow_exception(error);
}

}  // namespace

int num_threads() { return forked.load(std::memory_order_relaxed) ? 1 : thread_count().load(std::memory_order_relaxed); }

void set_num_threads(int n) {
  check(n > 0, "Expected positive number of threads");
  thread_count().store(n);
}

void run_blocks(int64_t blocks, BlockFn fn, void* ctx) {
  const int threads = blocks > 1 && !inside ? num_threads() : 1;
  if (threads > 1) return run_team(blocks, fn, ctx, static_cast<int64_t>(threads) < blocks ? threads : static_cast<int>(blocks));
  for (int64_t b = 0; b < blocks; ++b) fn(ctx, b);
}

}  // namespace gradcore
