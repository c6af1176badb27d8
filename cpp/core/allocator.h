// Memory for tensors, nodes and scratch: 64-byte aligned blocks from size classes, kept in per-thread free lists
// (small) and one shared cache (large). Start at allocate(), which core/memory.h declares.
#pragma once
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "core/memory.h"

namespace gradcore {

struct MemoryStats {
  int64_t in_use;       // bytes handed out now
  int64_t peak;         // highest in_use so far, to 64 KiB for each thread
  int64_t cached;       // bytes held in free lists
  int64_t allocations;  // blocks handed out so far
};
MemoryStats memory_stats();
// Once, when the module starts: a forked child finds the allocator's locks free and knows no thread but its own.
void keep_allocator_over_forks();
// Gives this thread's and the shared free blocks back to the system.
void release_unused_memory();

namespace detail {
constexpr size_t kAlign = 64;
constexpr size_t kFineLimit = 1024;  // 64-byte classes up to here
constexpr int kFineClasses = kFineLimit / kAlign;
constexpr int kSmallClasses = kFineClasses + 4 * 6;  // four steps to each power of two, up to 64 KiB
#ifdef __SANITIZE_ADDRESS__
constexpr bool kExact = true;  // the sanitizer sees every block as it was asked for, and none is used again
#else
constexpr bool kExact = false;
#endif
constexpr int64_t kThreadCap = kExact ? 0 : 8 << 20;  // bytes a thread may keep in its lists

struct FreeBlock {
  FreeBlock* next;
};
// A thread's free blocks. The counters are written by their thread alone and read by memory_stats(): relaxed atomics
// without a locked instruction. What is in use is what was taken from the system less what is cached.
struct SmallBlocks {
  FreeBlock* lists[kSmallClasses] = {};
  std::atomic<int64_t> cached{0}, taken{0}, allocations{0};
};
inline void bump(std::atomic<int64_t>& a, int64_t by) {
  a.store(a.load(std::memory_order_relaxed) + by, std::memory_order_relaxed);
}
// Null before a thread's first allocation and again while the thread ends: then blocks go straight to the system.
inline thread_local constinit SmallBlocks* small_blocks = nullptr;

inline void* pop(SmallBlocks& t, int index, int64_t bytes) {
  FreeBlock* b = t.lists[index];
  if (!b) [[unlikely]]
    return nullptr;
  t.lists[index] = b->next;
  bump(t.cached, -bytes);
  bump(t.allocations, 1);
  return b;
}
inline bool push(SmallBlocks& t, int index, int64_t bytes, void* p) {
  const int64_t cached = t.cached.load(std::memory_order_relaxed) + bytes;
  if (cached > kThreadCap) [[unlikely]]
    return false;
  t.cached.store(cached, std::memory_order_relaxed);
  auto* b = static_cast<FreeBlock*>(p);
  b->next = t.lists[index];
  t.lists[index] = b;
  return true;
}
}  // namespace detail

// The same for 1 to kFineLimit bytes, on the path of every op: with a known size a dozen instructions.
inline void* allocate_small(size_t bytes) {
  const int index = static_cast<int>((bytes - 1) / detail::kAlign);
  if (detail::SmallBlocks* t = detail::small_blocks) [[likely]]
    if (void* p = detail::pop(*t, index, (index + 1) * static_cast<int64_t>(detail::kAlign))) [[likely]]
      return p;
  return allocate(bytes);
}
inline void deallocate_small(void* p, size_t bytes) noexcept {
  const int index = static_cast<int>((bytes - 1) / detail::kAlign);
  if (detail::SmallBlocks* t = detail::small_blocks) [[likely]]
    if (detail::push(*t, index, (index + 1) * static_cast<int64_t>(detail::kAlign), p)) [[likely]]
      return;
  deallocate(p, bytes);
}

// Base for small, short-lived objects (nodes, tensor headers): new and delete through the free lists.
struct Pooled {
  static void* operator new(size_t n) { return n <= detail::kFineLimit ? allocate_small(n) : allocate(n); }
  static void operator delete(void* p, size_t n) noexcept {
    n <= detail::kFineLimit ? deallocate_small(p, n) : deallocate(p, n);
  }
};

}  // namespace gradcore
