// Start at bags(). Bags are summed some columns at a time, in registers: each column in the order of the indices, so
// that a sum has the same bits whatever the vectors are.
#include "kernels/pool/bags.h"

#include "core/parallel.h"
#include "kernels/common.h"

namespace gradcore::GC_ISA {
namespace {

constexpr int64_t kGrain = 1 << 14;  // elements of a parallel block
constexpr int64_t kAhead = 12;       // rows that are asked for before they are read: their order is nobody's guess

template <class T> class Bags {
 public:
  explicit Bags(const BagsArgs& a)
      : a_(a),
        table_(static_cast<const T*>(a.table)),
        weight_(static_cast<const T*>(a.weight)),
        out_(static_cast<T*>(a.out)),
        count_(a.rows > 0 ? a.count : 0) {}

  void run(int64_t bag, int64_t end) const {
    if (a_.mode != BagMode::Max) {
      const int64_t step = a_.width > 8 * L ? 1 : end - bag;  // long rows are read as a whole
      for (; bag < end; bag += step) weight_ ? sum<true>(bag, bag + step) : sum<false>(bag, bag + step);
      return;
    }
    for (; bag < end; ++bag) largest(range(bag), bag * a_.width);
  }

 private:
  static constexpr int64_t L = kLanes<T>;

  struct Range {
    int64_t first, stop;
  };

  // Indices and bounds are the user's own memory, which another thread may write to since they were checked: each is
  // read once, and what it is then is kept in its range.
  static int64_t read(const int64_t* place, int64_t least, int64_t most) {
    return larger(least, smaller(__atomic_load_n(place, __ATOMIC_RELAXED), most));
  }
  int64_t number(int64_t i) const { return read(a_.index + i, 0, a_.rows - 1); }
  const T* row(int64_t i) const { return table_ + number(i) * a_.width; }
  Range range(int64_t bag) const {
    const int64_t first = read(a_.bounds + bag, 0, count_);
    return {first, read(a_.bounds + bag + 1, first, count_)};
  }

  template <bool kWeighted> void sum(int64_t bag, int64_t end) const {
    const int64_t n = a_.width;
    int64_t j = 0;
    for (; j + 8 * L <= n; j += 8 * L) columns<8, kWeighted>(bag, end, j);
    if (j + 4 * L <= n) columns<4, kWeighted>(bag, end, j), j += 4 * L;
    if (j + 2 * L <= n) columns<2, kWeighted>(bag, end, j), j += 2 * L;
    if (j + L <= n) columns<1, kWeighted>(bag, end, j), j += L;
    if (j < n && n >= L) return columns<1, kWeighted>(bag, end, n - L);  // some once more
    for (; j < n; ++j) column<kWeighted>(bag, end, j);
  }
  // So many vectors of columns, from `at` on.
  template <int kVectors, bool kWeighted>
  __attribute__((noinline)) void columns(int64_t bag, int64_t end, int64_t at) const {
    constexpr int kLine = 64 / kVecBytes;  // vectors of a line of memory
    for (; bag < end; ++bag) {
      const auto [first, stop] = range(bag);
      Vec<T> sums[kVectors] = {};
      for (int64_t i = first; i < stop; ++i) {
        const T* const from = row(i) + at;
        const T* const next = row(smaller(i + kAhead, count_ - 1)) + at;
#pragma GCC unroll 8
        for (int k = 0; k < kVectors; k += kLine) __builtin_prefetch(next + k * L);
#pragma GCC unroll 8
        for (int k = 0; k < kVectors; ++k) {
          const Vec<T> x = load(from + k * L);
          sums[k] += kWeighted ? x * weight_[i] : x;
        }
      }
      if (const T count = divisor(first, stop); count != 1)
#pragma GCC unroll 8
        for (int k = 0; k < kVectors; ++k) sums[k] /= count;
#pragma GCC unroll 8
      for (int k = 0; k < kVectors; ++k) store(out_ + bag * a_.width + at + k * L, sums[k]);
    }
  }
  template <bool kWeighted> __attribute__((noinline)) void column(int64_t bag, int64_t end, int64_t at) const {
    for (; bag < end; ++bag) {
      const auto [first, stop] = range(bag);
      T sum = 0;
      for (int64_t i = first; i < stop; ++i) sum += kWeighted ? weight_[i] * row(i)[at] : row(i)[at];
      out_[bag * a_.width + at] = sum / divisor(first, stop);
    }
  }
  T divisor(int64_t first, int64_t stop) const {
    return a_.mode == BagMode::Mean && stop - first > 1 ? static_cast<T>(stop - first) : T(1);
  }

  // Of equal elements the first one counts.
  void largest(Range bag, int64_t at) const {
    const auto [first, stop] = bag;
    T* const out = out_ + at;
    int64_t* const from = a_.largest + at;
    const int64_t n = a_.width;
    for (int64_t j = 0; j < n; ++j) out[j] = 0;
    for (int64_t j = 0; j < n; ++j) from[j] = -1;
    for (int64_t i = first; i < stop; ++i) {
      const int64_t number = this->number(i);
      const T* const x = table_ + number * n;
      if (i == first) {
        for (int64_t j = 0; j < n; ++j) out[j] = x[j];
        for (int64_t j = 0; j < n; ++j) from[j] = number;
        continue;
      }
      GC_INDEPENDENT
      for (int64_t j = 0; j < n; ++j) {
        const T v = x[j], best = out[j];
        const bool better = v > best;
        out[j] = better ? v : best;
        from[j] = better ? number : from[j];
      }
    }
  }

  const BagsArgs& a_;
  const T* table_;
  const T* weight_;
  T* out_;
  int64_t count_;  // of indices
};

template <class T> void bags(const BagsArgs& a) {
  const Bags<T> bags(a);
  const int64_t work = (a.count + a.bags) * a.width;
  const int64_t blocks = larger(1, smaller(work / kGrain, a.bags));
  parallel_blocks(blocks, [&](int64_t block) { bags.run(a.bags * block / blocks, a.bags * (block + 1) / blocks); });
}

}  // namespace

constinit const BagsRow bags_row = by_float<void (*)(const BagsArgs&)>([]<class T>(TypeTag<T>) { return &bags<T>; });

}  // namespace gradcore::GC_ISA
