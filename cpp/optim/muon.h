// Muon: K. Jordan et al., "Muon: An optimizer for hidden layers in neural networks",
// https://kellerjordan.github.io/posts/muon/, 2024; the step's length to match AdamW's: J. Liu et al., "Muon is
// Scalable for LLM Training", 2025. Start at MuonStep.
#pragma once
#include <span>
#include <string>

#include "formulas/hyperparameter.h"
#include "kernels/optim/muon.h"
#include "optim/row_major.h"

namespace gradcore {

struct MuonOptions {
  formulas::Hyperparameter lr;
  double weight_decay, momentum, a, b, c, eps;
  int64_t ns_steps;
  bool nesterov;
  std::string adjust_lr_fn;

  template <class Read> void options(Read& read) {
    read("lr", lr), read("weight_decay", weight_decay), read("momentum", momentum), read("nesterov", nesterov);
    read("ns_coefficients", a, b, c), read("eps", eps), read("ns_steps", ns_steps), read("adjust_lr_fn", adjust_lr_fn);
  }
};

// A matrix with its gradient and the average of gradients.
class MuonItem : public RowMajorItem {
 public:
  int64_t n = 0;

  // Raises where something does not fit.
  MuonItem(const Tensor& param, const Tensor& grad, const Tensor& average, const MuonOptions& options);

  // Works the direction of the step out; writes nothing else.
  void find_direction();
  // Takes elements of the parameter and of the average to where they belong.
  void move(int64_t begin, int64_t end) const;
  double work() const;

 private:
  const MuonOptions* options_;
  MuonAverage average_;
  template <class T> static T* memory(const Tensor& t) { return reinterpret_cast<T*>(open(t.window())); }
  bfloat16* direction() const { return memory<bfloat16>(direction_); }
  Tensor direction_;  // in bfloat16
};

// One step of each, after prepare(). When it fails nothing has changed.
class MuonStep final : public Instruction {
 public:
  static constexpr bool kOwnsAll = false;
  explicit MuonStep(std::span<MuonItem> items) : items_(items) {}
  const char* name() const { return "muon_step"; }
  bool fails() const { return true; }
  void run() const;
  template <class F> void touches(F&& f) const {
    for (const MuonItem& item : items_) item.touches(f);
  }

 private:
  std::span<MuonItem> items_;
};

}  // namespace gradcore
