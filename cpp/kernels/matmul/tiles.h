// The inner loops of gemm.cpp: tiles of C that are computed wholly in registers. Start at Tile and DotTile.
// Every sum is one chain of multiply-adds in the order of k (per vector lane in DotTile), whatever the size
// of the tile around it, so C may be cut anywhere without changing a bit of the result.
// Compiled with -ffp-contract=fast: a * b + c becomes one fused instruction where the machine has it.
#pragma once
#include <utility>

#include "kernels/common.h"
#include "kernels/intrinsics.h"

namespace gradcore::GC_ISA {

namespace {

#if defined(__AVX512F__)
constexpr int kTileRows = 14;  // 14 x 2 accumulators, 2 vectors of B and 1 broadcast of A: 31 of 32 registers
constexpr int kDotRows = 6;    // 6 x 4 accumulators
#else
constexpr int kTileRows = 6;  // 6 x 2 accumulators in 16 registers
constexpr int kDotRows = 2;
#endif
constexpr int kTileVecs = 2;  // a tile is at most kTileRows rows by kTileVecs vectors

// The size of equal parts of at most `limit` each.
GC_INLINE int64_t even_part(int64_t size, int64_t limit) { return ceil_div(size, ceil_div(size, limit)); }

template <class T> constexpr int kTileCols = kTileVecs * static_cast<int>(kLanes<T>);

// The first n lanes only, 0 <= n <= lanes: memory past them is not touched; a load fills the others with 0.
#if defined(__AVX512F__)
GC_INLINE Vec<float> load_part(const float* p, int64_t n) {
  return _mm512_maskz_loadu_ps(static_cast<__mmask16>((1u << n) - 1), p);
}
GC_INLINE Vec<double> load_part(const double* p, int64_t n) {
  return _mm512_maskz_loadu_pd(static_cast<__mmask8>((1u << n) - 1), p);
}
GC_INLINE void store_part(float* p, Vec<float> v, int64_t n) {
  _mm512_mask_storeu_ps(p, static_cast<__mmask16>((1u << n) - 1), v);
}
GC_INLINE void store_part(double* p, Vec<double> v, int64_t n) {
  _mm512_mask_storeu_pd(p, static_cast<__mmask8>((1u << n) - 1), v);
}
#elif defined(__AVX2__)
GC_INLINE __m256i mask_of(int64_t n, float) {
  const __m256i lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(n)), lanes);
}
GC_INLINE __m256i mask_of(int64_t n, double) {
  return _mm256_cmpgt_epi64(_mm256_set1_epi64x(n), _mm256_setr_epi64x(0, 1, 2, 3));
}
GC_INLINE Vec<float> load_part(const float* p, int64_t n) { return _mm256_maskload_ps(p, mask_of(n, 0.0f)); }
GC_INLINE Vec<double> load_part(const double* p, int64_t n) { return _mm256_maskload_pd(p, mask_of(n, 0.0)); }
GC_INLINE void store_part(float* p, Vec<float> v, int64_t n) { _mm256_maskstore_ps(p, mask_of(n, 0.0f), v); }
GC_INLINE void store_part(double* p, Vec<double> v, int64_t n) { _mm256_maskstore_pd(p, mask_of(n, 0.0), v); }
#else
template <class T> GC_INLINE Vec<T> load_part(const T* p, int64_t n) {
  Vec<T> v{};
  for (int i = 0; i < kLanes<T>; ++i)
    if (i < n) v[i] = p[i];
  return v;
}
template <class T> GC_INLINE void store_part(T* p, Vec<T> v, int64_t n) {
  for (int i = 0; i < kLanes<T>; ++i)
    if (i < n) p[i] = v[i];
}
#endif

// Asks for `bytes` of memory `distance` elements after p, which may lie past the end of the array.
template <class T> GC_INLINE void prefetch(const T* p, int64_t distance, int bytes) {
  const uintptr_t at = reinterpret_cast<uintptr_t>(p) + static_cast<uintptr_t>(distance) * sizeof(T);
#pragma GCC unroll 4
  for (int i = 0; i < bytes; i += 64) __builtin_prefetch(reinterpret_cast<const void*>(at + i));
}

// ---- C tile = A rows times B rows ----

template <class T> struct Tile {
  int64_t k;
  const T* a;
  int64_t a_row, a_col;
  const T* b;  // rows of unit column stride
  int64_t ldb;
  T* c;
  int64_t ldc;
  int64_t last;  // lanes used in the last vector, 1 .. lanes
  bool accumulate;
};
template <class T> using TileFn = void (*)(const Tile<T>&);

// `kPart`: the last vector of each row is not full.
template <class T, int kRows, int kVecs, bool kPart> void run_tile(const Tile<T>& t) {
  constexpr int lanes = kLanes<T>;
  const T* a = t.a;
  const T* b = t.b;
  T* to = t.c;
  const int64_t a_row = t.a_row, a_col = t.a_col, ldb = t.ldb, ldc = t.ldc;
  const int64_t last = t.last;
  const bool accumulate = t.accumulate;
  Vec<T> c[kRows][kVecs];
#pragma GCC unroll 16
  for (int i = 0; i < kRows; ++i) {
    __builtin_prefetch(to + i * ldc, 1, 3);
#pragma GCC unroll 4
    for (int j = 0; j < kVecs; ++j) c[i][j] = Vec<T>{};
  }
  for (int64_t k = t.k; k > 0; --k, a += a_col, b += ldb) {
    prefetch(b, 8 * ldb, kVecs * kVecBytes);
    Vec<T> row[kVecs];
#pragma GCC unroll 4
    for (int j = 0; j < kVecs; ++j)
      row[j] = kPart && j == kVecs - 1 ? load_part(b + j * lanes, last) : load(b + j * lanes);
#pragma GCC unroll 16
    for (int i = 0; i < kRows; ++i)
#pragma GCC unroll 4
      for (int j = 0; j < kVecs; ++j) c[i][j] += a[i * a_row] * row[j];
  }
#pragma GCC unroll 16
  for (int i = 0; i < kRows; ++i, to += ldc) {
#pragma GCC unroll 4
    for (int j = 0; j < kVecs; ++j) {
      if (kPart && j == kVecs - 1)
        store_part(to + j * lanes, accumulate ? load_part(to + j * lanes, last) + c[i][j] : c[i][j], last);
      else
        store(to + j * lanes, accumulate ? load(to + j * lanes) + c[i][j] : c[i][j]);
    }
  }
}

template <class T, int kVecs, bool kPart> struct TileRow {
  template <int kRows> static constexpr TileFn<T> at() {
    return run_tile<T, (kRows < kTileRows ? kRows : kTileRows), kVecs, kPart>;
  }
  static constexpr TileFn<T> of[14] = {at<1>(), at<2>(), at<3>(),  at<4>(),  at<5>(),  at<6>(),  at<7>(),
                                       at<8>(), at<9>(), at<10>(), at<11>(), at<12>(), at<13>(), at<14>()};
};
template <class T>
constexpr const TileFn<T>* kTileFns[kTileVecs][2] = {{TileRow<T, 1, false>::of, TileRow<T, 1, true>::of},
                                                     {TileRow<T, 2, false>::of, TileRow<T, 2, true>::of}};

// The kernel for tiles of 1 .. kTileCols columns, by rows - 1. Sets t.last.
template <class T> GC_INLINE const TileFn<T>* tile_fns(Tile<T>& t, int64_t cols) {
  const int vecs = cols > kLanes<T> ? 2 : 1;
  t.last = cols - (vecs - 1) * kLanes<T>;
  return kTileFns<T>[vecs - 1][t.last < kLanes<T>];
}

// ---- C tile = dot products of rows of X and rows of Y, all contiguous along k ----

template <class T> struct DotTile {
  int64_t k;
  const T* x;
  int64_t ldx;
  const T* y;
  int64_t ldy;
  T* c;
  int64_t c_x, c_y;  // strides of C along the rows of X and of Y
  int64_t ys;        // rows of Y used
  bool accumulate;
};
template <class T> using DotFn = void (*)(const DotTile<T>&);

// The vector's halves added, again and again, down to 16 bytes. Not by intrinsics: g++ 12 warns inside its
// own.
#ifdef __SSE3__
GC_INLINE __m128 fold(Vec<float> v) {
#if defined(__AVX512F__)
  const auto half = __builtin_shufflevector(v, v, 0, 1, 2, 3, 4, 5, 6, 7) +
                    __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15);
  return __builtin_shufflevector(half, half, 0, 1, 2, 3) + __builtin_shufflevector(half, half, 4, 5, 6, 7);
#elif defined(__AVX2__)
  return __builtin_shufflevector(v, v, 0, 1, 2, 3) + __builtin_shufflevector(v, v, 4, 5, 6, 7);
#else
  return v;
#endif
}
GC_INLINE __m128d fold(Vec<double> v) {
#if defined(__AVX512F__)
  const auto half = __builtin_shufflevector(v, v, 0, 1, 2, 3) + __builtin_shufflevector(v, v, 4, 5, 6, 7);
  return __builtin_shufflevector(half, half, 0, 1) + __builtin_shufflevector(half, half, 2, 3);
#elif defined(__AVX2__)
  return __builtin_shufflevector(v, v, 0, 1) + __builtin_shufflevector(v, v, 2, 3);
#else
  return v;
#endif
}
// The sums over the lanes of four vectors.
GC_INLINE void sum_lanes(const Vec<float>* v, float* out) {
  const __m128 low = _mm_hadd_ps(fold(v[0]), fold(v[1])), high = _mm_hadd_ps(fold(v[2]), fold(v[3]));
  _mm_storeu_ps(out, _mm_hadd_ps(low, high));
}
GC_INLINE void sum_lanes(const Vec<double>* v, double* out) {
  _mm_storeu_pd(out, _mm_hadd_pd(fold(v[0]), fold(v[1])));
  _mm_storeu_pd(out + 2, _mm_hadd_pd(fold(v[2]), fold(v[3])));
}
#else
template <class T> GC_INLINE void sum_lanes(const Vec<T>* v, T* out) {
  for (int q = 0; q < 4; ++q) {
    T sum = 0;
    for (int l = 0; l < kLanes<T>; ++l) sum += v[q][l];
    out[q] = sum;
  }
}
#endif

// Where t.ys < kYs the last row of Y stands in for the missing ones, and their sums are dropped.
template <class T, int kXs, int kYs> void run_dots(const DotTile<T>& t) {
  constexpr int lanes = kLanes<T>;
  const T* y[kYs];
  Vec<T> c[kXs][kYs];
#pragma GCC unroll 8
  for (int q = 0; q < kYs; ++q) {
    y[q] = t.y + (q < t.ys ? q : t.ys - 1) * t.ldy;
#pragma GCC unroll 8
    for (int p = 0; p < kXs; ++p) c[p][q] = Vec<T>{};
  }
  int64_t k = 0;
  for (; k + lanes <= t.k; k += lanes) {
    Vec<T> row[kYs];
#pragma GCC unroll 8
    for (int q = 0; q < kYs; ++q) row[q] = load(y[q] + k);
#pragma GCC unroll 8
    for (int p = 0; p < kXs; ++p) {
      const Vec<T> x = load(t.x + p * t.ldx + k);
#pragma GCC unroll 8
      for (int q = 0; q < kYs; ++q) c[p][q] += x * row[q];
    }
  }
  if (k < t.k) {
    const int64_t rest = t.k - k;
    Vec<T> row[kYs];
#pragma GCC unroll 8
    for (int q = 0; q < kYs; ++q) row[q] = load_part(y[q] + k, rest);
#pragma GCC unroll 8
    for (int p = 0; p < kXs; ++p) {
      const Vec<T> x = load_part(t.x + p * t.ldx + k, rest);
#pragma GCC unroll 8
      for (int q = 0; q < kYs; ++q) c[p][q] += x * row[q];
    }
  }
#pragma GCC unroll 8
  for (int p = 0; p < kXs; ++p) {
    T sums[kYs];
#pragma GCC unroll 2
    for (int q = 0; q < kYs; q += 4) sum_lanes(&c[p][q], sums + q);
    T* to = t.c + p * t.c_x;
    for (int q = 0; q < t.ys; ++q) to[q * t.c_y] = t.accumulate ? to[q * t.c_y] + sums[q] : sums[q];
  }
}

// One dot product, on eight chains: a single one would wait for the latency of each addition.
template <class T> T dot(int64_t n, const T* x, const T* y) {
  constexpr int lanes = kLanes<T>, chains = 8;
  Vec<T> sum[chains] = {};
  int64_t i = 0;
  for (; i + chains * lanes <= n; i += chains * lanes)
#pragma GCC unroll 8
    for (int q = 0; q < chains; ++q) sum[q] += load(x + i + q * lanes) * load(y + i + q * lanes);
  for (; i + lanes <= n; i += lanes) sum[0] += load(x + i) * load(y + i);
  if (i < n) sum[0] += load_part(x + i, n - i) * load_part(y + i, n - i);
  Vec<T> total[4];
  for (int q = 0; q < 4; ++q) total[q] = sum[q] + sum[q + 4];
  T parts[4];
  sum_lanes(total, parts);
  return (parts[0] + parts[1]) + (parts[2] + parts[3]);
}

// ---- transposition ----

// One of log2(lanes) rounds: rows kStep apart exchange the off-diagonal halves of their squares of 2 * kStep.
template <class T, int kStep, int... I> GC_INLINE void exchange(Vec<T>* v, std::integer_sequence<int, I...>) {
  constexpr int lanes = sizeof...(I);
#pragma GCC unroll 16
  for (int i = 0; i < lanes; ++i) {
    if (i & kStep) continue;
    const Vec<T> a = v[i], b = v[i + kStep];
    v[i] = __builtin_shufflevector(a, b, (I & kStep ? lanes + I - kStep : I)...);
    v[i + kStep] = __builtin_shufflevector(a, b, (I & kStep ? lanes + I : I + kStep)...);
  }
}
// to[j * ld_to + i] = from[i * ld_from + j] for j < cols and all lanes i, with 0 in place of missing rows.
template <class T>
GC_INLINE void transpose(const T* from, int64_t ld_from, int64_t rows, int64_t cols, T* to, int64_t ld_to) {
  constexpr int lanes = kLanes<T>;
  Vec<T> v[lanes];
#pragma GCC unroll 16
  for (int i = 0; i < lanes; ++i)
    if (i >= rows)
      v[i] = Vec<T>{};
    else
      v[i] = cols == lanes ? load(from + i * ld_from) : load_part(from + i * ld_from, cols);
  constexpr auto all = std::make_integer_sequence<int, lanes>();
  exchange<T, 1>(v, all);
  if constexpr (lanes > 2) exchange<T, 2>(v, all);
  if constexpr (lanes > 4) exchange<T, 4>(v, all);
  if constexpr (lanes > 8) exchange<T, 8>(v, all);
#pragma GCC unroll 16
  for (int i = 0; i < lanes; ++i)
    if (i < cols) store(to + i * ld_to, v[i]);
}

}  // namespace

}  // namespace gradcore::GC_ISA
