// Memory from the allocator (core/allocator.h), for who needs no more of it than this: kernels.
#pragma once
#include <cstddef>

namespace gradcore {

// Never null; throws Error(ErrorKind::OutOfMemory). `bytes` may be 0.
void* allocate(size_t bytes);
// `bytes` must be what was asked for.
void deallocate(void* p, size_t bytes) noexcept;

}  // namespace gradcore
