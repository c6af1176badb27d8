// Matrix products. The arguments are plain declarations for baseline code; the kernels are in gemm.cpp and
// integers.cpp.
#pragma once
#include <cstdint>

#include "core/half.h"

namespace gradcore {

// C[m,n] (row stride ldc, unit column stride) = (accumulate ? C : 0) + A[m,k] B[k,n]. Strides count elements;
// those of A and B are arbitrary, 0 (broadcast) included. C overlaps neither A nor B. With `start`, n numbers, each row
// of C begins as they are: a bias. f32 and f64 alone know it.
template <class T> struct GemmArgs {
  int64_t m, n, k;
  const T* a;
  int64_t a_row, a_col;
  const T* b;
  int64_t b_row, b_col;
  T* c;
  int64_t ldc;
  bool accumulate;
  const T* start = nullptr;
};
template <class T> using GemmFn = void (*)(const GemmArgs<T>&);

// The same for each of a batch whose matrices are `a_step` and `b_step` apart, C's without gaps: for is_small()
// products.
template <class T> using SmallFn = void (*)(GemmArgs<T>, int64_t batch, int64_t a_step, int64_t b_step);
template <class T> bool is_small(const GemmArgs<T>& g) { return g.m * g.n * g.k <= 128; }

struct MatmulKernels {
  GemmFn<float> f32;
  GemmFn<double> f64;
  // Integers: sums wrap around.
  GemmFn<uint8_t> u8;
  GemmFn<int8_t> i8;
  GemmFn<int16_t> i16;
  GemmFn<int32_t> i32;
  GemmFn<int64_t> i64;
  // Accumulated as floats, and rounded once or stored as floats.
  GemmFn<half> f16, f16_to_f32;
  GemmFn<bfloat16> bf16, bf16_to_f32;
  SmallFn<float> small_f32;
  SmallFn<double> small_f64;
};

#ifdef GC_ISA
namespace GC_ISA {
extern const MatmulKernels matmul_kernels;
// In integers.cpp.
template <class T> void multiply_integers(const GemmArgs<T>& args);
// In halves.cpp. C is of type Out.
template <class T, class Out> void multiply_halves(const GemmArgs<T>& args);
// In dots.cpp. C is dense. dots_pay() is false where the processor has no such instruction, or another way is faster.
bool dots_pay(const GemmArgs<bfloat16>& args);
void multiply_by_dots(const GemmArgs<bfloat16>& args, float* c);
// In small.cpp.
template <class T> void multiply_small(GemmArgs<T> g, int64_t batch, int64_t a_step, int64_t b_step);
}  // namespace GC_ISA
#endif

}  // namespace gradcore
