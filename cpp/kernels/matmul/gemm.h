// Matrix products. The arguments are plain declarations for baseline code; the kernels are in gemm.cpp.
#pragma once
#include <cstdint>

namespace gradcore {

// C[m,n] (row stride ldc, unit column stride) = (accumulate ? C : 0) + A[m,k] B[k,n]. Strides count elements;
// those of A and B are arbitrary, 0 (broadcast) included. C overlaps neither A nor B.
template <class T> struct GemmArgs {
  int64_t m, n, k;
  const T* a;
  int64_t a_row, a_col;
  const T* b;
  int64_t b_row, b_col;
  T* c;
  int64_t ldc;
  bool accumulate;
};

struct MatmulKernels {
  void (*f32)(const GemmArgs<float>&);
  void (*f64)(const GemmArgs<double>&);
};

#ifdef GC_ISA
namespace GC_ISA {
extern const MatmulKernels matmul_kernels;
}
#endif

}  // namespace gradcore
