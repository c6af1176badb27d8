// The loops of Adafactor's step, as baseline code sees them; optim/adafactor.cpp puts them together.
#pragma once
#include <cstdint>

#include "core/dtype.h"

namespace gradcore {

// How a parameter moves: p = shrink * p + size * g / sqrt(max(variance, floor)).
struct AdafactorMove {
  double shrink, size, floor;
};

// For float32, then float64; rows of a matrix are dense. Sums are float64.
struct AdafactorKernels {
  // variance += take * (g^2 - variance); the sums of p^2 and of g^2 / max(variance, floor)
  FloatRow<void (*)(int64_t n, const void* p, const void* g, void* variance, double take, double floor, double* sums)>
      vary;
  FloatRow<void (*)(int64_t n, void* p, const void* g, const void* variance, AdafactorMove how)> move;
  // row_sums = those of g^2, column_sums += those of g^2; the sum of p^2
  FloatRow<double (*)(int64_t rows, int64_t columns, const void* p, const void* g, double* row_sums,
                      double* column_sums)>
      squares;
  // The variance of an element is row[i] * column[j]: the sum of g^2 / max(variance, floor).
  FloatRow<double (*)(int64_t rows, int64_t columns, const void* g, const double* row, const void* column,
                      double floor)>
      size;
  FloatRow<void (*)(int64_t rows, int64_t columns, void* p, const void* g, const double* row, const void* column,
                    AdafactorMove how)>
      move_rows;
};

#ifdef GC_ISA
namespace GC_ISA {
extern const AdafactorKernels adafactor_kernels;
}
#endif

}  // namespace gradcore
