// Momentum, rounding to bfloat16 and the move of a parameter: see kernels/optim/muon.h.
#include "kernels/optim/muon.h"

#include "formulas/selection.h"
#include "kernels/lane_ops.h"
#include "kernels/matmul/tiles.h"

namespace gradcore::GC_ISA {

namespace {

// To the upper half of its bits, ties to even. A NaN keeps its sign and its upper half, which has the bit that makes it
// one.
GC_INLINE float rounded(float x) {
  const uint32_t bits = to_bits(x), up = bits + ((bits >> 16 & 1) + 0x7fff), nan = bits | 0x400000;
  return from_bits((x == x ? up : nan) & 0xffff0000);
}

template <class T> GC_INLINE T averaged(MuonAverage how, T average, T grad) {
  return formulas::Lerp::fwd(Lane<T>{average}, Lane<T>{grad}, Lane<T>{static_cast<T>(1 - how.momentum)}).v;
}

template <class T>
void update(int64_t n, MuonAverage how, const void* average, const void* grad, float* __restrict to) {
  const T *m = static_cast<const T*>(average), *g = static_cast<const T*>(grad);
  const Lane<T> ahead{static_cast<T>(how.nesterov ? how.momentum : 1)};
  for (int64_t i = 0; i < n; ++i) {
    const T next = averaged(how, m[i], g[i]);
    to[i] = rounded(static_cast<float>(formulas::Lerp::fwd(Lane<T>{g[i]}, Lane<T>{next}, ahead).v));
  }
}

template <class T>
void move(int64_t n, MuonAverage how, void* param, void* average, const void* grad, const float* __restrict direction,
          double shrink, double rate) {
  T* __restrict p = static_cast<T*>(param), * __restrict m = static_cast<T*>(average);
  const T *g = static_cast<const T*>(grad), by = static_cast<T>(shrink), step = static_cast<T>(rate);
  for (int64_t i = 0; i < n; ++i) {
    m[i] = averaged(how, m[i], g[i]);
    p[i] = p[i] * by + step * static_cast<T>(direction[i]);
  }
}

void round(int64_t n, float* x) {
  for (int64_t i = 0; i < n; ++i) x[i] = rounded(x[i]);
}

void divide(int64_t n, float* x, float by) {
  for (int64_t i = 0; i < n; ++i) x[i] = rounded(x[i] / by);
}

void combine(int64_t n, float a, const float* __restrict x, float b, float* __restrict y) {
  for (int64_t i = 0; i < n; ++i) y[i] = rounded(a * x[i] + b * y[i]);
}

void transpose_each(int64_t rows, int64_t cols, const float* from, float* to, int64_t ld) {
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = 0; j < cols; ++j) to[j * ld + i] = from[i * ld + j];
}
void transpose_all(int64_t rows, int64_t cols, const float* from, float* to, int64_t ld) {
  constexpr int64_t lanes = kLanes<float>;
  const int64_t whole_rows = rows / lanes * lanes, whole_cols = cols / lanes * lanes;
  for (int64_t i = 0; i < whole_rows; i += lanes)
    for (int64_t j = 0; j < whole_cols; j += lanes) transpose(from + i * ld + j, ld, lanes, lanes, to + j * ld + i, ld);
  transpose_each(whole_rows, cols - whole_cols, from + whole_cols, to + whole_cols * ld, ld);
  transpose_each(rows - whole_rows, cols, from + whole_rows * ld, to + whole_rows, ld);
}

}  // namespace

extern const MuonKernels muon_kernels{
    {update<float>, update<double>}, {move<float>, move<double>}, round, divide, combine, transpose_all};

}  // namespace gradcore::GC_ISA
