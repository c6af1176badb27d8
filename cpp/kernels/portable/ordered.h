// The order of elements, and the order of the elements of a row. Start at Ordered.
#pragma once
#include <algorithm>
#include <bit>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "core/parallel.h"
#include "kernels/scratch.h"

namespace gradcore::portable {

// Elements as unsigned keys that compare as torch's sort compares elements: zeros of both signs are equal, and so are
// all NaNs, which come last. A bool may be any byte in memory, and is read as one.
template <class T> struct Ordered {
  using Element = std::conditional_t<std::is_same_v<T, bool>, uint8_t, T>;
  static constexpr bool kFloat = std::is_floating_point_v<T>;
  using Key = std::conditional_t<sizeof(T) <= 4, uint32_t, uint64_t>;
  static constexpr Key kNaN = std::numeric_limits<Key>::max();

  static Key key(Element v) {
    if constexpr (std::is_same_v<T, bool>) {
      return v != 0;
    } else if constexpr (kFloat) {
      constexpr Key kSign = Key{1} << (8 * sizeof(T) - 1);
      constexpr Key kInfinity = std::bit_cast<Key>(std::numeric_limits<T>::infinity());
      // Without a branch, because elements are in no order that a processor could learn.
      const Key given = std::bit_cast<Key>(v), magnitude = given & ~kSign;
      const Key bits = given & (Key{0} - static_cast<Key>(magnitude != 0));  // of -0 those of 0
      const Key ordered = bits ^ (kSign | (Key{0} - (bits >> (8 * sizeof(T) - 1))));
      return ordered | (Key{0} - static_cast<Key>(magnitude > kInfinity));
    } else {
      return static_cast<Key>(v) - static_cast<Key>(std::numeric_limits<T>::min());
    }
  }
  // What `==` says: a NaN equals nothing.
  static bool same(Element a, Element b) {
    if constexpr (std::is_same_v<T, bool>) return (a != 0) == (b != 0);
    return a == b;
  }
};

constexpr int64_t kRowBlock = 1 << 16;  // elements of a long row that one thread takes at a time

inline int64_t blocks_of_row(int64_t n) { return (n + kRowBlock - 1) / kRowBlock; }
// f(block, begin, end) for all blocks of a row, in parallel.
template <class F> void for_blocks_of_row(int64_t n, F&& f) {
  parallel_blocks(blocks_of_row(n), [&](int64_t b) { f(b, b * kRowBlock, std::min(n, (b + 1) * kRowBlock)); });
}

// f(first, end) for groups of rows, in parallel; but few long rows one after the other, because each of them is
// computed in parallel by itself.
template <class F> void for_rows(int64_t rows, int64_t n, F&& f) {
  constexpr int64_t kGroup = 1 << 13;  // elements that are worth a thread
  constexpr int64_t kFewRows = 4;
  if (rows < kFewRows && n >= 4 * kRowBlock) return f(0, rows);
  const int64_t per_group = std::max<int64_t>(1, kGroup / std::max<int64_t>(n, 1));
  parallel_blocks((rows + per_group - 1) / per_group,
                  [&](int64_t g) { f(g * per_group, std::min(rows, (g + 1) * per_group)); });
}

// An element's key in the order that is asked for, and its place in the row. Equal keys keep the order of their places:
// so every sort is stable, and has one right answer however it is computed.
struct Item {
  uint64_t rank;
  int64_t place;
  friend bool operator<(const Item& a, const Item& b) {
    return a.rank < b.rank || (a.rank == b.rank && a.place < b.place);
  }
};

// The least and the greatest key of a row; ranks count from the end that comes first.
struct KeyRange {
  uint64_t low = std::numeric_limits<uint64_t>::max(), high = 0;
  bool descending = false;

  template <class T> static KeyRange of(const typename Ordered<T>::Element* row, int64_t n, bool descending) {
    const Scratch<KeyRange> part(blocks_of_row(n));
    for_blocks_of_row(n, [&](int64_t b, int64_t i, int64_t end) {
      auto low = std::numeric_limits<typename Ordered<T>::Key>::max(), high = low;
      for (high = 0; i < end; ++i) {
        const auto key = Ordered<T>::key(row[i]);
        low = std::min(low, key);
        high = std::max(high, key);
      }
      part[b] = {low, high};
    });
    KeyRange all;
    for (int64_t b = 0; b < blocks_of_row(n); ++b) {
      all.low = std::min(all.low, part[b].low);
      all.high = std::max(all.high, part[b].high);
    }
    all.descending = descending;
    return all;
  }
  uint64_t rank(uint64_t key) const { return descending ? high - key : key - low; }
  int bits() const { return std::bit_width(high - low); }
};

}  // namespace gradcore::portable
