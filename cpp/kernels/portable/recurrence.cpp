#include "kernels/portable/recurrence.h"

#include <algorithm>

#include "core/parallel.h"

namespace gradcore::portable {

namespace {

constexpr int64_t kWidth = 256;      // most columns that go down together
constexpr int64_t kGrain = 1 << 14;  // elements of a parallel block

// `cols` columns of n elements that are `stride` apart.
template <class T> void recur_columns(const T* x, const T* a, T* y, int64_t n, int64_t stride, int64_t cols) {
  double last[kWidth];
  for (int64_t j = 0; j < cols; ++j) last[j] = static_cast<double>(x[j]);
  for (int64_t j = 0; j < cols; ++j) y[j] = static_cast<T>(last[j]);
  for (int64_t i = 1; i < n; ++i) {
    x += stride, a += stride, y += stride;
    for (int64_t j = 0; j < cols; ++j) last[j] = static_cast<double>(x[j]) + static_cast<double>(a[j]) * last[j];
    for (int64_t j = 0; j < cols; ++j) y[j] = static_cast<T>(last[j]);
  }
}

template <class T> void recur_all(const RecurrenceArgs& r) {
  const int64_t strips = (r.inner + kWidth - 1) / kWidth, count = r.outer * strips;
  const int64_t per_block = std::max<int64_t>(1, kGrain / (r.n * std::min(r.inner, kWidth)));
  parallel_blocks((count + per_block - 1) / per_block, [&](int64_t b) {
    for (int64_t i = b * per_block; i < std::min(count, (b + 1) * per_block); ++i) {
      const int64_t column = i % strips * kWidth, at = i / strips * r.n * r.inner + column;
      recur_columns(static_cast<const T*>(r.x) + at, static_cast<const T*>(r.a) + at, static_cast<T*>(r.y) + at, r.n,
                    r.inner, std::min(kWidth, r.inner - column));
    }
  });
}

}  // namespace

void recur(const RecurrenceArgs& r) {
  visit_float(r.dtype, [&]<class T>(TypeTag<T>) { recur_all<T>(r); });
}

}  // namespace gradcore::portable
