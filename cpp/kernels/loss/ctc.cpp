// Connectionist temporal classification. Start at loss_of() and gradient_of(): a sample is for one thread, and a step
// of its recursions is one loop over all places of its path. The way back runs the forward recursion again, which costs
// less than what memory takes to keep its rows for all samples.
#include "kernels/loss/ctc.h"

#include "core/parallel.h"
#include "kernels/common.h"
#include "kernels/math.h"

namespace gradcore::GC_ISA {
namespace {

constexpr int64_t kGrain = 1 << 11;  // places of a parallel block: each costs four exponentials
constexpr int64_t kRun = 64 / static_cast<int64_t>(sizeof(float));  // rows are whole vectors of any instruction set
constexpr int64_t kMargin = 2;                                      // how far a path can skip

template <class T> constexpr T kNothing = -static_cast<T>(__builtin_inf());

// exp(x), or 0 where that is no normal number: of the places that no path has come to, which are many, the processor
// would take long.
template <class T> GC_INLINE T probability(T x) {
  constexpr T lowest = sizeof(T) == 4 ? T(-87) : T(-708);
  const T y = exp(Lane<T>{x < lowest ? lowest : x}).v;
  return x < lowest ? T(0) : y;
}

// log(exp(a) + exp(b) + exp(c)). What is less than the largest by this much leaves the sum as it is in either dtype.
template <class T> GC_INLINE T log_sum(T a, T b, T c) {
  constexpr T least = T(-60);
  const T ab = a > b ? a : b, top = ab > c ? ab : c;
  const auto part = [&](T x) __attribute__((always_inline)) {
    const T below = x - top;
    return exp(Lane<T>{below < least ? least : below});
  };
  const T sum = log(part(a) + part(b) + part(c)).v + top;
  const bool is_nothing = (a == kNothing<T>)&(b == kNothing<T>)&(c == kNothing<T>);  // rather than top: a NaN stays
  return is_nothing ? kNothing<T> : sum;
}

// A sample's labels, and rows for its recursions. Rows have a margin of nothing on both sides.
template <class T> class Path {
 public:
  Path(const CtcSizes& s, int64_t rows)
      : s_(s),
        width_(round_up(s.places, kRun)),
        stride_(width_ + 2 * kMargin),
        rows_(rows + 2),
        memory_((rows + 2) * stride_) {
    for (int64_t i = 0; i < (rows + 2) * stride_; ++i) memory_[i] = kNothing<T>;
  }

  void read(const int64_t* path, const void* x, int64_t sample) {
    steps_ = path[0], last_ = 2 * path[1], labels_ = path + 2;
    x_ = static_cast<const T*>(x) + sample * s_.classes;
    // A path goes from one label to the next past the blank between them where they differ. labels_[0] is the blank.
    for (int64_t i = 2; i < s_.places; ++i)
      skips()[i] = labels_[i] != labels_[0] && labels_[i] != labels_[i - 2] ? T(0) : kNothing<T>;
  }
  T* row(int64_t i) const { return memory_.data() + i * stride_ + kMargin; }
  const T* at(int64_t t) const { return x_ + t * s_.samples * s_.classes; }
  int64_t steps() const { return steps_; }
  int64_t last() const { return last_; }
  int64_t width() const { return width_; }
  int64_t label(int64_t i) const { return labels_[i]; }

  // The log probability of all beginnings of paths that are at place i at time t, from that at t - 1.
  void go_forward(int64_t t, const T* before, T* now) const {
    emit(t);
    const T *const e = emitted(), *const skip = skips();
    if (t == 0) {
      for (int64_t i = 0; i < width_; ++i) now[i] = i < 2 ? e[i] : kNothing<T>;
      return;
    }
    GC_INDEPENDENT
    for (int64_t i = 0; i < width_; ++i) now[i] = log_sum(before[i], before[i - 1], before[i - 2] + skip[i]) + e[i];
  }
  // That of all ends of paths that are at place i at time t, what they emit then left out. `after`, that at t + 1, is
  // changed.
  void go_backward(int64_t t, T* after, T* now) const {
    if (t == steps_ - 1) {
      for (int64_t i = 0; i < width_; ++i) now[i] = i == last_ || i == last_ - 1 ? T(0) : kNothing<T>;
      return;
    }
    emit(t + 1);
    const T *const e = emitted(), *const skip = skips();
    for (int64_t i = 0; i < width_; ++i) after[i] += e[i];
    GC_INDEPENDENT
    for (int64_t i = 0; i < width_; ++i) now[i] = log_sum(after[i], after[i + 1], after[i + 2] + skip[i + 2]);
  }
  // That of all paths, from the forward recursion's last row.
  T whole(const T* alpha) const {
    if (steps_ == 0) return last_ == 0 ? T(0) : kNothing<T>;
    return log_sum(alpha[last_], last_ > 0 ? alpha[last_ - 1] : kNothing<T>, kNothing<T>);
  }

 private:
  T* skips() const { return row(rows_ - 1); }
  T* emitted() const { return row(rows_ - 2); }
  void emit(int64_t t) const {
    const T* const x = at(t);
    T* const e = emitted();
    for (int64_t i = 0; i <= last_; ++i) e[i] = x[labels_[i]];
    for (int64_t i = last_ + 1; i < s_.places; ++i) e[i] = kNothing<T>;
  }

  const CtcSizes& s_;
  const int64_t width_, stride_, rows_;
  const Scratch<T> memory_;
  const int64_t* labels_ = nullptr;
  const T* x_ = nullptr;
  int64_t steps_ = 0, last_ = 0;
};

template <class T> T loss_of(const Path<T>& path) {
  for (int64_t t = 0; t < path.steps(); ++t) path.go_forward(t, path.row((t + 1) % 2), path.row(t % 2));
  return -path.whole(path.row((path.steps() + 1) % 2));
}

// exp(x) less the share that paths through each class have of all: the gradient of the whole from log_softmax on. Of
// what no path spells it is 0. Rows 0 and 1 are those of the way back, from 2 on are the forward recursion's.
template <class T> void gradient_of(const Path<T>& path, const CtcSizes& s, T g, T* dx) {
  const int64_t steps = path.steps(), width = path.width(), stride = s.samples * s.classes;
  for (int64_t t = 0; t < steps; ++t) path.go_forward(t, path.row(t + 1), path.row(t + 2));
  const T whole = path.whole(path.row(steps + 1));
  const int64_t spelt = whole == kNothing<T> ? 0 : steps;
  for (int64_t t = spelt; t < s.steps; ++t)
    for (int64_t c = 0; c < s.classes; ++c) dx[t * stride + c] = 0;
  for (int64_t t = spelt - 1; t >= 0; --t) {
    T *const beta = path.row(t % 2), *const after = path.row((t + 1) % 2), *const alpha = path.row(t + 2);
    const T* const x = path.at(t);
    T* const to = dx + t * stride;
    path.go_backward(t, after, beta);
    GC_INDEPENDENT
    for (int64_t i = 0; i < width; ++i) alpha[i] = probability(alpha[i] + beta[i] - whole);
    GC_INDEPENDENT
    for (int64_t c = 0; c < s.classes; ++c) to[c] = exp(Lane<T>{x[c]}).v;
    for (int64_t i = 0; i <= path.last(); ++i) to[path.label(i)] -= alpha[i];
    for (int64_t c = 0; c < s.classes; ++c) to[c] *= g;
  }
}

// Calls f(path, sample) for all samples; a path has this many rows.
template <class T, class F>
void each_sample(const CtcSizes& s, const int64_t* paths, const void* x, int64_t rows, const F& f) {
  const int64_t each = larger(1, kGrain / larger(1, s.steps * s.places));
  parallel_blocks(ceil_div(s.samples, each), [&](int64_t block) {
    Path<T> path(s, rows);
    for (int64_t n = block * each; n < smaller(s.samples, (block + 1) * each); ++n) {
      path.read(paths + n * (2 + s.places), x, n);
      f(path, n);
    }
  });
}

template <class T> void loss(const CtcArgs& a) {
  each_sample<T>(a.sizes, a.paths, a.x, 2,
                 [&](const Path<T>& path, int64_t n) { static_cast<T*>(a.out)[n] = loss_of(path); });
}
template <class T> void backward(const CtcBackwardArgs& a) {
  each_sample<T>(a.sizes, a.paths, a.x, a.sizes.steps + 2, [&](const Path<T>& path, int64_t n) {
    gradient_of(path, a.sizes, static_cast<const T*>(a.g)[n], static_cast<T*>(a.dx) + n * a.sizes.classes);
  });
}

}  // namespace

constinit const CtcKernels ctc_kernels{
    by_float<void (*)(const CtcArgs&)>([]<class T>(TypeTag<T>) { return &loss<T>; }),
    by_float<void (*)(const CtcBackwardArgs&)>([]<class T>(TypeTag<T>) { return &backward<T>; })};

}  // namespace gradcore::GC_ISA
