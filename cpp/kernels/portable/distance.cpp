#include "kernels/portable/distance.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>

#include "core/parallel.h"

namespace gradcore::portable {

namespace {

// Each norm by its slope: that of a distance `y` along a difference `d`.
template <class T> struct CountNorm {  // p = 0
  T slope(T, T) const { return 0; }
};
// Without a branch on the sign, which nobody can predict. A NaN stays.
template <class T> T sign_of(T d) {
  const T sign = static_cast<T>(d > 0) - static_cast<T>(d < 0);
  return d == d ? sign : d;
}
template <class T> struct OneNorm {
  T slope(T d, T) const { return sign_of(d); }
};
template <class T> struct TwoNorm {
  T slope(T d, T y) const { return y == 0 ? T(0) : d / y; }
};
template <class T> struct MaxNorm {
  T slope(T d, T y) const { return sign_of(d) * static_cast<T>(std::abs(d) == y); }
};
template <class T> struct AnyNorm {
  T p;
  T slope(T d, T y) const {
    if (y == 0 || (d == 0 && p < 1)) return 0;
    return sign_of(d) * std::pow(std::abs(d), p - 1) / std::pow(y, p - 1);
  }
};

template <class T, class F> void visit_norm(double p, F&& f) {
  if (p == 0) return f(CountNorm<T>());
  if (p == 1) return f(OneNorm<T>());
  if (p == 2) return f(TwoNorm<T>());
  if (p == std::numeric_limits<double>::infinity()) return f(MaxNorm<T>());
  f(AnyNorm<T>{static_cast<T>(p)});
}

// Calls f(row) for the rows of a whole batch, in parallel blocks of about some 100,000 numbers.
template <class F> void each_row(int64_t rows, int64_t work_per_row, F&& f) {
  const int64_t per_block = std::max<int64_t>(1, 100'000 / std::max<int64_t>(1, work_per_row));
  parallel_blocks((rows + per_block - 1) / per_block, [&](int64_t block) {
    const int64_t end = std::min(rows, (block + 1) * per_block);
    for (int64_t row = block * per_block; row < end; ++row) f(row);
  });
}

}  // namespace

void distance_backward(const DistanceBackwardArgs& d) {
  visit_float(d.dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    visit_norm<T>(d.p, [&](const auto& norm) {
      each_row(d.batch * d.rows, d.columns * d.size, [&](int64_t row) {
        const T* a = reinterpret_cast<const T*>(d.a) + row * d.size;
        const T* b = reinterpret_cast<const T*>(d.b) + row / d.rows * d.columns * d.size;
        const T* grad = reinterpret_cast<const T*>(d.grad) + row * d.columns;
        const T* y = reinterpret_cast<const T*>(d.distance) + row * d.columns;
        T* out = reinterpret_cast<T*>(d.out) + row * d.size;
        std::fill_n(out, d.size, T(0));
        for (int64_t j = 0; j < d.columns; ++j) {
          const T g = grad[j], distance = y[j];
          const T* const other = b + j * d.size;
#pragma omp simd
          for (int64_t k = 0; k < d.size; ++k) out[k] += g * norm.slope(a[k] - other[k], distance);
        }
      });
    });
  });
}

}  // namespace gradcore::portable
