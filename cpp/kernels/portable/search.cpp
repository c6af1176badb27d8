#include "kernels/portable/search.h"

#include "kernels/portable/ordered.h"

namespace gradcore::portable {

namespace {

constexpr int64_t kGroup = 8;     // values looked for side by side: the loads of one wait while others go on
constexpr int64_t kBlock = 4096;  // values of a parallel block

// All take the same steps, half as long each time, so that no branch is guessed.
template <class T, bool kRight> void search_group(const T* row, int64_t n, const T* values, int64_t* places) {
  const auto before = [&](int64_t i, T v) { return static_cast<int64_t>(kRight ? row[i] <= v : row[i] < v); };
  for (int64_t j = 0; j < kGroup; ++j) places[j] = 0;
  for (int64_t length = n; length > 1;) {
    const int64_t half = length / 2;
    for (int64_t j = 0; j < kGroup; ++j) places[j] += half & -before(places[j] + half - 1, values[j]);
    length -= half;
  }
  for (int64_t j = 0; j < kGroup; ++j) {
    places[j] += before(places[j], values[j]);
    if (values[j] != values[j]) places[j] = n;
  }
}

// The values [begin, end) of one row.
template <class T, bool kRight> void search_run(const SearchArgs& a, const T* row, int64_t begin, int64_t end) {
  const T* const values = static_cast<const T*>(a.values);
  for (int64_t i = begin; i < end; i += kGroup) {
    const int64_t count = std::min(kGroup, end - i);
    T group[kGroup] = {};
    std::copy_n(values + i, count, group);
    int64_t places[kGroup];
    search_group<T, kRight>(row, a.n, group, places);
    if (a.narrow)
      for (int64_t j = 0; j < count; ++j) static_cast<int32_t*>(a.places)[i + j] = static_cast<int32_t>(places[j]);
    else
      std::copy_n(places, count, static_cast<int64_t*>(a.places) + i);
  }
}

template <class T, bool kRight> void search_all(const SearchArgs& a) {
  const int64_t per_row = (a.m + kBlock - 1) / kBlock;
  parallel_blocks(a.rows * per_row, [&](int64_t b) {
    const int64_t r = b / per_row, begin = b % per_row * kBlock;
    const T* const row = static_cast<const T*>(a.sorted) + r * a.n;
    search_run<T, kRight>(a, row, r * a.m + begin, r * a.m + std::min(a.m, begin + kBlock));
  });
}

}  // namespace

void search(const SearchArgs& a) {
  visit_computed(a.dtype, [&]<class T>(TypeTag<T>) {
    using E = typename Ordered<T>::Element;
    a.right ? search_all<E, true>(a) : search_all<E, false>(a);
  });
}

void sort_rows(const RowSortArgs& a) {
  visit_computed(a.dtype, [&]<class T>(TypeTag<T>) {
    using O = Ordered<T>;
    // A copy: were another thread to write to the rows while they are compared, std::sort would leave its range.
    const Scratch<typename O::Element> in(a.rows * a.n);
    std::copy_n(static_cast<const typename O::Element*>(a.in), a.rows * a.n, in.data());
    for (int64_t i = 0; i < a.rows; ++i) a.order[i] = i;
    std::sort(a.order, a.order + a.rows, [&](int64_t x, int64_t y) {
      for (int64_t j = 0; j < a.n; ++j) {
        const auto left = O::key(in[x * a.n + j]), right = O::key(in[y * a.n + j]);
        if (left != right) return left < right;
      }
      return x < y;
    });
  });
}

}  // namespace gradcore::portable
