// Start at distance(). Some rows of b are turned into columns, so that a vector holds as many distances and not as many
// terms of one: nothing is folded across a vector, and each distance is summed in the same order whatever the vectors
// are.
#include "kernels/norm/distance.h"

#include "core/parallel.h"
#include "kernels/common.h"
#include "kernels/math.h"

namespace gradcore::GC_ISA {
namespace {

constexpr int64_t kColumns = 32;       // rows of b that are columns of a panel
constexpr int64_t kGrain = 100'000;    // terms of a parallel block
constexpr int64_t kLeastRows = 256;    // of a block, each of which makes its panel
constexpr int64_t kTermsTogether = 8;  // are added up before they meet a sum: shorter chains, smaller errors

// Each norm by what it adds up and how sums become one; `p` is that of a norm which needs it.
template <class T> struct OneNorm {
  static constexpr int64_t kTogether = kTermsTogether;
  GC_INLINE T term(T d, T) { return abs(Lane<T>{d}).v; }
  GC_INLINE T join(T x, T y) { return x + y; }
  GC_INLINE T finish(T s, T) { return s; }
};
template <class T> struct TwoNorm {
  static constexpr int64_t kTogether = kTermsTogether;
  GC_INLINE T term(T d, T) { return d * d; }
  GC_INLINE T join(T x, T y) { return x + y; }
  GC_INLINE T finish(T s, T) { return sqrt(Lane<T>{s}).v; }
};
template <class T> struct MaxNorm {
  static constexpr int64_t kTogether = 2;
  GC_INLINE T term(T d, T) { return abs(Lane<T>{d}).v; }
  GC_INLINE T join(T x, T y) {  // NaN stays
    const T larger = x > y ? x : y;
    return x == x ? larger : x;
  }
  GC_INLINE T finish(T s, T) { return s; }
};
template <class T> struct AnyNorm {
  static constexpr int64_t kTogether = 1;
  GC_INLINE T term(T d, T p) { return d == 0 ? T(0) : pow(abs(Lane<T>{d}), Lane<T>{p}).v; }  // also of p = 0
  GC_INLINE T join(T x, T y) { return x + y; }
  GC_INLINE T finish(T s, T p) { return p == 0 ? s : pow(Lane<T>{s}, Lane<T>{T(1) / p}).v; }
};

// The terms of kCount elements of a row with those of all columns, folded pairwise.
template <class Norm, int64_t kCount, class T> GC_INLINE T terms(const T* a, const T* panel, int64_t j, T p) {
  if constexpr (kCount == 1)
    return Norm::term(*a - panel[j], p);
  else
    return Norm::join(terms<Norm, kCount / 2>(a, panel, j, p),
                      terms<Norm, kCount / 2>(a + kCount / 2, panel + kCount / 2 * kColumns, j, p));
}
template <class Norm, int64_t kCount, class T>
GC_INLINE void add_terms(const T* a, const T* panel, const T* p, T* __restrict sums) {
  GC_INDEPENDENT
  for (int64_t j = 0; j < kColumns; ++j) sums[j] = Norm::join(sums[j], terms<Norm, kCount>(a, panel, j, p[j]));
}
// The distances of one row from all columns.
template <class Norm, class T>
void distances_of_row(const T* a, const T* panel, int64_t size, const T* p, T* __restrict sums) {
  constexpr int64_t kStep = Norm::kTogether;
  for (int64_t j = 0; j < kColumns; ++j) sums[j] = 0;
  int64_t k = 0;
  for (; k + kStep <= size; k += kStep) add_terms<Norm, kStep>(a + k, panel + k * kColumns, p, sums);
  for (; k < size; ++k) add_terms<Norm, 1>(a + k, panel + k * kColumns, p, sums);
  GC_INDEPENDENT
  for (int64_t j = 0; j < kColumns; ++j) sums[j] = Norm::finish(sums[j], p[j]);
}

// Panels of columns times blocks of rows.
template <class T> void distances(const DistanceArgs& d, decltype(&distances_of_row<OneNorm<T>, T>) of_row) {
  const int64_t panels = ceil_div(d.columns, kColumns);
  const int64_t rows = larger(kLeastRows, kGrain / (kColumns * larger(1, d.size))), blocks = ceil_div(d.rows, rows);
  alignas(64) T p[kColumns];  // an operand of each lane: what pow() decides about one for all would be branches
  for (T& of_lane : p) of_lane = static_cast<T>(d.p);
  parallel_blocks(d.batch * panels * blocks, [&](int64_t unit) {
    const int64_t batch = unit / blocks / panels, column = unit / blocks % panels * kColumns;
    const int64_t row = unit % blocks * rows, columns = smaller(kColumns, d.columns - column);
    const int64_t end = smaller(smaller(row + rows, d.rows), d.pairs ? column + columns - 1 : d.rows);
    if (row >= end) return;
    const T* const a = static_cast<const T*>(d.a) + batch * d.rows * d.size;
    const T* const b = static_cast<const T*>(d.b) + (batch * d.columns + column) * d.size;
    T* const out = static_cast<T*>(d.out) + (d.pairs ? 0 : batch * d.rows * d.columns);
    const Scratch<T> panel(kColumns * larger(1, d.size));
    for (int64_t k = 0; k < d.size; ++k)
      for (int64_t j = 0; j < kColumns; ++j) panel[k * kColumns + j] = b[smaller(j, columns - 1) * d.size + k];
    for (int64_t i = row; i < end; ++i) {
      alignas(64) T sums[kColumns];
      of_row(a + i * d.size, panel.data(), d.size, p, sums);
      const int64_t first = d.pairs ? larger(0, i + 1 - column) : 0;
      const int64_t at = (d.pairs ? i * (2 * d.columns - i - 3) / 2 - 1 : i * d.columns) + column;
      for (int64_t j = first; j < columns; ++j) out[at + j] = sums[j];
    }
  });
}

template <class T> void distance(const DistanceArgs& d) {
  if (d.p == 1) return distances<T>(d, distances_of_row<OneNorm<T>, T>);
  if (d.p == 2) return distances<T>(d, distances_of_row<TwoNorm<T>, T>);
  if (d.p == __builtin_inf()) return distances<T>(d, distances_of_row<MaxNorm<T>, T>);
  distances<T>(d, distances_of_row<AnyNorm<T>, T>);
}

}  // namespace

constinit const DistanceRow distance_row =
    by_float<void (*)(const DistanceArgs&)>([]<class T>(TypeTag<T>) { return &distance<T>; });

}  // namespace gradcore::GC_ISA
