// Products of integer matrices: row by row, so that the inner loop runs along memory.
#include <type_traits>

#include "kernels/matmul/gemm.h"

namespace gradcore::GC_ISA {

template <class T> void multiply_integers(const GemmArgs<T>& g) {
  // Wraps around; shorter types would be promoted to int.
  using U = std::common_type_t<unsigned, std::make_unsigned_t<T>>;
  for (int64_t i = 0; i < g.m; ++i) {
    T* c = g.c + i * g.ldc;
    if (!g.accumulate)
      for (int64_t j = 0; j < g.n; ++j) c[j] = 0;
    for (int64_t k = 0; k < g.k; ++k) {
      const U a = static_cast<U>(g.a[i * g.a_row + k * g.a_col]);
      const T* b = g.b + k * g.b_row;
      for (int64_t j = 0; j < g.n; ++j)
        c[j] = static_cast<T>(static_cast<U>(c[j]) + a * static_cast<U>(b[j * g.b_col]));
    }
  }
}

template void multiply_integers<uint8_t>(const GemmArgs<uint8_t>&);
template void multiply_integers<int8_t>(const GemmArgs<int8_t>&);
template void multiply_integers<int16_t>(const GemmArgs<int16_t>&);
template void multiply_integers<int32_t>(const GemmArgs<int32_t>&);
template void multiply_integers<int64_t>(const GemmArgs<int64_t>&);

}  // namespace gradcore::GC_ISA
