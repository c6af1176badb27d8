// What the steps of all optimizers share: a parameter with its arrays, and the memory that they lie in. The step itself
// is RuleStep in rule_step.h.
#pragma once
#include <span>
#include <utility>
#include <vector>

#include "kernels/optim/rules.h"
#include "tensor/door.h"

namespace gradcore {

// A parameter with what its step reads and writes.
class StepItem : private Instruction {
 public:
  int64_t n = 0;

  // Takes `arrays`: parameter, gradient, then what the rule keeps, undefined where absent. Raises where a shape or
  // dtype does not fit; then nothing has changed.
  StepItem(std::span<Tensor> arrays, const RuleKernels& kernels);

  // Finds memory of one order for all arrays; raises where one was replaced since by what does not fit. `apart`: arrays
  // may overlap, so each one gets memory of its own.
  void prepare(bool apart);
  // What run() follows: the rule with the numbers of this step.
  void set_rule(const void* rule) { rule_ = rule; }
  void run(int64_t begin, int64_t end) const;
  template <class F> void touches(F&& f) const {
    for (int i = 0; i < count_; ++i)
      if (memory_[i]) f(touch_of(memory_[i], i != 1));
  }
  // Writes back what prepare() had to copy.
  void finish() const;

  std::span<const Tensor> arrays() const { return {arrays_, static_cast<size_t>(count_)}; }

 private:
  void check_fit() const;

  Tensor arrays_[2 + kMaxStateArrays];
  int count_;
  DType dtype_;
  OptimFn kernel_;
  const void* rule_ = nullptr;
  Window memory_[2 + kMaxStateArrays];
  std::vector<std::pair<Tensor, Tensor>> copies_;  // an array and its stand-in
};

// Raise where a gradient or a state tensor does not fit a parameter, or may not be written.
void check_gradient_fits(const Tensor& p, const Tensor& g);
void check_state_fits(const Tensor& t, const Tensor& p, const Dims& shape);

// What a state tensor of one element holds, a step count for instance.
struct StateNumber {
  double value;
  bool single;
  bool operator==(const StateNumber&) const = default;
};
void check_state_number(const Tensor& t, const char* name);

// Numbers are read, advanced and stored inside of a step's instruction, so that it is the same instruction each time.
class StepInstruction : public Instruction {
 protected:
  static StateNumber read_number(const Tensor& t);
  static void write_number(const Tensor& t, double value);
};

// The memory that a step's arrays lie in.
class Extents {
 public:
  struct Extent {
    uintptr_t first, last;
    bool written;
  };
  static uint32_t new_mark();                // that no storage has yet
  void add(std::span<const Tensor> arrays);  // parameter, gradient, state
  bool overlap();                            // where at least one of two is written

 private:
  std::vector<Extent> found_;
};

// Marks every storage that it meets. Storages differ in nearly all steps, and then this is all there is to do.
template <class Item> bool storages_differ(std::span<const Item> items) {
  const uint32_t mark = Extents::new_mark();
  for (const Item& item : items)
    for (const Tensor& t : item.arrays()) {
      if (!t) continue;
      Storage& s = *t->storage;
      if (s.mark == mark || s.release) return false;  // two foreign storages may be the same memory
      s.mark = mark;
    }
  return true;
}

// Whether some item writes memory that it, or another item, reads or writes as another array. Such items run one by
// one.
template <class Item> bool overlap(const std::vector<Item>& items) {
  if (storages_differ(std::span<const Item>(items))) return false;
  Extents extents;
  for (const Item& item : items) extents.add(item.arrays());
  return extents.overlap();
}

}  // namespace gradcore
