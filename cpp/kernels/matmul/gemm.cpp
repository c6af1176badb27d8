// Matrix products. Start at multiply(), near the end: it picks a method by the shape and the strides of the
// whole product, cuts C into rectangles and runs the method on each. How C is cut does not change a bit of the
// result (see tiles.h), so that with one thread it is not cut at all: each rectangle packs for itself.
#include "kernels/matmul/gemm.h"

#include "core/parallel.h"
#include "kernels/matmul/tiles.h"
#include "kernels/square.h"

namespace gradcore::GC_ISA {

namespace {

// Blocks for the caches: of A about half of the second cache, of B (a panel of kTileCols columns) less.
constexpr int64_t kPackDepth = 4096;  // bytes along k
constexpr int64_t kPackRows = 12 * kTileRows;
constexpr int64_t kPackCols = 1024;
constexpr int64_t kInPlace = 300000;  // bytes of B that stay in the second cache without packing
constexpr int64_t kShallow = 1024;    // bytes along k up to which writing C is much of the work
constexpr int64_t kSweep = 8192;      // elements of B that multiply_rows takes at a time
constexpr int64_t kDotDepth = 4096;   // elements along k that multiply_dots takes at a time
constexpr int64_t kLongDepth = 8192;  // the same for multiply_long
constexpr int64_t kLongSize = 1024;   // elements of C, at most, for multiply_long
constexpr int64_t kTiny = 32;         // multiplications, at most, for multiply_tiny
constexpr int64_t kOneTile = 512;     // bytes along k, at most, for multiply_tile

// Work is counted in multiplications.
constexpr double kWorth = 1.5e5;          // makes a thread worth its start
constexpr double kVectorWorth = 6e4;      // the same where each element of a matrix is used once
constexpr double kPartWork = 4e6;         // makes more than two parts: packing is then little of the work
constexpr double kVectorPart = 5e5;       // the same where each element of a matrix is used once
constexpr int64_t kFewParts = 16;         // more of them only where each
constexpr int64_t kPartSize = 512 * 512;  // has so many elements of C, lest each pack much for little

template <class T> GemmArgs<T> rectangle(const GemmArgs<T>& g, int64_t row, int64_t rows, int64_t col, int64_t cols) {
  GemmArgs<T> part = g;
  part.m = rows;
  part.n = cols;
  part.a += row * g.a_row;
  part.b += col * g.b_col;
  part.c += row * g.ldc + col;
  if (part.start) part.start += col;
  return part;
}

// The product that adds to C, in which `start` stands already.
template <class T> GemmArgs<T> started(const GemmArgs<T>& g) {
  for (int64_t i = 0; i < g.m; ++i) __builtin_memcpy(g.c + i * g.ldc, g.start, g.n * sizeof(T));
  GemmArgs<T> rest = g;
  rest.accumulate = true;
  rest.start = nullptr;
  return rest;
}

// ---- a handful of multiplications, where anything cleverer costs more than it saves ----

template <class T> void multiply_tiny(const GemmArgs<T>& g) {
  for (int64_t i = 0; i < g.m; ++i)
    for (int64_t j = 0; j < g.n; ++j) {
      const T *a = g.a + i * g.a_row, *b = g.b + j * g.b_col;
      T sum = 0;
      for (int64_t k = 0; k < g.k; ++k, a += g.a_col, b += g.b_row) sum += *a * *b;
      T& to = g.c[i * g.ldc + j];
      to = g.accumulate ? to + sum : sum;
    }
}

// ---- one row of C of a few columns, and B dense in rows: all sums stay in registers ----

constexpr int64_t kNarrow = 8;  // columns, at most

template <class T, int kColumns> void sum_narrow(const GemmArgs<T>& g) {
  T sum[4][kColumns] = {};  // four hide the latency of an addition
  int64_t k = 0;
  for (; k + 4 <= g.k; k += 4)
#pragma GCC unroll 4
    for (int u = 0; u < 4; ++u) {
      const T a = g.a[(k + u) * g.a_col];
      const T* const b = g.b + (k + u) * g.b_row;
#pragma GCC unroll 8
      for (int j = 0; j < kColumns; ++j) sum[u][j] += a * b[j];
    }
  for (; k < g.k; ++k)
    for (int j = 0; j < kColumns; ++j) sum[0][j] += g.a[k * g.a_col] * g.b[k * g.b_row + j];
  for (int j = 0; j < kColumns; ++j) {
    const T total = (sum[0][j] + sum[1][j]) + (sum[2][j] + sum[3][j]);
    g.c[j] = g.accumulate ? g.c[j] + total : total;
  }
}
template <class T>
constexpr GemmFn<T> kSumNarrow[kNarrow] = {sum_narrow<T, 1>, sum_narrow<T, 2>, sum_narrow<T, 3>, sum_narrow<T, 4>,
                                           sum_narrow<T, 5>, sum_narrow<T, 6>, sum_narrow<T, 7>, sum_narrow<T, 8>};
template <class T> void multiply_narrow(const GemmArgs<T>& g) { kSumNarrow<T>[g.n - 1](g); }

// ---- one row of C, and columns of B that are short and dense: squares of them, transposed in registers ----

template <class T> void multiply_short(const GemmArgs<T>& g) {
  constexpr int kSide = Square<T>::kSide;
  const int64_t step = g.b_col * static_cast<int64_t>(sizeof(T));
  int64_t j = 0;
  for (; j + kSide < g.n; j += kSide) {  // a square may read beyond its last column, but not beyond the one after
    typename Square<T>::V sum{};
    for (int64_t k = 0; k < g.k; k += kSide) {
      const Square<T> b = Square<T>::read(g.b + j * g.b_col + k, step).transposed();
#pragma GCC unroll 4
      for (int i = 0; i < kSide; ++i)
        if (k + i < g.k) sum += g.a[(k + i) * g.a_col] * b.v[i];
    }
    if (g.accumulate) {
      typename Square<T>::V before;
      __builtin_memcpy(&before, g.c + j, sizeof before);
      sum += before;
    }
    __builtin_memcpy(g.c + j, &sum, sizeof sum);
  }
  multiply_tiny(rectangle(g, 0, 1, j, g.n - j));
}

// ---- dot products: rows of A against columns of B, both contiguous along k ----

template <class T>
constexpr DotFn<T> kDotFns[6] = {run_dots<T, 1, 8>,
                                 run_dots<T, (2 < kDotRows ? 2 : kDotRows), 4>,
                                 run_dots<T, (3 < kDotRows ? 3 : kDotRows), 4>,
                                 run_dots<T, (4 < kDotRows ? 4 : kDotRows), 4>,
                                 run_dots<T, (5 < kDotRows ? 5 : kDotRows), 4>,
                                 run_dots<T, (6 < kDotRows ? 6 : kDotRows), 4>};

// Every row of X with every row of Y; X should be the smaller, it is read again for each step along Y.
template <class T> void dot_block(int64_t xs, int64_t ys, DotTile<T> t) {
  const T *x = t.x, *y = t.y;
  T* c = t.c;
  const int64_t x_step = even_part(xs, kDotRows), y_step = x_step == 1 ? 8 : 4;
  for (int64_t j = 0; j < ys; j += y_step) {
    t.ys = smaller(y_step, ys - j);
    t.y = y + j * t.ldy;
    for (int64_t i = 0; i < xs; i += x_step) {
      const int64_t rows = smaller(x_step, xs - i);
      t.x = x + i * t.ldx;
      t.c = c + i * t.c_x + j * t.c_y;
      if (rows == 1 && y_step == 4)
        run_dots<T, 1, 4>(t);
      else
        kDotFns<T>[rows - 1](t);
    }
  }
}

template <class T> void multiply_dot(const GemmArgs<T>& g) {
  const T sum = dot(g.k, g.a, g.b);
  g.c[0] = g.accumulate ? g.c[0] + sum : sum;
}

template <class T> void multiply_dots(const GemmArgs<T>& g) {
  for (int64_t k = 0; k < g.k; k += kDotDepth) {
    const T *a = g.a + k, *b = g.b + k;
    const int64_t depth = smaller(kDotDepth, g.k - k);
    const bool accumulate = g.accumulate || k > 0;
    if (g.m <= g.n)
      dot_block<T>(g.m, g.n, {depth, a, g.a_row, b, g.b_col, g.c, g.ldc, 1, 0, accumulate});
    else
      dot_block<T>(g.n, g.m, {depth, b, g.b_col, a, g.a_row, g.c, 1, g.ldc, 0, accumulate});
  }
}

// ---- each row of C as a sum of rows of B ----

// y[0 .. n) += x[0] rows[0] + .. + x[kRows-1] rows[kRows-1], from 0 instead of y when `fresh`.
template <class T, int kRows>
void add_rows(int64_t n, const T* x, int64_t x_step, const T* rows, int64_t ld, T* y, bool fresh) {
  constexpr int lanes = kLanes<T>;
  T scale[kRows];
  for (int r = 0; r < kRows; ++r) scale[r] = x[r * x_step];
  int64_t j = 0;
  for (; j + lanes <= n; j += lanes) {
    Vec<T> sum = fresh ? Vec<T>{} : load(y + j);
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r) sum += scale[r] * load(rows + r * ld + j);
    store(y + j, sum);
  }
  if (j == n) return;
  const int64_t rest = n - j;
  Vec<T> sum = fresh ? Vec<T>{} : load_part(y + j, rest);
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) sum += scale[r] * load_part(rows + r * ld + j, rest);
  store_part(y + j, sum, rest);
}
template <class T>
constexpr decltype(&add_rows<T, 1>) kAddRows[8] = {add_rows<T, 1>, add_rows<T, 2>, add_rows<T, 3>, add_rows<T, 4>,
                                                   add_rows<T, 5>, add_rows<T, 6>, add_rows<T, 7>, add_rows<T, 8>};

template <class T> void multiply_rows(const GemmArgs<T>& g) {
  // Parts of eight rows of B that stay in the first cache from one row of C to the next.
  const int64_t sweep = g.m == 1 ? g.n : kSweep / smaller(g.k, 8);
  for (int64_t j = 0; j < g.n; j += sweep) {
    const int64_t n = smaller(sweep, g.n - j);
    for (int64_t k = 0; k < g.k; k += 8) {
      const auto add = kAddRows<T>[smaller(8, g.k - k) - 1];
      for (int64_t i = 0; i < g.m; ++i)
        add(n, g.a + i * g.a_row + k * g.a_col, g.a_col, g.b + k * g.b_row + j, g.b_row, g.c + i * g.ldc + j,
            !g.accumulate && k == 0);
    }
  }
}

// ---- tiles ----

// One panel of B, k x cols, as rows of kTileCols filled up with zeros.
template <class T> void pack_b(const T* b, int64_t b_row, int64_t b_col, int64_t k, int64_t cols, T* to) {
  constexpr int lanes = kLanes<T>, width = kTileCols<T>;
  if (b_col == 1) {
    for (; k > 0; --k, b += b_row, to += width) {
      prefetch(b, 16 * b_row, kTileVecs * kVecBytes);
      for (int j = 0; j < width; j += lanes)
        store(to + j, cols >= j + lanes ? load(b + j) : load_part(b + j, cols > j ? cols - j : 0));
    }
    return;
  }
  for (int j = 0; j < width; j += lanes, b += lanes * b_col, cols -= lanes, to += lanes) {
    const int64_t used = cols < 0 ? 0 : smaller(cols, lanes);
    if (b_row != 1) {
      for (int64_t i = 0; i < k; ++i)  // any strides
        for (int l = 0; l < lanes; ++l) to[i * width + l] = l < used ? b[i * b_row + l * b_col] : T(0);
      continue;
    }
    int64_t i = 0;
    for (; i + lanes <= k; i += lanes) transpose(b + i, b_col, used, lanes, to + i * width, width);
    if (i < k) transpose(b + i, b_col, used, k - i, to + i * width, width);
  }
}

// Where a packed group of rows of A keeps its elements. Contiguous rows stay so, one after the other, an odd
// number of cache lines apart lest they share a few sets of the cache; other layouts become columns of
// kTileRows.
template <class T> struct PackedA {
  int64_t row, col, group;
};
template <class T> PackedA<T> packed_a(const GemmArgs<T>& g, int64_t k) {
  if (g.a_col == 1) {
    const int64_t line = 64 / sizeof(T), row = (ceil_div(k, line) | 1) * line;
    return {row, 1, kTileRows * row};
  }
  const int64_t col = round_up(kTileRows, kLanes<T>);
  return {1, col, k * col};
}
template <class T> void pack_a(const GemmArgs<T>& g, int64_t row, int64_t rows, const PackedA<T>& layout, T* to) {
  constexpr int lanes = kLanes<T>;
  const T* a = g.a + row * g.a_row;
  if (layout.col == 1) {
    for (int64_t i = 0; i < rows; ++i) __builtin_memcpy(to + i * layout.row, a + i * g.a_row, g.k * sizeof(T));
    return;
  }
  for (int64_t k = 0; k < g.k; ++k, a += g.a_col, to += layout.col) {
    if (g.a_row == 1)
      for (int64_t i = 0; i < rows; i += lanes) store(to + i, load_part(a + i, smaller(lanes, rows - i)));
    else
      for (int64_t i = 0; i < rows; ++i) to[i] = a[i * g.a_row];
  }
}

// How multiply_tiles goes about a product.
template <class T> struct TilePlan {
  int64_t depth;       // part of k taken at a time
  int64_t rows, cols;  // of A and of B taken at a time
  int64_t group;       // rows of a tile
  bool pack_a, pack_b;
  bool keep_b;   // packed panels of B serve more than one block or group of rows
  bool by_rows;  // tiles go along rows of C first: B is small, and writing C is much of the work
  PackedA<T> a;
};
template <class T> TilePlan<T> plan_tiles(const GemmArgs<T>& g) {
  constexpr int64_t size = sizeof(T);
  TilePlan<T> p;
  p.depth = even_part(g.k, kPackDepth / size);
  p.pack_a = g.n > 2 * kTileCols<T> && g.m > 4;
  // Rows in place may all lie in one set of the first cache, which has eight ways: seven at once, no more.
  p.group = even_part(g.m, !p.pack_a && g.a_col == 1 && g.k * size > kOneTile ? smaller(kTileRows, 7) : kTileRows);
  p.rows = round_up(even_part(g.m, kPackRows), p.group);
  p.by_rows = g.k * size <= kShallow;
  p.keep_b = p.by_rows || p.rows < g.m;
  p.cols = p.keep_b ? round_up(even_part(g.n, kPackCols), kTileCols<T>) : g.n;
  // Narrow panels in place lose their lines before the next tile needs them where rows lie in few sets.
  const bool clash = kTileVecs * kVecBytes <= 64 && g.m > 2 * kTileRows && g.b_row * size % 1024 == 0;
  p.pack_b = g.b_col != 1 || clash || (p.rows < g.m && g.k * g.n * size > kInPlace);
  p.a = p.pack_a ? packed_a(g, p.depth) : PackedA<T>{g.a_row, g.a_col, p.group * g.a_row};
  return p;
}

// Packs A for one block, which from then on takes it from `to`.
template <class T> void pack_block(const TilePlan<T>& p, GemmArgs<T>& g, T* to) {
  for (int64_t i = 0; i < g.m; i += p.group) pack_a(g, i, smaller(p.group, g.m - i), p.a, to + i / p.group * p.a.group);
  g.a = to;
  g.a_row = p.a.row;
  g.a_col = p.a.col;
}

// The tiles of one block: A already packed as p.a says, B packed into `panels` on the way when `fresh`.
template <class T> void multiply_block(const TilePlan<T>& p, const GemmArgs<T>& g, T* panels, bool fresh) {
  constexpr int width = kTileCols<T>;
  const auto panel = [&](int64_t j) { return panels + (p.keep_b ? j * g.k : 0); };
  const auto pack = [&](int64_t j) {
    if (p.pack_b && fresh) pack_b(g.b + j * g.b_col, g.b_row, g.b_col, g.k, smaller(width, g.n - j), panel(j));
  };
  const auto run = [&](int64_t i, int64_t j) {
    const T* a = g.a + i / p.group * p.a.group;
    const T* b = p.pack_b ? panel(j) : g.b + j;
    const int64_t ldb = p.pack_b ? width : g.b_row;
    Tile<T> t{g.k, a, g.a_row, g.a_col, b, ldb, g.c + i * g.ldc + j, g.ldc, 0, g.accumulate};
    tile_fns(t, smaller(width, g.n - j))[smaller(p.group, g.m - i) - 1](t);
  };
  if (p.by_rows) {
    for (int64_t j = 0; j < g.n; j += width) pack(j);
    for (int64_t i = 0; i < g.m; i += p.group)
      for (int64_t j = 0; j < g.n; j += width) run(i, j);
    return;
  }
  for (int64_t j = 0; j < g.n; j += width) {
    pack(j);
    for (int64_t i = 0; i < g.m; i += p.group) run(i, j);
  }
}

template <class T> void multiply_tiles(const GemmArgs<T>& g) {
  const TilePlan<T> p = plan_tiles(g);
  const int64_t kept = p.keep_b ? round_up(p.cols, kTileCols<T>) : kTileCols<T>;
  const Scratch<T> panels(p.pack_b ? kept * p.depth : 0);
  const Scratch<T> a_pack(p.pack_a ? p.rows / p.group * p.a.group : 0);
  for (int64_t j = 0; j < g.n; j += p.cols)
    for (int64_t k = 0; k < g.k; k += p.depth)
      for (int64_t i = 0; i < g.m; i += p.rows) {
        GemmArgs<T> block = rectangle(g, i, smaller(p.rows, g.m - i), j, smaller(p.cols, g.n - j));
        block.k = smaller(p.depth, g.k - k);
        block.a += k * g.a_col;
        block.b += k * g.b_row;
        block.accumulate = g.accumulate || k > 0;
        if (p.pack_a) pack_block(p, block, a_pack.data());
        multiply_block(p, block, panels.data(), i == 0);
      }
}

// ---- all of C in one tile, as multiply_tiles would take it, without its plan ----

template <class T> bool is_one_tile(const GemmArgs<T>& g) {
  return g.b_col == 1 && g.m <= kTileRows && g.n <= kTileCols<T> && g.k * static_cast<int64_t>(sizeof(T)) <= kOneTile;
}
template <class T> void multiply_tile(const GemmArgs<T>& g) {
  Tile<T> t{g.k, g.a, g.a_row, g.a_col, g.b, g.b_row, g.c, g.ldc, 0, g.accumulate};
  tile_fns(t, g.n)[g.m - 1](t);
}

// ---- choice and division of the work ----

enum class Method { Tiny, Short, Narrow, Dot, Dots, Rows, Tile, Tiles };

// Whether packing B would cost more than the product.
template <class T> bool is_tiny(const GemmArgs<T>& g) {
  return g.b_col != 1 && g.m <= kTiny && g.n <= kTiny && g.k <= kTiny && g.m * g.n * g.k <= kTiny;
}
// Whether to take C row by row: B is read in the order of memory, but C once for every eight rows of B.
template <class T> bool by_row(const GemmArgs<T>& g) {
  if (g.b_col != 1) return false;
  if (g.m == 1) return g.n >= 64 || g.k <= 16;
  if (g.m == 2 && g.n >= 512) return true;
  return g.k <= 4 && (g.m == 2 || g.n >= 128);
}
// Whether to take C as dot products, which need no packing but end in a sum over the lanes of a vector.
template <class T> bool by_dots(const GemmArgs<T>& g) {
  if (g.a_col != 1 || g.b_row != 1) return false;
  const int64_t least = smaller(g.m, g.n);
  if (least == 1) return true;
  return least <= 4 * kDotRows && g.k >= (least <= kDotRows ? 2 : 8) * kLanes<T>;
}
template <class T> Method choose(const GemmArgs<T>& g) {
  if (g.m == 1 && g.n == 1 && g.a_col == 1 && g.b_row == 1) return Method::Dot;
  if (g.m == 1 && g.b_col == 1 && g.n <= kNarrow && g.k > 16) return Method::Narrow;
  if (by_row(g)) return Method::Rows;
  // Dots shorter than a vector or two, side by side.
  if (g.m == 1 && g.k <= kNarrow && g.n > 1)
    return g.b_row == 1 && g.b_col >= g.k && g.k > 1 ? Method::Short : Method::Tiny;
  if (by_dots(g)) return Method::Dots;
  if (is_one_tile(g)) return Method::Tile;
  return is_tiny(g) ? Method::Tiny : Method::Tiles;
}

template <class T> void run_method(Method method, const GemmArgs<T>& g) {
  if (g.start) return run_method(method, started(g));
  switch (method) {
    case Method::Tiny: return multiply_tiny(g);
    case Method::Short: return multiply_short(g);
    case Method::Narrow: return multiply_narrow(g);
    case Method::Dot: return multiply_dot(g);
    case Method::Dots: return multiply_dots(g);
    case Method::Rows: return multiply_rows(g);
    case Method::Tile: return multiply_tile(g);
    case Method::Tiles: return multiply_tiles(g);
  }
}

template <class T> void clear(const GemmArgs<T>& g) {
  for (int64_t i = 0; i < g.m; ++i) __builtin_memset(g.c + i * g.ldc, 0, g.n * sizeof(T));
}

struct Grid {
  int64_t rows, cols;  // of one part
};

// Cuts m x n into at most `parts` rectangles: the split that leaves a part the least to multiply and to pack.
// To pack an element counts as eight multiplications, and as twice that where packing has to transpose. With a
// small k B hardly matters: whole rows of C are the best to write.
template <class T> Grid cut(const GemmArgs<T>& g, int64_t parts) {
  Grid best{g.m, g.n};
  double best_cost = 1e300;
  const double pack_b = g.k * static_cast<int64_t>(sizeof(T)) <= kShallow ? 0 : g.b_col == 1 ? 8 : 16;
  for (int64_t across = 1; across <= parts; ++across) {
    const int64_t cols = round_up(ceil_div(g.n, across), kTileCols<T>), rows = ceil_div(g.m, parts / across);
    const double cost = static_cast<double>(rows) * cols + 8.0 * rows + pack_b * cols;
    if (cost >= best_cost) continue;
    best_cost = cost;
    best = {rows, cols};
  }
  return best;
}

template <class T> void multiply_cut(Method method, const GemmArgs<T>& g, int64_t parts) {
  const Grid part = cut(g, parts);
  const int64_t down = ceil_div(g.m, part.rows), across = ceil_div(g.n, part.cols);
  parallel_blocks(down * across, [&](int64_t block) {
    const int64_t row = block / across * part.rows, col = block % across * part.cols;
    run_method(method, rectangle(g, row, smaller(part.rows, g.m - row), col, smaller(part.cols, g.n - col)));
  });
}

// A small C from very long sums: k is cut, at places that k alone decides, and the parts are added in order.
template <class T> void multiply_long(Method method, const GemmArgs<T>& g, bool parallel) {
  if (g.start) return multiply_long(method, started(g), parallel);
  const int64_t parts = ceil_div(g.k, kLongDepth), size = g.m * g.n;
  const Scratch<T> sums(parts * size);
  auto run = [&](int64_t i) {
    const int64_t k = i * kLongDepth;
    GemmArgs<T> part = g;
    part.k = smaller(kLongDepth, g.k - k);
    part.a += k * g.a_col;
    part.b += k * g.b_row;
    part.c = sums.data() + i * size;
    part.ldc = g.n;
    part.accumulate = false;
    run_method(method, part);
  };
  if (parallel)
    parallel_blocks(parts, run);
  else
    for (int64_t i = 0; i < parts; ++i) run(i);
  for (int64_t i = 0; i < g.m; ++i)
    for (int64_t j = 0; j < g.n; ++j) {
      const T* from = sums.data() + i * g.n + j;
      T sum = from[0];
      for (int64_t p = 1; p < parts; ++p) sum += from[p * size];
      T& to = g.c[i * g.ldc + j];
      to = g.accumulate ? to + sum : sum;
    }
}

// C^T = B^T A^T. C must be one column without gaps, so that its transpose is one row.
template <class T> GemmArgs<T> transposed(const GemmArgs<T>& g) {
  return {1, g.m, g.k, g.b, g.b_col, g.b_row, g.a, g.a_col, g.a_row, g.c, g.m, g.accumulate};
}

// How many parts to cut C into: by the shape alone, a power of two that grows with the work.
template <class T> int64_t part_count(const GemmArgs<T>& g) {
  const double work = static_cast<double>(g.m) * g.n * g.k;
  const bool vector = g.m == 1 || g.n == 1;
  if (work < 2 * (vector ? kVectorWorth : kWorth)) return 1;
  const double part_work = vector ? kVectorPart : kPartWork;
  const int64_t most = g.m * g.n > kFewParts * kPartSize ? g.m * g.n / kPartSize : kFewParts;
  int64_t parts = 2;
  while (2 * parts <= most && static_cast<double>(2 * parts) * part_work <= work) parts *= 2;
  return parts;
}

template <class T> void multiply(const GemmArgs<T>& g) {
  if (g.n == 1 && g.ldc == 1 && g.m > 1) return multiply(transposed(g.start ? started(g) : g));
  if (g.m <= 0 || g.n <= 0) return;
  if (g.k <= 0) {
    if (g.start)
      started(g);
    else if (!g.accumulate)
      clear(g);
    return;
  }
  const Method method = choose(g);
  int64_t parts = part_count(g);
  if (parts > 1 && num_threads() == 1) parts = 1;
  if (g.k >= 2 * kLongDepth && g.m * g.n <= kLongSize) return multiply_long(method, g, parts > 1);
  if (parts == 1) return run_method(method, g);
  multiply_cut(method, g, parts);
}

}  // namespace

extern const MatmulKernels matmul_kernels{.f32 = multiply<float>,
                                          .f64 = multiply<double>,
                                          .u8 = multiply_integers<uint8_t>,
                                          .i8 = multiply_integers<int8_t>,
                                          .i16 = multiply_integers<int16_t>,
                                          .i32 = multiply_integers<int32_t>,
                                          .i64 = multiply_integers<int64_t>,
                                          .f16 = multiply_halves<half, half>,
                                          .f16_to_f32 = multiply_halves<half, float>,
                                          .bf16 = multiply_halves<bfloat16, bfloat16>,
                                          .bf16_to_f32 = multiply_halves<bfloat16, float>,
                                          .small_f32 = multiply_small<float>,
                                          .small_f64 = multiply_small<double>};

}  // namespace gradcore::GC_ISA
