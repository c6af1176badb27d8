#include "kernels/portable/cross.h"

#include <algorithm>

#include "core/parallel.h"

namespace gradcore::portable {

namespace {

template <class T> void cross_of(const CrossArgs& c) {
  const int64_t n = c.inner, each = std::max<int64_t>(1, (1 << 12) / std::max<int64_t>(1, n));
  parallel_blocks((c.outer + each - 1) / each, [&](int64_t block) {
    for (int64_t o = block * each; o < std::min(c.outer, (block + 1) * each); ++o) {
      const T* const a = reinterpret_cast<const T*>(c.a) + o * 3 * n;
      const T* const b = reinterpret_cast<const T*>(c.b) + o * 3 * n;
      T* const out = reinterpret_cast<T*>(c.out) + o * 3 * n;
      for (int64_t i = 0; i < n; ++i) {
        const T x = a[i], y = a[n + i], z = a[2 * n + i], u = b[i], v = b[n + i], w = b[2 * n + i];
        out[i] = y * w - z * v;
        out[n + i] = z * u - x * w;
        out[2 * n + i] = x * v - y * u;
      }
    }
  });
}

}  // namespace

void cross(const CrossArgs& c) { c.dtype == DType::Float64 ? cross_of<double>(c) : cross_of<float>(c); }

}  // namespace gradcore::portable
