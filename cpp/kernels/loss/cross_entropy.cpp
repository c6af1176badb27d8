// Cross entropy of scores with classes: -log(softmax(x)[target]) of each row, and its gradient. Start at loss_of_rows()
// and gradient_of_row(). Forward reads the scores and writes a number a row; backward takes the softmax again, for an
// exponential costs less than what memory takes to keep one.
#include "kernels/loss/cross_entropy.h"

#include "core/parallel.h"
#include "kernels/reduce/fold.h"

namespace gradcore::GC_ISA {
namespace {

constexpr int64_t kGrain = 1 << 13;  // elements of a parallel block: each costs an exp
constexpr int64_t kGroup = 64;       // rows whose logarithms are taken together

template <class T> GC_INLINE double sum_of(const T* x, int64_t n) {
  return static_cast<double>(fold_run<SumKind<T>>(x, n));
}

// A row's target, -1 where it does not count. One that another thread changed since it was checked counts as none.
GC_INLINE int64_t class_of(const ClassLossSizes& s, const int64_t* target, int64_t row) {
  const int64_t t = target[row];
  return t == s.ignored || static_cast<uint64_t>(t) >= static_cast<uint64_t>(s.classes) ? -1 : t;
}

template <class T> struct Weights {
  const T* of;
  double total;  // of all classes
  Weights(const void* w, int64_t classes) : of(static_cast<const T*>(w)), total(of ? 0 : static_cast<double>(classes)) {
    for (int64_t c = 0; of && c < classes; ++c) total += static_cast<double>(of[c]);
  }
  double operator[](int64_t c) const { return of ? static_cast<double>(of[c]) : 1.0; }
};

// What a mean is divided by: the weights of the classes of all rows that count.
template <class T> double weight_of_rows(const ClassLossSizes& s, const int64_t* target, const Weights<T>& w) {
  double sum = 0;
  for (int64_t r = 0; r < s.rows; ++r)
    if (const int64_t t = class_of(s, target, r); t >= 0) sum += w[t];
  return sum;
}

int64_t rows_of_block(const ClassLossSizes& s) { return larger(1, kGrain / larger(8, s.classes)); }

// The sum over classes of weight * -log(p), where log(p) = (x - max) - log_sum.
template <class T> double uniform_loss(const T* x, const Weights<T>& w, int64_t n, T max, double log_sum) {
  double sum = 0;
  for (int64_t c = 0; c < n; ++c) sum += w[c] * (log_sum - static_cast<double>(x[c] - max));
  return sum;
}

// loss[r] of at most kGroup rows.
template <class T>
void loss_of_rows(const CrossEntropyArgs& a, const Weights<T>& w, int64_t first, int64_t count, double* loss) {
  const ClassLossSizes& s = a.sizes;
  const int64_t n = s.classes;
  const T* const x = static_cast<const T*>(a.x) + first * n;
  alignas(64) double log_sum[kGroup];
  T max[kGroup];
  for (int64_t r = 0; r < count; ++r) {
    max[r] = fold_run<MaxKind<T>>(x + r * n, n);
    log_sum[r] = sum_exp<false>(x + r * n, static_cast<T*>(nullptr), n, max[r]);
  }
  map_run(log_sum, log_sum, count, [](F64 v) { return log(v); });
  for (int64_t r = 0; r < count; ++r) {
    const int64_t t = class_of(s, a.target, first + r);
    const T* const row = x + r * n;
    loss[r] = t < 0 ? 0 : w[t] * (log_sum[r] - static_cast<double>(row[t] - max[r]));
    if (s.smoothing == 0 || t < 0) continue;
    loss[r] = loss[r] * (1 - s.smoothing) +
              uniform_loss(row, w, n, max[r], log_sum[r]) * (s.smoothing / static_cast<double>(n));
  }
}

template <class T> void cross_entropy(const CrossEntropyArgs& a) {
  const ClassLossSizes& s = a.sizes;
  const Weights<T> w(a.weight, s.classes);
  T* const out = static_cast<T*>(a.out);
  const int64_t each = rows_of_block(s), blocks = ceil_div(s.rows, each);
  const Scratch<double> of_block(s.reduces ? blocks : 0);
  parallel_blocks(blocks, [&](int64_t block) {
    const int64_t end = smaller(s.rows, (block + 1) * each);
    double sum = 0, loss[kGroup];
    for (int64_t r = block * each; r < end; r += kGroup) {
      const int64_t m = smaller(kGroup, end - r);
      loss_of_rows(a, w, r, m, loss);
      for (int64_t i = 0; i < m; ++i) sum += loss[i];
      for (int64_t i = 0; !s.reduces && i < m; ++i) out[r + i] = static_cast<T>(loss[i]);
    }
    if (s.reduces) of_block[block] = sum;
  });
  if (!s.reduces) return;
  double sum = 0;
  for (int64_t b = 0; b < blocks; ++b) sum += of_block[b];
  *out = static_cast<T>(s.averages ? sum / weight_of_rows(s, a.target, w) : sum);
}

// With p = softmax(x), u the smoothing's share of a class and h the rest: the loss is a sum of q[c] * -log(p[c]) with q
// = u * weight + h * weight * [c is the target], and dx = by * (sum(q) * p - q). Where the target has nearly all of the
// mass, 1 - p is taken from what the others have.
template <class T>
void gradient_of_row(const T* x, T* dx, const Weights<T>& w, int64_t n, int64_t t, double smoothing, double by) {
  const T max = fold_run<MaxKind<T>>(x, n);
  const double sum = sum_exp<true>(x, dx, n, max), share = smoothing / static_cast<double>(n);
  const double hard = (1 - smoothing) * w[t], soft = share * w.total;
  const double p = static_cast<double>(dx[t]) / sum;
  const double rest = p > 0.75 ? (sum_of(dx, t) + sum_of(dx + t + 1, n - t - 1)) / sum : 1 - p;
  const T scale = static_cast<T>(by * (hard + soft) / sum);
  if (smoothing == 0) {
    for (int64_t c = 0; c < n; ++c) dx[c] *= scale;
  } else {
    const T less = static_cast<T>(by * share);
    if (w.of)
      for (int64_t c = 0; c < n; ++c) dx[c] = dx[c] * scale - less * w.of[c];
    else
      for (int64_t c = 0; c < n; ++c) dx[c] = dx[c] * scale - less;
  }
  dx[t] = static_cast<T>(by * (soft * p - share * w[t] - hard * rest));
}

template <class T> void differentiate(const CrossEntropyBackwardArgs& a) {
  const ClassLossSizes& s = a.sizes;
  const Weights<T> w(a.weight, s.classes);
  const T *const g = static_cast<const T*>(a.g), *const x = static_cast<const T*>(a.x);
  T* const dx = static_cast<T*>(a.dx);
  const double by = s.averages ? 1 / weight_of_rows(s, a.target, w) : 1;
  const int64_t each = rows_of_block(s), n = s.classes;
  parallel_blocks(ceil_div(s.rows, each), [&](int64_t block) {
    for (int64_t r = block * each; r < smaller(s.rows, (block + 1) * each); ++r) {
      const int64_t t = class_of(s, a.target, r);
      if (t < 0)
        for (int64_t c = 0; c < n; ++c) dx[r * n + c] = 0;
      else
        gradient_of_row(x + r * n, dx + r * n, w, n, t, s.smoothing, by * static_cast<double>(g[s.reduces ? 0 : r]));
    }
  });
}

}  // namespace

constinit const LossKernels loss_kernels{
    by_float<void (*)(const CrossEntropyArgs&)>([]<class T>(TypeTag<T>) { return &cross_entropy<T>; }),
    by_float<void (*)(const CrossEntropyBackwardArgs&)>([]<class T>(TypeTag<T>) { return &differentiate<T>; }),
    ctc_kernels, margin_kernels};

}  // namespace gradcore::GC_ISA
