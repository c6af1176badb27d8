// A team of threads that share the blocks of one job. Start at Team::run(). Where its workers come from is the
// matter of a threading layer: see WorkerSource.
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
// comes late finds another number or nothing left, and never reads a job that is gone. A seat whose worker never comes
// costs nothing either: others claim its share.
//
// Note [Woken elsewhere]
// A sleeper is usually woken on the processor where it fell asleep. When that is the caller's own, it queues behind the
// caller, who does all blocks alone and, never waiting, gives the system no reason to move anyone: the team is one
// thread until chance ends it. So a seat remembers its worker's processor, and before a worker is called from the
// caller's own its affinity is narrowed to the others. The worker undoes that when it wakes.
#pragma once
#include <atomic>
#include <cstdint>
#include <exception>
#include <mutex>
#include <string>

#include "core/affinity.h"
#include "core/parallel.h"

namespace gradcore {

constexpr int kMaxTeam = 256;                        // threads that share a job, the caller among them
constexpr int64_t kMaxBlocks = INT64_C(0xffffffff);  // of a job in parallel: what a share's word can count

class Team;

// Brings the team to `size` seats, the caller's among them; returns how many it has. A worker's thread calls
// Team::work(seat, generation).
using WorkerSource = int (*)(Team& team, int size);

class Team {
 public:
  explicit Team(WorkerSource source) : source_(source) {}

  // Runs the job on `threads` threads at most. False if another caller has the team.
  bool run(int64_t blocks, BlockFn fn, void* ctx, int threads);

  // What a worker does: waits at its seat for jobs and takes part. Returns when a source has begun a new generation.
  void work(int seat, uint32_t generation);

  // A source that replaces all workers calls this; workers of older generations leave when they next wake.
  void begin_generation(uint32_t generation) { generation_.store(generation); }

  // The seats that had workers when the last job began, the caller's among them. For sources.
  int seats() const { return seats_made_; }

 private:
  // What one thread is dealt of a job, and where its worker waits for the next one; see Note [Claimed blocks].
  struct alignas(64) Seat {
    std::atomic<uint64_t> word{0};    // job << 32 | blocks left
    int64_t end = 0;                  // one past the last block
    std::atomic<uint32_t> ticket{0};  // the last job that its worker was asked to join
    SeatAffinity affinity;
  };

  bool crowded() const;
  void deal(int64_t blocks);
  static int64_t claim(Seat& seat, uint32_t job);
  uint32_t drain(int first, uint32_t job, int size);
  void run_block(int64_t block);
  void wait_for(uint32_t finished);

  WorkerSource source_;
  std::mutex busy_;
  int seats_made_ = 1;
  std::atomic<uint32_t> generation_{0};
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

// Whether this thread runs a block just now: loops inside of blocks run inline.
bool inside_block();

// Waits while `word` is `old`: awake for a while, then asleep.
uint32_t wait_for_change(const std::atomic<uint32_t>& word, uint32_t old, int spins);

// A thread of the library's own: detached, deaf to signals, with a stack of 2 MiB where that can be chosen. False where
// the system gives none.
bool start_thread(void (*body)(void*), void* argument);

// The layers. `openmp_source` is null, with a reason, where OpenMP cannot be had.
int start_own_workers(Team& team, int size);
struct OpenmpLayer {
  WorkerSource source = nullptr;
  int (*max_threads)() = nullptr;  // what omp_set_num_threads or the environment set for the calling thread
  int (*processors)() = nullptr;
  std::string missing;  // why there is no source
};
const OpenmpLayer& openmp_layer();  // loads OpenMP's runtime when first asked

}  // namespace gradcore
