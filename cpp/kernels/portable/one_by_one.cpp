#include "kernels/portable/one_by_one.h"

#include <type_traits>

namespace gradcore::portable {

template <class T> void run_one_by_one(NumberFn f, int operands, int params, const LoopArgs& a) {
  double arguments[kMaxOperands + kMaxParams];
  using Number = std::conditional_t<is_half_type<T>, float, T>;
  for (int k = 0; k < params; ++k) arguments[operands + k] = static_cast<const Number*>(a.params)[k];
  for (int64_t j = 0; j < a.m; ++j) {
    for (int64_t i = 0; i < a.n; ++i) {
      const auto element = [&](int k) { return reinterpret_cast<T*>(a.ptr[k] + j * a.outer[k] + i * a.inner[k]); };
      for (int k = 0; k < operands; ++k)
        arguments[k] = a.numbers >> (k + 1) & 1 ? *reinterpret_cast<const Number*>(a.ptr[k + 1]) : *element(k + 1);
      *element(0) = static_cast<T>(f(arguments));
    }
  }
}

template void run_one_by_one<float>(NumberFn, int, int, const LoopArgs&);
template void run_one_by_one<double>(NumberFn, int, int, const LoopArgs&);
template void run_one_by_one<half>(NumberFn, int, int, const LoopArgs&);
template void run_one_by_one<bfloat16>(NumberFn, int, int, const LoopArgs&);

}  // namespace gradcore::portable
