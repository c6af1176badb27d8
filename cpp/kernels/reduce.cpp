// Reductions of [outer, reduce, inner] views. Start at reduce(); then drive(), the layouts, and the
// operations.
//
// Note [The reduction tree]
// A reduction is cut into chunks of kChunk elements (or bands of kBand rows), each folded in registers, and
// the chunks' results are merged in index order. The cuts depend on shapes only, so a result has the same
// bits for any number of threads; whether the chunks of one output run in parallel changes nothing either.
//
// An operation is a struct of
//   In, Part, Acc       memory element, column accumulator (sizes the tile), mergeable result of elements
//   kCost               work per element, 1 = an addition
//   kBand               rows of a column tile that are folded between two merges
//   kFolds              false: indices matter, so that several rows must not be taken as one
//   empty()             the Acc of no elements
//   run(p, n, first, param)                          n <= kChunk contiguous elements, from index `first` on
//   band(p, stride, rows, cols, first, param, acc)   rows <= kBand; merges into acc[0..cols)
//   merge(a, b)         a comes before b
//   store(args, i, acc) writes output i
#include "kernels/reduce.h"

#include "core/parallel.h"
#include "kernels/fold.h"
#include "kernels/scratch.h"

namespace gradcore::GC_ISA {
namespace {

enum class Layout { Inner, Outer, Strided };  // contiguous along the reduction, along the outputs, neither

constexpr int64_t kTileBytes = 8192;      // column accumulators: they stay in L1
constexpr int64_t kGather = 1024;         // strided elements copied at a time
constexpr int64_t kGrain = 1 << 16;       // work of a parallel block
constexpr int64_t kSplitGrain = 1 << 17;  // work of a part of one reduction: its result must be merged
constexpr int64_t kMaxSplit = 64;
constexpr int64_t kFewOutputs = 16;  // fewer: the chunks of each run in parallel
constexpr int64_t kShort = 16;       // reductions up to this length are gathered into columns,
constexpr int64_t kGroup = 128;      // so many at a time
constexpr int64_t kNarrow = 16;      // fewer columns than this are not worth a vector loop
constexpr int64_t kFoldColumns = 256;  // rows shorter than this are folded several at a time

GC_INLINE int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }
GC_INLINE int64_t larger(int64_t a, int64_t b) { return a > b ? a : b; }
GC_INLINE int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

// ---- kinds (see fold.h) that only reductions use ----

// Truth values are counted and collected in an integer as wide as the element: no lane is converted.
template <class E>
struct AnyKind {
  using Part = SameWidthInt<StoredOf<E>>;
  using Acc = uint8_t;
  using Out = uint8_t;
  static constexpr Part kIdentity = 0;
  GC_INLINE Part map(StoredOf<E> x) { return x != 0; }
  template <class X>
  GC_INLINE X combine(X a, X b) {
    return static_cast<X>(a | b);
  }
};
template <class E>
struct AllKind {
  using Part = SameWidthInt<StoredOf<E>>;
  using Acc = uint8_t;
  using Out = uint8_t;
  static constexpr Part kIdentity = 1;
  GC_INLINE Part map(StoredOf<E> x) { return x != 0; }
  template <class X>
  GC_INLINE X combine(X a, X b) {
    return static_cast<X>(a & b);
  }
};
template <class E>
struct CountKind : Plus {
  using Part = If<sizeof(E) == 8, int64_t, int32_t>;
  using Acc = int64_t;
  using Out = int64_t;
  static constexpr Part kIdentity = 0;
  GC_INLINE Part map(StoredOf<E> x) { return x != 0; }
};
template <class E>
struct SquaresKind : Plus {
  using Part = E;
  using Acc = double;
  using Out = E;
  static constexpr Part kIdentity = 0;
  template <class X>
  GC_INLINE X map(X x) {
    return x * x;
  }
};
template <class E>
struct AbsKind : Plus {
  using Part = E;
  using Acc = double;
  using Out = E;
  static constexpr Part kIdentity = 0;
  template <class X>
  GC_INLINE X map(X x) {
    return magnitude(x);
  }
};
template <class E>
struct MaxAbsKind : Larger {
  using Part = E;
  using Acc = E;
  using Out = E;
  static constexpr Part kIdentity = 0;
  template <class X>
  GC_INLINE X map(X x) {
    return magnitude(x);
  }
};
template <class E>
struct MinAbsKind : Smaller {
  using Part = E;
  using Acc = E;
  using Out = E;
  static constexpr Part kIdentity = highest<E>();
  template <class X>
  GC_INLINE X map(X x) {
    return magnitude(x);
  }
};

// ---- operations ----

template <class Part>
constexpr int64_t tile_of = kTileBytes / static_cast<int64_t>(sizeof(Part));

// Any reduction that is one kind's fold.
template <class E, template <class> class Kind>
struct FoldOp {
  using K = Kind<E>;
  using In = StoredOf<E>;
  using Part = typename K::Part;
  using Acc = typename K::Acc;
  static constexpr int64_t kCost = 1;
  static constexpr int64_t kBand = 128;
  static constexpr bool kFolds = true;

  GC_INLINE Acc empty() { return static_cast<Acc>(K::kIdentity); }
  GC_OUTLINE Acc run(const In* p, int64_t n, int64_t, double) { return static_cast<Acc>(fold_run<K>(p, n)); }
  GC_OUTLINE void band(const In* p, int64_t stride, int64_t rows, int64_t cols, int64_t, double, Acc* acc) {
    alignas(64) Part part[tile_of<Part>];
    fold_band<K>(p, stride, rows, cols, part);
    for (int64_t j = 0; j < cols; ++j) acc[j] = K::combine(acc[j], static_cast<Acc>(part[j]));
  }
  GC_INLINE void merge(Acc& a, const Acc& b) { a = K::combine(a, b); }
  GC_INLINE void store(const ReduceArgs& a, int64_t i, const Acc& acc) {
    static_cast<typename K::Out*>(a.out)[i] = static_cast<typename K::Out>(acc);
  }
};

// sum |x|^param
template <class T>
struct SumPowOp {
  using In = T;
  using Part = T;
  using Acc = double;
  static constexpr int64_t kCost = 16;
  static constexpr int64_t kBand = 128;
  static constexpr bool kFolds = true;

  GC_INLINE Acc empty() { return 0; }
  // out[0..n) = |p|^exponent, n <= kBuffer; out has room for kBuffer. The exponent is an operand of every
  // lane: what pow decides about an invariant one would become branches, and no loop over them vectorises.
  GC_OUTLINE void powers(const T* p, T* out, int64_t n, T exponent) {
    alignas(64) T exponents[kBuffer];
    const int64_t padded = ceil_div(n, kPad) * kPad;
    for (int64_t i = 0; i < n; ++i) out[i] = magnitude(p[i]);
    for (int64_t i = n; i < padded; ++i) out[i] = 1;
    for (int64_t i = 0; i < padded; ++i) exponents[i] = exponent;
    for (int64_t i = 0; i < padded; ++i) out[i] = pow(Lane<T>{out[i]}, Lane<T>{exponents[i]}).v;
  }
  GC_OUTLINE Acc run(const T* p, int64_t n, int64_t, double param) {
    alignas(64) T buffer[kBuffer];
    Acc sum = 0;
    for (int64_t i = 0; i < n; i += kBuffer) {
      const int64_t m = smaller(kBuffer, n - i);
      powers(p + i, buffer, m, static_cast<T>(param));
      sum += static_cast<Acc>(fold_run<SumKind<T>>(buffer, m));
    }
    return sum;
  }
  GC_OUTLINE void band(const T* p, int64_t stride, int64_t rows, int64_t cols, int64_t, double param,
                       Acc* acc) {
    alignas(64) T buffer[kBuffer];
    alignas(64) T sum[kBuffer];
    for (int64_t i = 0; i < cols; i += kBuffer) {
      const int64_t m = smaller(kBuffer, cols - i);
      for (int64_t j = 0; j < m; ++j) sum[j] = 0;
      for (int64_t r = 0; r < rows; ++r) {
        powers(p + r * stride + i, buffer, m, static_cast<T>(param));
        for (int64_t j = 0; j < m; ++j) sum[j] += buffer[j];
      }
      for (int64_t j = 0; j < m; ++j) acc[i + j] += static_cast<Acc>(sum[j]);
    }
  }
  GC_INLINE void merge(Acc& a, const Acc& b) { a += b; }
  GC_INLINE void store(const ReduceArgs& a, int64_t i, Acc acc) {
    static_cast<T*>(a.out)[i] = static_cast<T>(acc);
  }
};

// Largest or smallest element and its place. A run first finds the value block by block, at the speed of max,
// and then searches the one block that holds it.
template <class E, template <class> class Kind>
struct ArgOp {
  using K = Kind<E>;
  using In = StoredOf<E>;
  using Part = In;
  struct Acc {
    In value;
    int64_t index;  // -1: none
  };
  static constexpr int64_t kCost = 2;
  static constexpr int64_t kBand = 127;  // places inside a band fit every element's width
  static constexpr bool kFolds = false;
  static constexpr int64_t kBlock = 512;

  GC_INLINE bool better(In x, In best) {
    return K::combine(best, x) != best && best == best;
  }
  GC_INLINE bool same(In x, In best) { return (x == best) | ((x != x) & (best != best)); }
  GC_INLINE Acc empty() { return {K::kIdentity, -1}; }

  GC_OUTLINE Acc run(const In* p, int64_t n, int64_t first, double) {
    if (n == 0) return empty();
    In best = fold_run<K>(p, smaller(n, kBlock));
    int64_t place = 0;
    for (int64_t i = kBlock; i < n; i += kBlock) {
      const In x = fold_run<K>(p + i, smaller(kBlock, n - i));
      if (!better(x, best)) continue;
      best = x;
      place = i;
    }
    return {best, first + search(p, place, n, best)};
  }
  // The place of the first element equal to best, in the block at i.
  GC_INLINE int64_t search(const In* p, int64_t i, int64_t n, In best) {
    const int m = static_cast<int>(smaller(kBlock, n - i));
    int place = m;
    for (int j = 0; j < m; ++j) {
      const int candidate = same(K::map(p[i + j]), best) ? j : m;
      place = candidate < place ? candidate : place;
    }
    return i + place;
  }
  GC_OUTLINE void band(const In* p, int64_t stride, int64_t rows, int64_t cols, int64_t first, double,
                       Acc* acc) {
    using Row = SameWidthInt<In>;
    alignas(64) In best[tile_of<In>];
    alignas(64) Row place[tile_of<In>];
    for (int64_t j = 0; j < cols; ++j) best[j] = K::map(p[j]);
    for (int64_t j = 0; j < cols; ++j) place[j] = 0;
    for (int64_t r = 1; r < rows; ++r) improve(p + r * stride, cols, static_cast<Row>(r), best, place);
    for (int64_t j = 0; j < cols; ++j) merge(acc[j], {best[j], first + place[j]});
  }
  GC_INLINE void improve(const In* p, int64_t cols, SameWidthInt<In> r, In* best, SameWidthInt<In>* place) {
#pragma GCC ivdep
    for (int64_t j = 0; j < cols; ++j) {
      const In x = K::map(p[j]), old = best[j];
      const In now = K::combine(old, x);
      const bool moved = (now != old) & (old == old);
      best[j] = now;
      place[j] = moved ? r : place[j];
    }
  }
  GC_INLINE void merge(Acc& a, const Acc& b) {
    if (b.index >= 0 && (a.index < 0 || better(b.value, a.value))) a = b;
  }
  GC_INLINE void store(const ReduceArgs& a, int64_t i, const Acc& acc) {
    const int64_t index = acc.index < 0 ? 0 : acc.index;
    if (!a.index) {
      static_cast<int64_t*>(a.out)[i] = index;
      return;
    }
    static_cast<In*>(a.out)[i] = acc.value;
    a.index[i] = index;
  }
};

// Sum of squared deviations from the mean: two passes over pieces that stay in cache, merged as in Chan,
// Golub and LeVeque. A piece's deviations are from its mean rounded to T; their own sum then corrects both
// results.
template <class T>
struct SquaredDevOp {
  using In = T;
  using Part = T;
  struct Acc {
    double n, mean, dev;
  };
  static constexpr int64_t kCost = 2;
  static constexpr int64_t kBand = 64;
  static constexpr bool kFolds = true;
  static constexpr int64_t kPiece = 4096;

  GC_INLINE Acc empty() { return {0, 0, 0}; }
  GC_INLINE bool finite(double x) { return x - x == 0; }
  GC_INLINE Acc corrected(int64_t n, T around, T sum, T squares) {
    const double count = static_cast<double>(n), s = static_cast<double>(sum);
    const double dev = static_cast<double>(squares) - s * s / count, mean = static_cast<double>(around);
    return {count, finite(mean) ? mean + s / count : mean, dev < 0 ? 0 : dev};
  }
  GC_OUTLINE Acc run(const T* p, int64_t n, int64_t, double) {
    Acc acc = empty();
    for (int64_t i = 0; i < n; i += kPiece) merge(acc, piece(p + i, smaller(kPiece, n - i)));
    return acc;
  }
  GC_INLINE Acc piece(const T* p, int64_t n) {
    using V = Vec<T>;
    constexpr int64_t L = kLanes<T>;
    const T mean = fold_run<SumKind<T>>(p, n) / static_cast<T>(n);
    V sum[4] = {}, squares[4] = {};
    int64_t i = 0;
    for (; i + 4 * L <= n; i += 4 * L)
#pragma GCC unroll 4
      for (int k = 0; k < 4; ++k) {
        const V d = load_vec(p + i + k * L) - mean;
        sum[k] += d;
        squares[k] += d * d;
      }
    T s = 0, q = 0;
    for (; i < n; ++i) {
      const T d = p[i] - mean;
      s += d;
      q += d * d;
    }
    s += fold_lanes<SumKind<T>, T>((sum[0] + sum[1]) + (sum[2] + sum[3]));
    q += fold_lanes<SumKind<T>, T>((squares[0] + squares[1]) + (squares[2] + squares[3]));
    return corrected(n, mean, s, q);
  }
  GC_OUTLINE void band(const T* p, int64_t stride, int64_t rows, int64_t cols, int64_t, double, Acc* acc) {
    alignas(64) T mean[tile_of<T>];
    alignas(64) T sum[tile_of<T>];
    alignas(64) T squares[tile_of<T>];
    fold_band<SumKind<T>>(p, stride, rows, cols, mean);
    for (int64_t j = 0; j < cols; ++j) mean[j] /= static_cast<T>(rows);
    for (int64_t j = 0; j < cols; ++j) sum[j] = squares[j] = 0;
    for (int64_t r = 0; r < rows; ++r, p += stride) deviations(p, cols, mean, sum, squares);
    for (int64_t j = 0; j < cols; ++j) merge(acc[j], corrected(rows, mean[j], sum[j], squares[j]));
  }
  GC_INLINE void deviations(const T* p, int64_t cols, const T* mean, T* sum, T* squares) {
#pragma GCC ivdep
    for (int64_t j = 0; j < cols; ++j) {
      const T d = p[j] - mean[j];
      sum[j] += d;
      squares[j] += d * d;
    }
  }
  GC_INLINE void merge(Acc& a, const Acc& b) {
    if (b.n == 0) return;
    if (a.n == 0) {
      a = b;
      return;
    }
    const double n = a.n + b.n, delta = b.mean - a.mean, share = b.n / n;
    a.mean += finite(delta) ? delta * share : b.mean;
    a.dev += b.dev + delta * delta * a.n * share;
    a.n = n;
  }
  GC_INLINE void store(const ReduceArgs& a, int64_t i, const Acc& acc) {
    static_cast<T*>(a.out)[i] = static_cast<T>(acc.dev);
    static_cast<T*>(a.mean)[i] = static_cast<T>(acc.n == 0 ? __builtin_nan("") : acc.mean);
  }
};

// log sum exp(x), around the largest x so far. Around an infinite one nothing is subtracted: exp then gives 0
// or inf.
template <class T>
struct LogSumExpOp {
  using In = T;
  using Part = T;
  struct Acc {
    double around, sum;
  };
  static constexpr int64_t kCost = 8;
  static constexpr int64_t kBand = 64;
  static constexpr bool kFolds = true;

  GC_INLINE Acc empty() { return {0, 0}; }
  GC_INLINE T shift_of(T max) { return magnitude(max) == highest<T>() ? T(0) : max; }

  GC_OUTLINE Acc run(const T* p, int64_t n, int64_t, double) {
    if (n == 0) return empty();
    const T shift = shift_of(fold_run<MaxKind<T>>(p, n));
    return {static_cast<double>(shift), sum_exp<false>(p, static_cast<T*>(nullptr), n, shift)};
  }
  GC_OUTLINE void band(const T* p, int64_t stride, int64_t rows, int64_t cols, int64_t, double, Acc* acc) {
    alignas(64) T shift[tile_of<T>];
    alignas(64) T sum[tile_of<T>];
    alignas(64) T row[tile_of<T>];
    fold_band<MaxKind<T>>(p, stride, rows, cols, shift);
    for (int64_t j = 0; j < cols; ++j) shift[j] = shift_of(shift[j]);
    for (int64_t j = 0; j < cols; ++j) sum[j] = 0;
    for (int64_t r = 0; r < rows; ++r, p += stride) {
      for (int64_t j = 0; j < cols; ++j) row[j] = p[j] - shift[j];
      map_run(row, row, cols, [](Lane<T> x) { return exp(x); });
      for (int64_t j = 0; j < cols; ++j) sum[j] += row[j];
    }
    for (int64_t j = 0; j < cols; ++j)
      merge(acc[j], {static_cast<double>(shift[j]), static_cast<double>(sum[j])});
  }
  // A sum is 0 when all of its elements are -inf, and inf when one is inf: neither needs the common shift.
  GC_INLINE void merge(Acc& a, const Acc& b) {
    if (b.sum == 0) return;
    if (a.sum == 0) {
      a = b;
      return;
    }
    const double infinity = __builtin_inf();
    if (a.sum == infinity || b.sum == infinity) {
      a = {0, a.sum + b.sum};
      return;
    }
    const double around = a.around > b.around ? a.around : b.around;
    a.sum = a.sum * exp(F64{a.around - around}).v + b.sum * exp(F64{b.around - around}).v;
    a.around = around;
  }
  GC_INLINE void store(const ReduceArgs& a, int64_t i, const Acc& acc) {
    static_cast<T*>(a.out)[i] = static_cast<T>(acc.around + log(F64{acc.sum}).v);
  }
};

// ---- layouts: how an operation walks its view ----

// The functions that drive() needs of an operation: with them it is compiled once, not once per operation.
struct OpTable {
  int64_t cost, acc_size, tile;
  bool folds;
  void (*outputs)(const ReduceArgs&, int64_t begin, int64_t end);
  void (*chunk)(const ReduceArgs&, int64_t output, int64_t begin, int64_t end, void* acc);
  void (*columns)(const ReduceArgs&, int64_t o, int64_t col, int64_t cols, int64_t row, int64_t rows,
                  void* acc);
  void (*finish)(const ReduceArgs&, int64_t output, int64_t n, void* acc, int64_t parts);
};

// Short reductions become columns, kGroup apart: vectors along them would be mostly empty.
template <class Bits>
GC_OUTLINE void gather_columns(const ReduceArgs& a, int64_t output, int64_t cols, void* buffer) {
  int64_t i = output % a.inner;
  const Bits* row = static_cast<const Bits*>(a.in) + output / a.inner * a.s_outer;
  for (Bits* to = static_cast<Bits*>(buffer); cols > 0; --cols, ++to) {
    const Bits* const p = row + i * a.s_inner;
    for (int64_t r = 0; r < a.reduce; ++r) to[r * kGroup] = p[r * a.s_reduce];
    if (++i < a.inner) continue;
    i = 0;
    row += a.s_outer;
  }
}

template <class Op>
struct Walk {
  using In = typename Op::In;
  using Acc = typename Op::Acc;
  static constexpr int64_t kTile = tile_of<typename Op::Part>;

  // Elements [begin, end) of a reduction, at most kChunk of them.
  static Acc strided_run(const ReduceArgs& a, const In* p, int64_t begin, int64_t end) {
    In buffer[kGather];
    Acc acc = Op::empty();
    for (int64_t i = begin; i < end; i += kGather) {
      const int64_t m = smaller(kGather, end - i);
      for (int64_t j = 0; j < m; ++j) buffer[j] = p[(i + j) * a.s_reduce];
      Op::merge(acc, Op::run(buffer, m, i, a.param));
    }
    return acc;
  }
  GC_INLINE Acc run(const ReduceArgs& a, const In* p, int64_t begin, int64_t end) {
    if (a.s_reduce == 1) return Op::run(p + begin, end - begin, begin, a.param);
    return strided_run(a, p, begin, end);
  }
  GC_INLINE Acc whole(const ReduceArgs& a, const In* p) {
    if (a.reduce <= kChunk) return run(a, p, 0, a.reduce);
    Acc acc = run(a, p, 0, kChunk);
    for (int64_t i = kChunk; i < a.reduce; i += kChunk)
      Op::merge(acc, run(a, p, i, smaller(a.reduce, i + kChunk)));
    return acc;
  }

  static void short_outputs(const ReduceArgs& a, int64_t begin, int64_t end) {
    In buffer[kShort * kGroup];
    Acc acc[kGroup];
    for (int64_t output = begin; output < end; output += kGroup) {
      const int64_t cols = smaller(kGroup, end - output);
      gather_columns<Word<In>>(a, output, cols, buffer);
      for (int64_t j = 0; j < cols; ++j) acc[j] = Op::empty();
      Op::band(buffer, kGroup, a.reduce, cols, 0, a.param, acc);
      finish(a, output, cols, acc, 1);
    }
  }
  static void outputs(const ReduceArgs& a, int64_t begin, int64_t end) {
    const bool gather = a.reduce > 0 && a.reduce <= kShort && a.outer * a.inner >= kNarrow;
    if (gather) return short_outputs(a, begin, end);
    int64_t i = begin % a.inner;
    const In* row = static_cast<const In*>(a.in) + begin / a.inner * a.s_outer;
    for (int64_t output = begin; output < end; ++output) {
      Op::store(a, output, whole(a, row + i * a.s_inner));
      if (++i < a.inner) continue;
      i = 0;
      row += a.s_outer;
    }
  }
  static void chunk(const ReduceArgs& a, int64_t output, int64_t begin, int64_t end, void* acc) {
    const In* p = static_cast<const In*>(a.in) + output / a.inner * a.s_outer + output % a.inner * a.s_inner;
    *static_cast<Acc*>(acc) = run(a, p, begin, end);
  }

  GC_OUTLINE void merge_all(Acc* a, const Acc* b, int64_t n) {
#pragma GCC ivdep
    for (int64_t j = 0; j < n; ++j) Op::merge(a[j], b[j]);
  }
  static void bands(const In* p, int64_t stride, int64_t rows, int64_t cols, int64_t first, double param,
                    Acc* acc) {
    for (int64_t r = 0; r < rows; r += Op::kBand)
      Op::band(p + r * stride, stride, smaller(Op::kBand, rows - r), cols, first + r, param, acc);
  }
  // Rows [row, row + rows) of columns [col, col + cols), cols <= kTile. Short dense rows are taken several at
  // a time as one long row, where an operation does not ask for indices.
  static void columns(const ReduceArgs& a, int64_t o, int64_t col, int64_t cols, int64_t row, int64_t rows,
                      void* into) {
    Acc* const acc = static_cast<Acc*>(into);
    const In* p = static_cast<const In*>(a.in) + o * a.s_outer + row * a.s_reduce + col;
    for (int64_t j = 0; j < cols; ++j) acc[j] = Op::empty();
    const int64_t fold = kFoldColumns / cols;
    if (Op::kFolds && a.s_reduce == cols && fold > 1 && rows >= 4 * fold) {
      Acc wide[kFoldColumns];
      const int64_t width = fold * cols, long_rows = rows / fold;
      for (int64_t j = 0; j < width; ++j) wide[j] = Op::empty();
      bands(p, width, long_rows, width, 0, a.param, wide);
      for (int64_t k = 0; k < fold; ++k) merge_all(acc, wide + k * cols, cols);
      p += long_rows * width;
      rows -= long_rows * fold;
      row += long_rows * fold;
    }
    bands(p, a.s_reduce, rows, cols, row, a.param, acc);
  }

  // acc holds `parts` times n results, part by part: merges and stores outputs [output, output + n).
  GC_OUTLINE void finish(const ReduceArgs& a, int64_t output, int64_t n, void* from, int64_t parts) {
    Acc* const acc = static_cast<Acc*>(from);
    for (int64_t k = 1; k < parts; ++k) merge_all(acc, acc + k * n, n);
    for (int64_t j = 0; j < n; ++j) Op::store(a, output + j, acc[j]);
  }

  static constexpr OpTable kTable{Op::kCost, sizeof(Acc), kTile, Op::kFolds, outputs, chunk, columns, finish};
};

// A few long reductions: their chunks in parallel.
void reduce_chunks(const ReduceArgs& a, const OpTable& op, int64_t outputs) {
  const int64_t chunks = ceil_div(a.reduce, kChunk);
  const Scratch<char> scratch(outputs * chunks * op.acc_size);
  parallel_blocks(outputs * chunks, [&](int64_t b) {
    const int64_t output = b / chunks, begin = b % chunks * kChunk;
    op.chunk(a, output, begin, smaller(a.reduce, begin + kChunk), scratch.data() + b * op.acc_size);
  });
  for (int64_t i = 0; i < outputs; ++i) op.finish(a, i, 1, scratch.data() + i * chunks * op.acc_size, chunks);
}

void reduce_runs(const ReduceArgs& a, const OpTable& op) {
  const int64_t outputs = a.outer * a.inner, work = a.reduce * op.cost;
  const bool few_and_long = outputs < kFewOutputs && a.reduce > kChunk;
  if (few_and_long && outputs * work >= 2 * kGrain) return reduce_chunks(a, op, outputs);
  const int64_t per_block = larger(1, kGrain / larger(1, work));
  parallel_blocks(ceil_div(outputs, per_block), [&](int64_t b) {
    op.outputs(a, b * per_block, smaller(outputs, (b + 1) * per_block));
  });
}

// Column tiles; where they are few and tall, each is also cut into `parts` bands of rows.
void reduce_columns(const ReduceArgs& a, const OpTable& op) {
  const int64_t tile = smaller(op.tile, a.inner), per_outer = ceil_div(a.inner, tile);
  const int64_t tiles = a.outer * per_outer;
  const int64_t work = larger(1, a.reduce * tile * op.cost);
  int64_t parts = tiles >= kFewOutputs ? 1 : larger(1, smaller(work / kSplitGrain, kMaxSplit / tiles));
  const int64_t rows = larger(1, ceil_div(a.reduce, parts));
  parts = larger(1, ceil_div(a.reduce, rows));
  const int64_t per_block = parts > 1 ? 1 : larger(1, kGrain / work);
  const int64_t part_size = tile * op.acc_size, tile_size = parts * part_size;
  const int64_t blocks = ceil_div(tiles * parts, per_block);
  const Scratch<char> scratch(parts > 1 ? tiles * tile_size : blocks * part_size);
  parallel_blocks(blocks, [&](int64_t b) {
    for (int64_t i = b * per_block; i < smaller(tiles * parts, (b + 1) * per_block); ++i) {
      const int64_t t = i / parts, k = i % parts, o = t / per_outer, col = t % per_outer * tile;
      const int64_t cols = smaller(tile, a.inner - col), row = k * rows;
      char* const acc =
          scratch.data() + (parts > 1 ? t * tile_size + k * cols * op.acc_size : b * part_size);
      op.columns(a, o, col, cols, row, smaller(rows, a.reduce - row), acc);
      if (parts == 1) op.finish(a, o * a.inner + col, cols, acc, 1);
    }
  });
  if (parts == 1) return;
  for (int64_t t = 0; t < tiles; ++t) {
    const int64_t o = t / per_outer, col = t % per_outer * tile;
    op.finish(a, o * a.inner + col, smaller(tile, a.inner - col), scratch.data() + t * tile_size, parts);
  }
}

// With one of outer and inner being 1 the other may be called inner: outputs are dense either way.
Layout normalize(ReduceArgs& a, bool folds) {
  if (a.inner == 1 && a.s_reduce != 1) {
    a.inner = a.outer;
    a.s_inner = a.s_outer;
    a.outer = 1;
  }
  const bool wide = a.inner >= kNarrow || (folds && a.s_reduce == a.inner && a.reduce > kShort);
  if (a.inner > 1 && a.s_inner == 1 && wide) return Layout::Outer;
  return a.s_reduce == 1 ? Layout::Inner : Layout::Strided;
}

__attribute__((noinline)) void drive(ReduceArgs a, const OpTable& op) {
  if (a.outer == 0 || a.inner == 0) return;
  if (normalize(a, op.folds) == Layout::Outer) return reduce_columns(a, op);
  reduce_runs(a, op);
}

template <class Op>
void reduce(const ReduceArgs& a) {
  const bool small = a.outer == 1 && a.inner == 1 && a.s_reduce == 1 && a.reduce <= kChunk;
  if (small) return Op::store(a, 0, Op::run(static_cast<const typename Op::In*>(a.in), a.reduce, 0, a.param));
  drive(a, Walk<Op>::kTable);
}

template <class E, template <class> class Kind>
void reduce_to_index(const ReduceArgs& a) {
  ReduceArgs without = a;
  without.index = nullptr;
  reduce<ArgOp<E, Kind>>(without);
}

}  // namespace

#define GC_FOLD(Kind, E) reduce<FoldOp<E, Kind>>
#define GC_ARG(Kind, E) reduce<ArgOp<E, Kind>>
#define GC_INDEX(Kind, E) reduce_to_index<E, Kind>
#define GC_OP(Op, E) reduce<Op<E>>
#define GC_FLOATS(use, what) \
  { nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, use(what, float), use(what, double) }
#define GC_WIDE(use, what) \
  use(what, int16_t), use(what, int32_t), use(what, int64_t), use(what, float), use(what, double)
#define GC_ALL(use, what) \
  { use(what, bool), use(what, uint8_t), use(what, int8_t), GC_WIDE(use, what) }
// What only compares with 0 reads any byte the same way.
#define GC_TRUTH(use, what) \
  { use(what, uint8_t), use(what, uint8_t), use(what, uint8_t), GC_WIDE(use, what) }

const ReduceFn reduce_table[kReduceOpCount][kDTypeCount] = {
    GC_ALL(GC_FOLD, SumKind),      GC_ALL(GC_FOLD, ProdKind),
    GC_ALL(GC_FOLD, MaxKind),      GC_ALL(GC_FOLD, MinKind),
    GC_ALL(GC_INDEX, MaxKind),     GC_ALL(GC_INDEX, MinKind),
    GC_ALL(GC_ARG, MaxKind),       GC_ALL(GC_ARG, MinKind),
    GC_TRUTH(GC_FOLD, AnyKind),    GC_TRUTH(GC_FOLD, AllKind),
    GC_FLOATS(GC_FOLD, SquaresKind), GC_FLOATS(GC_FOLD, AbsKind),
    GC_FLOATS(GC_OP, SumPowOp),    GC_TRUTH(GC_FOLD, CountKind),
    GC_FLOATS(GC_FOLD, MaxAbsKind), GC_FLOATS(GC_FOLD, MinAbsKind),
    GC_FLOATS(GC_OP, SquaredDevOp), GC_FLOATS(GC_OP, LogSumExpOp),
};

#undef GC_FOLD
#undef GC_ARG
#undef GC_INDEX
#undef GC_OP
#undef GC_FLOATS
#undef GC_WIDE
#undef GC_ALL
#undef GC_TRUTH

}  // namespace gradcore::GC_ISA
