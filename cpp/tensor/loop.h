// Elementwise loops as instructions. Start at launch_loop(); FlatLoop is for those who know that nothing broadcasts.
#pragma once
#include <bit>

#include "tensor/door.h"
#include "tensor/plan.h"

namespace gradcore {

// A number as a kernel takes it: in the type that elements of a dtype are computed in.
union Number {
  bool b;
  int64_t i;
  double d;
};
// Beside elements of a half it is first rounded to one, as an element would be, unless it is to stay `exact`.
void store(Number& to, const Scalar& s, DType dtype, bool exact = false);

// The scalar parameters of a formula in the loop's type, side by side.
void store_params(char* to, const Scalar* params, int count, DType dtype, bool exact = true);
struct LoopParams {
  alignas(8) char bytes[kMaxParams * sizeof(Number)] = {};
  LoopParams() = default;
  LoopParams(const Scalar* params, int count, DType dtype, bool exact = true) {
    store_params(bytes, params, count, dtype, exact);
  }
};

// n elements, every operand dense or one element that is repeated.
class FlatLoop final : public Instruction {
 public:
  static constexpr bool kOwnsAll = true;

  FlatLoop() {}  // nothing is initialised: this is on the path of every op
  // `cost` is about the nanoseconds of an element, for deciding on threads. The output is operand 0.
  void set_kernel(LoopFn fn, int operands, int64_t n, double cost) {
    fn_ = fn;
    operands_ = operands;
    numbers_in_use_ = 0;
    cost_ = cost;
    args_.n = n;
    args_.m = 1;
  }
  void set(int k, Window w, int64_t step) {
    args_.ptr[k] = open(w);
    set_steps(k, step, item_size(w.dtype()));
  }
  Number& set_number(int k, int64_t step, int64_t item) {
    numbers_in_use_ |= 1u << k;
    set_steps(k, step, item);
    return numbers_[k];
  }
  char* params() { return params_; }
  int64_t n() const { return args_.n; }
  double work() const { return cost_ * static_cast<double>(args_.n); }

  const char* name() const { return "loop"; }
  bool fails() const { return false; }
  void run() {
    own_addresses();
    constexpr double kInlineWork = 4e3;  // nanoseconds below which nothing but the loop itself is worth a thought
    if (work() < kInlineWork) [[likely]]
      return fn_(args_);
    run_flat(args_, operands_, fn_, cost_);
  }
  // A part of it.
  void run_slice(int64_t begin, int64_t end) const;
  template <class F> void touches(F&& f) const {
    for (int k = 0; k < operands_; ++k) {
      if (numbers_in_use_ >> k & 1) continue;
      const int64_t bytes = args_.inner[k] ? args_.n * args_.inner[k] : items_[k];
      f(Touch{reinterpret_cast<uintptr_t>(args_.ptr[k]), bytes, bytes, k == 0});
    }
  }

 private:
  void set_steps(int k, int64_t step, int64_t item) {
    args_.inner[k] = step;
    args_.outer[k] = 0;
    items_[k] = static_cast<uint8_t>(item);
  }
  // A copy has numbers and parameters of its own.
  void own_addresses() {
    args_.params = params_;
    args_.numbers = numbers_in_use_;
    for (unsigned left = numbers_in_use_; left; left &= left - 1) {
      const int k = std::countr_zero(left);
      args_.ptr[k] = reinterpret_cast<char*>(&numbers_[k]);
    }
  }

  LoopFn fn_;
  LoopArgs args_;
  int operands_;
  unsigned numbers_in_use_;  // bit k: operand k is numbers_[k]
  double cost_;
  uint8_t items_[kMaxOperands];
  Number numbers_[kMaxOperands];
  alignas(8) char params_[sizeof(LoopParams)];
};

// One input of a loop: a tensor of the type that the kernel takes, or a number in that type.
struct LoopInput {
  const Tensor* tensor = nullptr;
  Number number{};
};
// Runs the loop over `out` with inputs that broadcast to it, on the shortest way.
void launch_loop(LoopFn fn, double cost, const Tensor& out, std::span<const LoopInput> in,
                 const LoopParams& params = {});

// Whether all of a tensor's elements are the same: an expanded number, say.
bool repeats_one_element(const TensorImpl& t);

}  // namespace gradcore
