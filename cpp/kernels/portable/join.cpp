#include "kernels/portable/join.h"

#include <algorithm>
#include <cstring>

#include "core/parallel.h"
#include "kernels/portable/elements.h"

namespace gradcore::portable {

namespace {

// Writes bytes [begin, end) of the output.
void copy_range(const JoinArgs& j, int64_t begin, int64_t end) {
  int64_t row = begin / j.row_bytes, skip = begin % j.row_bytes, i = 0;
  while (skip >= j.pieces[i].bytes) skip -= j.pieces[i++].bytes;
  for (int64_t at = begin; at < end;) {
    const Piece& p = j.pieces[i];
    const int64_t n = std::min(p.bytes - skip, end - at);
    if (n) std::memcpy(j.out + at, p.data + row * p.bytes + skip, static_cast<size_t>(n));
    at += n;
    skip = 0;
    if (++i == j.count) {
      i = 0;
      ++row;
    }
  }
}

// Rows [begin, end) where every piece is one element of a row.
template <class T> void copy_elements(const JoinArgs& j, int64_t begin, int64_t end) {
  T* to = reinterpret_cast<T*>(j.out) + begin * j.count;
  for (int64_t row = begin; row < end; ++row)
    for (int64_t i = 0; i < j.count; ++i) *to++ = reinterpret_cast<const T*>(j.pieces[i].data)[row];
}

// One line: the lower part is its first `cut` elements, the upper part the rest.
void copy_line(const TriangleArgs& t, int64_t line) {
  const int64_t cut = std::clamp<int64_t>(line % t.rows + t.shift, 0, t.columns), pitch = t.columns * t.item;
  const size_t low = static_cast<size_t>(cut * t.item), high = static_cast<size_t>(pitch) - low;
  char* to = t.out + line * pitch;
  const char* from = t.in + line * pitch;
  if (t.upper) {
    std::memset(to, 0, low);
    std::memcpy(to + low, from + low, high);
  } else {
    std::memcpy(to, from, low);
    std::memset(to + low, 0, high);
  }
}

}  // namespace

void join(const JoinArgs& j) {
  constexpr int64_t kSpan = 256 << 10;  // bytes of a block; one thread copies that in about 20 us
  const bool single = std::all_of(j.pieces, j.pieces + j.count, [&](const Piece& p) { return p.bytes == j.item; });
  if (single && j.bytes > j.row_bytes) {
    const int64_t rows = j.bytes / j.row_bytes, blocks = std::clamp<int64_t>(j.bytes / kSpan, 1, rows);
    return visit_item_size(j.item, [&](auto tag) {
      using T = typename decltype(tag)::type;
      parallel_blocks(blocks, [&](int64_t b) { copy_elements<T>(j, rows * b / blocks, rows * (b + 1) / blocks); });
    });
  }
  if (j.bytes < 2 * kSpan) return copy_range(j, 0, j.bytes);
  parallel_blocks((j.bytes + kSpan - 1) / kSpan,
                  [&](int64_t b) { copy_range(j, b * kSpan, std::min(j.bytes, (b + 1) * kSpan)); });
}

void triangle(const TriangleArgs& t) {
  constexpr int64_t kSpan = 128 << 10;  // about the bytes of a block
  const int64_t blocks = std::clamp<int64_t>(t.lines * t.columns * t.item / kSpan, 1, t.lines);
  parallel_blocks(blocks, [&](int64_t b) {
    for (int64_t line = t.lines * b / blocks; line < t.lines * (b + 1) / blocks; ++line) copy_line(t, line);
  });
}

}  // namespace gradcore::portable
