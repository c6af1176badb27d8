#include "core/team.h"

#include <utility>

namespace gradcore {

namespace {

constexpr int kSpins = 2000;  // looks at a word before sleeping: about 100 us, longer than a small op takes

thread_local bool inside = false;

inline void relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

}  // namespace

bool inside_block() { return inside; }

uint32_t wait_for_change(const std::atomic<uint32_t>& word, uint32_t old, int spins) {
  for (int i = 0; i < spins; ++i) {
    const uint32_t now = word.load(std::memory_order_acquire);
    if (now != old) return now;
    relax();
  }
  word.wait(old, std::memory_order_acquire);
  return word.load(std::memory_order_acquire);
}

// With more threads than processors a spinning worker would keep another from working, and none has a processor to
// itself that it could be moved to.
bool Team::crowded() const { return size_.load(std::memory_order_relaxed) > processors(); }

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

void Team::work(int own, uint32_t generation) {
  Seat& seat = seats_[own];
  seat.affinity.take();
  inside = true;
  for (uint32_t job = 0;;) {
    seat.affinity.arrive();
    job = wait_for_change(seat.ticket, job, crowded() ? 0 : kSpins);
    seat.affinity.widen();
    if (generation_.load() != generation) break;
    const int size = size_.load(std::memory_order_relaxed);
    if (own >= size) continue;  // late: a smaller job has begun
    const uint32_t count = drain(own, job, size);
    if (count == 0) continue;
    finished_.fetch_add(count);
    finished_.notify_one();
  }
  inside = false;
}

void Team::deal(int64_t blocks) {
  const int size = size_.load(std::memory_order_relaxed);
  for (int i = 0; i < size; ++i) {
    const int64_t begin = blocks * i / size, end = blocks * (i + 1) / size;
    seats_[i].end = end;
    seats_[i].word.store(static_cast<uint64_t>(job_) << 32 | static_cast<uint64_t>(end - begin),
                         std::memory_order_release);
  }
  const int here = crowded() ? -1 : current_processor();
  for (int i = 1; i < size; ++i) {
    if (here >= 0) seats_[i].affinity.keep_off(here);
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
  if (size > seats_made_) seats_made_ = source_(*this, size);
  if (size > seats_made_) size = seats_made_;
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

}  // namespace gradcore
