// Uniform random numbers turned into others, in place: the vectorised part of random fills. Start at kernels().random;
// kernels/portable/random.h draws the numbers.
#pragma once
#include <cstdint>

namespace gradcore {

// Note [Same bits everywhere]
// torch is built with fused multiply-adds. Here each of them is written out and nothing else is fused, so that all
// instruction sets agree. Where fma is not an instruction libm computes it, slower but exactly.
struct RandomKernels {
  // Numbers of [0, 1) in [low, high).
  void (*stretch_f32)(float* p, int64_t n, float low, float high);
  void (*stretch_f64)(double* p, int64_t n, double low, double high);
  // Box-Muller on blocks of 16: the first eight make radii, the others angles.
  void (*normal_f32)(float* p, int64_t blocks, float mean, float std);
};

#ifdef GC_ISA
namespace GC_ISA {
extern const RandomKernels random_kernels;
}
#endif

}  // namespace gradcore
