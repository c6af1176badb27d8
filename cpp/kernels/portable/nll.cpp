#include "kernels/portable/nll.h"

#include <algorithm>

#include "core/error.h"
#include "core/parallel.h"

namespace gradcore::portable {

namespace {

constexpr int64_t kGrain = 1 << 14;

// Calls f(number of the row, place of its class, weight) for all rows of a sample; where a row does not count, its
// place is -1.
template <class T, class F> void each_row(const NllArgs& a, int64_t sample, const F& f) {
  const T* const weight = static_cast<const T*>(a.weight);
  for (int64_t i = 0; i < a.places; ++i) {
    const int64_t row = sample * a.places + i, t = a.target[row];
    const bool counts = t != a.ignored && static_cast<uint64_t>(t) < static_cast<uint64_t>(a.classes);
    if (counts)
      f(row, (sample * a.classes + t) * a.places + i, weight ? weight[t] : T(1));
    else
      f(row, -1, T(0));
  }
}

template <class T> double weight_of_rows(const NllArgs& a) {
  double sum = 0;
  for (int64_t s = 0; s < a.samples; ++s)
    each_row<T>(a, s, [&](int64_t, int64_t, T w) { sum += static_cast<double>(w); });
  return sum;
}

template <class T> void forward(const NllArgs& a) {
  const T* const x = static_cast<const T*>(a.x);
  T* const out = static_cast<T*>(a.out);
  double sum = 0, weights = 0;
  for (int64_t s = 0; s < a.samples; ++s)
    each_row<T>(a, s, [&](int64_t row, int64_t at, T w) {
      const T loss = at < 0 ? T(0) : -x[at] * w;
      sum += static_cast<double>(loss);
      weights += static_cast<double>(w);
      if (!a.reduces) out[row] = loss;
    });
  if (a.reduces) *out = static_cast<T>(a.averages ? sum / weights : sum);
}

template <class T> void backward(const NllArgs& a) {
  const T* const g = static_cast<const T*>(a.x);
  T* const dx = static_cast<T*>(a.out);
  const double by = a.averages ? 1 / weight_of_rows<T>(a) : 1;
  const int64_t size = a.classes * a.places, each = std::max<int64_t>(1, kGrain / std::max<int64_t>(1, size));
  parallel_blocks((a.samples + each - 1) / each, [&](int64_t block) {
    const int64_t first = block * each, end = std::min(a.samples, first + each);
    std::fill_n(dx + first * size, (end - first) * size, T(0));
    for (int64_t s = first; s < end; ++s)
      each_row<T>(a, s, [&](int64_t row, int64_t at, T w) {
        if (at >= 0)
          dx[at] = static_cast<T>(-static_cast<double>(w) * by * static_cast<double>(g[a.reduces ? 0 : row]));
      });
  });
}

}  // namespace

void nll(const NllArgs& a) { a.dtype == DType::Float32 ? forward<float>(a) : forward<double>(a); }
void nll_backward(const NllArgs& a) { a.dtype == DType::Float32 ? backward<float>(a) : backward<double>(a); }

void check_classes(const CheckClassesArgs& a) {
  // The sign of what is below 0, or above the last: nearly always that is all there is to look at.
  uint64_t signs = 0;
  for (int64_t i = 0; i < a.count; ++i) {
    const auto t = static_cast<uint64_t>(a.target[i]);
    signs |= t | (static_cast<uint64_t>(a.classes - 1) - t);
  }
  for (int64_t i = 0; signs >> 63 && i < a.count; ++i) {
    const int64_t t = a.target[i];
    check(t == a.ignored || static_cast<uint64_t>(t) < static_cast<uint64_t>(a.classes), ErrorKind::Index, "Target ", t,
          " is out of bounds.");
  }
}

}  // namespace gradcore::portable
