#include "kernels/portable/join.h"

#include <algorithm>
#include <cstring>
#include <utility>

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
    if (n) copy_run(j.out + at, p.data + row * p.bytes + skip, n);
    at += n;
    skip = 0;
    if (++i == j.count) {
      i = 0;
      ++row;
    }
  }
}

// One piece of each row, copied by a constant number of bytes, or by two of them that overlap.
struct Column {
  char* to;
  const char* from;
  int64_t rows, row_bytes, bytes;
};
template <int64_t kBytes> void copy_column(const Column& c) {
  if (c.bytes == kBytes) {
    for (int64_t r = 0; r < c.rows; ++r) std::memcpy(c.to + r * c.row_bytes, c.from + r * kBytes, kBytes);
    return;
  }
  const int64_t last = c.bytes - kBytes;
  for (int64_t r = 0; r < c.rows; ++r) {
    char* to = c.to + r * c.row_bytes;
    const char* from = c.from + r * c.bytes;
    std::memcpy(to, from, kBytes);
    std::memcpy(to + last, from + last, kBytes);
  }
}
constexpr int64_t kShortPiece = 32;  // bytes
void copy_column(const Column& c) {
  if (c.bytes >= 32) return copy_column<32>(c);
  if (c.bytes >= 16) return copy_column<16>(c);
  if (c.bytes >= 8) return copy_column<8>(c);
  if (c.bytes >= 4) return copy_column<4>(c);
  if (c.bytes >= 2) return copy_column<2>(c);
  if (c.bytes == 1) return copy_column<1>(c);
}

// Elements of two vectors in turn, from element kFirst on.
template <int kFirst, class V, int... I> V zipped(V a, V b, std::integer_sequence<int, I...>) {
  return __builtin_shufflevector(a, b, (kFirst + I / 2 + I % 2 * static_cast<int>(sizeof...(I)))...);
}
// Rows of two elements.
template <class T> void copy_pairs(char* out, const char* first, const char* second, int64_t rows) {
  typedef T V __attribute__((vector_size(16)));
  constexpr int kLanes = 16 / sizeof(T);
  constexpr std::make_integer_sequence<int, kLanes> lanes;
  const T *a = reinterpret_cast<const T*>(first), *b = reinterpret_cast<const T*>(second);
  T* to = reinterpret_cast<T*>(out);
  int64_t r = 0;
  for (; r + kLanes <= rows; r += kLanes) {
    V x, y;
    std::memcpy(&x, a + r, sizeof x);
    std::memcpy(&y, b + r, sizeof y);
    const V low = zipped<0>(x, y, lanes), high = zipped<kLanes / 2>(x, y, lanes);
    std::memcpy(to + 2 * r, &low, sizeof low);
    std::memcpy(to + 2 * r + kLanes, &high, sizeof high);
  }
  for (; r < rows; ++r) {
    to[2 * r] = a[r];
    to[2 * r + 1] = b[r];
  }
}
bool copied_as_pairs(const JoinArgs& j, int64_t row, char* to, int64_t rows) {
  const int64_t item = j.pieces[0].bytes;
  if (j.count != 2 || j.pieces[1].bytes != item || (item != 4 && item != 8)) return false;
  const char *a = j.pieces[0].data + row * item, *b = j.pieces[1].data + row * item;
  if (item == 4)
    copy_pairs<uint32_t>(to, a, b, rows);
  else
    copy_pairs<uint64_t>(to, a, b, rows);
  return true;
}

// Rows [begin, end) of short pieces, piece by piece for as many rows as stay in the cache.
void copy_short(const JoinArgs& j, int64_t begin, int64_t end) {
  constexpr int64_t kTile = 16 << 10;
  const int64_t step = std::max<int64_t>(1, kTile / j.row_bytes);
  for (int64_t row = begin; row < end; row += step) {
    char* to = j.out + row * j.row_bytes;
    const int64_t rows = std::min(step, end - row);
    if (copied_as_pairs(j, row, to, rows)) continue;
    for (int64_t i = 0; i < j.count; ++i) {
      const Piece& p = j.pieces[i];
      copy_column({to, p.data + row * p.bytes, rows, j.row_bytes, p.bytes});
      to += p.bytes;
    }
  }
}

// The lower part of a line is its first elements, the upper part the rest. Lines that belong to one part whole stand
// beside each other, and are copied or filled together.
void copy_lines(const TriangleArgs& t, int64_t line, int64_t end) {
  for (int64_t lines; line < end; line += lines) {
    const int64_t row = line % t.rows, cut = row + t.shift;
    lines = cut >= t.columns ? t.rows - row : cut <= 0 ? std::min(t.rows - row, 1 - cut) : 1;
    lines = std::min(lines, end - line);
    const int64_t pitch = t.columns * t.item, bytes = lines * pitch;
    const auto low = static_cast<size_t>(cut >= t.columns ? bytes : std::max<int64_t>(cut, 0) * t.item);
    const size_t high = static_cast<size_t>(bytes) - low;
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
}

}  // namespace

void join(const JoinArgs& j) {
  constexpr int64_t kSpan = 256 << 10;  // bytes of a block; one thread copies that in about 20 us
  const int64_t rows = j.bytes / j.row_bytes, blocks = std::clamp<int64_t>(j.bytes / kSpan, 1, rows);
  if (rows > 1 && std::all_of(j.pieces, j.pieces + j.count, [](const Piece& p) { return p.bytes <= kShortPiece; }))
    return parallel_blocks(blocks, [&](int64_t b) { copy_short(j, rows * b / blocks, rows * (b + 1) / blocks); });
  if (j.bytes < 2 * kSpan) return copy_range(j, 0, j.bytes);
  parallel_blocks((j.bytes + kSpan - 1) / kSpan,
                  [&](int64_t b) { copy_range(j, b * kSpan, std::min(j.bytes, (b + 1) * kSpan)); });
}

void triangle(const TriangleArgs& t) {
  constexpr int64_t kSpan = 128 << 10;  // about the bytes of a block
  const int64_t blocks = std::clamp<int64_t>(t.lines * t.columns * t.item / kSpan, 1, t.lines);
  parallel_blocks(blocks, [&](int64_t b) { copy_lines(t, t.lines * b / blocks, t.lines * (b + 1) / blocks); });
}

}  // namespace gradcore::portable
