// Operations along one dimension of a dense [outer, n, inner] view that give every element a result: softmax and its
// relatives, cumulative sums, products and extremes. Start at row_table at the end, then apply(), then the families.
//
// A family is a struct of
//   In                          memory element
//   row(s, n)                   one contiguous row
//   kIndex                      writes positions as well
//   long_row(s, n)              one long row, in parallel (not where kIndex)
//   tile(s, n, stride, cols)    cols <= kTile columns of n elements `stride` apart, vectors across them
// Long rows are cut into parts of kPart elements whose partial results merge in order: by shape only, so that results
// have the same bits for any number of threads.
#include "core/allocator.h"
#include "core/parallel.h"
#include "kernels/fold.h"
#include "kernels/reduce.h"

namespace gradcore::GC_ISA {
namespace {

constexpr int64_t kGrain = 1 << 14;  // elements of a parallel block: each costs an exp, or a step of a chain
constexpr int64_t kPart = 1 << 13;
constexpr int64_t kFewRows = 4;  // fewer rows than this, and long ones, are cut into parts
constexpr int64_t kTile = 64;    // columns
constexpr int64_t kShort = 16;   // columns up to this length, and fewer than this, are gathered into tiles
constexpr int64_t kNarrow = 4;   // up to so many long columns are copied into rows

GC_INLINE int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }
GC_INLINE int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

// The operands of one row or tile.
template <class T>
struct Slice {
  const T* x;
  const T* x2;  // null where there is one input
  T* y;
  int64_t* index;  // null where no positions are wanted

  GC_INLINE Slice of(const RowArgs& a) {
    return {static_cast<const T*>(a.in), static_cast<const T*>(a.in2), static_cast<T*>(a.out), a.index};
  }
  Slice at(int64_t i) const { return {x + i, x2 ? x2 + i : x2, y + i, index ? index + i : index}; }
};

// f(part, begin, count) for the parts of one long row.
template <class F>
GC_INLINE void for_parts(int64_t n, const F& f) {
  parallel_blocks(ceil_div(n, kPart), [&](int64_t k) { f(k, k * kPart, smaller(kPart, n - k * kPart)); });
}

template <class A>
class Scratch {
 public:
  explicit Scratch(int64_t n) : bytes_(static_cast<size_t>(n) * sizeof(A)), data_(static_cast<A*>(allocate(bytes_))) {}
  ~Scratch() { deallocate(data_, bytes_); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  A& operator[](int64_t i) const { return data_[i]; }
  A* data() const { return data_; }

 private:
  size_t bytes_;
  A* data_;
};

// ---- softmax: exp(x - max) / sum; log_softmax: x - max - log(sum) ----

template <class T, bool kLog>
struct Softmax {
  using In = T;
  static constexpr bool kIndex = false;

  GC_INLINE void finish(const Slice<T>& s, int64_t n, T max, double sum) {
    const T scale = static_cast<T>(1 / sum);
    const T shift = kLog ? static_cast<T>(log(F64{sum}).v) : T(0);
#pragma GCC ivdep
    for (int64_t i = 0; i < n; ++i) s.y[i] = kLog ? (s.x[i] - max) - shift : s.y[i] * scale;
  }
  GC_OUTLINE void row(const Slice<T>& s, int64_t n) {
    const T max = fold_run<MaxKind<T>>(s.x, n);
    finish(s, n, max, sum_exp<!kLog>(s.x, s.y, n, max));
  }
  static void long_row(const Slice<T>& s, int64_t n) {
    const Scratch<double> result(ceil_div(n, kPart));
    const int64_t parts = ceil_div(n, kPart);
    for_parts(n, [&](int64_t k, int64_t i, int64_t m) { result[k] = static_cast<double>(fold_run<MaxKind<T>>(s.x + i, m)); });
    const T max = static_cast<T>(fold_run<MaxKind<double>>(result.data(), parts));
    for_parts(n, [&](int64_t k, int64_t i, int64_t m) { result[k] = sum_exp<!kLog>(s.x + i, s.y + i, m, max); });
    const double sum = fold_run<SumKind<double>>(result.data(), parts);
    for_parts(n, [&](int64_t, int64_t i, int64_t m) { finish(s.at(i), m, max, sum); });
  }

  // sum[j] gets exp(x[j] - max[j]), which also goes to y.
  template <int64_t kCount>
  GC_INLINE void exp_columns(const T* x, T* y, const T* max, T* sum) {
#pragma GCC ivdep
    for (int64_t j = 0; j < kCount; ++j) {
      const T e = exp(Lane<T>{x[j] - max[j]}).v;
      if constexpr (!kLog) y[j] = e;
      sum[j] += e;
    }
  }
  GC_INLINE void exp_some_columns(const T* x, T* y, const T* max, T* sum, int64_t cols) {
    alignas(64) T pad[kTile] = {};
    for (int64_t j = 0; j < cols; ++j) pad[j] = x[j];
    for (int64_t j = 0; j < cols; j += kPad) exp_columns<kPad>(pad + j, pad + j, max + j, sum + j);
    if constexpr (!kLog)
      for (int64_t j = 0; j < cols; ++j) y[j] = pad[j];
  }
  GC_OUTLINE void tile(const Slice<T>& s, int64_t n, int64_t stride, int64_t cols) {
    alignas(64) T max[kTile] = {}, sum[kTile] = {};
    for (int64_t j = 0; j < cols; ++j) max[j] = s.x[j];
    for (int64_t r = 1; r < n; ++r)
      for (int64_t j = 0; j < cols; ++j) max[j] = Larger::combine(max[j], s.x[r * stride + j]);
    for (int64_t r = 0; r < n; ++r) {
      const T* const x = s.x + r * stride;
      T* const y = s.y + r * stride;
      if (cols == kTile)
        exp_columns<kTile>(x, y, max, sum);
      else
        exp_some_columns(x, y, max, sum, cols);
    }
    if constexpr (kLog)
      map_run(sum, sum, cols, [](Lane<T> v) { return log(v); });
    else
      for (int64_t j = 0; j < cols; ++j) sum[j] = 1 / sum[j];
    for (int64_t r = 0; r < n; ++r) {
      const T* const x = s.x + r * stride;
      T* const y = s.y + r * stride;
#pragma GCC ivdep
      for (int64_t j = 0; j < cols; ++j) y[j] = kLog ? (x[j] - max[j]) - sum[j] : y[j] * sum[j];
    }
  }
};

// ---- their gradients, x = g and x2 = the output: x2 (g - sum g x2), and g - exp(x2) sum g ----

template <class T, bool kLog>
struct SoftmaxBackward {
  using In = T;
  static constexpr bool kIndex = false;

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
  GC_INLINE void finish(const Slice<T>& s, int64_t n, T sum) {
    if constexpr (!kLog) {
#pragma GCC ivdep
      for (int64_t i = 0; i < n; ++i) s.y[i] = s.x2[i] * (s.x[i] - sum);
      return;
    }
    alignas(64) T e[kBuffer];
    for (int64_t i = 0; i < n; i += kBuffer) {
      const int64_t m = smaller(kBuffer, n - i);
      map_run(s.x2 + i, e, m, [](Lane<T> v) { return exp(v); });
#pragma GCC ivdep
      for (int64_t j = 0; j < m; ++j) s.y[i + j] = s.x[i + j] - e[j] * sum;
    }
  }

  GC_OUTLINE void row(const Slice<T>& s, int64_t n) { finish(s, n, static_cast<T>(dot(s, n))); }

  static void long_row(const Slice<T>& s, int64_t n) {
    const Scratch<double> result(ceil_div(n, kPart));
    for_parts(n, [&](int64_t k, int64_t i, int64_t m) { result[k] = dot(s.at(i), m); });
    const T sum = static_cast<T>(fold_run<SumKind<double>>(result.data(), ceil_div(n, kPart)));
    for_parts(n, [&](int64_t, int64_t i, int64_t m) { finish(s.at(i), m, sum); });
  }

  GC_OUTLINE void tile(const Slice<T>& s, int64_t n, int64_t stride, int64_t cols) {
    alignas(64) T sum[kTile] = {}, e[kTile];
    for (int64_t r = 0; r < n; ++r) {
      const Slice<T> t = s.at(r * stride);
      for (int64_t j = 0; j < cols; ++j) sum[j] += kLog ? t.x[j] : t.x[j] * t.x2[j];
    }
    for (int64_t r = 0; r < n; ++r) {
      const Slice<T> t = s.at(r * stride);
      if constexpr (kLog) map_run(t.x2, e, cols, [](Lane<T> v) { return exp(v); });
#pragma GCC ivdep
      for (int64_t j = 0; j < cols; ++j) t.y[j] = kLog ? t.x[j] - e[j] * sum[j] : t.x2[j] * (t.x[j] - sum[j]);
    }
  }
};

// ---- cumsum and cumprod: floats in double, as torch does ----

template <class K, class T>
struct Cumulative {
  using In = T;
  using Acc = typename K::Acc;
  using V = Vec<Acc>;
  static constexpr bool kIndex = false;
  static constexpr int kWidth = static_cast<int>(kLanes<Acc>);

  GC_INLINE V load_wide(const T* p) {
    typename ShortVector<T, kWidth * static_cast<int>(sizeof(T))>::type v;
    __builtin_memcpy(&v, p, sizeof v);
    return __builtin_convertvector(v, V);
  }
  // Lane j of the result is v[j - kBy], or the neutral value below kBy.
  template <int kBy, int... I>
  GC_INLINE V shifted(V v, std::integer_sequence<int, I...>) {
    const V neutral = V{} + static_cast<Acc>(K::kIdentity);
    return __builtin_shufflevector(v, neutral, (I < kBy ? kWidth : I - kBy)...);
  }
  // Sums of the lanes up to each, in log2(kWidth) steps. Only the carry links one vector to the next.
  template <int kBy = 1>
  GC_INLINE V prefix(V v) {
    if constexpr (kBy == kWidth)
      return v;
    else
      return prefix<2 * kBy>(K::combine(shifted<kBy>(v, std::make_integer_sequence<int, kWidth>()), v));
  }
  static void run(const T* x, T* y, int64_t n, Acc carry) {
    int64_t i = 0;
    for (; i + kWidth <= n; i += kWidth) {
      const V local = prefix(load_wide(x + i));
      const V all = K::combine(V{} + carry, local);
      carry = K::combine(carry, static_cast<Acc>(local[kWidth - 1]));
      const auto narrow = __builtin_convertvector(all, typename ShortVector<T, kWidth * static_cast<int>(sizeof(T))>::type);
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
    for (; i + kWidth <= n; i += kWidth) acc = K::combine(acc, load_wide(x + i));
    Acc sum = fold_lanes<K, Acc>(acc);
    for (; i < n; ++i) sum = K::combine(sum, static_cast<Acc>(x[i]));
    return sum;
  }

  GC_OUTLINE void row(const Slice<T>& s, int64_t n) { run(s.x, s.y, n, static_cast<Acc>(K::kIdentity)); }

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
  GC_OUTLINE void tile(const Slice<T>& s, int64_t n, int64_t stride, int64_t cols) {
    alignas(64) Acc acc[kTile];
    for (int64_t j = 0; j < cols; ++j) acc[j] = static_cast<Acc>(K::kIdentity);
    for (int64_t r = 0; r < n; ++r) {
      const T* const x = s.x + r * stride;
      T* const y = s.y + r * stride;
#pragma GCC ivdep
      for (int64_t j = 0; j < cols; ++j) {
        acc[j] = K::combine(acc[j], static_cast<Acc>(x[j]));
        y[j] = static_cast<T>(acc[j]);
      }
    }
  }
};

// ---- cummax and cummin: the last among equals, and from the first NaN on the last NaN ----

template <class K, class E>
struct Extreme {
  using In = StoredOf<E>;
  static constexpr bool kIndex = true;

  GC_INLINE bool takes(In best, In v) { return (K::combine(best, v) == v) | (v != v); }

  GC_OUTLINE void row(const Slice<In>& s, int64_t n) {
    In best = K::map(s.x[0]);
    int64_t place = 0;
    for (int64_t r = 0; r < n; ++r) {
      const In v = K::map(s.x[r]);
      const bool take = takes(best, v);
      best = take ? v : best;
      place = take ? r : place;
      s.y[r] = best;
      s.index[r] = place;
    }
  }
  GC_OUTLINE void tile(const Slice<In>& s, int64_t n, int64_t stride, int64_t cols) {
    alignas(64) In best[kTile];
    alignas(64) int64_t place[kTile];
    for (int64_t j = 0; j < cols; ++j) best[j] = K::map(s.x[j]);
    for (int64_t j = 0; j < cols; ++j) place[j] = 0;
    for (int64_t r = 0; r < n; ++r) {
      const Slice<In> t = s.at(r * stride);
#pragma GCC ivdep
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

// ---- how a family walks its view ----

// Where element 0 of a column is; its others are `inner` apart.
GC_INLINE int64_t column_start(const RowArgs& a, int64_t column) {
  return a.inner == 1 ? column * a.n : column / a.inner * a.n * a.inner + column % a.inner;
}
// Columns [begin, begin + cols) of all outer * inner ones: element r of the j-th to, or from, tile[r * kTile + j].
template <class Bits>
GC_OUTLINE void gather_tile(const RowArgs& a, const void* from, int64_t begin, int64_t cols, void* tile) {
  for (int64_t j = 0; j < cols; ++j) {
    const Bits* const p = static_cast<const Bits*>(from) + column_start(a, begin + j);
    Bits* const to = static_cast<Bits*>(tile) + j;
    for (int64_t r = 0; r < a.n; ++r) to[r * kTile] = p[r * a.inner];
  }
}
template <class Bits>
GC_OUTLINE void scatter_tile(const RowArgs& a, const void* tile, int64_t begin, int64_t cols, void* into) {
  for (int64_t j = 0; j < cols; ++j) {
    const Bits* const from = static_cast<const Bits*>(tile) + j;
    Bits* const p = static_cast<Bits*>(into) + column_start(a, begin + j);
    for (int64_t r = 0; r < a.n; ++r) p[r * a.inner] = from[r * kTile];
  }
}

// Short columns: kTile of them side by side.
template <class Op>
void apply_short(const RowArgs& a) {
  using T = typename Op::In;
  const int64_t columns = a.outer * a.inner, per_block = ceil_div(kGrain, a.n * kTile) * kTile;
  parallel_blocks(ceil_div(columns, per_block), [&](int64_t b) {
    alignas(64) T x[kShort * kTile], x2[kShort * kTile];
    int64_t index[kShort * kTile];
    const int64_t end = smaller(columns, (b + 1) * per_block);
    for (int64_t c = b * per_block; c < end; c += kTile) {
      const int64_t cols = smaller(kTile, end - c);
      gather_tile<Word<T>>(a, a.in, c, cols, x);
      if (a.in2) gather_tile<Word<T>>(a, a.in2, c, cols, x2);
      Op::tile({x, x2, x, index}, a.n, kTile, cols);
      scatter_tile<Word<T>>(a, x, c, cols, a.out);
      if constexpr (Op::kIndex) scatter_tile<Word<int64_t>>(a, index, c, cols, a.index);
    }
  });
}

// A few long columns: each becomes a contiguous row.
template <class Op>
void apply_narrow(const RowArgs& a) {
  using T = typename Op::In;
  const auto s = Slice<T>::of(a);
  const int64_t columns = a.outer * a.inner, per_block = ceil_div(kGrain, a.n);
  const auto copy = [&](auto* to, const auto* from, int64_t to_step, int64_t from_step) {
    for (int64_t r = 0; r < a.n; ++r) to[r * to_step] = from[r * from_step];
  };
  parallel_blocks(ceil_div(columns, per_block), [&](int64_t b) {
    const Scratch<T> x(a.n), x2(s.x2 ? a.n : 0);
    const Scratch<int64_t> index(Op::kIndex ? a.n : 0);
    for (int64_t c = b * per_block; c < smaller(columns, (b + 1) * per_block); ++c) {
      const Slice<T> column = s.at(column_start(a, c));
      copy(x.data(), column.x, 1, a.inner);
      if (s.x2) copy(x2.data(), column.x2, 1, a.inner);
      Op::row({x.data(), x2.data(), x.data(), index.data()}, a.n);
      copy(column.y, x.data(), a.inner, 1);
      if constexpr (Op::kIndex) copy(column.index, index.data(), a.inner, 1);
    }
  });
}

template <class Op>
void apply_rows(const RowArgs& a) {
  const auto s = Slice<typename Op::In>::of(a);
  const int64_t per_block = ceil_div(kGrain, a.n);
  parallel_blocks(ceil_div(a.outer, per_block), [&](int64_t b) {
    for (int64_t r = b * per_block; r < smaller(a.outer, (b + 1) * per_block); ++r) Op::row(s.at(r * a.n), a.n);
  });
}

template <class Op>
void apply_tiles(const RowArgs& a) {
  const auto s = Slice<typename Op::In>::of(a);
  const int64_t per_outer = ceil_div(a.inner, kTile), tiles = a.outer * per_outer;
  const int64_t per_block = ceil_div(kGrain, a.n * smaller(kTile, a.inner));
  parallel_blocks(ceil_div(tiles, per_block), [&](int64_t b) {
    for (int64_t t = b * per_block; t < smaller(tiles, (b + 1) * per_block); ++t) {
      const int64_t o = t / per_outer, col = t % per_outer * kTile;
      Op::tile(s.at(o * a.n * a.inner + col), a.n, a.inner, smaller(kTile, a.inner - col));
    }
  });
}

template <class Op>
void apply(const RowArgs& a) {
  if (a.outer == 0 || a.n == 0 || a.inner == 0) return;
  if (a.n <= kShort && a.inner < kShort && a.outer * a.inner > 1) return apply_short<Op>(a);
  if (a.inner > 1 && a.inner <= kNarrow) return apply_narrow<Op>(a);
  if (a.inner > 1) return apply_tiles<Op>(a);
  if constexpr (!Op::kIndex) {
    if (a.outer < kFewRows && a.n >= 4 * kPart) {
      const auto s = Slice<typename Op::In>::of(a);
      for (int64_t r = 0; r < a.outer; ++r) Op::long_row(s.at(r * a.n), a.n);
      return;
    }
  }
  apply_rows<Op>(a);
}

}  // namespace

#define GC_SOFTMAX(Op, log) \
  { nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, apply<Op<float, log>>, apply<Op<double, log>> }
#define GC_CUMULATIVE(Kind)                                                                             \
  {                                                                                                     \
    nullptr, nullptr, nullptr, nullptr, nullptr, apply<Cumulative<Kind<int64_t>, int64_t>>,             \
        apply<Cumulative<Kind<float>, float>>, apply<Cumulative<Kind<double>, double>>                  \
  }
#define GC_EXTREME(Kind)                                                                                \
  {                                                                                                     \
    apply<Extreme<Kind<bool>, bool>>, apply<Extreme<Kind<uint8_t>, uint8_t>>,                           \
        apply<Extreme<Kind<int8_t>, int8_t>>, apply<Extreme<Kind<int16_t>, int16_t>>,                   \
        apply<Extreme<Kind<int32_t>, int32_t>>, apply<Extreme<Kind<int64_t>, int64_t>>,                 \
        apply<Extreme<Kind<float>, float>>, apply<Extreme<Kind<double>, double>>                        \
  }

const RowFn row_table[kRowOpCount][kDTypeCount] = {
    GC_SOFTMAX(Softmax, false),         GC_SOFTMAX(Softmax, true),
    GC_SOFTMAX(SoftmaxBackward, false), GC_SOFTMAX(SoftmaxBackward, true),
    GC_CUMULATIVE(SumKind),             GC_CUMULATIVE(ProdKind),
    GC_EXTREME(MaxKind),                GC_EXTREME(MinKind),
};

#undef GC_SOFTMAX
#undef GC_CUMULATIVE
#undef GC_EXTREME

}  // namespace gradcore::GC_ISA
