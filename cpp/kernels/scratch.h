// Scratch memory of a kernel, from the house's allocator.
#pragma once
#include <cstddef>
#include <cstdint>

#include "core/memory.h"

// Each build of the kernels has its own: no inline function is shared among instruction sets.
#ifdef GC_ISA
namespace gradcore::GC_ISA {
#else
namespace gradcore::portable {
#endif

// An array that lives as long as a kernel's call. One of no elements takes no memory.
template <class T> class Scratch {
 public:
  explicit Scratch(int64_t n)
      : bytes_(static_cast<size_t>(n) * sizeof(T)), data_(n ? static_cast<T*>(allocate(bytes_)) : nullptr) {}
  ~Scratch() {
    if (data_) deallocate(data_, bytes_);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  T& operator[](int64_t i) const { return data_[i]; }
  T* data() const { return data_; }

 private:
  size_t bytes_;
  T* data_;
};

}  // namespace
