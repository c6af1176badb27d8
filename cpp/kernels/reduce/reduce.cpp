// Reductions of [outer, reduce, inner] views. Start at reduce(); then drive(), the layouts, and the
// operations.
//
// Note [The reduction tree]
// A reduction is cut into chunks of kChunk elements (or bands of kBand rows), each folded in registers, and
// the chunks' results are merged in index order. The cuts depend on shapes only, so a result has the same
// bits for any number of threads; whether the chunks of one output run in parallel changes nothing either.
//
// Note [Few types]
// The walk over a view is compiled once: it knows an operation by an OpTable of functions over runs of elements. Nor is
// there an operation for every dtype: a Load turns elements into others on the way, a buffer at a time. So narrow
// integers are read as int32, and any, all, count, sum |x| and norms are the maximum, minimum or sum of what their
// Load makes. Each of these choices costs a few per cent on types that nobody waits for, and together they are three
// quarters of this file's machine code.
//
// An operation is a struct of
//   In, Part, Acc       element, column accumulator (sizes the tile), mergeable result of elements
//   kCost               work per element, 1 = an addition
//   kBand               rows of a column tile that are folded between two merges
//   kFolds              false: indices matter, so that several rows must not be taken as one
//   empty()             the Acc of no elements
//   run(p, n, first, param)                          n <= kChunk contiguous elements, from index `first` on
//   band(p, stride, rows, cols, first, param, acc)   rows <= kBand; merges into acc[0..cols)
//   merge(a, b)         a comes before b
// and a StoreFn writes its results.
#include "kernels/reduce/reduce.h"

#include "core/parallel.h"
#include "kernels/convert.h"
#include "kernels/reduce/fold.h"
#include "kernels/reduce/product_bounds.h"
#include "kernels/reduce/scaled_products.h"
#include "kernels/square.h"

namespace gradcore::GC_ISA {
namespace {

enum class Layout { Inner, Outer, Strided };  // contiguous along the reduction, along the outputs, neither

constexpr int64_t kTileBytes = 8192;      // column accumulators: they stay in L1
constexpr int64_t kGather = 1024;         // strided elements copied at a time
constexpr int64_t kGrain = 1 << 16;       // work of a parallel block
constexpr int64_t kSplitGrain = 1 << 17;  // work of a part of one reduction: its result must be merged
constexpr int64_t kMaxSplit = 64;
constexpr int64_t kFewOutputs = 16;    // fewer: the chunks of each run in parallel
constexpr int64_t kShort = 16;         // reductions up to this length are gathered into columns,
constexpr int64_t kGroup = 128;        // so many at a time
constexpr int64_t kNarrow = 16;        // fewer columns than this are not worth a vector loop
constexpr int64_t kFoldColumns = 256;  // rows shorter than this are folded several at a time
constexpr int64_t kSlabColumns = 64;   // slabs from this length on may be rows of columns
constexpr int64_t kLoadRows = 8;       // of a column tile that are converted at a time
constexpr int64_t kLoadCols = 256;     // and the tile's width then
constexpr int64_t kStoreGroup = 32;    // results that are stored at a time
constexpr int64_t kMaxAcc = 24;        // bytes of any Acc

// ---- kinds (see fold.h) that only reductions use ----

template <class E> struct SquaresKind : Plus {
  using Part = E;
  using Acc = double;
  using Out = E;
  static constexpr Part kIdentity = 0;
  template <class X> GC_INLINE X map(X x) { return x * x; }
};
template <class K> struct MagnitudeKind : K {
  template <class X> GC_INLINE X map(X x) { return magnitude(x); }
};

// Denormal numbers become 0 meanwhile. Products that vanish go through them, at a hundred times the cost; what comes
// out too small is computed again: Note [Out of range].
#ifdef __SSE2__
constexpr bool kCanFlush = true;
class NoDenormals {
 public:
  explicit NoDenormals(bool wanted) : wanted_(wanted), before_(wanted ? _mm_getcsr() : 0) {
    if (wanted) _mm_setcsr(before_ | 0x8000);
  }
  ~NoDenormals() {
    if (wanted_) _mm_setcsr(before_);
  }
  NoDenormals(const NoDenormals&) = delete;

 private:
  bool wanted_;
  unsigned before_;
};
#else
constexpr bool kCanFlush = false;
struct NoDenormals {
  explicit NoDenormals(bool) {}
};
#endif

template <class K> struct NumberKind : K {
  template <class X> GC_INLINE X map(X x) { return x == x ? x : X{}; }  // 0 for NaN
};

// ---- operations ----

template <class Part> constexpr int64_t tile_of = kTileBytes / static_cast<int64_t>(sizeof(Part));

// Any reduction that is one kind's fold.
template <class E, template <class> class Kind> struct FoldOp {
  using K = Kind<E>;
  using In = StoredOf<E>;
  using Part = typename K::Part;
  using Acc = typename K::Acc;
  template <class Load> using Direct = typename Load::template Kind<Kind>;
  static constexpr int64_t kCost = 1;
  static constexpr int64_t kBand = 128;
  static constexpr bool kFolds = true;

  GC_INLINE Acc empty() { return static_cast<Acc>(K::kIdentity); }
  static constexpr bool kVanishes = requires { K::kVanishes; } && is_float<E>;
  GC_INLINE Acc run(const In* p, int64_t n, int64_t, double) { return static_cast<Acc>(fold_run<K>(p, n)); }
  GC_INLINE void band(const In* p, int64_t stride, int64_t rows, int64_t cols, int64_t, double, Acc* acc) {
    [[maybe_unused]] const NoDenormals mode(kVanishes);
    alignas(64) Part part[tile_of<Part>];
    fold_band<K>(p, stride, rows, cols, part);
    for (int64_t j = 0; j < cols; ++j) acc[j] = K::combine(acc[j], static_cast<Acc>(part[j]));
  }
  GC_INLINE void merge(Acc& a, const Acc& b) { a = K::combine(a, b); }
};

// Largest or smallest element and its place. A run first finds the value block by block, at the speed of max,
// and then searches the one block that holds it.
template <class E, template <class> class Kind> struct ArgOp {
  using K = Kind<E>;
  using In = StoredOf<E>;
  using Part = In;
  struct Acc {
    In value;
    int64_t index;  // -1: none
  };
  static constexpr int64_t kCost = 2;
  static constexpr int64_t kBand = 128;
  static constexpr bool kFolds = false;
  static constexpr int64_t kBlock = 512;

  GC_INLINE bool better(In x, In best) { return K::combine(best, x) != best && best == best; }
  GC_INLINE bool same(In x, In best) { return (x == best) | ((x != x) & (best != best)); }
  GC_INLINE Acc empty() { return {K::kIdentity, -1}; }

  GC_INLINE Acc run(const In* p, int64_t n, int64_t first, double) {
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
  GC_INLINE void band(const In* p, int64_t stride, int64_t rows, int64_t cols, int64_t first, double, Acc* acc) {
    using Row = SameWidthInt<In>;
    alignas(64) In best[tile_of<In>];
    alignas(64) Row place[tile_of<In>];
    for (int64_t j = 0; j < cols; ++j) best[j] = K::map(p[j]);
    for (int64_t j = 0; j < cols; ++j) place[j] = 0;
    for (int64_t r = 1; r < rows; ++r) improve(p + r * stride, cols, static_cast<Row>(r), best, place);
    for (int64_t j = 0; j < cols; ++j) merge(acc[j], {best[j], first + place[j]});
  }
  GC_INLINE void improve(const In* p, int64_t cols, SameWidthInt<In> r, In* best, SameWidthInt<In>* place) {
    GC_INDEPENDENT
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
};

// Sum of squared deviations from the mean: two passes over pieces that stay in cache, merged as in Chan,
// Golub and LeVeque. A piece's deviations are from its mean rounded to T; their own sum then corrects both
// results.
template <class T> struct SquaredDevOp {
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
  GC_INLINE Acc run(const T* p, int64_t n, int64_t, double) {
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
        const V d = load(p + i + k * L) - mean;
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
  GC_INLINE void band(const T* p, int64_t stride, int64_t rows, int64_t cols, int64_t, double, Acc* acc) {
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
    GC_INDEPENDENT
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
};

// log sum exp(x), around the largest x so far. Around an infinite one nothing is subtracted: exp then gives 0
// or inf.
template <class T> struct LogSumExpOp {
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

  GC_INLINE Acc run(const T* p, int64_t n, int64_t, double) {
    if (n == 0) return empty();
    const T shift = shift_of(fold_run<MaxKind<T>>(p, n));
    return {static_cast<double>(shift), sum_exp<false>(p, static_cast<T*>(nullptr), n, shift)};
  }
  GC_INLINE void band(const T* p, int64_t stride, int64_t rows, int64_t cols, int64_t, double, Acc* acc) {
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
    for (int64_t j = 0; j < cols; ++j) merge(acc[j], {static_cast<double>(shift[j]), static_cast<double>(sum[j])});
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
};

// ---- how results are stored ----

using StoreFn = void (*)(const ReduceArgs&, int64_t output, const void* acc, int64_t n);

template <class Acc, class Out> void store_value(const ReduceArgs& a, int64_t output, const void* acc, int64_t n) {
  Out* const to = static_cast<Out*>(a.out) + output;
  for (int64_t j = 0; j < n; ++j) to[j] = static_cast<Out>(static_cast<const Acc*>(acc)[j]);
}
// The extremes of truth values; those of no elements are far beyond them.
void store_truth(const ReduceArgs& a, int64_t output, const void* acc, int64_t n) {
  bool* const to = static_cast<bool*>(a.out) + output;
  for (int64_t j = 0; j < n; ++j) to[j] = static_cast<const int32_t*>(acc)[j] > 0;
}
// What an element is computed as.
template <class E> using As = If<is_half_type<E>, float, If<(sizeof(E) < 4), int32_t, E>>;

// The sum is rounded before it is divided, as in torch; that of halves to float.
template <class T> void store_mean(const ReduceArgs& a, int64_t output, const void* acc, int64_t n) {
  T* const to = static_cast<T*>(a.out) + output;
  const As<T> count = static_cast<As<T>>(a.param);
  for (int64_t j = 0; j < n; ++j)
    to[j] = static_cast<T>(static_cast<As<T>>(static_cast<const double*>(acc)[j]) / count);
}
// The largest magnitude of no elements is 0.
template <class T> void store_magnitude(const ReduceArgs& a, int64_t output, const void* from, int64_t n) {
  T* const to = static_cast<T*>(a.out) + output;
  const As<T>* const acc = static_cast<const As<T>*>(from);
  for (int64_t j = 0; j < n; ++j) to[j] = static_cast<T>(acc[j] < 0 ? As<T>(0) : acc[j]);
}
template <class Acc> void store_place(const ReduceArgs& a, int64_t output, const void* from, int64_t n) {
  const Acc* const acc = static_cast<const Acc*>(from);
  for (int64_t j = 0; j < n; ++j) static_cast<int64_t*>(a.out)[output + j] = acc[j].index < 0 ? 0 : acc[j].index;
}
template <class Acc, class Out> void store_both(const ReduceArgs& a, int64_t output, const void* from, int64_t n) {
  const Acc* const acc = static_cast<const Acc*>(from);
  for (int64_t j = 0; j < n; ++j) {
    static_cast<Out*>(a.out)[output + j] = static_cast<Out>(acc[j].value);
    a.index[output + j] = acc[j].index < 0 ? 0 : acc[j].index;
  }
}
template <class T, bool kRoot> void store_variance(const ReduceArgs& a, int64_t output, const void* from, int64_t n) {
  const auto* const acc = static_cast<const typename SquaredDevOp<As<T>>::Acc*>(from);
  T* const to = static_cast<T*>(a.out) + output;
  for (int64_t j = 0; j < n; ++j) {
    const double variance = acc[j].dev / a.param;  // 0/0 is NaN, as in torch
    to[j] = static_cast<T>(kRoot ? __builtin_sqrt(variance) : variance);
  }
}
template <class T> void store_root(const ReduceArgs& a, int64_t output, const void* acc, int64_t n) {
  T* const to = static_cast<T*>(a.out) + output;
  for (int64_t j = 0; j < n; ++j) to[j] = static_cast<T>(__builtin_sqrt(static_cast<const double*>(acc)[j]));
}
template <class T> void store_power_root(const ReduceArgs& a, int64_t output, const void* acc, int64_t n) {
  T* const to = static_cast<T*>(a.out) + output;
  for (int64_t j = 0; j < n; ++j)
    to[j] = static_cast<T>(pow(F64{static_cast<const double*>(acc)[j]}, F64{1 / a.param}).v);
}
template <class T> void store_log(const ReduceArgs& a, int64_t output, const void* from, int64_t n) {
  const auto* const acc = static_cast<const typename LogSumExpOp<As<T>>::Acc*>(from);
  for (int64_t j = 0; j < n; ++j)
    static_cast<T*>(a.out)[output + j] = static_cast<T>(acc[j].around + log(F64{acc[j].sum}).v);
}

// ---- results that left the range of the loops ----
//
// Note [Out of range]
// Squares and products of floats leave the range of floats long before a root or a mean does. The loops do not look:
// where an accumulator comes out too small, too large or NaN, its one output is computed again, element by element in
// doubles and relative to the largest magnitude.

using RescueFn = void (*)(const ReduceArgs&, int64_t output, const void* acc, int64_t n);

// Where the first element of an output is.
GC_INLINE int64_t first_of(const ReduceArgs& a, int64_t output) {
  if (output == 0) return 0;  // of small reductions there is no other
  const int64_t row = output / a.inner, col = output % a.inner;
  return row / a.outer * a.s_group + row % a.outer * a.s_outer + col * a.s_inner;
}

// The elements of one output.
template <class T> struct Elements {
  const T* p;
  const ReduceArgs& a;
  Elements(const ReduceArgs& args, int64_t output)
      : p(static_cast<const T*>(args.in) + first_of(args, output)), a(args) {}
  double count() const { return static_cast<double>(a.slabs * a.reduce); }
  template <class F> void each(const F& f) const {
    for (int64_t s = 0; s < a.slabs; ++s)
      for (int64_t i = 0; i < a.reduce; ++i) f(static_cast<double>(p[s * a.s_slab + i * a.s_reduce]));
  }
  // f(copies, how many) for at most kBlock of them at a time.
  static constexpr int64_t kBlock = 192;  // whole rows of ScaledProducts, of any instruction set
  template <class F> void each_block(const F& f) const {
    alignas(64) double block[kBlock];
    for (int64_t s = 0; s < a.slabs; ++s)
      for (int64_t first = 0; first < a.reduce; first += kBlock) {
        const int64_t n = smaller(kBlock, a.reduce - first);
        const T* const from = p + s * a.s_slab + first * a.s_reduce;
        if (a.s_reduce == 1)
          for (int64_t i = 0; i < n; ++i) block[i] = static_cast<double>(from[i]);
        else
          for (int64_t i = 0; i < n; ++i) block[i] = static_cast<double>(from[i * a.s_reduce]);
        f(block, n);
      }
  }
  bool are_equal() const {
    if (a.s_slab == 0 && a.s_reduce == 0) return true;
    const T first = *p;
    for (int64_t s = 0; s < a.slabs; ++s)
      for (int64_t i = 0; i < a.reduce; ++i)
        if (p[s * a.s_slab + i * a.s_reduce] != first) return false;
    return true;
  }
  // The largest and the least magnitude: NaN if one is.
  double most() const { return extreme<MaxKind, Larger>(0); }
  double least() const { return extreme<MinKind, Smaller>(__builtin_inf()); }

 private:
  template <template <class> class Kind, class Pick> double extreme(double of_none) const {
    double found = of_none;
    if constexpr (!is_half_type<T>) {
      if (a.s_reduce == 1) {
        for (int64_t s = 0; s < a.slabs; ++s) {
          const T of_slab = fold_run<MagnitudeKind<Kind<T>>>(p + s * a.s_slab, a.reduce);
          found = Pick::combine(found, static_cast<double>(of_slab));
        }
        return found;
      }
    }
    each([&](double x) { found = Pick::combine(found, magnitude(x)); });
    return found;
  }
};

// The root of the sum of squares.
template <class T> struct ScaledNorm {
  static double compute(const Elements<T>& x) {
    const double most = x.most();
    if (most == 0 || most - most != 0) return most;
    double sum = 0;
    x.each([&](double v) { sum += v / most * (v / most); });
    return most * __builtin_sqrt(sum);
  }
};
template <class T> struct ScaledPowerNorm {
  static double compute(const Elements<T>& x) {
    const double p = x.a.param, unit = p > 0 ? x.most() : x.least();
    if (unit == 0 || unit - unit != 0) return unit;
    double sum = 0;
    x.each([&](double v) { sum += pow(F64{magnitude(v) / unit}, F64{p}).v; });
    return unit * pow(F64{sum}, F64{1 / p}).v;
  }
};
template <class T, bool kRoot> struct ScaledVariance {
  static double compute(const Elements<T>& x) {
    const double most = x.most(), n = x.count(), dof = x.a.param;
    if (most == 0 || n == 0 || (most - most == 0 && x.are_equal())) return 0 / dof;
    double sum = 0, squares = 0, rest = 0;
    x.each([&](double v) { sum += v / most; });
    const double mean = sum / n;
    x.each([&](double v) {
      const double d = v / most - mean;
      squares += d * d;
      rest += d;
    });
    const double root = most * __builtin_sqrt((squares - rest * rest / n) / dof);
    return kRoot ? root : root * root;
  }
};
// A product that may have left the range on the way.
template <class T> struct ScaledProduct {
  // That of not so many factors seldom leaves the range of doubles. 0, infinite or NaN where it did.
  static double simple(const Elements<T>& x) {
    [[maybe_unused]] const NoDenormals mode(sizeof(T) == 8);  // of floats the caller does so for many
    double product = 1;
    x.each_block([&](const double* block, int64_t n) { product *= fold_run<ProdKind<double>>(block, n); });
    return product;
  }
  static double compute(const Elements<T>& x) {
    constexpr double kFew = 256;
    if (x.count() <= kFew)
      if (const double product = simple(x); is_certain(product, x)) return product;
    return compute_scaled(x);
  }
  // What left the range of doubles for good did so where every factor leads there.
  static bool is_certain(double product, const Elements<T>& x) {
    if (product == 0) return x.most() <= 1;
    return product - product == 0 || (magnitude(product) == __builtin_inf() && x.least() >= 1);
  }
  static double compute_scaled(const Elements<T>& x) {
    using Products = ScaledProducts<double>;
    static_assert(Elements<T>::kBlock % Products::kCols == 0);
    Products products;
    x.each_block([&](double* block, int64_t n) {
      const int64_t used = round_up(n, Products::kCols);
      for (int64_t i = n; i < used; ++i) block[i] = 1;
      products.add(block, Products::kCols, used / Products::kCols);
    });
    return products.all();
  }
};
// The products of neighbouring columns, by Products: those of the last group may have been in the one before.
template <class Products, class T> class ColumnProducts {
 public:
  auto of(const ReduceArgs& a, const T* p, int64_t column) {
    const T* const group = p - (column - smaller(column, a.inner - Products::kCols));
    if (!group_ || p < group_ || p >= group_ + Products::kCols) {
      products_ = {};
      for (int64_t s = 0; s < a.slabs; ++s) products_.add(group + s * a.s_slab, a.s_reduce, a.reduce);
      group_ = group;
    }
    return products_.column(p - group_);
  }

 private:
  Products products_;
  const T* group_ = nullptr;  // where they begin
};
template <class Products, class T> auto product_of_row(const ReduceArgs& a, const T* p) {
  constexpr int64_t kCols = Products::kCols;
  Products products;
  const int64_t rest = a.reduce % kCols;
  alignas(64) T last[kCols];
  for (int64_t s = 0; s < a.slabs; ++s, p += a.s_slab) {
    products.add(p, kCols, a.reduce / kCols);
    for (int64_t j = 0; j < kCols; ++j) last[j] = j < rest ? p[a.reduce - rest + j] : T(1);
    products.add(last, kCols, 1);
  }
  return products.all();
}
// A reduction's products that left the range, one after the other. Of most the sizes of their factors tell that they
// are 0 or infinite.
template <class T> class LongProducts {
  using Bounds = ProductBounds<T>;
  using Scaled = ScaledProducts<T>;

 public:
  explicit LongProducts(const ReduceArgs& args) : a_(args) {}
  double of(int64_t output) {
    constexpr int64_t kLong = 256, kHigh = 64;  // fewer factors are multiplied as fast one by one
    const Elements<T> x(a_, output);
    const int64_t n = a_.slabs * a_.reduce;
    if (a_.s_reduce == 1 && n > kLong) return of_row(x.p);
    if (a_.s_inner == 1 && n > kHigh && a_.inner >= larger(Bounds::kCols, Scaled::kCols))
      return of_column(x.p, output % a_.inner);
    return ScaledProduct<T>::compute(x);
  }

 private:
  double of_row(const T* p) const {
    const auto certain = static_cast<double>(product_of_row<Bounds>(a_, p));
    return certain == certain ? certain : product_of_row<Scaled>(a_, p);
  }
  double of_column(const T* p, int64_t column) {
    const auto certain = static_cast<double>(bounds_.of(a_, p, column));
    return certain == certain ? certain : scaled_.of(a_, p, column);
  }

  const ReduceArgs& a_;
  ColumnProducts<Bounds, T> bounds_;
  ColumnProducts<Scaled, T> scaled_;
};

template <class T> constexpr double kLeast = sizeof(T) <= 4 ? 1e-27 : 1e-270;
template <class T> constexpr double kMost = sizeof(T) <= 4 ? 1e38 : 1e300;

GC_INLINE double range_of(double acc) { return acc; }
template <class Acc>
  requires requires(Acc a) { a.dev; }
GC_INLINE double range_of(const Acc& acc) {
  return acc.dev;
}

template <class T, class Acc> GC_INLINE bool in_range(const Acc& acc) {
  const double v = magnitude(range_of(acc));
  return v > kLeast<T> && v < kMost<T>;
}

// Without an end on the way, so that the loop takes vectors.
template <class T, class Acc> GC_INLINE bool all_in_range(const Acc* acc, int64_t n) {
  int out = 0;
  for (int64_t j = 0; j < n; ++j) out |= !in_range<T>(acc[j]);
  return !out;
}

template <class Scaled, class T, class Acc>
void rescue(const ReduceArgs& a, int64_t output, const void* from, int64_t n) {
  const Acc* const acc = static_cast<const Acc*>(from);
  if (all_in_range<T>(acc, n)) [[likely]]
    return;
  for (int64_t j = 0; j < n; ++j) {
    if (in_range<T>(acc[j])) continue;
    static_cast<T*>(a.out)[output + j] = static_cast<T>(Scaled::compute(Elements<T>(a, output + j)));
  }
}
// Without denormals a partial product in floats that is too small is 0, and so is the whole.
template <class T> GC_INLINE bool is_product(double v) {
  if (kCanFlush && sizeof(T) <= 4) return v != 0 && v - v == 0;
  return in_range<T>(v);
}
template <class T> void rescue_products(const ReduceArgs& a, int64_t output, const void* from, int64_t n) {
  const double* const acc = static_cast<const double*>(from);
  LongProducts<T> products(a);
  constexpr int64_t kGroupOf = 64;
  double right[kGroupOf];
  for (int64_t first = 0; first < n; first += kGroupOf) {
    const int64_t count = smaller(kGroupOf, n - first);
    int64_t found = 0;
    for (int64_t j = first; j < first + count; ++j) found += !is_product<T>(acc[j]);
    if (found == 0) [[likely]]
      continue;
    {
      [[maybe_unused]] const NoDenormals mode(sizeof(T) <= 4);
      for (int64_t j = 0; j < count; ++j)
        right[j] = is_product<T>(acc[first + j]) ? acc[first + j] : products.of(output + first + j);
    }
    for (int64_t j = 0; j < count; ++j) static_cast<T*>(a.out)[output + first + j] = static_cast<T>(right[j]);
  }
}

// ---- how elements are loaded: n of them, `stride` apart, into dense ones ----
//
// Where a fold of contiguous elements need not load them first, Kind says how it folds them.

using LoadFn = void (*)(const void* from, int64_t stride, int64_t n, double param, void* to);

template <class From, class To, class F>
GC_INLINE void load_each(const void* from, int64_t stride, int64_t n, void* to, const F& f) {
  const From* const p = static_cast<const From*>(from);
  To* const out = static_cast<To*>(to);
  if (stride == 1)
    for (int64_t i = 0; i < n; ++i) out[i] = static_cast<To>(f(p[i]));
  else
    for (int64_t i = 0; i < n; ++i) out[i] = static_cast<To>(f(p[i * stride]));
}
template <class E> struct AsIs {
  using In = StoredOf<E>;
  static constexpr bool kInPlace = true;
  static constexpr int64_t kCost = 0;
  static void load(const void* from, int64_t stride, int64_t n, double, void* to) {
    if (stride == 2) return load_every_second(static_cast<const Word<In>*>(from), n, static_cast<Word<In>*>(to));
    load_each<Word<In>, Word<In>>(from, stride, n, to, [](Word<In> x) { return x; });
  }
  // The one stride that vectors read faster than loads one by one.
  static void load_every_second(const Word<In>* from, int64_t n, Word<In>* to) {
    for (int64_t i = 0; i < n; ++i) to[i] = from[2 * i];
  }
};
template <class E, class To> struct Widen {
  using In = StoredOf<E>;
  template <template <class> class K> using Kind = K<E>;
  static constexpr bool kInPlace = false;
  static constexpr int64_t kCost = 1;
  static void load(const void* from, int64_t stride, int64_t n, double, void* to) {
    load_each<In, To>(from, stride, n, to, [](In x) { return element<E>(x); });
  }
};
template <class H> struct Halves {
  using In = H;
  template <template <class> class K>
    requires loads_as_floats<H>
  using Kind = K<float>;
  static constexpr bool kInPlace = false;
  static constexpr int64_t kCost = 1;
  static void load(const void* from, int64_t stride, int64_t n, double, void* to) {
    const H* const p = static_cast<const H*>(from);
    if (stride == 1) return to_floats(static_cast<float*>(to), p, n);
    load_each<H, float>(from, stride, n, to, [](H x) { return float(x); });
  }
};
template <class E> struct Truth {
  using In = If<sizeof(E) == 1, uint8_t, E>;  // what is only compared with 0 reads any byte the same way
  template <template <class> class K>
    requires(sizeof(E) == 1)
  using Kind = K<bool>;
  static constexpr bool kInPlace = false;
  static constexpr int64_t kCost = 1;
  static void load(const void* from, int64_t stride, int64_t n, double, void* to) {
    load_each<In, int32_t>(from, stride, n, to, [](In x) { return x != 0; });
  }
};
template <class T> struct Magnitude {
  using In = T;
  template <template <class> class K>
    requires(!is_half_type<T> || loads_as_floats<T>)
  using Kind = MagnitudeKind<K<As<T>>>;
  static constexpr bool kInPlace = false;
  static constexpr int64_t kCost = 1;
  static void load(const void* from, int64_t stride, int64_t n, double, void* to) {
    load_each<T, As<T>>(from, stride, n, to, [](T x) { return magnitude(As<T>(x)); });
  }
};
// 0 for NaN.
template <class T> struct Numbers {
  using In = T;
  template <template <class> class K>
    requires(!is_half_type<T> || loads_as_floats<T>)
  using Kind = NumberKind<K<As<T>>>;
  static constexpr bool kInPlace = false;
  static constexpr int64_t kCost = 1;
  static void load(const void* from, int64_t stride, int64_t n, double, void* to) {
    load_each<T, As<T>>(from, stride, n, to, [](T x) { return NumberKind<Plus>::map(As<T>(x)); });
  }
};
// |x|^param. The exponent is an operand of every lane: what pow decides about an invariant one would become branches,
// and no loop over them vectorises.
template <class T> struct Power {
  using In = T;
  static constexpr bool kInPlace = false;
  static constexpr int64_t kCost = 15;
  static void load(const void* from, int64_t stride, int64_t n, double param, void* to) {
    using W = As<T>;
    alignas(64) W base[kBuffer], exponents[kBuffer];
    for (int64_t i = 0; i < kBuffer; ++i) exponents[i] = static_cast<W>(param);
    for (int64_t i = 0; i < n; i += kBuffer) {
      const int64_t m = smaller(kBuffer, n - i), padded = ceil_div(m, kPad) * kPad;
      Magnitude<T>::load(static_cast<const T*>(from) + i * stride, stride, m, 0, base);
      for (int64_t j = m; j < padded; ++j) base[j] = 1;
      for (int64_t j = 0; j < padded; ++j) base[j] = pow(Lane<W>{base[j]}, Lane<W>{exponents[j]}).v;
      __builtin_memcpy(static_cast<W*>(to) + i, base, m * sizeof(W));
    }
  }
};

// ---- what the walk knows of an operation, its Load and its StoreFn ----

using RunFn = void (*)(const void* p, int64_t n, int64_t first, double param, void* acc);

struct OpTable {
  int64_t item, acc_size, tile, band_rows;  // item: bytes of an element as run and band read it
  bool folds, vanishes;                     // vanishes: run wants NoDenormals, which costs more than a short row
  void (*empty)(void* acc, int64_t n);
  RunFn run;
  void (*band)(const void* p, int64_t stride, int64_t rows, int64_t cols, int64_t first, double param, void* acc);
  void (*merge)(void* a, const void* b, int64_t n);  // a[j] = a[j] and then b[j]
};
struct Reduction {
  const OpTable* op;
  LoadFn load;
  StoreFn store;
  RescueFn rescue;  // null: no result can leave the range
  RunFn direct;     // run on elements as they lie in memory; null: through load
  int64_t item;     // bytes of an element in memory
  int64_t cost;
  bool in_place;  // band may read memory as it is

  bool loads(const ReduceArgs& a) const { return !in_place || a.s_inner != 1; }  // for bands
  int64_t tile(const ReduceArgs& a) const { return loads(a) ? smaller(op->tile, kLoadCols) : op->tile; }
};

template <class Op> struct Erased {
  using In = typename Op::In;
  using Acc = typename Op::Acc;
  static_assert(sizeof(Acc) <= kMaxAcc);
  static constexpr bool kVanishes = requires { requires Op::kVanishes; };

  static void empty(void* acc, int64_t n) {
    for (int64_t j = 0; j < n; ++j) static_cast<Acc*>(acc)[j] = Op::empty();
  }
  static void run(const void* p, int64_t n, int64_t first, double param, void* acc) {
    *static_cast<Acc*>(acc) = Op::run(static_cast<const In*>(p), n, first, param);
  }
  static void band(const void* p, int64_t stride, int64_t rows, int64_t cols, int64_t first, double param, void* acc) {
    Op::band(static_cast<const In*>(p), stride, rows, cols, first, param, static_cast<Acc*>(acc));
  }
  static void merge(void* into, const void* from, int64_t n) {
    Acc* const a = static_cast<Acc*>(into);
    const Acc* const b = static_cast<const Acc*>(from);
    GC_INDEPENDENT
    for (int64_t j = 0; j < n; ++j) Op::merge(a[j], b[j]);
  }
  static constexpr OpTable kTable{
      sizeof(In), sizeof(Acc), tile_of<typename Op::Part>, Op::kBand, Op::kFolds, kVanishes, empty, run, band, merge};
};
// A fold of elements as they lie in memory, whose result is an Acc of the operation on loaded ones.
template <class K, class In, class Acc> void run_direct(const void* p, int64_t n, int64_t, double, void* acc) {
  *static_cast<Acc*>(acc) = static_cast<Acc>(fold_run<K>(static_cast<const In*>(p), n));
}
template <class Op, class Load> constexpr RunFn direct_fn() {
  using In = typename Load::In;
  if constexpr (Load::kInPlace)
    return Erased<Op>::run;
  else if constexpr (requires { typename Op::template Direct<Load>; })
    return run_direct<typename Op::template Direct<Load>, In, typename Op::Acc>;
  else
    return nullptr;
}
template <class Op, class Load, StoreFn kStore, RescueFn kRescue = nullptr>
constexpr Reduction kReduction{
    &Erased<Op>::kTable,     Load::load,    kStore, kRescue, direct_fn<Op, Load>(), sizeof(typename Load::In),
    Op::kCost + Load::kCost, Load::kInPlace};

// ---- layouts: how a reduction walks its view ----

// As many outputs as a square has sides, whose elements are dense: whole squares, of which the last may overlap the one
// before. One that is larger than the reduction reads the next output's elements and writes rows that nobody reads.
template <class Bits> GC_INLINE void gather_side_by_side(const ReduceArgs& a, const Bits* p, Bits* to) {
  constexpr int64_t kSide = Square<Bits>::kSide, kItem = sizeof(Bits);
  for (int64_t s = 0; s < a.slabs; ++s, p += a.s_slab, to += a.reduce * kGroup)
    for (int64_t r = 0; r < a.reduce; r += kSide) {
      const int64_t first = larger(0, smaller(r, a.reduce - kSide));
      Square<Bits>::read(p + first, a.s_inner * kItem).transposed().write(to + first * kGroup, kGroup * kItem);
    }
}
// How many of the next n outputs may be read so.
template <class Bits> GC_INLINE int64_t side_by_side(const ReduceArgs& a, int64_t n) {
  constexpr int64_t kSide = Square<Bits>::kSide;
  if (a.s_reduce != 1) return 0;
  if (a.reduce >= kSide) return n / kSide * kSide;
  const bool next_is_near = a.slabs == 1 && a.s_inner == a.reduce && 2 * a.reduce >= kSide && kSide <= kShort;
  return next_is_near ? (n - 1) / kSide * kSide : 0;
}

// Short reductions become columns, kGroup apart: vectors along them would be mostly empty.
template <class Bits> GC_OUTLINE void gather_columns(const ReduceArgs& a, int64_t output, int64_t cols, void* buffer) {
  Bits* to = static_cast<Bits*>(buffer);
  while (cols > 0) {
    const Bits* p = static_cast<const Bits*>(a.in) + first_of(a, output);
    const int64_t n = smaller(cols, a.inner - output % a.inner);
    int64_t j = 0;
    constexpr int64_t kSide = Square<Bits>::kSide;
    for (const int64_t squares = side_by_side<Bits>(a, n); j < squares; j += kSide, to += kSide, p += kSide * a.s_inner)
      gather_side_by_side(a, p, to);
    for (; j < n; ++j, ++to, p += a.s_inner) {
      Bits* at = to;
      for (int64_t s = 0; s < a.slabs; ++s)
        for (int64_t r = 0; r < a.reduce; ++r, at += kGroup) *at = p[s * a.s_slab + r * a.s_reduce];
    }
    output += n;
    cols -= n;
  }
}

struct Walk {
  const ReduceArgs& a;
  const Reduction& r;
  const OpTable& op = *r.op;

  const char* element(const char* p, int64_t i) const { return p + i * r.item; }
  const char* start(int64_t output) const { return element(static_cast<const char*>(a.in), first_of(a, output)); }
  int64_t outputs() const { return a.groups * a.outer * a.inner; }
  int64_t length() const { return a.slabs * a.reduce; }
  void store(int64_t output, const void* acc, int64_t n) const {
    r.store(a, output, acc, n);
    if (r.rescue) r.rescue(a, output, acc, n);
  }

  // Elements [begin, end) of the reduction at p, at most kChunk of them.
  void run(const char* p, int64_t begin, int64_t end, void* acc) const {
    if (r.direct && a.s_reduce == 1) return r.direct(element(p, begin), end - begin, begin, a.param, acc);
    run_loaded(p, begin, end, acc);
  }
  void flushed_run(const char* p, int64_t begin, int64_t end, void* acc) const {
    [[maybe_unused]] const NoDenormals mode(op.vanishes);
    run(p, begin, end, acc);
  }
  __attribute__((noinline)) void run_loaded(const char* p, int64_t begin, int64_t end, void* acc) const {
    alignas(64) char buffer[kGather * 8];
    alignas(8) char part[kMaxAcc];
    op.empty(acc, 1);
    for (int64_t i = begin; i < end; i += kGather) {
      const int64_t n = smaller(kGather, end - i);
      r.load(element(p, i * a.s_reduce), a.s_reduce, n, a.param, buffer);
      op.run(buffer, n, i, a.param, part);
      op.merge(acc, part, 1);
    }
  }
  void whole(const char* p, void* acc) const {
    if (a.slabs == 1 && a.reduce <= kChunk) return run(p, 0, a.reduce, acc);
    alignas(8) char part[kMaxAcc];
    run(p, 0, smaller(a.reduce, kChunk), acc);
    for (int64_t s = 0; s < a.slabs; ++s, p = element(p, a.s_slab))
      for (int64_t i = s ? 0 : kChunk; i < a.reduce; i += kChunk) {
        run(p, i, smaller(a.reduce, i + kChunk), part);
        op.merge(acc, part, 1);
      }
  }

  void gather(int64_t output, int64_t cols, void* to) const {
    with_word(r.item, [&]<class W>(W) { gather_columns<W>(a, output, cols, to); });
  }
  void short_outputs(int64_t begin, int64_t end) const {
    alignas(64) char buffer[kShort * kGroup * 8];
    alignas(64) char loaded[kShort * kGroup * 8];
    alignas(64) char acc[kGroup * kMaxAcc];
    for (int64_t output = begin; output < end; output += kGroup) {
      const int64_t cols = smaller(kGroup, end - output);
      gather(output, cols, buffer);
      if (!r.in_place)
        for (int64_t i = 0; i < length(); ++i)
          r.load(element(buffer, i * kGroup), 1, cols, a.param, loaded + i * kGroup * op.item);
      op.empty(acc, cols);
      op.band(r.in_place ? buffer : loaded, kGroup, length(), cols, 0, a.param, acc);
      store(output, acc, cols);
    }
  }
  void outputs(int64_t begin, int64_t end) const {
    if (length() > 0 && length() <= kShort && outputs() >= kNarrow) return short_outputs(begin, end);
    alignas(64) char acc[kStoreGroup * kMaxAcc];
    const char* p = start(begin);
    // Outputs to come before the next step of outer, and such steps before the next group.
    int64_t left = begin ? a.inner - begin % a.inner : a.inner;
    int64_t outer_left = begin ? a.outer - begin / a.inner % a.outer : a.outer;
    for (; begin < end; begin += kStoreGroup) {
      const int64_t n = smaller(kStoreGroup, end - begin);
      {
        [[maybe_unused]] const NoDenormals mode(op.vanishes);
        for (int64_t i = 0; i < n; ++i, p = element(p, a.s_inner)) {
          whole(p, acc + i * op.acc_size);
          if (--left > 0) continue;
          p = element(p, a.s_outer - a.inner * a.s_inner);
          left = a.inner;
          if (--outer_left > 0) continue;
          p = element(p, a.s_group - a.outer * a.s_outer);
          outer_left = a.outer;
        }
      }
      store(begin, acc, n);
    }
  }
  // The one output of a small reduction.
  void single() const {
    alignas(8) char acc[kMaxAcc];
    flushed_run(static_cast<const char*>(a.in), 0, a.reduce, acc);
    store(0, acc, 1);
  }

  // Rows of columns, merged into acc.
  void bands(const char* p, int64_t stride, int64_t rows, int64_t cols, int64_t first, void* acc) const {
    if (r.loads(a)) return bands_loaded(p, stride, rows, cols, first, acc);
    for (int64_t i = 0; i < rows; i += op.band_rows)
      op.band(element(p, i * stride), stride, smaller(op.band_rows, rows - i), cols, first + i, a.param, acc);
  }
  __attribute__((noinline)) void bands_loaded(const char* p, int64_t stride, int64_t rows, int64_t cols, int64_t first,
                                              void* acc) const {
    alignas(64) char buffer[kLoadRows * kLoadCols * 8];
    for (int64_t i = 0; i < rows; i += kLoadRows) {
      const int64_t n = smaller(kLoadRows, rows - i);
      for (int64_t k = 0; k < n; ++k)
        r.load(element(p, (i + k) * stride), a.s_inner, cols, a.param, buffer + k * cols * op.item);
      op.band(buffer, cols, n, cols, first + i, a.param, acc);
    }
  }
  // Rows [row, row + rows) of all slabs, of `cols` outputs side by side, cols <= the tile.
  void columns(int64_t output, int64_t cols, int64_t row, int64_t rows, char* acc) const {
    op.empty(acc, cols);
    const char* const p = start(output);
    while (rows > 0) {
      const int64_t slab = row / a.reduce, first = row % a.reduce, n = smaller(rows, a.reduce - first);
      rows_of_slab(element(p, slab * a.s_slab), cols, first, n, acc);
      row += n;
      rows -= n;
    }
  }
  // Short dense rows are taken several at a time as one long row, where an operation does not ask for indices.
  void rows_of_slab(const char* p, int64_t cols, int64_t row, int64_t rows, char* acc) const {
    p = element(p, row * a.s_reduce);
    const int64_t fold = kFoldColumns / cols;
    if (op.folds && a.s_inner == 1 && a.s_reduce == cols && fold > 1 && rows >= 4 * fold) {
      alignas(64) char wide[kFoldColumns * kMaxAcc];
      const int64_t width = fold * cols, long_rows = rows / fold;
      op.empty(wide, width);
      bands(p, width, long_rows, width, 0, wide);
      for (int64_t k = 0; k < fold; ++k) op.merge(acc, wide + k * cols * op.acc_size, cols);
      p = element(p, long_rows * width);
      rows -= long_rows * fold;
      row += long_rows * fold;
    }
    bands(p, a.s_reduce, rows, cols, row, acc);
  }

  // acc holds `parts` times n results, part by part: merges and stores outputs [output, output + n).
  void finish(int64_t output, int64_t n, char* acc, int64_t parts) const {
    for (int64_t k = 1; k < parts; ++k) op.merge(acc, acc + k * n * op.acc_size, n);
    store(output, acc, n);
  }
};

// A few long reductions over slabs that are rows of a tile: several slabs are folded as rows of columns, in parallel,
// and then the columns. A fold of each slab by itself would end in its lanes a thousand times.
bool has_rows_for_slabs(const Walk& w) {
  const bool dense = w.r.in_place && w.op.folds && w.a.s_reduce == 1;
  return dense && w.a.slabs >= 8 && w.a.reduce >= kSlabColumns && w.a.reduce <= w.op.tile;
}
void reduce_slabs(const Walk& w, int64_t outputs) {
  const ReduceArgs& a = w.a;
  const int64_t size = w.op.acc_size, group = larger(8, kChunk / a.reduce), groups = ceil_div(a.slabs, group);
  const Scratch<char> scratch(outputs * groups * size);
  parallel_blocks(outputs * groups, [&](int64_t b) {
    const int64_t first = b % groups * group, end = smaller(a.slabs, first + group);
    const Scratch<char> acc(a.reduce * size);
    w.op.empty(acc.data(), a.reduce);
    for (int64_t s = first; s < end; s += w.op.band_rows)
      w.op.band(w.element(w.start(b / groups), s * a.s_slab), a.s_slab, smaller(w.op.band_rows, end - s), a.reduce, 0,
                a.param, acc.data());
    for (int64_t n = a.reduce; n > 1; n = ceil_div(n, 2))
      w.op.merge(acc.data(), acc.data() + ceil_div(n, 2) * size, n / 2);
    __builtin_memcpy(scratch.data() + b * size, acc.data(), size);
  });
  for (int64_t i = 0; i < outputs; ++i) w.finish(i, 1, scratch.data() + i * groups * size, groups);
}

// A few long reductions: their chunks in parallel.
void reduce_chunks(const Walk& w, int64_t outputs) {
  if (has_rows_for_slabs(w)) return reduce_slabs(w, outputs);
  const int64_t of_slab = ceil_div(w.a.reduce, kChunk), chunks = w.a.slabs * of_slab, size = w.op.acc_size;
  const Scratch<char> scratch(outputs * chunks * size);
  parallel_blocks(outputs * chunks, [&](int64_t b) {
    const int64_t chunk = b % chunks, begin = chunk % of_slab * kChunk;
    const char* const p = w.element(w.start(b / chunks), chunk / of_slab * w.a.s_slab);
    w.flushed_run(p, begin, smaller(w.a.reduce, begin + kChunk), scratch.data() + b * size);
  });
  for (int64_t i = 0; i < outputs; ++i) w.finish(i, 1, scratch.data() + i * chunks * size, chunks);
}

void reduce_runs(const Walk& w) {
  const int64_t outputs = w.outputs(), work = w.length() * w.r.cost;
  const bool few_and_long = outputs < kFewOutputs && w.length() > kChunk;
  if (few_and_long && outputs * work >= 2 * kGrain) return reduce_chunks(w, outputs);
  const int64_t per_block = larger(1, kGrain / larger(1, work));
  parallel_blocks(ceil_div(outputs, per_block),
                  [&](int64_t b) { w.outputs(b * per_block, smaller(outputs, (b + 1) * per_block)); });
}

// Column tiles; where they are few and tall, each is also cut into `parts` bands of rows.
void reduce_columns(const Walk& w) {
  const ReduceArgs& a = w.a;
  const int64_t size = w.op.acc_size, length = w.length();
  const int64_t tile = smaller(w.r.tile(a), a.inner), per_outer = ceil_div(a.inner, tile);
  const int64_t tiles = a.groups * a.outer * per_outer;
  const int64_t work = larger(1, length * tile * w.r.cost);
  int64_t parts = tiles >= kFewOutputs ? 1 : larger(1, smaller(work / kSplitGrain, kMaxSplit / tiles));
  const int64_t rows = larger(1, ceil_div(length, parts));
  parts = larger(1, ceil_div(length, rows));
  const int64_t per_block = parts > 1 ? 1 : larger(1, kGrain / work);
  const int64_t part_size = tile * size, tile_size = parts * part_size;
  const int64_t blocks = ceil_div(tiles * parts, per_block);
  const auto output_of = [&](int64_t t) { return t / per_outer * a.inner + t % per_outer * tile; };
  const auto cols_of = [&](int64_t t) { return smaller(tile, a.inner - t % per_outer * tile); };
  const Scratch<char> scratch(parts > 1 ? tiles * tile_size : blocks * part_size);
  parallel_blocks(blocks, [&](int64_t b) {
    for (int64_t i = b * per_block; i < smaller(tiles * parts, (b + 1) * per_block); ++i) {
      const int64_t t = i / parts, k = i % parts, cols = cols_of(t), row = k * rows;
      char* const acc = scratch.data() + (parts > 1 ? t * tile_size + k * cols * size : b * part_size);
      w.columns(output_of(t), cols, row, smaller(rows, length - row), acc);
      if (parts == 1) w.finish(output_of(t), cols, acc, 1);
    }
  });
  if (parts == 1) return;
  for (int64_t t = 0; t < tiles; ++t) w.finish(output_of(t), cols_of(t), scratch.data() + t * tile_size, parts);
}

// With one of outer and inner being 1 the other may be called inner: outputs are dense either way.
Layout normalize(ReduceArgs& a, bool folds) {
  if (a.inner == 1) {
    a.inner = a.outer;
    a.s_inner = a.s_outer;
    a.outer = a.groups;
    a.s_outer = a.s_group;
    a.groups = 1;
  }
  const bool wide = a.inner >= kNarrow || (folds && a.s_reduce == a.inner && a.reduce > kShort);
  if (a.inner > 1 && a.s_inner == 1 && wide) return Layout::Outer;
  // Rows of columns that are not dense, but nearer to each other than the rows are.
  if (a.inner >= kNarrow && a.s_inner > 0 && a.s_inner < a.s_reduce) return Layout::Outer;
  return a.s_reduce == 1 ? Layout::Inner : Layout::Strided;
}

void drive(ReduceArgs a, const Reduction& r) {
  if (a.outer == 0 || a.inner == 0) return;
  const Walk walk{a, r};
  if (a.outer == 1 && a.inner == 1 && a.reduce <= kChunk && a.slabs == 1 && a.groups == 1) return walk.single();
  if (normalize(a, r.op->folds) == Layout::Outer) return reduce_columns(walk);
  reduce_runs(walk);
}

template <const Reduction& kOf> void reduce(const ReduceArgs& a) { drive(a, kOf); }

// ---- the table ----

// Integers are added as int32 into int64, multiplied as int64, compared as int32 if they are narrower.
// Halves are read as floats.
template <class E> using Read = If<is_half_type<E>, Halves<E>, If<(sizeof(E) < 4), Widen<E, int32_t>, AsIs<E>>>;
template <class E>
using ReadFactor = If<is_half_type<E>, Halves<E>, If<is_float<E> || sizeof(E) == 8, AsIs<E>, Widen<E, int64_t>>>;
template <class E> using Factor = If<is_floating_type<E>, As<E>, int64_t>;
template <class E> using Total = If<is_floating_type<E>, double, int64_t>;
template <class E> using Result = If<is_floating_type<E>, E, int64_t>;

template <class E>
constexpr ReduceFn sum_fn = reduce<kReduction<FoldOp<As<E>, SumKind>, Read<E>, store_value<Total<E>, Result<E>>>>;
template <class T> constexpr ReduceFn mean_fn = reduce<kReduction<FoldOp<As<T>, SumKind>, Read<T>, store_mean<T>>>;
template <class T>
constexpr ReduceFn norm_fn =
    reduce<kReduction<FoldOp<As<T>, SquaresKind>, Read<T>, store_root<T>, rescue<ScaledNorm<T>, T, double>>>;
template <class T>
constexpr ReduceFn power_norm_fn =
    reduce<kReduction<FoldOp<As<T>, SumKind>, Power<T>, store_power_root<T>, rescue<ScaledPowerNorm<T>, T, double>>>;
template <class E> constexpr RescueFn rescue_of_product() {
  if constexpr (is_half_type<E>)
    return rescue<ScaledProduct<E>, E, double>;
  else if constexpr (is_floating_type<E>)
    return rescue_products<E>;
  return nullptr;
}
template <class E>
constexpr ReduceFn prod_fn = reduce<
    kReduction<FoldOp<Factor<E>, ProdKind>, ReadFactor<E>, store_value<Total<E>, Result<E>>, rescue_of_product<E>()>>;
template <class E, template <class> class Kind>
constexpr ReduceFn extreme_fn = reduce<kReduction<FoldOp<As<E>, Kind>, Read<E>, store_value<As<E>, StoredOf<E>>>>;
template <class E, template <class> class Kind>
constexpr ReduceFn place_fn =
    reduce<kReduction<ArgOp<As<E>, Kind>, Read<E>, store_place<typename ArgOp<As<E>, Kind>::Acc>>>;
template <class E, template <class> class Kind>
constexpr ReduceFn both_fn =
    reduce<kReduction<ArgOp<As<E>, Kind>, Read<E>, store_both<typename ArgOp<As<E>, Kind>::Acc, StoredOf<E>>>>;
template <class E, template <class> class Kind>
constexpr ReduceFn truth_fn = reduce<kReduction<FoldOp<int32_t, Kind>, Truth<E>, store_truth>>;
template <class E>
constexpr ReduceFn count_fn = reduce<kReduction<FoldOp<int32_t, SumKind>, Truth<E>, store_value<int64_t, int64_t>>>;
template <class T, template <class> class Load>
constexpr ReduceFn sum_of_fn = reduce<kReduction<FoldOp<As<T>, SumKind>, Load<T>, store_value<double, T>>>;
template <class T, template <class> class Kind>
constexpr ReduceFn extreme_of_fn = reduce<kReduction<FoldOp<As<T>, Kind>, Magnitude<T>, store_magnitude<T>>>;
template <class T, bool kRoot>
constexpr ReduceFn variance_fn =
    reduce<kReduction<SquaredDevOp<As<T>>, Read<T>, store_variance<T, kRoot>,
                      rescue<ScaledVariance<T, kRoot>, T, typename SquaredDevOp<As<T>>::Acc>>>;
template <class T> constexpr ReduceFn log_fn = reduce<kReduction<LogSumExpOp<As<T>>, Read<T>, store_log<T>>>;

template <ReduceOp kOp, class T> constexpr ReduceFn function_of() {
  using enum ReduceOp;
  if constexpr (kOp == Sum) return sum_fn<T>;
  if constexpr (kOp == Prod) return prod_fn<T>;
  if constexpr (kOp == Max) return extreme_fn<T, MaxKind>;
  if constexpr (kOp == Min) return extreme_fn<T, MinKind>;
  if constexpr (kOp == ArgMax) return place_fn<T, MaxKind>;
  if constexpr (kOp == ArgMin) return place_fn<T, MinKind>;
  if constexpr (kOp == MaxIndex) return both_fn<T, MaxKind>;
  if constexpr (kOp == MinIndex) return both_fn<T, MinKind>;
  if constexpr (kOp == Any) return truth_fn<T, MaxKind>;
  if constexpr (kOp == All) return truth_fn<T, MinKind>;
  if constexpr (kOp == CountNonzero) return count_fn<T>;
  if constexpr (is_floating_type<T>) {
    if constexpr (kOp == Mean) return mean_fn<T>;
    if constexpr (kOp == Norm2) return norm_fn<T>;
    if constexpr (kOp == SumAbs) return sum_of_fn<T, Magnitude>;
    if constexpr (kOp == NanSum) return sum_of_fn<T, Numbers>;
    if constexpr (kOp == NormP) return power_norm_fn<T>;
    if constexpr (kOp == MaxAbs) return extreme_of_fn<T, MaxKind>;
    if constexpr (kOp == MinAbs) return extreme_of_fn<T, MinKind>;
    if constexpr (kOp == Var) return variance_fn<T, false>;
    if constexpr (kOp == Std) return variance_fn<T, true>;
    if constexpr (kOp == LogSumExp) return log_fn<T>;
  }
  return nullptr;
}
// Every operation has its function of floats: one that function_of() forgets does not compile. (Types are compared: to
// a build for sanitizers the comparison of addresses is no constant.)
template <ReduceFn kFunction> using Constant = std::integral_constant<ReduceFn, kFunction>;
template <ReduceOp kOp> constexpr DTypeRow<ReduceFn> row_of() {
  static_assert(!std::is_same_v<Constant<function_of<kOp, float>()>, Constant<nullptr>>);
  return by_dtype<ReduceFn>([]<class T>(TypeTag<T>) -> ReduceFn {
    if constexpr (is_wide_unsigned(dtype_of<T>))
      return nullptr;
    else
      return function_of<kOp, T>();
  });
}
template <int... kOps> constexpr ReduceKernels make_table(std::integer_sequence<int, kOps...>) {
  return {{row_of<static_cast<ReduceOp>(kOps)>()...}};
}

}  // namespace

constinit const ReduceKernels reduce_kernels = make_table(std::make_integer_sequence<int, kReduceOpCount>());

}  // namespace gradcore::GC_ISA
