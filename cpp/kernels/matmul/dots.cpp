// Products of bfloat16 by the instruction that adds two products at once (VDPBF16PS), where the processor has it. Start
// at dots_pay().
//
// Elements of two neighbours in k make a word of 32 bits. Panels of kColumns columns of B are packed as such words, and
// so are kRows rows of A, unless they lie along k: then the words are there. A tile of C stays in registers while it
// goes through a block of k. Where A is thin and both lie along k, nothing is packed. The blocks depend on shapes
// alone.
#include "core/parallel.h"
#include "kernels/common.h"
#include "kernels/intrinsics.h"
#include "kernels/matmul/gemm.h"
#include "kernels/matmul/tiles.h"

namespace gradcore::GC_ISA {

#if defined(__AVX512F__)

namespace {

#define GC_DOTS __attribute__((target("avx512bf16")))

using Args = GemmArgs<bfloat16>;
constexpr int kRows = 6, kVectors = 4, kLane = 16, kColumns = kVectors * kLane;
constexpr int64_t kDepth = 1024;   // k of a block: each takes C through memory once more
constexpr int64_t kRowBlock = 96;  // rows that one thread takes at a time
constexpr int64_t kThinRows = 16;  // so many rows of A, and it is not packed
constexpr int64_t kThinWork = 1 << 16;

bool has_instruction() {
  static const bool has = __builtin_cpu_supports("avx512bf16");
  return has;
}

// Two neighbours in k of row or column `i`; the second is 0 behind the last.
GC_INLINE uint32_t pair_at(const bfloat16* p, int64_t along, bool both) {
  const uint32_t low = p[0].bits, high = both ? p[along].bits : 0;
  return low | high << 16;
}

// `count` lines of A or B, of which `width` make a panel: words [pair][line]. Lines behind the last are zeros.
GC_OUTLINE void pack(const bfloat16* p, int64_t across, int64_t along, int64_t count, int64_t width, int64_t depth,
                     uint32_t* to) {
  const int64_t pairs = ceil_div(depth, 2);
  for (int64_t kk = 0; kk < pairs; ++kk, to += width, p += 2 * along) {
    const bool both = 2 * kk + 1 < depth;
    if (across == 1 && both)
      for (int64_t i = 0; i < count; ++i) to[i] = p[i].bits | static_cast<uint32_t>(p[along + i].bits) << 16;
    else
      for (int64_t i = 0; i < count; ++i) to[i] = pair_at(p + i * across, along, both);
    for (int64_t i = count; i < width; ++i) to[i] = 0;
  }
}

// The same of lines along k, whose words lie side by side: 16 words of 16 lines are transposed at a time.
GC_OUTLINE void pack_along_k(const bfloat16* p, int64_t across, int64_t count, int64_t depth, uint32_t* to) {
  const int64_t pairs = depth / 2;
  for (int64_t i = 0; i < kColumns; i += kLane)
    for (int64_t kk = 0; kk < pairs; kk += kLane)
      transpose(reinterpret_cast<const float*>(p + i * across + 2 * kk), across / 2, smaller(kLane, count - i),
                smaller(kLane, pairs - kk), reinterpret_cast<float*>(to + kk * kColumns + i), kColumns);
  if (depth % 2) pack(p + 2 * pairs, across, 1, count, kColumns, 1, to + pairs * kColumns);
}
void pack_columns(const Args& g, int64_t k, int64_t depth, int64_t j, uint32_t* to) {
  const bfloat16* const from = g.b + k * g.b_row + j * g.b_col;
  const int64_t count = smaller(kColumns, g.n - j);
  if (g.b_row == 1 && g.b_col % 2 == 0) return pack_along_k(from, g.b_col, count, depth, to);
  pack(from, g.b_col, g.b_row, count, kColumns, depth, to);
}

// Words of kRows rows, `row` bytes apart; the next pair's are `step` bytes further.
struct RowWords {
  const char* at;
  int64_t row, step;
};
GC_INLINE RowWords packed_words(const uint32_t* a) {
  return {reinterpret_cast<const char*>(a), sizeof *a, kRows * sizeof *a};
}
GC_INLINE int word_at(const char* p) {
  int word;
  __builtin_memcpy(&word, p, sizeof word);
  return word;
}

GC_DOTS GC_OUTLINE void multiply_tile(RowWords a, const uint32_t* b, int64_t pairs, float* c, int64_t ldc,
                                      bool begins) {
  __m512 sum[kRows][kVectors];
#pragma GCC unroll 6
  for (int i = 0; i < kRows; ++i)
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) sum[i][v] = begins ? __m512{} : _mm512_loadu_ps(c + i * ldc + v * kLane);
  for (int64_t k = 0; k < pairs; ++k, a.at += a.step, b += kColumns) {
    __m512bh right[kVectors];
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) right[v] = (__m512bh)_mm512_loadu_si512(b + v * kLane);
#pragma GCC unroll 6
    for (int i = 0; i < kRows; ++i) {
      const __m512bh left = (__m512bh)_mm512_set1_epi32(word_at(a.at + i * a.row));
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) sum[i][v] = _mm512_dpbf16_ps(sum[i][v], left, right[v]);
    }
  }
#pragma GCC unroll 6
  for (int i = 0; i < kRows; ++i)
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) _mm512_storeu_ps(c + i * ldc + v * kLane, sum[i][v]);
}

// A tile at the border: through a whole one.
GC_OUTLINE void multiply_border(RowWords a, const uint32_t* b, int64_t pairs, float* c, int64_t ldc, bool begins,
                                int64_t rows, int64_t columns) {
  alignas(64) float tile[kRows * kColumns] = {};
  if (!begins)
    for (int64_t i = 0; i < rows; ++i) __builtin_memcpy(tile + i * kColumns, c + i * ldc, columns * sizeof(float));
  multiply_tile(a, b, pairs, tile, kColumns, begins);
  for (int64_t i = 0; i < rows; ++i) __builtin_memcpy(c + i * ldc, tile + i * kColumns, columns * sizeof(float));
}

void multiply_row_block(const Args& g, int64_t row, int64_t rows, int64_t k, int64_t depth, const uint32_t* b,
                        float* c) {
  const int64_t pairs = ceil_div(depth, 2), whole = g.a_col == 1 && depth % 2 == 0 ? rows / kRows * kRows : 0;
  const Scratch<uint32_t> a(round_up(rows - whole, kRows) * pairs);
  const bfloat16* const from = g.a + row * g.a_row + k * g.a_col;
  for (int64_t i = whole; i < rows; i += kRows)
    pack(from + i * g.a_row, g.a_row, g.a_col, smaller(kRows, rows - i), kRows, depth, a.data() + (i - whole) * pairs);
  const auto row_words = [&](int64_t i) {
    if (i >= whole) return packed_words(a.data() + (i - whole) * pairs);
    constexpr int64_t bytes = sizeof(bfloat16);
    return RowWords{reinterpret_cast<const char*>(from + i * g.a_row), g.a_row * bytes, 2 * bytes};
  };
  for (int64_t j = 0; j < g.n; j += kColumns)
    for (int64_t i = 0; i < rows; i += kRows) {
      float* const to = c + (row + i) * g.n + j;
      const int64_t height = smaller(kRows, rows - i), width = smaller(kColumns, g.n - j);
      if (height == kRows && width == kColumns)
        multiply_tile(row_words(i), b + j * pairs, pairs, to, g.n, k == 0);
      else
        multiply_border(row_words(i), b + j * pairs, pairs, to, g.n, k == 0, height, width);
    }
}

void multiply_packed(const Args& g, float* c) {
  const Scratch<uint32_t> b(round_up(g.n, kColumns) * ceil_div(smaller(kDepth, g.k), 2));
  for (int64_t k = 0; k < g.k; k += kDepth) {
    const int64_t depth = smaller(kDepth, g.k - k), pairs = ceil_div(depth, 2);
    parallel_blocks(ceil_div(g.n, kColumns), [&](int64_t block) {
      const int64_t j = block * kColumns;
      pack_columns(g, k, depth, j, b.data() + j * pairs);
    });
    parallel_blocks(ceil_div(g.m, kRowBlock), [&](int64_t block) {
      const int64_t row = block * kRowBlock;
      multiply_row_block(g, row, smaller(kRowBlock, g.m - row), k, depth, b.data(), c);
    });
  }
}

// ---- both along k: dot products of rows, kSide by kSide

constexpr int kSide = 4;

GC_DOTS GC_INLINE __m512bh load_pairs(const bfloat16* p, __mmask32 mask) {
  return (__m512bh)_mm512_maskz_loadu_epi16(mask, p);
}
// Neighbouring lanes added: those of x, then those of y.
GC_INLINE Vec<float> add_neighbours(Vec<float> x, Vec<float> y) {
  return __builtin_shufflevector(x, y, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30) +
         __builtin_shufflevector(x, y, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
}
// The sum of each one's lanes, in the first lanes.
GC_INLINE Vec<float> sums_of_lanes(const __m512 (&x)[kSide]) {
  const Vec<float> fours = add_neighbours(add_neighbours(x[0], x[1]), add_neighbours(x[2], x[3]));
  const Vec<float> twos = add_neighbours(fours, fours);
  return add_neighbours(twos, twos);
}

GC_DOTS GC_OUTLINE void multiply_lines(const bfloat16* a, int64_t a_row, const bfloat16* b, int64_t b_col, int64_t k,
                                       int rows, int columns, float* c, int64_t ldc) {
  __m512 sum[kSide][kSide] = {};
  const bfloat16 *left[kSide], *right[kSide];
  for (int i = 0; i < kSide; ++i) left[i] = a + (i < rows ? i : 0) * a_row;  // the first again, whose sums are dropped
  for (int j = 0; j < kSide; ++j) right[j] = b + (j < columns ? j : 0) * b_col;
  for (int64_t i = 0; i < k; i += 2 * kLane) {
    const int64_t n = k - i;
    const __mmask32 mask = n >= 32 ? 0xffffffffu : (1u << n) - 1;
    __m512bh x[kSide], y[kSide];
#pragma GCC unroll 4
    for (int r = 0; r < kSide; ++r) x[r] = load_pairs(left[r] + i, mask);
#pragma GCC unroll 4
    for (int s = 0; s < kSide; ++s) y[s] = load_pairs(right[s] + i, mask);
#pragma GCC unroll 4
    for (int r = 0; r < kSide; ++r)
#pragma GCC unroll 4
      for (int s = 0; s < kSide; ++s) sum[r][s] = _mm512_dpbf16_ps(sum[r][s], x[r], y[s]);
  }
#pragma GCC unroll 4
  for (int i = 0; i < kSide; ++i)  // by constants, or the sums would go through memory
    if (i < rows) store_part(c + i * ldc, sums_of_lanes(sum[i]), columns);
}
void multiply_along_k(const Args& g, float* c) {
  const int64_t tiles = ceil_div(g.n, kSide), per_block = larger(1, kThinWork / larger(1, g.m * g.k * kSide));
  parallel_blocks(ceil_div(tiles, per_block), [&](int64_t block) {
    for (int64_t t = block * per_block; t < smaller(tiles, (block + 1) * per_block); ++t)
      for (int64_t i = 0; i < g.m; i += kSide) {
        const int64_t j = t * kSide;
        multiply_lines(g.a + i * g.a_row, g.a_row, g.b + j * g.b_col, g.b_col, g.k,
                       static_cast<int>(smaller(kSide, g.m - i)), static_cast<int>(smaller(kSide, g.n - j)),
                       c + i * g.n + j, g.n);
      }
  });
}

bool is_thin_along_k(const Args& g) { return g.a_col == 1 && g.b_row == 1 && (g.m <= kThinRows || g.n <= kThinRows); }

}  // namespace

// Else packing would take longer than the product.
bool dots_pay(const GemmArgs<bfloat16>& g) {
  return has_instruction() && (is_thin_along_k(g) || (g.m > kRows && g.n > kLane));
}
void multiply_by_dots(const GemmArgs<bfloat16>& g, float* c) {
  is_thin_along_k(g) ? multiply_along_k(g, c) : multiply_packed(g, c);
}

#else

bool dots_pay(const GemmArgs<bfloat16>&) { return false; }
void multiply_by_dots(const GemmArgs<bfloat16>&, float*) {}

#endif

}  // namespace gradcore::GC_ISA
