// Chooses the threading layer, counts threads and hands jobs to the team. Start at run_blocks().
#include "core/parallel.h"

#include <atomic>
#include <climits>
#include <cstdlib>

#include "core/error.h"
#include "core/fork.h"
#include "core/team.h"
#include "core/threading_layer.h"

namespace gradcore {

namespace {

enum class Layer : uint8_t { Openmp, Team };
constexpr const char* kLayerName[] = {"openmp", "team"};

#if defined(GC_OPENMP)
constexpr Layer kDefaultLayer = Layer::Openmp;
#else
constexpr Layer kDefaultLayer = Layer::Team;
#endif

Layer layer_named(std::string_view name) {
  for (const Layer layer : {Layer::Openmp, Layer::Team})
    if (name == kLayerName[static_cast<int>(layer)]) return layer;
  fail(ErrorKind::Value, "unknown threading layer '", name, "': there are 'openmp' and 'team'");
}

void check_available(Layer layer) {
  if (layer != Layer::Openmp || openmp_missing().empty()) return;
  fail("the threading layer 'openmp' is not available: ", openmp_missing(), ". 'team' is.");
}

Layer layer_at_start() {
  const char* asked = std::getenv("GRADCORE_THREADING_LAYER");
  if (!asked || !*asked) return kDefaultLayer;
  const Layer layer = layer_named(asked);
  check_available(layer);
  return layer;
}

std::atomic<Layer>& chosen_layer() {
  static std::atomic<Layer> layer = layer_at_start();
  return layer;
}

// What OMP_NUM_THREADS says, since numerical programs agree on it; 0 where it says nothing, or no number of threads.
int threads_of_environment() {
  const char* asked = std::getenv("OMP_NUM_THREADS");
  const long n = asked ? std::strtol(asked, nullptr, 10) : 0;
  return n > 0 && n <= INT_MAX ? static_cast<int>(n) : 0;
}

std::atomic<int>& thread_count() {
  static std::atomic<int> count = threads_of_environment() ? threads_of_environment() : processors();
  return count;
}

// OpenMP counts for each thread; who changes that count with omp_set_num_threads means all of the process here, as
// set_num_threads does. The last of the two to be called is what counts.
void follow_openmp() {
  static const int at_start = threads_of_environment() ? threads_of_environment() : openmp_layer().processors();
  static thread_local constinit int seen = 0;
  if (seen == 0) seen = at_start;
  const int now = openmp_layer().max_threads();
  if (now == seen || now <= 0) return;  // libgomp cuts a number of the environment to an int
  seen = now;
  thread_count().store(now);
}

// Whether the layer is OpenMP's, loaded. Where it cannot be loaded, the team takes its place for good.
bool uses_openmp() {
  if (chosen_layer().load(std::memory_order_relaxed) != Layer::Openmp) return false;
  if (openmp_layer().source) return true;
  chosen_layer().store(Layer::Team);
  return false;
}

// Never destroyed: workers sleep in it until the process ends. A forked child has none of them and makes its own;
// OpenMP's runtime is dead there, so the child goes over to the layer "team".
std::atomic<Team*> current_team{nullptr};

void begin_in_child() {
  current_team.store(nullptr);
  chosen_layer().store(Layer::Team);
}

Team& team() {
  if (Team* t = current_team.load(std::memory_order_acquire)) return *t;
  static const bool watched = watch_forks(nullptr, nullptr, begin_in_child);
  check(watched, ErrorKind::OutOfMemory, "not enough memory for the threads of large ops");
  Team *made = new Team(uses_openmp() ? openmp_layer().source : start_own_workers), *other = nullptr;
  if (current_team.compare_exchange_strong(other, made)) return *made;
  delete made;
  return *other;
}

}  // namespace

std::string openmp_missing() { return openmp_layer().missing; }

const char* threading_layer() { return kLayerName[static_cast<int>(chosen_layer().load())]; }

void set_threading_layer(std::string_view name) {
  const Layer layer = layer_named(name);
  if (layer == chosen_layer().load()) return;
  check_available(layer);
  check(!current_team.load(), "the threading layer is '", threading_layer(),
        "' since the first parallel operation of this process; choose '", name,
        "' before it, or by the environment variable GRADCORE_THREADING_LAYER");
  chosen_layer().store(layer);
}

int num_threads() {
  if (uses_openmp()) follow_openmp();
  return thread_count().load(std::memory_order_relaxed);
}

void set_num_threads(int n) {
  check(n > 0, "set_num_threads expects a positive integer");
  if (uses_openmp()) follow_openmp();  // what was set before is older than this
  thread_count().store(n);
}

void run_blocks(int64_t blocks, BlockFn fn, void* ctx) {
  const int threads = blocks > 1 && blocks <= kMaxBlocks && !inside_block() ? num_threads() : 1;
  if (threads > 1 && team().run(blocks, fn, ctx, threads < blocks ? threads : static_cast<int>(blocks))) return;
  for (int64_t b = 0; b < blocks; ++b) fn(ctx, b);
}

}  // namespace gradcore
