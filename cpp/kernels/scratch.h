// Scratch<T>: an array that lives as long as a kernel's call.
#pragma once
#include <cstddef>
#include <cstdint>

#include "core/allocator.h"
#include "kernels/lane.h"

namespace gradcore::GC_ISA {

template <class T> class Scratch {
 public:
  explicit Scratch(int64_t n) : bytes_(static_cast<size_t>(n) * sizeof(T)), data_(static_cast<T*>(allocate(bytes_))) {}
  ~Scratch() { deallocate(data_, bytes_); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  T& operator[](int64_t i) const { return data_[i]; }
  T* data() const { return data_; }

 private:
  size_t bytes_;
  T* data_;
};

}  // namespace gradcore::GC_ISA
