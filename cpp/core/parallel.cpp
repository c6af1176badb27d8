// The team of threads behind run_blocks(). Start there, then Team::run().
//
// Note [Claimed blocks]
// A job's blocks are dealt out as one contiguous share for each thread, since neighbouring blocks touch neighbouring
// memory and the same thread meets the same half of a tensor again in the next op. A thread claims the blocks of its
// share one by one, then those that others have not claimed yet. The caller does so too, so that a worker which
// the system has not woken, or has put aside for another process, costs nothing: the caller waits only for
// workers that have really claimed a block. docs/adr/0003 has the figures.
//
// A share's word holds the job's number and how many of its blocks are left. To claim is to swap in one less. That
// succeeds only while the job lives, for its caller does not leave before every claimed block is done; so a worker that
// comes late finds another number or nothing left, and never reads a job that is gone.
//
// Note [Woken elsewhere]
// A sleeper is usually woken on the processor where it fell asleep. When that is the caller's own, it queues behind the
// caller, who does all blocks alone and, never waiting, gives the system no reason to move anyone: the team is one
// thread until chance ends it. So a seat remembers its worker's processor, and before a worker is called from the
// caller's own its affinity is narrowed to the others. The worker undoes that when it wakes.
#include "core/parallel.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <mutex>
#include <utility>

#include "core/error.h"

namespace gradcore {

namespace {

constexpr int kMaxTeam = 256;                        // threads that share a job, the caller among them
constexpr int64_t kMaxBlocks = INT64_C(0xffffffff);  // of a job in parallel: what a share's word can count
constexpr size_t kStackBytes = 2 << 20;
constexpr int kSpins = 2000;  // looks at a word before sleeping: about 100 us, longer than a small op takes

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

// The processors that this process may use.
int processors() {
  static const int count = [] {
    cpu_set_t set;
    const int n = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
    const int limit = cgroup_limit();
    return limit && limit < n ? limit : n;
  }();
  return count;
}

// What OMP_NUM_THREADS says, since numerical programs agree on it; else a thread for each processor.
int default_threads() {
  const char* asked = std::getenv("OMP_NUM_THREADS");
  const int n = asked ? std::atoi(asked) : 0;
  return n > 0 ? n : processors();
}

std::atomic<int>& thread_count() {
  static std::atomic<int> count = default_threads();
  return count;
}

thread_local bool inside = false;

inline void relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// Waits while `word` is `old`: awake for a while, then asleep.
uint32_t wait_for_change(const std::atomic<uint32_t>& word, uint32_t old, int spins) {
  for (int i = 0; i < spins; ++i) {
    const uint32_t now = word.load(std::memory_order_acquire);
    if (now != old) return now;
    relax();
  }
  word.wait(old, std::memory_order_acquire);
  return word.load(std::memory_order_acquire);
}

class Team {
 public:
  // Runs the job on `threads` threads at most. False if another caller has the team.
  bool run(int64_t blocks, BlockFn fn, void* ctx, int threads);

 private:
  // What one thread is dealt of a job, and where its worker waits for the next one; see Note [Claimed blocks].
  struct alignas(64) Seat {
    std::atomic<uint64_t> word{0};    // job << 32 | blocks left
    int64_t end = 0;                  // one past the last block
    std::atomic<uint32_t> ticket{0};  // the last job that its worker was asked to join
    Team* team = nullptr;
    pthread_t worker{};
    std::atomic<int> processor{-1};  // where the worker began to wait; see Note [Woken elsewhere]
    std::atomic<bool> narrowed{false};
    cpu_set_t allowed;  // what the worker returns to when it was narrowed
  };

  // With more threads than processors a spinning worker would keep another from working, and none has a processor to
  // itself that it could be moved to.
  bool crowded() const { return size_.load(std::memory_order_relaxed) > processors(); }
  static void* work(void* seat);
  bool add_worker();
  void deal(int64_t blocks);
  static void narrow(Seat& seat, int processor);
  static void widen(Seat& seat);
  static int64_t claim(Seat& seat, uint32_t job);
  uint32_t drain(int first, uint32_t job, int size);
  void run_block(int64_t block);
  void wait_for(uint32_t finished);

  std::mutex busy_;
  int workers_ = 0;
  Seat seats_[kMaxTeam];  // the caller's first

  // The job. Workers read it after a claim; the caller writes it when no claim can succeed.
  uint32_t job_ = 0;
  BlockFn fn_ = nullptr;
  void* ctx_ = nullptr;
  std::atomic<int> size_{0};  // seats that take part
  std::atomic<bool> failed_{false};
  std::exception_ptr error_;
  alignas(64) std::atomic<uint32_t> finished_{0};  // blocks that workers have done
};

// The next block of a share; -1 if none is left or the job is over.
int64_t Team::claim(Seat& seat, uint32_t job) {
  uint64_t word = seat.word.load(std::memory_order_acquire);
  while (word >> 32 == job && static_cast<uint32_t>(word) > 0)
    if (seat.word.compare_exchange_weak(word, word - 1, std::memory_order_acq_rel, std::memory_order_acquire))
      return seat.end - static_cast<uint32_t>(word);
  return -1;
}

void Team::run_block(int64_t block) {
  if (failed_.load(std::memory_order_relaxed)) return;
  try {
    fn_(ctx_, block);
  } catch (...) {
    if (!failed_.exchange(true)) error_ = std::current_exception();
  }
}

// Claims and runs blocks, of the first seat's share before others', until none is left. Returns how many.
uint32_t Team::drain(int first, uint32_t job, int size) {
  uint32_t count = 0;
  for (int i = 0; i < size; ++i) {
    Seat& seat = seats_[(first + i) % size];
    for (int64_t block; (block = claim(seat, job)) >= 0; ++count) run_block(block);
  }
  return count;
}

void* Team::work(void* of) {
  Seat& seat = *static_cast<Seat*>(of);
  Team& team = *seat.team;
  const int own = static_cast<int>(&seat - team.seats_);
  inside = true;
  for (uint32_t job = 0;;) {
    seat.processor.store(sched_getcpu(), std::memory_order_relaxed);
    job = wait_for_change(seat.ticket, job, team.crowded() ? 0 : kSpins);
    widen(seat);
    const int size = team.size_.load(std::memory_order_relaxed);
    if (own >= size) continue;  // late: a smaller job has begun
    const uint32_t count = team.drain(own, job, size);
    if (count == 0) continue;
    team.finished_.fetch_add(count);
    team.finished_.notify_one();
  }
}

bool Team::add_worker() {
  Seat& seat = seats_[workers_ + 1];
  seat.team = this;
  seat.ticket.store(0);
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_attr_setstacksize(&attributes, kStackBytes);
  sigset_t all, before;  // signals are for the program's own threads
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  const bool made = pthread_create(&seat.worker, &attributes, work, &seat) == 0;
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  pthread_attr_destroy(&attributes);
  workers_ += made;
  return made;
}

// Keeps a waiting worker off the caller's processor, if it may use another.
void Team::narrow(Seat& seat, int processor) {
  if (seat.narrowed.load(std::memory_order_acquire)) return;  // and has not woken since
  if (pthread_getaffinity_np(seat.worker, sizeof seat.allowed, &seat.allowed) != 0) return;
  cpu_set_t others = seat.allowed;
  CPU_CLR(processor, &others);
  if (CPU_COUNT(&others) == 0) return;
  if (pthread_setaffinity_np(seat.worker, sizeof others, &others) != 0) return;
  seat.narrowed.store(true, std::memory_order_release);  // last: a worker that woke meanwhile widens at its next job
}

void Team::widen(Seat& seat) {
  if (!seat.narrowed.load(std::memory_order_acquire)) return;
  pthread_setaffinity_np(seat.worker, sizeof seat.allowed, &seat.allowed);
  seat.narrowed.store(false, std::memory_order_release);
}

void Team::deal(int64_t blocks) {
  const int size = size_.load(std::memory_order_relaxed);
  for (int i = 0; i < size; ++i) {
    const int64_t begin = blocks * i / size, end = blocks * (i + 1) / size;
    seats_[i].end = end;
    seats_[i].word.store(static_cast<uint64_t>(job_) << 32 | static_cast<uint64_t>(end - begin),
                         std::memory_order_release);
  }
  const int here = crowded() ? -1 : sched_getcpu();
  for (int i = 1; i < size; ++i) {
    if (here >= 0 && seats_[i].processor.load(std::memory_order_relaxed) == here) narrow(seats_[i], here);
    seats_[i].ticket.store(job_);  // in the order of all threads, as its sleeper's registration is, lest it sleep on
    seats_[i].ticket.notify_one();
  }
}

void Team::wait_for(uint32_t finished) {
  uint32_t now = finished_.load(std::memory_order_acquire);
  while (now != finished) now = wait_for_change(finished_, now, kSpins);
}

bool Team::run(int64_t blocks, BlockFn fn, void* ctx, int threads) {
  const std::unique_lock lock(busy_, std::try_to_lock);
  if (!lock) return false;
  int size = threads < kMaxTeam ? threads : kMaxTeam;
  while (workers_ < size - 1 && add_worker()) {
  }
  if (size > workers_ + 1) size = workers_ + 1;
  size_.store(size, std::memory_order_relaxed);
  if (++job_ == 0) ++job_;  // 0 is what a new worker has seen
  fn_ = fn;
  ctx_ = ctx;
  failed_.store(false, std::memory_order_relaxed);
  finished_.store(0, std::memory_order_relaxed);
  deal(blocks);
  inside = true;
  const uint32_t own = drain(0, job_, size);
  inside = false;
  wait_for(static_cast<uint32_t>(blocks) - own);
  if (failed_.load(std::memory_order_relaxed)) std::rethrow_exception(std::exchange(error_, nullptr));
  return true;
}

// Never destroyed: workers sleep in it until the process ends. A forked child has none of them and makes its own.
std::atomic<Team*> current_team{nullptr};

Team& team() {
  if (Team* t = current_team.load(std::memory_order_acquire)) return *t;
  static const int registered = pthread_atfork(nullptr, nullptr, [] { current_team.store(nullptr); });
  check(registered == 0, ErrorKind::OutOfMemory, "not enough memory for the threads of large ops");
  Team *made = new Team, *other = nullptr;
  if (current_team.compare_exchange_strong(other, made)) return *made;
  delete made;
  return *other;
}

}  // namespace

int num_threads() { return thread_count().load(std::memory_order_relaxed); }

void set_num_threads(int n) {
  check(n > 0, "Expected positive number of threads");
  thread_count().store(n);
}

void run_blocks(int64_t blocks, BlockFn fn, void* ctx) {
  const int threads = blocks > 1 && blocks <= kMaxBlocks && !inside ? num_threads() : 1;
  if (threads > 1 && team().run(blocks, fn, ctx, threads < blocks ? threads : static_cast<int>(blocks))) return;
  for (int64_t b = 0; b < blocks; ++b) fn(ctx, b);
}

}  // namespace gradcore
