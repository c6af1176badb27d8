// Memory for tensors, nodes and scratch: 64-byte aligned blocks from size classes, kept in per-thread free lists
// (small) and one shared cache (large). Start at allocate().
#pragma once
#include <cstddef>
#include <cstdint>

namespace gradcore {

// Never null; throws Error(ErrorKind::OutOfMemory). `bytes` may be 0.
void* allocate(size_t bytes);
// `bytes` must be what was asked for.
void deallocate(void* p, size_t bytes) noexcept;

struct MemoryStats {
  int64_t in_use;       // bytes handed out now
  int64_t peak;         // highest in_use so far
  int64_t cached;       // bytes held in free lists
  int64_t allocations;  // blocks handed out so far
};
MemoryStats memory_stats();
// Once, when the module starts: a forked child finds the allocator's locks free and knows no thread but its own.
void keep_allocator_over_forks();
// Gives this thread's and the shared free blocks back to the system.
void release_unused_memory();

// Base for small, short-lived objects (nodes, tensor headers): new and delete through the free lists.
struct Pooled {
  static void* operator new(size_t n) { return allocate(n); }
  static void operator delete(void* p, size_t n) noexcept { deallocate(p, n); }
};

}  // namespace gradcore
