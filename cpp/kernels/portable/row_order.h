// The stable order of a row. Start at RowOrder.
//
// Keys are sorted by radix, the lowest digit first. A key and its place share one word where both fit into it, which
// they do but for wide keys that spread over all of their range; else they are an Item. Few elements are counted.
#pragma once
#include "kernels/portable/ordered.h"

namespace gradcore::portable {

struct SortedItems {
  const uint64_t* words;  // (rank << shift) + place, or null
  const Item* items;
  int shift;
};
// Sorts what `a` holds by the bits [first, first + bits) of the rank, which are all that differ. `b` is as large as
// `a`; the result stands in the one that is returned.
uint64_t* sort_words(uint64_t* a, uint64_t* b, int64_t n, int first, int bits);
Item* sort_items(Item* a, Item* b, int64_t n, int bits);

template <class T> class RowOrder {
  using O = Ordered<T>;
  using Element = typename O::Element;

 public:
  explicit RowOrder(int64_t n) : n_(n), shift_(std::bit_width(static_cast<uint64_t>(n))), memory_(words_of(n)) {}

  void find(const Element* row, bool descending) {
    if constexpr (sizeof(T) <= 4)
      if (n_ <= kTiny) return find_by_counting(row, descending);
    const KeyRange range = KeyRange::of<T>(row, n_, descending);
    words_ = nullptr;
    if (range.bits() + shift_ <= 64) {
      uint64_t* const words = memory_.data();
      for_blocks_of_row(n_, [&](int64_t, int64_t i, int64_t end) {
        for (; i < end; ++i) words[i] = range.rank(O::key(row[i])) << shift_ | static_cast<uint64_t>(i);
      });
      words_ = sort_words(words, words + n_, n_, shift_, range.bits());
      return;
    }
    Item* const items = reinterpret_cast<Item*>(memory_.data());
    for_blocks_of_row(n_, [&](int64_t, int64_t i, int64_t end) {
      for (; i < end; ++i) items[i] = {range.rank(O::key(row[i])), i};
    });
    items_ = sort_items(items, items + n_, n_, range.bits());
  }

  // f(i, place of the element that is i-th in order), for the first `count`, in parallel.
  template <class F> void each(int64_t count, F&& f) const {
    const uint64_t mask = (uint64_t{1} << shift_) - 1;
    for_blocks_of_row(count, [&](int64_t, int64_t i, int64_t end) {
      if (words_)
        for (; i < end; ++i) f(i, static_cast<int64_t>(words_[i] & mask));
      else
        for (; i < end; ++i) f(i, items_[i].place);
    });
  }
  int64_t place(int64_t i) const {
    return words_ ? static_cast<int64_t>(words_[i] & ((uint64_t{1} << shift_) - 1)) : items_[i].place;
  }

 private:
  // Of a few elements, whose keys have 32 bits: an element's place in the order is the number of those before it.
  static constexpr int64_t kTiny = 16;
  void find_by_counting(const Element* row, bool descending) {
    using Four = int32_t __attribute__((vector_size(16)));
    constexpr uint32_t kSign = uint32_t{1} << 31;  // signed numbers are what vectors compare
    int32_t keys[kTiny] = {}, places[kTiny];
    for (int64_t i = 0; i < n_; ++i) {
      const auto key = static_cast<uint32_t>(O::key(row[i]));
      keys[i] = static_cast<int32_t>((descending ? ~key : key) ^ kSign);
    }
    for (int32_t first = 0; first < n_; first += 4) {
      Four key, before{};
      __builtin_memcpy(&key, keys + first, sizeof key);
      const Four place = Four{0, 1, 2, 3} + first;
      for (int32_t j = 0; j < n_; ++j) {
        const Four other = Four{} + keys[j];
        before -= (other < key) | ((other == key) & (place > j));
      }
      __builtin_memcpy(places + first, &before, sizeof before);
    }
    for (int64_t i = 0; i < n_; ++i) memory_[places[i]] = static_cast<uint64_t>(i);
    words_ = memory_.data();
  }

  // Two arrays of words, or of items where the widest keys do not share a word with a place.
  static int64_t words_of(int64_t n) {
    const int key_bits = 8 * static_cast<int>(sizeof(T));
    const bool words = key_bits + std::bit_width(static_cast<uint64_t>(n)) <= 64;
    return words ? 2 * n : 4 * n;
  }

  int64_t n_;
  int shift_;
  Scratch<uint64_t> memory_;
  const uint64_t* words_ = nullptr;
  const Item* items_ = nullptr;
};

}  // namespace gradcore::portable
