// One parallel pass over many arrays. Start at for_each_slice().
#pragma once
#include <span>
#include <vector>

#include "core/parallel.h"

namespace gradcore {

// Walks the elements of all items, cut into slices of at most kSlice; an item has a member `n`. Slices are
// fixed by the sizes alone, so the result does not depend on the number of threads.
template <class Item, class F> void for_each_slice(std::span<const Item> items, bool parallel, F&& f) {
  constexpr int64_t kSlice = 16 << 10;  // elements: a few arrays of it fit the second-level cache
  if (!parallel) {
    for (const Item& item : items) f(item, 0, item.n);
    return;
  }
  // Small items share a block: a block is the items that start within its kSlice, or a slice of a large one.
  struct Block {
    size_t item;
    int64_t begin, end;
    size_t last;  // one past the last item, for a block of whole items
  };
  std::vector<Block> blocks;
  for (size_t i = 0; i < items.size();) {
    if (items[i].n >= kSlice) {
      for (int64_t at = 0; at < items[i].n; at += kSlice)
        blocks.push_back({i, at, at + kSlice < items[i].n ? at + kSlice : items[i].n, i});
      ++i;
      continue;
    }
    const size_t first = i;
    int64_t n = 0;
    while (i < items.size() && items[i].n < kSlice && n < kSlice) n += items[i++].n;
    blocks.push_back({first, 0, 0, i});
  }
  parallel_blocks(static_cast<int64_t>(blocks.size()), [&](int64_t b) {
    const Block& block = blocks[b];
    if (block.last == block.item) return f(items[block.item], block.begin, block.end);
    for (size_t i = block.item; i < block.last; ++i) f(items[i], 0, items[i].n);
  });
}

template <class Item, class F> void for_each_slice(std::span<const Item> items, F&& f) {
  constexpr int64_t kInline = 24 << 10;  // elements: less than this is not worth a fork
  int64_t total = 0;
  for (const Item& item : items) total += item.n;
  for_each_slice(items, total > kInline, f);
}

}  // namespace gradcore
