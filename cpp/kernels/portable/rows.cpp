#include "kernels/portable/rows.h"

#include <algorithm>

#include "core/parallel.h"
#include "kernels/portable/elements.h"
#include "kernels/portable/take.h"
#include "kernels/scratch.h"

namespace gradcore::portable {

namespace {

constexpr int64_t kGrain = 1 << 16;  // elements of a block

constexpr int64_t kTakeGrain = 1 << 16;  // bytes of a block
constexpr int64_t kAhead = 12;           // rows that are asked for before they are read
constexpr int64_t kLine = 64;

bool counts(const AddRowsArgs& a, int64_t i, int64_t first, int64_t end) {
  return i != a.skipped && i >= first && i < end;
}

// The table is cut into bands of rows. Each clears its own and adds what belongs there, in the order of the indices.
template <class T> void add_of(const AddRowsArgs& a) {
  const T* const from = static_cast<const T*>(a.rows_of);
  T* const table = static_cast<T*>(a.table);
  const int64_t work = (a.rows + a.count) * a.width;
  const int64_t most = std::min<int64_t>(num_threads(), std::max<int64_t>(1, a.rows));  // each reads all indices
  const int64_t bands = std::clamp<int64_t>(work / kGrain, 1, most);
  const Scratch<int64_t> uses(a.scaled ? a.rows : 0);
  parallel_blocks(bands, [&](int64_t band) {
    const int64_t first = a.rows * band / bands, end = a.rows * (band + 1) / bands, n = a.width;
    std::fill_n(table + first * n, (end - first) * n, T(0));
    for (int64_t r = first; a.scaled && r < end; ++r) uses[r] = 0;
    for (int64_t i = 0; a.scaled && i < a.count; ++i)
      if (const int64_t r = a.index[i]; counts(a, r, first, end)) ++uses[r];
    for (int64_t i = 0; i < a.count; ++i) {
      const int64_t r = a.index[i];
      if (!counts(a, r, first, end)) continue;
      T* const to = table + r * n;
      const T* const row = from + i * n;
      if (!a.scaled) {
#pragma omp simd
        for (int64_t j = 0; j < n; ++j) to[j] += row[j];
        continue;
      }
      const T by = T(1) / static_cast<T>(std::max<int64_t>(1, uses[r]));
      for (int64_t j = 0; j < n; ++j) to[j] += row[j] * by;
    }
  });
}

}  // namespace

void take_rows(const TakeRowsArgs& a) {
  const int64_t blocks = std::clamp<int64_t>(a.count * a.bytes / kTakeGrain, 1, std::max<int64_t>(1, a.count));
  parallel_blocks(blocks, [&](int64_t block) {
    const int64_t end = a.count * (block + 1) / blocks;
    for (int64_t i = a.count * block / blocks; i < end; ++i) {
      const int64_t row = a.index[i];
      if (row < 0 || row >= a.rows) fail_out_of_bounds(ErrorKind::Index, row, -1, a.rows);
      // Nobody has looked at that index yet: the address may be anything.
      const auto ahead = static_cast<uintptr_t>(a.index[std::min(i + kAhead, a.count - 1)]);
      const uintptr_t next = reinterpret_cast<uintptr_t>(a.table) + ahead * static_cast<uintptr_t>(a.bytes);
      for (uintptr_t k = 0; k < static_cast<uintptr_t>(std::min(a.bytes, 4 * kLine)); k += kLine)
        __builtin_prefetch(reinterpret_cast<const void*>(next + k));
      copy_run(a.out + i * a.bytes, a.table + row * a.bytes, a.bytes);
    }
  });
}

void add_rows(const AddRowsArgs& a) { a.dtype == DType::Float32 ? add_of<float>(a) : add_of<double>(a); }

}  // namespace gradcore::portable
