// Hinge losses of classes: the sum over the labels t of a row, and over the classes i that are no labels of it, of
// max(0, margin - x[t] + x[i]), squared or not, times weight[t], by the number of classes. Start at Row.
#include "kernels/loss/margin.h"

#include "core/parallel.h"
#include "kernels/common.h"
#include "kernels/reduce/fold.h"

namespace gradcore::GC_ISA {
namespace {

constexpr int64_t kGrain = 1 << 15;  // additions of a parallel block

// The scores of one row in whole vectors. Labels, and what is behind the last class, are at -inf, so that no margin
// reaches them. What is NaN counts as nothing, as in torch.
template <class T> class Row {
 public:
  Row(const MarginLossArgs& a, bool forward)
      : a_(a), forward_(forward), width_(round_up(a.classes, kLanes<T>)), memory_(2 * width_) {}

  void read(int64_t row) {
    x_ = static_cast<const T*>(a_.x) + row * a_.classes;
    labels_ = a_.labels + row * a_.width;
    if (is_short()) return;
    for (int64_t i = 0; i < a_.classes; ++i) scores()[i] = x_[i];
    for (int64_t i = a_.classes; i < width_; ++i) scores()[i] = lowest<T>();
    each_label([&](int64_t t) { scores()[t] = lowest<T>(); });
  }
  T loss() const {
    double sum = 0;
    each_label([&](int64_t t) {
      const T above = is_short() ? short_sum(t) : sum_above(bound(t));
      sum += static_cast<double>(weight(t)) * static_cast<double>(above);
    });
    return static_cast<T>(sum / static_cast<double>(a_.classes));
  }
  void gradient(T g, T* dx) const {
    for (int64_t i = 0; i < width_; ++i) changes()[i] = 0;
    each_label([&](int64_t t) {
      const T by = g * weight(t) / static_cast<T>(a_.classes);
      changes()[t] -= a_.squared ? add_change<true>(bound(t), 2 * by) : add_change<false>(bound(t), by);
    });
    for (int64_t i = 0; i < a_.classes; ++i) dx[i] = changes()[i];
  }

 private:
  T* scores() const { return memory_.data(); }
  T* changes() const { return memory_.data() + width_; }
  T weight(int64_t t) const { return a_.weight ? static_cast<const T*>(a_.weight)[t] : T(1); }
  T bound(int64_t t) const { return static_cast<T>(a_.margin) - x_[t]; }

  // Few scores beside one label are summed where they are: a vector would wait for its copied elements.
  bool is_short() const { return forward_ && a_.width == 1 && a_.classes <= 16; }
  T short_sum(int64_t t) const {
    const T least = bound(t);
    T sum[2] = {};
    for (int64_t i = 0; i < a_.classes; ++i) {
      const T z = least + x_[i], above = ((z > 0) & (i != t)) ? z : T(0);
      sum[i % 2] += a_.squared ? above * above : above;
    }
    return sum[0] + sum[1];
  }

  // One that another thread changed since labels were checked ends them.
  template <class F> void each_label(const F& f) const {
    for (int64_t k = 0; k < a_.width; ++k) {
      const int64_t t = labels_[k];
      if (static_cast<uint64_t>(t) >= static_cast<uint64_t>(a_.classes)) return;
      f(t);
    }
  }
  T sum_above(T bound) const { return a_.squared ? sum_above<true>(bound) : sum_above<false>(bound); }
  template <bool kSquared> T sum_above(T bound) const {
    return sum_of_vectors([&](int64_t i) __attribute__((always_inline)) {
      const Vec<T> z = bound + load(scores() + i), above = z > 0 ? z : Vec<T>{};
      return kSquared ? above * above : above;
    });
  }
  // Adds to the changes of all classes that are above the bound, and returns the sum of what it added.
  template <bool kSquared> T add_change(T bound, T by) const {
    return sum_of_vectors([&](int64_t i) __attribute__((always_inline)) {
      T* const to = changes() + i;
      const Vec<T> z = bound + load(scores() + i), step = kSquared ? z * by : Vec<T>{} + by;
      const Vec<T> change = z > 0 ? step : Vec<T>{};
      store(to, load(to) + change);
      return change;
    });
  }
  // Of f(i) for the vector from class i on: four sums, which do not wait for each other.
  template <class F> T sum_of_vectors(const F& f) const {
    constexpr int64_t L = kLanes<T>;
    Vec<T> sum[4] = {};
    int64_t i = 0;
    for (; i + 4 * L <= width_; i += 4 * L)
#pragma GCC unroll 4
      for (int k = 0; k < 4; ++k) sum[k] += f(i + k * L);
    for (; i < width_; i += L) sum[0] += f(i);
    return fold_lanes<SumKind<T>, T>((sum[0] + sum[1]) + (sum[2] + sum[3]));
  }

  const MarginLossArgs& a_;
  const bool forward_;
  const int64_t width_;
  const Scratch<T> memory_;
  const T* x_ = nullptr;
  const int64_t* labels_ = nullptr;
};

template <class T, class F> void each_row(const MarginLossArgs& a, bool forward, const F& f) {
  const int64_t each = larger(1, kGrain / larger(1, a.classes * a.width));
  parallel_blocks(ceil_div(a.rows, each), [&](int64_t block) {
    Row<T> row(a, forward);
    for (int64_t r = block * each; r < smaller(a.rows, (block + 1) * each); ++r) {
      row.read(r);
      f(row, r);
    }
  });
}

template <class T> void loss(const MarginLossArgs& a) {
  each_row<T>(a, true, [&](const Row<T>& row, int64_t r) { static_cast<T*>(a.out)[r] = row.loss(); });
}
template <class T> void backward(const MarginLossArgs& a) {
  each_row<T>(a, false, [&](const Row<T>& row, int64_t r) {
    row.gradient(static_cast<const T*>(a.g)[r], static_cast<T*>(a.out) + r * a.classes);
  });
}

}  // namespace

constinit const MarginKernels margin_kernels{
    by_float<void (*)(const MarginLossArgs&)>([]<class T>(TypeTag<T>) { return &loss<T>; }),
    by_float<void (*)(const MarginLossArgs&)>([]<class T>(TypeTag<T>) { return &backward<T>; })};

}  // namespace gradcore::GC_ISA
