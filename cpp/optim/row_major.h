// For steps that take a parameter as a matrix, not element by element. Start at RowMajorItem.
#pragma once
#include <array>

#include "optim/step.h"

namespace gradcore {

// A parameter, its gradient and its state, whose elements are in the order of rows while a step runs: in their own
// memory, or in copies of it; those of halves are of floats.
class RowMajorItem : protected Instruction {
 public:
  // Finds that memory; raises where an array was replaced since by what does not fit. `apart`: arrays may overlap, so
  // each one gets memory of its own.
  void prepare(bool apart);
  // Writes back what prepare() had to copy.
  void finish() const;

  std::span<const Tensor> arrays() const { return {arrays_.data(), static_cast<size_t>(count_)}; }
  template <class F> void touches(F&& f) const {
    for (int i = 0; i < count_; ++i)
      if (memory_[i]) f(touch_of(memory_[i], i != kGrad));
  }

 protected:
  static constexpr int kParam = 0, kGrad = 1, kState = 2, kMost = 4;

  // Raises where the gradient does not fit the parameter, or a state tensor is not of its shape and the parameter's
  // dtype.
  void add_gradient(const Tensor& param, const Tensor& grad);
  void add_state(const Tensor& t, const Dims& shape);

  void* data(int i, int64_t element) const { return open(memory_[i]) + element * item_size(dtype()); }
  DType dtype() const { return computed_in(dtype_); }  // of the memory
  const Tensor& array(int i) const { return arrays_[i]; }

 private:
  std::array<Tensor, kMost> arrays_, copies_;
  std::array<Dims, kMost> shapes_;
  std::array<Window, kMost> memory_;
  int count_ = 0;
  DType dtype_ = DType::Float32;
};

}  // namespace gradcore
