// Adafactor: N. Shazeer and M. Stern, "Adafactor: Adaptive Learning Rates with Sublinear Memory Cost", ICML 2018, in
// torch's form: the learning rate bounds the relative step, and the first eps acts on the root of the variance. Start
// at adafactor_step().
#pragma once
#include <optional>
#include <span>

#include "formulas/option.h"
#include "kernels/optim/adafactor.h"
#include "optim/row_major.h"

namespace gradcore {

struct AdafactorOptions {
  formulas::Option lr;
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

  // `t`: the number of this step. Raises where something does not fit.
  AdafactorItem(const Tensor& param, const Tensor& grad, std::span<const Tensor> state, const AdafactorOptions& options,
                double t);

  // As its base's, and finds the memory for sums.
  void prepare(bool apart);
  void run() const;

 private:
  static constexpr int kVariance = kState, kRowMeans = kState, kColumnMeans = kState + 1;

  template <class F> void for_each_part(F&& f) const;
  void run_vector() const;
  void run_matrix() const;
  template <class T> void average(double* rows, const double* columns) const;
  double floor() const { return *options_->eps1 * *options_->eps1; }
  AdafactorMove move_of(const double* param_sums, const double* update_sums) const;

  const AdafactorOptions* options_;
  double t_;
  bool factored_;
  int64_t batch_ = 1, rows_ = 1, columns_ = 1;  // of a vector the rows are elements
  int64_t chunk_ = 1, chunks_ = 1;              // rows of a part, parts of a matrix
  Tensor sums_;
};

// One step of each, after prepare(). It cannot fail.
void adafactor_step(std::span<const AdafactorItem> items);

}  // namespace gradcore
