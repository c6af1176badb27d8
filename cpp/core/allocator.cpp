// Size classes: 64-byte steps up to 1 KiB, then four steps to each power of two. Blocks up to 64 KiB live in per-thread
// lists; larger ones in one shared, locked cache with a cap. From 2 MiB blocks are mmapped on huge pages, because a
// fresh 4 KiB page costs 1.5 us and a result of 64 MB has 16,384 of them. Only Linux has them to ask for.
#include "core/allocator.h"

#include <atomic>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <new>

#include "core/error.h"
#include "core/fork.h"

#if defined(__linux__)
#include <sys/mman.h>
#elif defined(_WIN32)
#include <malloc.h>
#endif

namespace gradcore {

namespace {

using namespace detail;

constexpr size_t kSmallLimit = 64 << 10;  // per-thread lists up to here; what is not worth a look at the peak
constexpr int64_t kSharedCap = kExact ? 0 : 1LL << 30;  // bytes the shared cache may keep
constexpr int kClasses = kFineClasses + 4 * 34;         // up to 2^44 bytes

struct Class {
  int index;
  size_t bytes;
};

inline Class class_of(size_t bytes) {
  if (bytes <= kFineLimit) {
    const int index = bytes ? static_cast<int>((bytes - 1) / kAlign) : 0;
    return {index, (index + 1) * kAlign};
  }
  const int log = 63 - __builtin_clzll(bytes - 1);  // 2^log < bytes <= 2^(log+1)
  const size_t step = size_t{1} << (log - 2);
  const int quarter = static_cast<int>((bytes - 1 - (size_t{1} << log)) / step);
  return {kFineClasses + 4 * (log - 10) + quarter, (size_t{1} << log) + (quarter + 1) * step};
}

std::atomic<int64_t> shared_cached{0};
struct Counters {
  int64_t in_use = 0, allocations = 0;
};

struct ThreadCache;
std::mutex registry_mutex;
ThreadCache* registry = nullptr;
Counters retired;  // what ended threads left in the counters
std::atomic<int64_t> peak{0};

#if defined(_WIN32)
void* small_alloc(size_t bytes) { return _aligned_malloc(bytes, kAlign); }
void small_free(void* p) { _aligned_free(p); }
#else
void* small_alloc(size_t bytes) {
  void* p = nullptr;
  return posix_memalign(&p, kAlign, bytes) == 0 ? p : nullptr;
}
void small_free(void* p) { std::free(p); }
#endif

#if defined(__linux__)
constexpr size_t kHugePage = kExact ? SIZE_MAX : 2 << 20;

void* system_alloc(size_t bytes) {
  if (bytes < kHugePage) return small_alloc(bytes);
  void* p = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (p == MAP_FAILED) return nullptr;
  madvise(p, bytes, MADV_HUGEPAGE);
  return p;
}
void system_free(void* p, size_t bytes) {
  if (bytes >= kHugePage)
    munmap(p, bytes);
  else
    small_free(p);
}
#else
void* system_alloc(size_t bytes) { return small_alloc(bytes); }
void system_free(void* p, size_t) { small_free(p); }
#endif

// One list for each class; `head` is never destroyed, so that objects that outlive static destruction can still be
// freed.
struct SharedCache {
  std::mutex mutex;
  FreeBlock* lists[kClasses] = {};

  void* take(Class c) {
    std::lock_guard lock(mutex);
    FreeBlock* b = lists[c.index];
    if (!b) return nullptr;
    lists[c.index] = b->next;
    shared_cached.fetch_sub(static_cast<int64_t>(c.bytes), std::memory_order_relaxed);
    return b;
  }
  bool put(void* p, Class c) {
    const int64_t size = static_cast<int64_t>(c.bytes);
    if (shared_cached.fetch_add(size, std::memory_order_relaxed) + size > kSharedCap) {
      shared_cached.fetch_sub(size, std::memory_order_relaxed);
      return false;
    }
    std::lock_guard lock(mutex);
    auto* b = static_cast<FreeBlock*>(p);
    b->next = lists[c.index];
    lists[c.index] = b;
    return true;
  }
  void release() {
    for (int i = 0; i < kClasses; ++i) {
      FreeBlock* b;
      {
        std::lock_guard lock(mutex);
        b = lists[i];
        lists[i] = nullptr;
      }
      while (b) {
        FreeBlock* next = b->next;
        const size_t bytes = class_bytes(i);
        shared_cached.fetch_sub(static_cast<int64_t>(bytes), std::memory_order_relaxed);
        system_free(b, bytes);
        b = next;
      }
    }
  }
  static size_t class_bytes(int index) {
    if (index < kFineClasses) return (index + 1) * kAlign;
    const int log = (index - kFineClasses) / 4 + 10, quarter = (index - kFineClasses) % 4;
    return (size_t{1} << log) + (quarter + 1) * (size_t{1} << (log - 2));
  }
};

SharedCache& shared() {
  static SharedCache* cache = new SharedCache;
  return *cache;
}

struct ThreadCache : SmallBlocks {
  int64_t seen_in_use = 0;  // when the peak was last looked at
  ThreadCache* next = nullptr;
  ThreadCache* prev = nullptr;

  ThreadCache() {
    std::lock_guard lock(registry_mutex);
    next = registry;
    if (next) next->prev = this;
    registry = this;
  }
  ~ThreadCache();

  void release() {
    for (int i = 0; i < kSmallClasses; ++i) {
      while (FreeBlock* b = lists[i]) {
        lists[i] = b->next;
        small_free(b);
      }
    }
    bump(taken, -cached.load(std::memory_order_relaxed));
    cached.store(0, std::memory_order_relaxed);
  }
  int64_t in_use() const { return taken.load(std::memory_order_relaxed) - cached.load(std::memory_order_relaxed); }
};

thread_local bool ended = false;

ThreadCache* local() { return static_cast<ThreadCache*>(small_blocks); }

void retire(const ThreadCache& t) {
  retired.in_use += t.in_use();
  retired.allocations += t.allocations.load();
}

ThreadCache::~ThreadCache() {
  release();
  small_blocks = nullptr;
  ended = true;
  std::lock_guard lock(registry_mutex);
  retire(*this);
  if (prev)
    prev->next = next;
  else
    registry = next;
  if (next) next->prev = prev;
}

// On the heap: the loader has little room for thread-locals of a module that is loaded late.
[[gnu::noinline, gnu::cold]] ThreadCache* make_local() {
  if (ended) return nullptr;
  thread_local std::unique_ptr<ThreadCache> owner;
  owner.reset(new (std::nothrow) ThreadCache);
  small_blocks = owner.get();
  return owner.get();
}

inline ThreadCache* cache() { return small_blocks ? local() : make_local(); }

[[gnu::noinline]] void* allocate_from_system(Class c, size_t asked) {
  const size_t bytes = kExact ? asked : c.bytes;
  void* p = system_alloc(bytes);
  if (!p) {
    release_unused_memory();
    p = system_alloc(bytes);
  }
  if (!p) fail(ErrorKind::OutOfMemory, "can't allocate memory: you tried to allocate ", asked, " bytes.");
  return p;
}

// Counts a block that does not come from this thread's lists.
void* count_taken(void* p, int64_t bytes) {
  ThreadCache* t = cache();
  if (!t) return p;
  bump(t->taken, bytes);
  bump(t->allocations, 1);
  if (std::abs(t->in_use() - t->seen_in_use) < static_cast<int64_t>(kSmallLimit)) return p;
  t->seen_in_use = t->in_use();
  const int64_t now = memory_stats().in_use;
  int64_t seen = peak.load(std::memory_order_relaxed);
  while (now > seen && !peak.compare_exchange_weak(seen, now)) {
  }
  return p;
}

[[gnu::noinline]] void* allocate_large(size_t bytes) {
  check(bytes <= (size_t{1} << 43), ErrorKind::OutOfMemory, "can't allocate memory: you tried to allocate ", bytes,
        " bytes.");
  const Class c = class_of(bytes);
  void* p = shared().take(c);
  return count_taken(p ? p : allocate_from_system(c, bytes), static_cast<int64_t>(c.bytes));
}

[[gnu::noinline]] void deallocate_large(void* p, size_t bytes) noexcept {
  const Class c = class_of(bytes);
  if (ThreadCache* t = cache()) bump(t->taken, -static_cast<int64_t>(c.bytes));
  if (!shared().put(p, c)) system_free(p, c.bytes);
}

}  // namespace

void* allocate(size_t bytes) {
  if (bytes > kSmallLimit) return allocate_large(bytes);
  const Class c = class_of(bytes);
  if (ThreadCache* t = cache())
    if (void* p = pop(*t, c.index, static_cast<int64_t>(c.bytes))) return p;
  return count_taken(allocate_from_system(c, bytes), static_cast<int64_t>(c.bytes));
}

void deallocate(void* p, size_t bytes) noexcept {
  if (!p) return;
  if (bytes > kSmallLimit) return deallocate_large(p, bytes);
  const Class c = class_of(bytes);
  ThreadCache* t = cache();
  if (t && push(*t, c.index, static_cast<int64_t>(c.bytes), p)) return;
  if (t) bump(t->taken, -static_cast<int64_t>(c.bytes));
  small_free(p);
}

MemoryStats memory_stats() {
  std::lock_guard lock(registry_mutex);
  MemoryStats s{retired.in_use, 0, shared_cached.load(), retired.allocations};
  for (ThreadCache* t = registry; t; t = t->next) {
    s.in_use += t->in_use();
    s.cached += t->cached.load(std::memory_order_relaxed);
    s.allocations += t->allocations.load(std::memory_order_relaxed);
  }
  const int64_t seen = peak.load(std::memory_order_relaxed);
  s.peak = s.in_use > seen ? s.in_use : seen;
  return s;
}

void keep_allocator_over_forks() {
  static constexpr auto take = [] {
    registry_mutex.lock();
    shared().mutex.lock();
  };
  static constexpr auto release = [] {
    shared().mutex.unlock();
    registry_mutex.unlock();
  };
  // The caches of the parent's other threads have nobody left who counts in them.
  static constexpr auto forget_threads = [] {
    for (ThreadCache* t = registry; t; t = t->next)
      if (t != local()) retire(*t);
    registry = local();
    if (registry) registry->next = registry->prev = nullptr;
    release();
  };
  watch_forks(take, release, forget_threads);
}

void release_unused_memory() {
  if (ThreadCache* t = cache()) t->release();
  shared().release();
}

}  // namespace gradcore
