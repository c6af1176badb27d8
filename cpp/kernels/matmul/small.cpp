// Batches of products so small that choosing a way for each would take longer than computing it. Start at
// multiply_small().
#include "kernels/common.h"
#include "kernels/matmul/gemm.h"
#include "kernels/reduce/fold.h"

namespace gradcore::GC_ISA {

namespace {

// Both contiguous. Two sums hide the latency of an addition; a rest shorter than a vector is added one by one.
template <class T> GC_INLINE T small_dot(const T* a, const T* b, int64_t k) {
  constexpr int64_t L = kLanes<T>;
  T sum = 0;
  if (k >= L) {
    Vec<T> even = load(a) * load(b), odd = {};
    a += L, b += L, k -= L;
    for (; k >= 2 * L; a += 2 * L, b += 2 * L, k -= 2 * L) {
      odd += load(a) * load(b);
      even += load(a + L) * load(b + L);
    }
    if (k >= L) {
      odd += load(a) * load(b);
      a += L, b += L, k -= L;
    }
    sum = fold_lanes<SumKind<T>, T>(even + odd);
  }
  for (int64_t i = 0; i < k; ++i) sum += a[i] * b[i];
  return sum;
}

template <class T> void small_dots(const GemmArgs<T>& g) {
  for (int64_t i = 0; i < g.m; ++i)
    for (int64_t j = 0; j < g.n; ++j) g.c[i * g.ldc + j] = small_dot(g.a + i * g.a_row, g.b + j * g.b_col, g.k);
}

// C row by row, in the order of the memory of B.
template <class T> void small_rows(const GemmArgs<T>& g) {
  for (int64_t i = 0; i < g.m; ++i) {
    const T* const a = g.a + i * g.a_row;
    T* const c = g.c + i * g.ldc;
    for (int64_t j = 0; j < g.n; ++j) c[j] = a[0] * g.b[j];
    for (int64_t k = 1; k < g.k; ++k)
      for (int64_t j = 0; j < g.n; ++j) c[j] += a[k * g.a_col] * g.b[k * g.b_row + j];
  }
}

template <class T> void small_products(const GemmArgs<T>& g) {
  for (int64_t i = 0; i < g.m; ++i)
    for (int64_t j = 0; j < g.n; ++j) {
      const T *a = g.a + i * g.a_row, *b = g.b + j * g.b_col;
      T sum = 0;
      for (int64_t k = 0; k < g.k; ++k, a += g.a_col, b += g.b_row) sum += *a * *b;
      g.c[i * g.ldc + j] = sum;
    }
}

}  // namespace

template <class T> void multiply_small(GemmArgs<T> g, int64_t batch, int64_t a_step, int64_t b_step) {
  const auto each = [&](auto&& product) {
    for (int64_t i = 0; i < batch; ++i, g.a += a_step, g.b += b_step, g.c += g.m * g.ldc) product(g);
  };
  if (g.a_col == 1 && g.b_row == 1) return each([](const GemmArgs<T>& one) { small_dots(one); });
  if (g.b_col == 1 && g.n > 1) return each([](const GemmArgs<T>& one) { small_rows(one); });
  each([](const GemmArgs<T>& one) { small_products(one); });
}

template void multiply_small(GemmArgs<float>, int64_t, int64_t, int64_t);
template void multiply_small(GemmArgs<double>, int64_t, int64_t, int64_t);

}  // namespace gradcore::GC_ISA
