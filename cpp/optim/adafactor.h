// Adafactor: N. Shazeer and M. Stern, "Adafactor: Adaptive Learning Rates with Sublinear Memory Cost", ICML 2018, in
// torch's form: the learning rate bounds the relative step, and the first eps acts on the root of the variance. Start
// at AdafactorStep.
#pragma once
#include <optional>
#include <span>

#include "formulas/hyperparameter.h"
#include "kernels/optim/adafactor.h"
#include "optim/row_major.h"

namespace gradcore {

struct AdafactorOptions {
  formulas::Hyperparameter lr;
  double beta2_decay, eps2, d, weight_decay;
  std::optional<double> eps1;  // none: that of the dtype of the first parameter that has a gradient
  bool maximize;

  template <class Read> void options(Read& read) {
    read("lr", lr), read("beta2_decay", beta2_decay), read("eps", eps1, eps2), read("d", d);
    read("weight_decay", weight_decay), read("maximize", maximize);
  }
};

// A parameter with its gradient and state. Of a matrix, or of each in a batch of them, the running means of the squared
// gradient's rows and columns are kept; of anything of less dims all of it.
class AdafactorItem : public RowMajorItem {
 public:
  int64_t n = 0;

  // `step` holds the number of steps done. Raises where something does not fit.
  AdafactorItem(const Tensor& param, const Tensor& grad, std::span<const Tensor> state, const AdafactorOptions& options,
                const Tensor& step);

  // As its base's, and finds the memory for sums.
  void prepare(bool apart);
  void finish() const;
  // Its step with the number `t`.
  void run(double t) const;
  const Tensor& step() const { return step_; }

 private:
  static constexpr int kVariance = kState, kRowMeans = kState, kColumnMeans = kState + 1;

  template <class F> void for_each_part(F&& f) const;
  void run_vector(double t) const;
  void run_matrix(double t) const;
  template <class T> void average(double take, double* rows, const double* columns) const;
  double floor() const { return *options_->eps1 * *options_->eps1; }
  AdafactorMove move_of(double t, const double* param_sums, const double* update_sums) const;
  double* sums() const { return reinterpret_cast<double*>(open(sums_.window())); }

  const AdafactorOptions* options_;
  Tensor step_;
  bool factored_;
  int64_t batch_ = 1, rows_ = 1, columns_ = 1;  // of a vector the rows are elements
  int64_t chunk_ = 1, chunks_ = 1;              // rows of a part, parts of a matrix
  Tensor sums_;
};

// One step of each, after prepare().
class AdafactorStep final : public StepInstruction {
 public:
  static constexpr bool kOwnsAll = false;
  explicit AdafactorStep(std::span<const AdafactorItem> items) : items_(items) {}
  const char* name() const { return "adafactor_step"; }
  bool fails() const { return true; }
  void run() const;
  template <class F> void touches(F&& f) const {
    for (const AdafactorItem& item : items_) {
      item.touches(f);
      f(touch_of(item.step().window(), true));
    }
  }

 private:
  std::span<const AdafactorItem> items_;
};

}  // namespace gradcore
