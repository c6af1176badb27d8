#include "optim/adafactor.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/multi_tensor.h"
#include "kernels/table.h"

namespace gradcore {

using formulas::Hyperparameter;

namespace {

constexpr int64_t kPart = 16 << 10;  // elements that one thread takes at a time: a few arrays of them fit its cache
constexpr int64_t kLeastRows = 16;   // rows of a matrix at the least: each part has sums of all columns

const AdafactorKernels& loops() { return kernels().adafactor; }
int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

double total(const double* sums, int64_t n) {
  double sum = 0;
  for (int64_t i = 0; i < n; ++i) sum += sums[i];
  return sum;
}

}  // namespace

AdafactorItem::AdafactorItem(const Tensor& param, const Tensor& grad, std::span<const Tensor> state,
                             const AdafactorOptions& options, const Tensor& step)
    : n(param.numel()), options_(&options), step_(step), factored_(param.dim() > 1) {
  check_state_number(step, "step");
  add_gradient(param, grad);
  if (!factored_) {
    add_state(state[0], param.shape());
    rows_ = n;
  } else {
    Dims rows = param.shape(), columns = param.shape();
    const int last = param.dim() - 1;
    rows_ = std::exchange(columns[last - 1], 1);
    columns_ = std::exchange(rows[last], 1);
    add_state(state[0], rows);
    add_state(state[1], columns);
    batch_ = n ? n / (rows_ * columns_) : 0;
  }
  chunk_ = std::max(factored_ ? kLeastRows : 1, kPart / std::max<int64_t>(columns_, 1));
  chunks_ = ceil_div(rows_, chunk_);
}

// Of each part the sums of squares of the parameter and of the update; of a matrix those of rows, and of each part's
// columns.
void AdafactorItem::prepare(bool apart) {
  check_state_number(step_, "step");
  RowMajorItem::prepare(apart);
  const int64_t parts = batch_ * chunks_;
  sums_ = empty({2 * parts + (factored_ ? batch_ * rows_ + parts * columns_ : 0)}, DType::Float64);
}

void AdafactorItem::finish() const {
  RowMajorItem::finish();
  step_.bump_version();
}

// Calls f(part, batch, first row, rows). The parts follow from the shape alone.
template <class F> void AdafactorItem::for_each_part(F&& f) const {
  auto run = [&](int64_t part) {
    const int64_t first = part % chunks_ * chunk_;
    f(part, part / chunks_, first, std::min(chunk_, rows_ - first));
  };
  const int64_t parts = batch_ * chunks_;
  if (n > kPart) return parallel_blocks(parts, run);
  for (int64_t i = 0; i < parts; ++i) run(i);
}

// The last lines of the paper's algorithms: the step relative to the parameter's size, and the update clipped to d.
AdafactorMove AdafactorItem::move_of(double t, const double* param_sums, const double* update_sums) const {
  const AdafactorOptions& o = *options_;
  const auto rms = [&](const double* sums) {
    return std::sqrt(total(sums, batch_ * chunks_) / static_cast<double>(n));
  };
  const Hyperparameter least(1 / std::sqrt(t)), rho = o.lr.value > least.value ? least : o.lr;
  const Hyperparameter alpha = Hyperparameter(std::max(o.eps2, rms(param_sums))) * rho;
  const double size = (alpha / Hyperparameter(std::max(1.0, rms(update_sums) / o.d))).value;
  return {(Hyperparameter(1) - o.lr * Hyperparameter(o.weight_decay)).value, o.maximize ? size : -size, floor()};
}

// Algorithm 5.
void AdafactorItem::run_vector(double t) const {
  const DType type = dtype();
  const double take = std::pow(t, options_->beta2_decay);
  double *params = sums(), *updates = params + chunks_;
  for_each_part([&](int64_t part, int64_t, int64_t first, int64_t count) {
    double sums[2];
    loops().vary[type](count, data(kParam, first), data(kGrad, first), data(kVariance, first), take, floor(), sums);
    params[part] = sums[0], updates[part] = sums[1];
  });
  const AdafactorMove how = move_of(t, params, updates);
  for_each_part([&](int64_t, int64_t, int64_t first, int64_t count) {
    loops().move[type](count, data(kParam, first), data(kGrad, first), data(kVariance, first), how);
  });
}

// Algorithm 4.
void AdafactorItem::run_matrix(double t) const {
  const DType type = dtype();
  const int64_t parts = batch_ * chunks_;
  double *params = sums(), *updates = params + parts, *rows = updates + parts, *columns = rows + batch_ * rows_;
  const auto element = [&](int64_t batch, int64_t row) { return (batch * rows_ + row) * columns_; };
  std::fill_n(columns, parts * columns_, 0.0);
  for_each_part([&](int64_t part, int64_t batch, int64_t first, int64_t count) {
    const int64_t at = element(batch, first);
    params[part] = loops().squares[type](count, columns_, data(kParam, at), data(kGrad, at),
                                         rows + batch * rows_ + first, columns + part * columns_);
  });
  const double take = std::pow(t, options_->beta2_decay);
  if (type == DType::Float64)
    average<double>(take, rows, columns);
  else
    average<float>(take, rows, columns);
  for_each_part([&](int64_t part, int64_t batch, int64_t first, int64_t count) {
    updates[part] = loops().size[type](count, columns_, data(kGrad, element(batch, first)),
                                       rows + batch * rows_ + first, data(kColumnMeans, batch * columns_), floor());
  });
  const AdafactorMove how = move_of(t, params, updates);
  for_each_part([&](int64_t, int64_t batch, int64_t first, int64_t count) {
    const int64_t at = element(batch, first);
    loops().move_rows[type](count, columns_, data(kParam, at), data(kGrad, at), rows + batch * rows_ + first,
                            data(kColumnMeans, batch * columns_), how);
  });
}

// Takes the squares into the running means of rows and columns. `rows` becomes what a column's mean is multiplied with
// to give the variance: the row's mean over the mean of all.
template <class T> void AdafactorItem::average(double take, double* rows, const double* columns) const {
  const auto averaged = [&](T& mean, double sum, int64_t of) {
    const double next = sum / static_cast<double>(of);
    mean = static_cast<T>(next - (next - static_cast<double>(mean)) * (1 - take));
  };
  for (int64_t b = 0; b < batch_; ++b, rows += rows_, columns += chunks_ * columns_) {
    T *row_mean = static_cast<T*>(data(kRowMeans, b * rows_)),
      *column_mean = static_cast<T*>(data(kColumnMeans, b * columns_));
    double sum = 0;
    for (int64_t i = 0; i < rows_; ++i) {
      averaged(row_mean[i], rows[i], columns_);
      sum += static_cast<double>(row_mean[i]);
    }
    const double mean = sum / static_cast<double>(rows_), all = mean < *options_->eps1 ? *options_->eps1 : mean;
    for (int64_t i = 0; i < rows_; ++i) rows[i] = static_cast<double>(row_mean[i]) / all;
    for (int64_t j = 0; j < columns_; ++j) {
      double squares = 0;
      for (int64_t c = 0; c < chunks_; ++c) squares += columns[c * columns_ + j];
      averaged(column_mean[j], squares, rows_);
    }
  }
}

void AdafactorItem::run(double t) const {
  if (n == 0) return;
  if (factored_)
    run_matrix(t);
  else
    run_vector(t);
}

void AdafactorStep::run() const {
  struct Whole {
    int64_t n;
    const AdafactorItem* item;
    double t;
  };
  std::vector<Whole> all, small;
  all.reserve(items_.size());
  small.reserve(items_.size());
  for (const AdafactorItem& item : items_) all.push_back({item.n, &item, read_number(item.step()).value + 1});
  for (const Whole& whole : all) {
    if (whole.n > kPart)
      whole.item->run(whole.t);
    else
      small.push_back(whole);
  }
  for_each_slice(std::span<const Whole>(small), [](const Whole& whole, int64_t, int64_t) { whole.item->run(whole.t); });
  for (const Whole& whole : all) write_number(whole.item->step(), whole.t);
}

}  // namespace gradcore
