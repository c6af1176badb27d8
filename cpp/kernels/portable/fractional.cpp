#include "kernels/portable/fractional.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/parallel.h"

namespace gradcore::portable {

namespace {

constexpr int64_t kGrain = 1 << 14;  // elements that a parallel block compares

// The last NaN, or the first of the largest, as in torch.
template <class T>
void largest(const FractionalMaxArgs& a, const T* x, int64_t s0, int64_t s1, int64_t s2, T* value, int64_t* place) {
  T best = -std::numeric_limits<T>::infinity();
  int64_t at = (s0 * a.sizes[1] + s1) * a.sizes[2] + s2;
  for (int64_t i = s0; i < s0 + a.kernel[0]; ++i)
    for (int64_t j = s1; j < s1 + a.kernel[1]; ++j) {
      const int64_t line = (i * a.sizes[1] + j) * a.sizes[2];
      for (int64_t k = line + s2; k < line + s2 + a.kernel[2]; ++k)
        if (x[k] > best || std::isnan(x[k])) best = x[k], at = k;
    }
  *value = best, *place = at;
}

template <class T> void of_plane(const FractionalMaxArgs& a, int64_t plane) {
  const int64_t outs = a.outs[0] * a.outs[1] * a.outs[2];
  const int64_t* const first = a.starts + plane % a.tables * (a.outs[0] + a.outs[1] + a.outs[2]);
  const int64_t *const second = first + a.outs[0], *const third = second + a.outs[1];
  const T* const x = static_cast<const T*>(a.x) + plane * a.sizes[0] * a.sizes[1] * a.sizes[2];
  T* value = static_cast<T*>(a.out) + plane * outs;
  int64_t* place = a.index + plane * outs;
  for (int64_t i = 0; i < a.outs[0]; ++i)
    for (int64_t j = 0; j < a.outs[1]; ++j)
      for (int64_t k = 0; k < a.outs[2]; ++k) largest(a, x, first[i], second[j], third[k], value++, place++);
}

}  // namespace

void fractional_max(const FractionalMaxArgs& a) {
  int64_t work = 1;
  for (int i = 0; i < 3; ++i) work *= a.outs[i] * a.kernel[i];
  const int64_t each = std::max<int64_t>(1, kGrain / std::max<int64_t>(1, work));
  parallel_blocks((a.planes + each - 1) / each, [&](int64_t block) {
    for (int64_t p = block * each; p < std::min(a.planes, (block + 1) * each); ++p)
      a.dtype == DType::Float32 ? of_plane<float>(a, p) : of_plane<double>(a, p);
  });
}

}  // namespace gradcore::portable
