// Operations along one dimension of a dense [outer, n, inner] view that give every element a result: softmax
// and its relatives, cumulative sums, products and extremes. Start at function_of() at the end, then Walk,
// then the families.
//
// A family is a struct of
//   In                          memory element
//   kIndex                      writes positions as well
//   kTakesExp                   takes exponentials, by whole vectors
//   kFewColumns                 has blocks of a few columns that are as good as rows
//   kWidth                      most columns of a block
//   row(s, n)                   one contiguous row, or
//   rows(s, n, count)           some of them
//   long_row(s, n)              one long row, in parallel (not where kIndex)
//   block(s, n, stride, cols)   cols columns of n elements `stride` apart, vectors across them
// A block is read in whole rows: memory likes nothing less than narrow columns of tall rows. Long rows are
// cut into parts of kPart elements, tall blocks into bands of rows, whose partial results merge in order: by
// shape only, so that results have the same bits for any number of threads.
#include "kernels/scan/scan.h"
#include "core/parallel.h"
#include "kernels/convert.h"
#include "kernels/reduce/fold.h"
#include "kernels/square.h"

namespace gradcore::GC_ISA {
namespace {

constexpr int64_t kGrain = 1 << 14;  // elements of a parallel block: each costs an exp, or a step of a chain
constexpr int64_t kPart = 1 << 13;   // elements of a part of a long row
constexpr int64_t kFewRows = 4;      // fewer rows than this, and long ones, are cut into parts
constexpr int64_t kMaxWidth = 4096;  // columns of a block
constexpr int64_t kMaxBands = 64;    // of a block
constexpr int64_t kFewBlocks = 16;   // fewer blocks than this, and big ones, are cut into bands
constexpr int64_t kFlush = 128;      // rows summed in floats before the sum goes to a double
constexpr int64_t kShort = 16;       // columns up to this length, and fewer than this, are gathered,
constexpr int64_t kGroup = 64;       // so many at a time
constexpr int64_t kNarrow = 4;       // up to so many long columns are copied into rows; of what costs more for less
constexpr int64_t kLessNarrow = 15;  // than a vector of columns, up to so many,
constexpr int64_t kNear = 1 << 18;   // where all of their bytes stay in the cache

// The operands of one row or block.
template <class T> struct Slice {
  const T* x;
  const T* x2;  // null where there is one input
  T* y;
  int64_t* index;  // null where no positions are wanted

  Slice at(int64_t i) const { return {x + i, x2 ? x2 + i : x2, y + i, index ? index + i : index}; }
};

// f(part, begin, count) for the parts of one long row.
template <class F> GC_INLINE void for_parts(int64_t n, const F& f) {
  parallel_blocks(ceil_div(n, kPart), [&](int64_t k) { f(k, k * kPart, smaller(kPart, n - k * kPart)); });
}

// The bands of rows that a block of n by cols is cut into.
struct Bands {
  int64_t n, rows, count;

  Bands(int64_t height, int64_t cols)
      : n(height), rows(larger(larger(4, kGrain / cols), ceil_div(height, kMaxBands))), count(ceil_div(height, rows)) {}
  // f(band, first row, number of rows)
  template <class F> void each(const F& f) const {
    parallel_blocks(count, [&](int64_t k) { f(k, k * rows, smaller(rows, n - k * rows)); });
  }
};

// total[j] = the sum over rows of what add_row(row, part) adds to part[j].
template <class T, class F>
GC_INLINE void sum_rows(int64_t row, int64_t rows, int64_t cols, double* total, const F& add_row) {
  alignas(64) T part[kMaxWidth];
  for (int64_t j = 0; j < cols; ++j) total[j] = 0;
  for (const int64_t end = row + rows; row < end;) {
    for (int64_t j = 0; j < cols; ++j) part[j] = 0;
    for (const int64_t stop = smaller(end, row + kFlush); row < stop; ++row) add_row(row, part);
    for (int64_t j = 0; j < cols; ++j) total[j] += static_cast<double>(part[j]);
  }
}

// The bands' totals, added to the first one's.
GC_INLINE void merge_totals(double* total, int64_t bands, int64_t cols) {
  for (int64_t k = 1; k < bands; ++k)
    for (int64_t j = 0; j < cols; ++j) total[j] += total[k * cols + j];
}

// ---- softmax: exp(x - max) / sum; log_softmax: x - max - log(sum) ----

template <class T, bool kLog> struct SoftmaxOf {
  using In = T;
  static constexpr bool kTakesExp = true;
  static constexpr bool kIndex = false;
  static constexpr int64_t kWidth = kMaxWidth;

  // `last` is what finishes a row: log(sum) or 1 / sum.
  GC_INLINE void finish(const Slice<T>& s, int64_t n, T max, T last) {
    GC_INDEPENDENT
    for (int64_t i = 0; i < n; ++i) s.y[i] = kLog ? (s.x[i] - max) - last : s.y[i] * last;
  }
  GC_INLINE void finishers(double* sum, int64_t count) {
    if constexpr (kLog) return map_run(sum, sum, count, [](F64 v) { return log(v); });
    for (int64_t i = 0; i < count; ++i) sum[i] = 1 / sum[i];
  }
  // Groups of rows: a logarithm takes as long as a vector of them.
  static void rows(const Slice<T>& s, int64_t n, int64_t count) {
    alignas(64) double sum[kGroup];
    T max[kGroup];
    for (int64_t first = 0; first < count; first += kGroup) {
      const Slice<T> group = s.at(first * n);
      const int64_t m = smaller(kGroup, count - first);
      for (int64_t r = 0; r < m; ++r) {
        const Slice<T> row = group.at(r * n);
        max[r] = fold_run<MaxKind<T>>(row.x, n);
        sum[r] = sum_exp<!kLog>(row.x, row.y, n, max[r]);
      }
      finishers(sum, m);
      for (int64_t r = 0; r < m; ++r) finish(group.at(r * n), n, max[r], static_cast<T>(sum[r]));
    }
  }
  static void long_row(const Slice<T>& s, int64_t n) {
    const Scratch<double> result(ceil_div(n, kPart));
    const int64_t parts = ceil_div(n, kPart);
    for_parts(
        n, [&](int64_t k, int64_t i, int64_t m) { result[k] = static_cast<double>(fold_run<MaxKind<T>>(s.x + i, m)); });
    const T max = static_cast<T>(fold_run<MaxKind<double>>(result.data(), parts));
    for_parts(n, [&](int64_t k, int64_t i, int64_t m) { result[k] = sum_exp<!kLog>(s.x + i, s.y + i, m, max); });
    double sum = fold_run<SumKind<double>>(result.data(), parts);
    finishers(&sum, 1);
    for_parts(n, [&](int64_t, int64_t i, int64_t m) { finish(s.at(i), m, max, static_cast<T>(sum)); });
  }

  // sum[j] gets exp(x[j] - max[j]), which also goes to y.
  template <int64_t kCount> GC_INLINE void exp_columns(const T* x, T* y, const T* max, T* sum) {
    GC_INDEPENDENT
    for (int64_t j = 0; j < kCount; ++j) {
      const T e = exp(Lane<T>{x[j] - max[j]}).v;
      if constexpr (!kLog) y[j] = e;
      sum[j] += e;
    }
  }
  static void exp_row(const T* x, T* y, const T* max, T* sum, int64_t cols) {
    int64_t i = 0;
    for (; i + kExpBlock <= cols; i += kExpBlock) exp_columns<kExpBlock>(x + i, y + i, max + i, sum + i);
    for (; i + kPad <= cols; i += kPad) exp_columns<kPad>(x + i, y + i, max + i, sum + i);
    if (i == cols) return;
    alignas(64) T pad[kPad] = {}, pad_max[kPad] = {}, pad_sum[kPad] = {};
    for (int64_t j = i; j < cols; ++j) pad[j - i] = x[j];
    for (int64_t j = i; j < cols; ++j) pad_max[j - i] = max[j];
    exp_columns<kPad>(pad, pad, pad_max, pad_sum);
    for (int64_t j = i; j < cols; ++j) sum[j] += pad_sum[j - i];
    if constexpr (!kLog)
      for (int64_t j = i; j < cols; ++j) y[j] = pad[j - i];
  }
  GC_INLINE void block(const Slice<T>& s, int64_t n, int64_t stride, int64_t cols) {
    const Bands bands(n, cols);
    const Scratch<T> max(bands.count * cols);
    const Scratch<double> total(bands.count * cols);
    bands.each([&](int64_t k, int64_t row, int64_t rows) {
      fold_band<MaxKind<T>>(s.x + row * stride, stride, rows, cols, max.data() + k * cols);
    });
    for (int64_t k = 1; k < bands.count; ++k)
      for (int64_t j = 0; j < cols; ++j) max[j] = Larger::combine(max[j], max[k * cols + j]);
    bands.each([&](int64_t k, int64_t row, int64_t rows) {
      sum_rows<T>(row, rows, cols, total.data() + k * cols,
                  [&](int64_t r, T* part) { exp_row(s.x + r * stride, s.y + r * stride, max.data(), part, cols); });
    });
    merge_totals(total.data(), bands.count, cols);
    const Scratch<T> last(cols);
    finishers(total.data(), cols);
    for (int64_t j = 0; j < cols; ++j) last[j] = static_cast<T>(total[j]);
    bands.each([&](int64_t, int64_t row, int64_t rows) {
      for (int64_t r = row; r < row + rows; ++r)
        finish_row(s.x + r * stride, s.y + r * stride, max.data(), last.data(), cols);
    });
  }
  GC_INLINE void finish_row(const T* x, T* y, const T* max, const T* last, int64_t cols) {
    GC_INDEPENDENT
    for (int64_t j = 0; j < cols; ++j) y[j] = kLog ? (x[j] - max[j]) - last[j] : y[j] * last[j];
  }
};

// ---- their gradients, x = g and x2 = the output: x2 (g - sum g x2), and g - exp(x2) sum g ----

// Note [Nearly all of the mass]
// Where one class has the probability p of nearly 1, g - p sum(g) is a difference of equal numbers: 1 - p is what the
// others have together. So from kHeavy on the result is sum(g) sum(p) - sum(g), the last two over the others. At most
// one element of a row is that heavy. Where none is, which the greatest logarithm tells, nothing is summed for it.
template <class T> constexpr T kHeavy = T(0.75);
template <class T> constexpr T kLightLog = T(-0.3);  // exp of no more is below kHeavy
template <class T> GC_INLINE bool may_be_heavy(const T* logs, int64_t n) {
  return !(fold_run<MaxKind<T>>(logs, n) <= kLightLog<T>);
}

// What the other classes of a row have, and where the heavy one is.
template <class T> struct Others {
  double p = 0, g = 0;
  int64_t heavy = -1;  // none

  void add(const Others& o, int64_t first) {
    p += o.p;
    g += o.g;
    if (o.heavy >= 0) heavy = first + o.heavy;
  }
  // Of n elements with probabilities e.
  GC_INLINE Others of(const T* g, const T* e, int64_t n) {
    Others out;
    for (int64_t j = 0; j < n; ++j) out.heavy = e[j] > kHeavy<T> ? j : out.heavy;
    const int64_t h = out.heavy < 0 ? n : out.heavy, behind = h < n ? h + 1 : n;
    const auto sum = [&](const T* p) {
      return static_cast<double>(fold_run<SumKind<T>>(p, h)) +
             static_cast<double>(fold_run<SumKind<T>>(p + behind, n - behind));
    };
    out.p = sum(e);
    out.g = sum(g);
    return out;
  }
  T gradient(double sum) const { return static_cast<T>(sum * p - g); }
};

template <class T, bool kLog> struct SoftmaxGradient {
  using In = T;
  static constexpr bool kTakesExp = kLog;
  static constexpr bool kIndex = false;
  static constexpr int64_t kWidth = kMaxWidth;

  GC_INLINE double dot(const Slice<T>& s, int64_t n) {
    if constexpr (kLog) return static_cast<double>(fold_run<SumKind<T>>(s.x, n));
    alignas(64) T buffer[kBuffer];
    double sum = 0;
    for (int64_t i = 0; i < n; i += kBuffer) {
      const int64_t m = smaller(kBuffer, n - i);
      for (int64_t j = 0; j < m; ++j) buffer[j] = s.x[i + j] * s.x2[i + j];
      sum += static_cast<double>(fold_run<SumKind<T>>(buffer, m));
    }
    return sum;
  }
  // y may be x or x2, so that exp(x2) goes through a buffer.
  static Others<T> finish(const Slice<T>& s, int64_t n, T sum, bool heavy) {
    Others<T> others;
    if constexpr (!kLog) {
      GC_INDEPENDENT
      for (int64_t i = 0; i < n; ++i) s.y[i] = s.x2[i] * (s.x[i] - sum);
      return others;
    }
    alignas(64) T e[kBuffer];
    for (int64_t i = 0; i < n; i += kBuffer) {
      const int64_t m = smaller(kBuffer, n - i);
      map_run(s.x2 + i, e, m, [](Lane<T> v) { return exp(v); });
      if (heavy) others.add(Others<T>::of(s.x + i, e, m), i);
      GC_INDEPENDENT
      for (int64_t j = 0; j < m; ++j) s.y[i + j] = s.x[i + j] - e[j] * sum;
    }
    return others;
  }
  GC_INLINE void correct(const Slice<T>& s, const Others<T>& others, double sum) {
    if (kLog && others.heavy >= 0) s.y[others.heavy] = others.gradient(sum);
  }

  GC_INLINE void row(const Slice<T>& s, int64_t n) {
    const double sum = dot(s, n);
    correct(s, finish(s, n, static_cast<T>(sum), kLog && may_be_heavy(s.x2, n)), sum);
  }

  // Exponentials of several short rows at once: each row by itself would end with a vector that is mostly empty.
  static constexpr int64_t kFlat = 1024;
  static void short_rows(const Slice<T>& s, int64_t n, int64_t count) {
    alignas(64) T e[kFlat];
    map_run(s.x2, e, count * n, [](Lane<T> v) { return exp(v); });
    const bool heavy = may_be_heavy(s.x2, count * n);
    for (int64_t r = 0; r < count; ++r) {
      const Slice<T> row = s.at(r * n);
      const double sum = dot(row, n);
      const T factor = static_cast<T>(sum);
      Others<T> others;
      if (heavy) others = Others<T>::of(row.x, e + r * n, n);
      GC_INDEPENDENT
      for (int64_t j = 0; j < n; ++j) row.y[j] = row.x[j] - e[r * n + j] * factor;
      correct(row, others, sum);
    }
  }
  static void rows(const Slice<T>& s, int64_t n, int64_t count) {
    if (!kLog || n > kFlat / 4) {
      for (int64_t r = 0; r < count; ++r) row(s.at(r * n), n);
      return;
    }
    const int64_t together = kFlat / n;
    for (int64_t r = 0; r < count; r += together) short_rows(s.at(r * n), n, smaller(together, count - r));
  }

  static void long_row(const Slice<T>& s, int64_t n) {
    const int64_t parts = ceil_div(n, kPart);
    const Scratch<double> result(parts);
    const Scratch<bool> heavy(parts);
    for_parts(n, [&](int64_t k, int64_t i, int64_t m) {
      result[k] = dot(s.at(i), m);
      heavy[k] = kLog && may_be_heavy(s.x2 + i, m);
    });
    const double sum = fold_run<SumKind<double>>(result.data(), parts);
    bool any = false;
    for (int64_t k = 0; k < parts; ++k) any |= heavy[k];
    const Scratch<Others<T>> of_part(parts);
    for_parts(n, [&](int64_t k, int64_t i, int64_t m) { of_part[k] = finish(s.at(i), m, static_cast<T>(sum), any); });
    Others<T> others;
    for (int64_t k = 0; k < parts; ++k) others.add(of_part[k], k * kPart);
    correct(s, others, sum);
  }

  // Columns: what the others have of each, and the row of the heavy one.
  struct OthersOfColumns {
    double *p, *g;
    int64_t* heavy;
  };
  GC_INLINE void add_row(const OthersOfColumns& others, const T* g, const T* e, int64_t cols, int64_t row) {
    GC_INDEPENDENT
    for (int64_t j = 0; j < cols; ++j) {
      const bool counts = !(e[j] > kHeavy<T>);
      others.p[j] += counts ? static_cast<double>(e[j]) : 0;
      others.g[j] += counts ? static_cast<double>(g[j]) : 0;
    }
    for (int64_t j = 0; j < cols; ++j) others.heavy[j] = e[j] > kHeavy<T> ? row : others.heavy[j];
  }
  static void finish_row(const Slice<T>& s, const T* sum, int64_t cols, int64_t row, const OthersOfColumns* others) {
    if constexpr (!kLog) {
      GC_INDEPENDENT
      for (int64_t j = 0; j < cols; ++j) s.y[j] = s.x2[j] * (s.x[j] - sum[j]);
      return;
    }
    alignas(64) T e[kMaxWidth];
    map_run(s.x2, e, cols, [](Lane<T> v) { return exp(v); });
    if (others) add_row(*others, s.x, e, cols, row);
    GC_INDEPENDENT
    for (int64_t j = 0; j < cols; ++j) s.y[j] = s.x[j] - e[j] * sum[j];
  }
  GC_INLINE void block(const Slice<T>& s, int64_t n, int64_t stride, int64_t cols) {
    const Bands bands(n, cols);
    const Scratch<double> total(bands.count * cols);
    const Scratch<bool> heavy_band(bands.count);
    bands.each([&](int64_t k, int64_t row, int64_t rows) {
      bool found = false;
      sum_rows<T>(row, rows, cols, total.data() + k * cols, [&](int64_t r, T* part) {
        if constexpr (kLog) found |= may_be_heavy(s.x2 + r * stride, cols);
        const T *const g = s.x + r * stride, *const y = kLog ? g : s.x2 + r * stride;
        for (int64_t j = 0; j < cols; ++j) part[j] += kLog ? g[j] : g[j] * y[j];
      });
      heavy_band[k] = found;
    });
    bool any = false;
    for (int64_t k = 0; k < bands.count; ++k) any |= heavy_band[k];
    merge_totals(total.data(), bands.count, cols);
    const Scratch<T> sum(cols);
    for (int64_t j = 0; j < cols; ++j) sum[j] = static_cast<T>(total[j]);
    const int64_t cells = any ? bands.count * cols : 0;
    const Scratch<double> p(cells), g(cells);
    const Scratch<int64_t> heavy(cells);
    bands.each([&](int64_t k, int64_t row, int64_t rows) {
      const OthersOfColumns others{p.data() + k * cols, g.data() + k * cols, heavy.data() + k * cols};
      for (int64_t j = 0; any && j < cols; ++j) others.p[j] = others.g[j] = 0, others.heavy[j] = -1;
      for (int64_t r = row; r < row + rows; ++r)
        finish_row(s.at(r * stride), sum.data(), cols, r, any ? &others : nullptr);
    });
    if (!kLog || !any) return;
    merge_totals(p.data(), bands.count, cols);
    merge_totals(g.data(), bands.count, cols);
    for (int64_t k = 0; k < bands.count; ++k)
      for (int64_t j = 0; j < cols; ++j) {
        const int64_t row = heavy[k * cols + j];
        if (row >= 0) s.y[row * stride + j] = static_cast<T>(total[j] * p[j] - g[j]);
      }
  }
};

// ---- cumsum and cumprod: floats in double, as torch does ----

template <class K, class T> struct Cumulative {
  using In = T;
  using Acc = typename K::Acc;
  using V = Vec<Acc>;
  static constexpr bool kIndex = false;
  static constexpr bool kShortRows = true;
  static constexpr bool kFewColumns = true;
  static constexpr int64_t kWidth = kMaxWidth;
  static constexpr int kStep = static_cast<int>(kLanes<Acc>);

  using Narrow = typename ShortVector<T, kStep* static_cast<int>(sizeof(T))>::type;  // as many lanes as V

  GC_INLINE V load_wide(const T* p) {
    Narrow v;
    __builtin_memcpy(&v, p, sizeof v);
    return __builtin_convertvector(v, V);
  }
  // Lane j of the result is v[j - kBy], or the neutral value below kBy.
  template <int kBy, int... I> GC_INLINE V shifted(V v, std::integer_sequence<int, I...>) {
    const V neutral = V{} + static_cast<Acc>(K::kIdentity);
    return __builtin_shufflevector(v, neutral, (I < kBy ? kStep : I - kBy)...);
  }
  // Sums of the lanes up to each, in log2(kStep) steps. Only the carry links one vector to the next.
  template <int kBy = 1> GC_INLINE V prefix(V v) {
    if constexpr (kBy == kStep)
      return v;
    else
      return prefix<2 * kBy>(K::combine(shifted<kBy>(v, std::make_integer_sequence<int, kStep>()), v));
  }
  static void run(const T* x, T* y, int64_t n, Acc carry) {
    int64_t i = 0;
    for (; i + kStep <= n; i += kStep) {
      const V local = prefix(load_wide(x + i));
      const V all = K::combine(V{} + carry, local);
      carry = K::combine(carry, static_cast<Acc>(local[kStep - 1]));
      const Narrow narrow = __builtin_convertvector(all, Narrow);
      __builtin_memcpy(y + i, &narrow, sizeof narrow);
    }
    for (; i < n; ++i) {
      carry = K::combine(carry, static_cast<Acc>(x[i]));
      y[i] = static_cast<T>(carry);
    }
  }
  GC_INLINE Acc total(const T* x, int64_t n) {
    V acc = V{} + static_cast<Acc>(K::kIdentity);
    int64_t i = 0;
    for (; i + kStep <= n; i += kStep) acc = K::combine(acc, load_wide(x + i));
    Acc sum = fold_lanes<K, Acc>(acc);
    for (; i < n; ++i) sum = K::combine(sum, static_cast<Acc>(x[i]));
    return sum;
  }

  // Rows of kCount elements.
  template <int kCount> static void few(const Slice<T>& s, int64_t count) {
    for (int64_t r = 0; r < count; ++r) {
      Acc acc = static_cast<Acc>(K::kIdentity);
#pragma GCC unroll 4
      for (int i = 0; i < kCount; ++i) {
        acc = K::combine(acc, static_cast<Acc>(s.x[r * kCount + i]));
        s.y[r * kCount + i] = static_cast<T>(acc);
      }
    }
  }
  // kSide rows side by side, a lane each: one chain of sums would wait for itself at every element.
  static constexpr int kSide = Square<T>::kSide;
  static constexpr bool kAdds = __is_same(K, SumKind<T>);
  static constexpr bool kWaits = !(kAdds && __is_same(T, int64_t));  // the sum of whole numbers takes one cycle
  static void side_by_side(const T* x, T* y, int64_t n) {
    using Sums = typename ShortVector<Acc, kSide* static_cast<int>(sizeof(Acc))>::type;
    Sums acc = Sums{} + static_cast<Acc>(K::kIdentity);
    int64_t i = 0;
    for (; i + kSide <= n; i += kSide) {
      Square<T> s = Square<T>::read(x + i, n * sizeof(T)).transposed();
#pragma GCC unroll 4
      for (int c = 0; c < kSide; ++c) {
        const Sums wide = __builtin_convertvector(s.v[c], Sums);
        acc = kAdds ? acc + wide : acc * wide;  // not by combine(): the baseline passes no vectors of 32 bytes
        s.v[c] = __builtin_convertvector(acc, typename Square<T>::V);
      }
      s.transposed().write(y + i, n * sizeof(T));
    }
    for (int64_t j = i; j < n; ++j)
      for (int r = 0; r < kSide; ++r) {
        acc[r] = K::combine(acc[r], static_cast<Acc>(x[r * n + j]));
        y[r * n + j] = static_cast<T>(acc[r]);
      }
  }
  static void one(const T* x, T* y, int64_t n) {
    if (kWaits && n > kShort) return run(x, y, n, static_cast<Acc>(K::kIdentity));
    Acc acc = static_cast<Acc>(K::kIdentity);
    for (int64_t i = 0; i < n; ++i) {
      acc = K::combine(acc, static_cast<Acc>(x[i]));
      y[i] = static_cast<T>(acc);
    }
  }
  static void rows(const Slice<T>& s, int64_t n, int64_t count) {
    if (n == 2) return few<2>(s, count);
    if (n == 3) return few<3>(s, count);
    if (n == 4) return few<4>(s, count);
    int64_t r = 0;
    if constexpr (kWaits)
      for (; r + kSide <= count; r += kSide) side_by_side(s.x + r * n, s.y + r * n, n);
    for (; r < count; ++r) one(s.x + r * n, s.y + r * n, n);
  }

  // The totals of the parts first: then each part knows where it starts.
  static void long_row(const Slice<T>& s, int64_t n) {
    const Scratch<Acc> start(ceil_div(n, kPart));
    for_parts(n, [&](int64_t k, int64_t i, int64_t m) { start[k] = total(s.x + i, m); });
    Acc acc = static_cast<Acc>(K::kIdentity);
    for (int64_t k = 0; k < ceil_div(n, kPart); ++k) {
      const Acc part = start[k];
      start[k] = acc;
      acc = K::combine(acc, part);
    }
    for_parts(n, [&](int64_t k, int64_t i, int64_t m) { run(s.x + i, s.y + i, m, start[k]); });
  }
  // kCols columns that are all there is: their sums stay in registers. Totals have four chains, since a sum waits for
  // the one before it.
  template <int kCols> static void totals_of_few(const T* x, int64_t rows, Acc* total) {
    constexpr int kChains = 4;
    Acc acc[kChains][kCols];
    for (auto& chain : acc)
      for (Acc& sum : chain) sum = static_cast<Acc>(K::kIdentity);
    const auto add = [&](int64_t r, Acc* chain) __attribute__((always_inline)) {
#pragma GCC unroll 4
      for (int j = 0; j < kCols; ++j) chain[j] = K::combine(chain[j], static_cast<Acc>(x[r * kCols + j]));
    };
    int64_t r = 0;
    for (; r + kChains <= rows; r += kChains)
#pragma GCC unroll 4
      for (int k = 0; k < kChains; ++k) add(r + k, acc[k]);
    for (; r < rows; ++r) add(r, acc[0]);
    for (int j = 0; j < kCols; ++j)
      total[j] = K::combine(K::combine(acc[0][j], acc[1][j]), K::combine(acc[2][j], acc[3][j]));
  }
  template <int kCols> static void run_few(const T* x, T* y, int64_t rows, const Acc* start) {
    Acc acc[kCols];
    for (int j = 0; j < kCols; ++j) acc[j] = start[j];
    for (int64_t i = 0; i < rows * kCols; i += kCols)
#pragma GCC unroll 4
      for (int j = 0; j < kCols; ++j) {
        acc[j] = K::combine(acc[j], static_cast<Acc>(x[i + j]));
        y[i + j] = static_cast<T>(acc[j]);
      }
  }

  // f() of the number of columns where they are two to four, and all there is; else false.
  template <class F> GC_INLINE bool for_few(int64_t stride, int64_t cols, const F& f) {
    if (stride != cols || cols < 2 || cols > 4) return false;
    if (cols == 2) f.template operator()<2>();
    if (cols == 3) f.template operator()<3>();
    if (cols == 4) f.template operator()<4>();
    return true;
  }
  // acc[j] = the total of column j over some rows.
  static void column_totals(const T* x, int64_t rows, int64_t stride, int64_t cols, Acc* acc) {
    if (for_few(stride, cols, [&]<int kCols>() { totals_of_few<kCols>(x, rows, acc); })) return;
    for (int64_t j = 0; j < cols; ++j) acc[j] = static_cast<Acc>(K::kIdentity);
    for (; rows > 0; --rows, x += stride)
      for (int64_t j = 0; j < cols; ++j) acc[j] = K::combine(acc[j], static_cast<Acc>(x[j]));
  }
  static void run_columns(const T* x, T* y, int64_t rows, int64_t stride, int64_t cols, Acc* acc) {
    if (for_few(stride, cols, [&]<int kCols>() { run_few<kCols>(x, y, rows, acc); })) return;
    for (; rows > 0; --rows, x += stride, y += stride) GC_INDEPENDENT
    for (int64_t j = 0; j < cols; ++j) {
      acc[j] = K::combine(acc[j], static_cast<Acc>(x[j]));
      y[j] = static_cast<T>(acc[j]);
    }
  }
  // As long_row: the bands' totals become their starts.
  GC_INLINE void block(const Slice<T>& s, int64_t n, int64_t stride, int64_t cols) {
    const Bands bands(n, cols);
    const Scratch<Acc> start((bands.count + 1) * cols);  // band k's total is put where band k + 1 starts
    for (int64_t j = 0; j < cols; ++j) start[j] = static_cast<Acc>(K::kIdentity);
    if (bands.count > 1)
      bands.each([&](int64_t k, int64_t row, int64_t rows) {
        column_totals(s.x + row * stride, rows, stride, cols, start.data() + (k + 1) * cols);
      });
    for (int64_t i = cols; i < bands.count * cols; ++i) start[i] = K::combine(start[i - cols], start[i]);
    bands.each([&](int64_t k, int64_t row, int64_t rows) {
      run_columns(s.x + row * stride, s.y + row * stride, rows, stride, cols, start.data() + k * cols);
    });
  }
};

// ---- logcumsumexp: the logarithm of the sum of all exponentials so far ----

// The sum is kept relative to the greatest element so far, whose own exponential is then 1. One of nothing but -inf
// is 0.
template <class T> struct LogSums {
  using In = T;
  static constexpr bool kTakesExp = true;
  static constexpr bool kIndex = false;
  static constexpr int64_t kWidth = kBuffer;

  // What exp() is taken of: the distance to the greatest element. Infinities less themselves are 0.
  GC_INLINE T distance(T x, T top) {
    const T d = x > top ? top - x : x - top;
    const T none = x == lowest<T>() ? lowest<T>() : T(0);
    return x == top ? none : d;
  }
  GC_INLINE double grown(double sum, T share, bool rises) {
    const double part = static_cast<double>(share);
    return rises ? sum * part + 1 : sum + part;
  }
  GC_INLINE void finish(double* sum, const T* top, T* y, int64_t n) {
    map_run(sum, sum, n, [](F64 v) { return log(v); });
    for (int64_t j = 0; j < n; ++j) y[j] = static_cast<T>(sum[j] + static_cast<double>(top[j]));
  }

  static void row(const Slice<T>& s, int64_t n) {
    alignas(64) T share[kBuffer], top[kBuffer];
    alignas(64) double sums[kBuffer];
    bool rises[kBuffer];
    T most = lowest<T>();
    double sum = 0;
    for (int64_t i = 0; i < n; i += kBuffer) {
      const int64_t m = smaller(kBuffer, n - i);
      for (int64_t j = 0; j < m; ++j) {
        const T x = s.x[i + j];
        share[j] = distance(x, most);
        rises[j] = x > most;
        top[j] = most = x > most ? x : most;
      }
      map_run(share, share, m, [](Lane<T> v) { return exp(v); });
      for (int64_t j = 0; j < m; ++j) sums[j] = sum = grown(sum, share[j], rises[j]);
      finish(sums, top, s.y + i, m);
    }
  }
  static void long_row(const Slice<T>& s, int64_t n) { row(s, n); }
  static void block(const Slice<T>& s, int64_t n, int64_t stride, int64_t cols) {
    alignas(64) T share[kWidth], top[kWidth];
    alignas(64) double sum[kWidth], logs[kWidth];
    for (int64_t j = 0; j < cols; ++j) top[j] = lowest<T>(), sum[j] = 0;
    for (int64_t r = 0; r < n; ++r) {
      const T* const x = s.x + r * stride;
      for (int64_t j = 0; j < cols; ++j) share[j] = distance(x[j], top[j]);
      map_run(share, share, cols, [](Lane<T> v) { return exp(v); });
      for (int64_t j = 0; j < cols; ++j) {
        logs[j] = sum[j] = grown(sum[j], share[j], x[j] > top[j]);
        top[j] = x[j] > top[j] ? x[j] : top[j];
      }
      finish(logs, top, s.y + r * stride, cols);
    }
  }
};

// ---- cummax and cummin: the last among equals, and from the first NaN on the last NaN ----

template <class K, class E> struct Extreme {
  using In = StoredOf<E>;
  static constexpr bool kIndex = true;
  static constexpr int64_t kWidth = 512;

  GC_INLINE bool takes(In best, In v) { return (K::combine(best, v) == v) | (v != v); }

  // So many elements that `best` stays before, in vectors: after a row's first ones hardly any is taken.
  static constexpr int64_t kStretch = 16;
  GC_INLINE bool passes(const Slice<In>& s, In best, int64_t place) {
    if constexpr (!is_float<E> && sizeof(E) < 8) return false;  // rarely asked for: not worth the machine code
    int taken = 0;
    for (int64_t j = 0; j < kStretch; ++j) taken |= takes(best, K::map(s.x[j]));
    if (taken) return false;
    for (int64_t j = 0; j < kStretch; ++j) s.y[j] = best;
    for (int64_t j = 0; j < kStretch; ++j) s.index[j] = place;
    return true;
  }
  static void row(const Slice<In>& s, int64_t n) {
    In best = K::map(s.x[0]);
    int64_t place = 0, r = 0;
    while (r < n) {
      const int64_t end = smaller(n, r + kStretch);
      if (end - r == kStretch && passes(s.at(r), best, place)) {
        r = end;
        continue;
      }
      while (r < end) {
        if (const In v = K::map(s.x[r]); takes(best, v)) best = v, place = r;
        do {  // nothing here waits for the element before
          s.y[r] = best;
          s.index[r] = place;
        } while (++r < end && !takes(best, K::map(s.x[r])));
      }
    }
  }
  GC_INLINE void block(const Slice<In>& s, int64_t n, int64_t stride, int64_t cols) {
    alignas(64) In best[kWidth];
    alignas(64) int64_t place[kWidth];
    for (int64_t j = 0; j < cols; ++j) best[j] = K::map(s.x[j]);
    for (int64_t j = 0; j < cols; ++j) place[j] = 0;
    for (int64_t r = 0; r < n; ++r) {
      const Slice<In> t = s.at(r * stride);
      GC_INDEPENDENT
      for (int64_t j = 0; j < cols; ++j) {
        const In v = K::map(t.x[j]);
        const bool take = takes(best[j], v);
        best[j] = take ? v : best[j];
        place[j] = take ? r : place[j];
        t.y[j] = best[j];
        t.index[j] = place[j];
      }
    }
  }
};

// ---- how a family walks its view: compiled once, over bytes ----

struct Bytes {
  const char* x;
  const char* x2;
  char* y;
  int64_t* index;

  Bytes at(int64_t i, int64_t item) const {
    return {x + i * item, x2 ? x2 + i * item : x2, y + i * item, index ? index + i : index};
  }
};
struct Family {
  int64_t item;   // bytes of an element
  int64_t width;  // most columns of a block
  bool index;
  bool short_rows;  // short rows are as good as columns of them
  int64_t narrow;   // up to so many long columns are copied into rows where they stay in the cache
  void (*rows)(const Bytes&, int64_t n, int64_t count);
  void (*long_row)(const Bytes&, int64_t n);  // null: it has none
  void (*block)(const Bytes&, int64_t n, int64_t stride, int64_t cols);
};

template <class Op> struct Erased {
  using T = typename Op::In;
  GC_INLINE Slice<T> slice(const Bytes& s) {
    return {reinterpret_cast<const T*>(s.x), reinterpret_cast<const T*>(s.x2), reinterpret_cast<T*>(s.y), s.index};
  }
  static void rows(const Bytes& s, int64_t n, int64_t count) {
    if constexpr (requires { Op::rows(slice(s), n, count); })
      return Op::rows(slice(s), n, count);
    else
      for (int64_t r = 0; r < count; ++r) Op::row(slice(s).at(r * n), n);
  }
  static void long_row(const Bytes& s, int64_t n) {
    if constexpr (!Op::kIndex) Op::long_row(slice(s), n);
  }
  static void block(const Bytes& s, int64_t n, int64_t stride, int64_t cols) { Op::block(slice(s), n, stride, cols); }
  static constexpr int64_t narrow() {
    if constexpr (requires { Op::kTakesExp; }) return Op::kTakesExp ? kLessNarrow : kNarrow;
    if constexpr (requires { Op::kFewColumns; }) return 1;
    return kNarrow;
  }
  static constexpr Family kFamily{
      sizeof(T), Op::kWidth, Op::kIndex, requires {
                                    Op::kShortRows; }, narrow(), rows, Op::kIndex ? nullptr : long_row,
      block};
};

// Where element 0 of a column is; its others are `inner` apart.
GC_INLINE int64_t column_start(const RowArgs& a, int64_t column) {
  return a.inner == 1 ? column * a.n : column / a.inner * a.n * a.inner + column % a.inner;
}
// Columns [begin, begin + cols) of all outer * inner ones: element r of the j-th to, or from,
// tile[r * tile_step + j].
template <class Bits>
GC_OUTLINE void gather_as(const RowArgs& a, const void* from, int64_t begin, int64_t cols, void* tile,
                          int64_t tile_step) {
  for (int64_t j = 0; j < cols; ++j) {
    const Bits* const p = static_cast<const Bits*>(from) + column_start(a, begin + j);
    Bits* const to = static_cast<Bits*>(tile) + j;
    for (int64_t r = 0; r < a.n; ++r) to[r * tile_step] = p[r * a.inner];
  }
}
template <class Bits>
GC_OUTLINE void scatter_as(const RowArgs& a, const void* tile, int64_t tile_step, int64_t begin, int64_t cols,
                           void* into) {
  for (int64_t j = 0; j < cols; ++j) {
    const Bits* const from = static_cast<const Bits*>(tile) + j;
    Bits* const p = static_cast<Bits*>(into) + column_start(a, begin + j);
    for (int64_t r = 0; r < a.n; ++r) p[r * a.inner] = from[r * tile_step];
  }
}
struct Walk {
  const RowArgs& a;
  const Family& f;

  Bytes all() const {
    return {static_cast<const char*>(a.in), static_cast<const char*>(a.in2), static_cast<char*>(a.out), a.index};
  }
  Bytes at(int64_t i) const { return all().at(i, f.item); }

  void gather(const void* from, int64_t begin, int64_t cols, void* tile, int64_t tile_step) const {
    with_word(f.item, [&]<class W>(W) { gather_as<W>(a, from, begin, cols, tile, tile_step); });
  }
  void scatter(const void* tile, const int64_t* index, int64_t tile_step, int64_t begin, int64_t cols) const {
    with_word(f.item, [&]<class W>(W) { scatter_as<W>(a, tile, tile_step, begin, cols, a.out); });
    if (f.index) scatter_as<Word<int64_t>>(a, index, tile_step, begin, cols, a.index);
  }

  // Short columns: kGroup of them side by side.
  void short_columns() const {
    const int64_t columns = a.outer * a.inner, per_block = ceil_div(kGrain, a.n * kGroup) * kGroup;
    parallel_blocks(ceil_div(columns, per_block), [&](int64_t b) {
      alignas(64) char x[kShort * kGroup * 8], x2[kShort * kGroup * 8];
      alignas(64) int64_t index[kShort * kGroup];
      const int64_t end = smaller(columns, (b + 1) * per_block);
      for (int64_t c = b * per_block; c < end; c += kGroup) {
        const int64_t cols = smaller(kGroup, end - c);
        gather(a.in, c, cols, x, kGroup);
        if (a.in2) gather(a.in2, c, cols, x2, kGroup);
        f.block({x, x2, x, index}, a.n, kGroup, cols);
        scatter(x, index, kGroup, c, cols);
      }
    });
  }

  // A few long columns: each becomes a contiguous row.
  void narrow_columns() const {
    const int64_t columns = a.outer * a.inner, per_block = ceil_div(kGrain, a.n);
    parallel_blocks(ceil_div(columns, per_block), [&](int64_t b) {
      const Scratch<char> x(a.n * f.item), x2(a.in2 ? a.n * f.item : 0);
      const Scratch<int64_t> index(f.index ? a.n : 0);
      for (int64_t c = b * per_block; c < smaller(columns, (b + 1) * per_block); ++c) {
        gather(a.in, c, 1, x.data(), 1);
        if (a.in2) gather(a.in2, c, 1, x2.data(), 1);
        f.rows({x.data(), x2.data(), x.data(), index.data()}, a.n, 1);
        scatter(x.data(), index.data(), 1, c, 1);
      }
    });
  }

  void rows() const {
    const int64_t per_block = ceil_div(kGrain, a.n);
    parallel_blocks(ceil_div(a.outer, per_block), [&](int64_t b) {
      const int64_t end = smaller(a.outer, (b + 1) * per_block);
      f.rows(at(b * per_block * a.n), a.n, end - b * per_block);
    });
  }

  // Few and tall blocks run in parallel inside (their bands), many next to each other.
  void blocks() const {
    const int64_t per_outer = ceil_div(a.inner, f.width), count = a.outer * per_outer;
    const int64_t width = ceil_div(ceil_div(a.inner, per_outer), kExpBlock) * kExpBlock;
    const int64_t size = a.n * smaller(width, a.inner);
    const auto run = [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const int64_t o = i / per_outer, col = i % per_outer * width;
        if (col >= a.inner) continue;  // rounding the width up may leave the last one nothing
        f.block(at(o * a.n * a.inner + col), a.n, a.inner, smaller(width, a.inner - col));
      }
    };
    if (!f.index && count < kFewBlocks && size >= 4 * kGrain) return run(0, count);
    const int64_t per_block = ceil_div(kGrain, size);
    parallel_blocks(ceil_div(count, per_block),
                    [&](int64_t b) { run(b * per_block, smaller(count, (b + 1) * per_block)); });
  }

  void choose() const {
    if (a.outer == 0 || a.n == 0 || a.inner == 0) return;
    if (a.n <= kShort && a.inner == 1 && f.short_rows) return rows();
    if (a.n <= kShort && a.inner < kShort && a.outer * a.inner > 1) return short_columns();
    if (a.inner > 1 && a.inner <= (a.n * a.inner * f.item <= kNear ? f.narrow : smaller(f.narrow, kNarrow)))
      return narrow_columns();
    if (a.inner > 1) return blocks();
    if (!f.long_row || a.outer >= kFewRows || a.n < 4 * kPart) return rows();
    for (int64_t r = 0; r < a.outer; ++r) f.long_row(at(r * a.n), a.n);
  }
};

__attribute__((noinline)) void walk(const RowArgs& a, const Family& f) { Walk{a, f}.choose(); }

template <class Op> void apply(const RowArgs& a) { walk(a, Erased<Op>::kFamily); }

// Rows of halves, as floats: several at a time, or a long one by itself, whose parts are computed in parallel.
GC_OUTLINE void run_as_floats(const RowArgs& a, DType dtype, RowFn fn) {
  constexpr int64_t kItem = 2;
  const int64_t slab = a.n * a.inner, per_block = larger(1, kGrain / larger(1, slab));
  auto run = [&](int64_t b) {
    const int64_t first = b * per_block, rows = smaller(per_block, a.outer - first), count = rows * slab;
    const Scratch<float> x(count), x2(a.in2 ? count : 0);
    const auto each_part = [&](const auto& f) {
      parallel_blocks(ceil_div(count, kGrain), [&](int64_t k) { f(k * kGrain, smaller(kGrain, count - k * kGrain)); });
    };
    const auto at = [&](const void* p, int64_t i) { return static_cast<const char*>(p) + (first * slab + i) * kItem; };
    each_part([&](int64_t i, int64_t n) {
      halves_to_floats(dtype, x.data() + i, at(a.in, i), n);
      if (a.in2) halves_to_floats(dtype, x2.data() + i, at(a.in2, i), n);
    });
    fn({x.data(), x2.data(), x.data(), a.index ? a.index + first * slab : nullptr, rows, a.n, a.inner});
    each_part([&](int64_t i, int64_t n) { floats_to_halves(dtype, const_cast<char*>(at(a.out, i)), x.data() + i, n); });
  };
  const int64_t blocks = ceil_div(a.outer, per_block);
  if (blocks >= kFewRows) return parallel_blocks(blocks, run);
  for (int64_t b = 0; b < blocks; ++b) run(b);
}

template <RowOp kOp, class T> constexpr RowFn function_of();
template <RowOp kOp, class H> void apply_as_floats(const RowArgs& a) {
  run_as_floats(a, dtype_of<H>, function_of<kOp, float>());
}

template <RowOp kOp, class T> constexpr RowFn function_of() {
  using enum RowOp;
  if constexpr (is_half_type<T>) {
    return apply_as_floats<kOp, T>;
  } else if constexpr (is_computed(dtype_of<T>)) {
    if constexpr (kOp == CumMax) return apply<Extreme<MaxKind<T>, T>>;
    if constexpr (kOp == CumMin) return apply<Extreme<MinKind<T>, T>>;
    if constexpr (is_float<T> || __is_same(T, int64_t)) {
      if constexpr (kOp == CumSum) return apply<Cumulative<SumKind<T>, T>>;
      if constexpr (kOp == CumProd) return apply<Cumulative<ProdKind<T>, T>>;
    }
    if constexpr (is_float<T>) {
      if constexpr (kOp == Softmax) return apply<SoftmaxOf<T, false>>;
      if constexpr (kOp == LogSoftmax) return apply<SoftmaxOf<T, true>>;
      if constexpr (kOp == LogCumSumExp) return apply<LogSums<T>>;
      if constexpr (kOp == SoftmaxBackward) return apply<SoftmaxGradient<T, false>>;
      if constexpr (kOp == LogSoftmaxBackward) return apply<SoftmaxGradient<T, true>>;
    }
  }
  return nullptr;
}
// Every operation has its function of floats: one that function_of() forgets does not compile. (Types are compared: to
// a build for sanitizers the comparison of addresses is no constant.)
template <RowFn kFunction> using Constant = std::integral_constant<RowFn, kFunction>;
template <RowOp kOp> constexpr DTypeRow<RowFn> row_of() {
  static_assert(!std::is_same_v<Constant<function_of<kOp, float>()>, Constant<nullptr>>);
  return by_dtype<RowFn>([]<class T>(TypeTag<T>) { return function_of<kOp, T>(); });
}
template <int... kOps> constexpr ScanKernels make_table(std::integer_sequence<int, kOps...>) {
  return {{row_of<static_cast<RowOp>(kOps)>()...}};
}

}  // namespace

constinit const ScanKernels scan_kernels = make_table(std::make_integer_sequence<int, kRowOpCount>());

}  // namespace gradcore::GC_ISA
