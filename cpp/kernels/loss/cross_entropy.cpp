// -log(softmax(x)[target]) of rows, without the softmax in memory, and its gradient: softmax(x), less one at the
// target.
#include "kernels/loss/cross_entropy.h"

#include "core/parallel.h"
#include "kernels/reduce/fold.h"

namespace gradcore::GC_ISA {
namespace {

constexpr int64_t kGrain = 1 << 14;  // elements of a parallel block

// f(row) for all rows, some of them at a time.
template <class F> GC_INLINE void for_rows(int64_t rows, int64_t classes, const F& f) {
  const int64_t each = larger(1, kGrain / classes);
  parallel_blocks(ceil_div(rows, each), [&](int64_t block) {
    const int64_t end = smaller(rows, (block + 1) * each);
    for (int64_t r = block * each; r < end; ++r) f(r);
  });
}

// The targets were checked, but a program may have written to them since.
GC_INLINE bool is_class(int64_t target, int64_t classes) {
  return static_cast<uint64_t>(target) < static_cast<uint64_t>(classes);
}

template <class T> void losses(const CrossEntropyArgs& a) {
  const T* x = static_cast<const T*>(a.x);
  T *loss = static_cast<T*>(a.loss), *stats = static_cast<T*>(a.stats);
  for_rows(a.rows, a.classes, [&](int64_t r) {
    const T* row = x + r * a.classes;
    const T max = fold_run<MaxKind<T>>(row, a.classes);
    const T log_sum = static_cast<T>(log(F64{sum_exp<false>(row, static_cast<T*>(nullptr), a.classes, max)}).v);
    stats[2 * r] = max;
    stats[2 * r + 1] = log_sum;
    const int64_t target = a.target[r];
    loss[r] = target == a.ignored || !is_class(target, a.classes) ? 0 : -((row[target] - max) - log_sum);
  });
}

template <class T> void gradients(const CrossEntropyBackwardArgs& a) {
  const T *x = static_cast<const T*>(a.x), *g = static_cast<const T*>(a.g), *stats = static_cast<const T*>(a.stats);
  T* dx = static_cast<T*>(a.dx);
  for_rows(a.rows, a.classes, [&](int64_t r) {
    T* out = dx + r * a.classes;
    const int64_t target = a.target[r];
    if (target == a.ignored || !is_class(target, a.classes)) {
      for (int64_t i = 0; i < a.classes; ++i) out[i] = 0;
      return;
    }
    const T max = stats[2 * r], log_sum = stats[2 * r + 1];
    const Lane<T> factor{static_cast<T>(static_cast<double>(g[r * a.g_step]) * a.scale)};
    map_run(x + r * a.classes, out, a.classes, [=](Lane<T> v) { return exp(Lane<T>{(v.v - max) - log_sum}) * factor; });
    out[target] -= factor.v;
  });
}

}  // namespace

constinit const CrossEntropyKernels cross_entropy_kernels{
    by_float<void (*)(const CrossEntropyArgs&)>([]<class T>(TypeTag<T>) { return &losses<T>; }),
    by_float<void (*)(const CrossEntropyBackwardArgs&)>([]<class T>(TypeTag<T>) { return &gradients<T>; })};

}  // namespace gradcore::GC_ISA
