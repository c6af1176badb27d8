// Products of integer matrices: along memory, rows of b times an element of a, or rows of a times columns of b. Sums
// wrap around.
#include <type_traits>

#include "core/parallel.h"
#include "kernels/common.h"
#include "kernels/matmul/gemm.h"

namespace gradcore::GC_ISA {
namespace {

constexpr int64_t kWork = 1 << 16;  // products of a parallel block

// c[j] += the sum of kCount elements of a, times their rows of b.
template <int kCount, class U>
GC_INLINE void add_rows(const U* a, int64_t a_col, const U* b, int64_t b_row, U* c, int64_t n) {
  U factor[kCount];
  for (int k = 0; k < kCount; ++k) factor[k] = a[k * a_col];
  GC_INDEPENDENT
  for (int64_t j = 0; j < n; ++j) {
    U sum = c[j];
#pragma GCC unroll 4
    for (int k = 0; k < kCount; ++k) sum += factor[k] * b[k * b_row + j];
    c[j] = sum;
  }
}
template <class U> GC_INLINE U dot(const U* a, const U* b, int64_t n) {
  U sum = 0;
  for (int64_t k = 0; k < n; ++k) sum += a[k] * b[k];
  return sum;
}

template <class U> void row_in_vectors(const GemmArgs<U>& g, const U* a, U* c) {
  if (g.b_col != 1 || g.n == 1) {  // columns of b along memory
    for (int64_t j = 0; j < g.n; ++j) c[j] += dot(a, g.b + j * g.b_col, g.k);
    return;
  }
  constexpr int kStep = 4;
  int64_t k = 0;
  for (; k + kStep <= g.k; k += kStep) add_rows<kStep>(a + k * g.a_col, g.a_col, g.b + k * g.b_row, g.b_row, c, g.n);
  for (; k < g.k; ++k) add_rows<1>(a + k * g.a_col, g.a_col, g.b + k * g.b_row, g.b_row, c, g.n);
}
template <class T> void row_one_by_one(const GemmArgs<T>& g, const T* a, T* c) {
  using U = std::common_type_t<unsigned, std::make_unsigned_t<T>>;  // shorter types would be promoted to int
  for (int64_t k = 0; k < g.k; ++k) {
    const U factor = static_cast<U>(a[k * g.a_col]);
    const T* b = g.b + k * g.b_row;
    for (int64_t j = 0; j < g.n; ++j)
      c[j] = static_cast<T>(static_cast<U>(c[j]) + factor * static_cast<U>(b[j * g.b_col]));
  }
}

template <class T> void multiply_row(const GemmArgs<T>& g, int64_t i) {
  const T* const a = g.a + i * g.a_row;
  T* const c = g.c + i * g.ldc;
  for (int64_t j = 0; !g.accumulate && j < g.n; ++j) c[j] = 0;
  if constexpr (sizeof(T) == 8) {  // the type of nearly all integers: the others are not worth the machine code
    using U = std::make_unsigned_t<T>;
    const auto bits = [](const T* p) { return reinterpret_cast<const U*>(p); };
    const bool by_rows = g.b_col == 1 && g.n > 1, by_columns = g.b_row == 1 && g.a_col == 1;
    if (by_rows || by_columns)
      return row_in_vectors<U>({1, g.n, g.k, bits(a), g.a_row, g.a_col, bits(g.b), g.b_row, g.b_col, nullptr, 0, true},
                               bits(a), reinterpret_cast<U*>(c));
  }
  row_one_by_one(g, a, c);
}

}  // namespace

template <class T> void multiply_integers(const GemmArgs<T>& g) {
  const int64_t each = larger(1, kWork / larger(1, g.n * g.k));
  parallel_blocks(ceil_div(g.m, each), [&](int64_t block) {
    for (int64_t i = block * each; i < smaller(g.m, (block + 1) * each); ++i) multiply_row(g, i);
  });
}

template void multiply_integers<uint8_t>(const GemmArgs<uint8_t>&);
template void multiply_integers<int8_t>(const GemmArgs<int8_t>&);
template void multiply_integers<int16_t>(const GemmArgs<int16_t>&);
template void multiply_integers<int32_t>(const GemmArgs<int32_t>&);
template void multiply_integers<int64_t>(const GemmArgs<int64_t>&);

}  // namespace gradcore::GC_ISA
