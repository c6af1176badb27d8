#include "kernels/portable/bags.h"

#include <algorithm>

#include "core/error.h"
#include "core/parallel.h"

namespace gradcore::portable {

namespace {

// Indices and offsets are the user's own memory, which another thread may write to since they were checked: each is
// read once, and what it is then is kept in its range.
int64_t read(const int64_t* place, int64_t least, int64_t most) {
  return std::clamp(__atomic_load_n(place, __ATOMIC_RELAXED), least, most);
}
template <class T> const T* row_of(const BagsArgs& a, int64_t r) {
  return static_cast<const T*>(a.table) + r * a.width;
}

template <class T> void sum_bag(const BagsArgs& a, int64_t begin, int64_t end, T* out) {
  const T* const weight = static_cast<const T*>(a.weight);
  std::fill_n(out, a.width, T(0));
  for (int64_t i = begin; i < end; ++i) {
    const T* const row = row_of<T>(a, read(a.index + i, 0, a.rows - 1));
    const T by = weight ? weight[i] : T(1);
    for (int64_t j = 0; j < a.width; ++j) out[j] += by * row[j];
  }
  if (a.mode != BagMode::Mean || end - begin < 2) return;
  const T count = static_cast<T>(end - begin);
  for (int64_t j = 0; j < a.width; ++j) out[j] /= count;
}

// Of equal elements the first one counts.
template <class T> void largest_of_bag(const BagsArgs& a, int64_t begin, int64_t end, T* out, int64_t* largest) {
  std::fill_n(out, a.width, T(0));
  std::fill_n(largest, a.width, int64_t{-1});
  for (int64_t i = begin; i < end; ++i) {
    const int64_t r = read(a.index + i, 0, a.rows - 1);
    const T* const row = row_of<T>(a, r);
    for (int64_t j = 0; j < a.width; ++j) {
      if (i > begin && !(row[j] > out[j])) continue;
      out[j] = row[j];
      largest[j] = r;
    }
  }
}

template <class T> void bags_of(const BagsArgs& a) {
  const int64_t count = a.rows > 0 ? a.count : 0;
  const int64_t work = (count + a.bags) * a.width,
                blocks = std::clamp<int64_t>(work >> 14, 1, std::max<int64_t>(1, a.bags));
  parallel_blocks(blocks, [&](int64_t block) {
    for (int64_t b = a.bags * block / blocks; b < a.bags * (block + 1) / blocks; ++b) {
      T* const out = static_cast<T*>(a.out) + b * a.width;
      const int64_t begin = read(a.bounds + b, 0, count), end = read(a.bounds + b + 1, begin, count);
      if (a.mode == BagMode::Max)
        largest_of_bag(a, begin, end, out, a.largest + b * a.width);
      else
        sum_bag(a, begin, end, out);
    }
  });
}

}  // namespace

void bags_of_rows(const BagsArgs& a) {
  check(
      a.bounds[0] == 0,
      "offsets[0] has to be 0, i.e., the first sequence in the mini-batch has to start from position 0. However, got ",
      a.bounds[0]);
  for (int64_t b = 0; b < a.bags; ++b)
    check(a.bounds[b] <= a.bounds[b + 1], "embedding_bag: offsets must not decrease, but ", a.bounds[b],
          " stands before ", a.bounds[b + 1]);
  const int64_t end = a.bounds[a.bags];
  check(end <= a.count, "offsets[-1] can not be greater than input's length ", a.count, " but got offsets[-1] of ",
        end);
  for (int64_t i = 0; i < end; ++i)
    check(a.index[i] >= 0 && a.index[i] < a.rows, "Index ", i, " of input takes value ", a.index[i],
          " which is not in the valid range [0, ", a.rows, ")");
  a.dtype == DType::Float64 ? bags_of<double>(a) : bags_of<float>(a);
}

}  // namespace gradcore::portable
