#include "kernels/portable/mask.h"

#include <algorithm>

#include "core/parallel.h"
#include "kernels/portable/elements.h"

namespace gradcore::portable {

namespace {

// Bytes are counted in bytes as long as these cannot overflow: a vector holds eight times as many as of int64_t.
int64_t count_in(const uint8_t* mask, int64_t n) {
  constexpr int64_t kSpan = 128;
  int64_t count = 0, i = 0;
  for (; i + kSpan <= n; i += kSpan) {
    uint8_t some = 0;
    for (int64_t j = 0; j < kSpan; ++j) some = static_cast<uint8_t>(some + (mask[i + j] != 0));
    count += some;
  }
  for (; i < n; ++i) count += mask[i] != 0;
  return count;
}

// Writes the positions of the true elements from `begin` to `end`, and gives their number. It has no branch, for a
// mask's bytes are hard to predict.
int64_t collect(const uint8_t* mask, int64_t begin, int64_t end, int64_t* found) {
  int64_t count = 0;
  for (int64_t i = begin; i < end; ++i) {
    found[count] = i;
    count += mask[i] != 0;
  }
  return count;
}

// Calls f(place among the true elements, position in the mask) for each true element, in parallel blocks. A mask may be
// the user's own memory, which another thread writes to since it was counted: what is too many in a block is left out,
// and its first position stands for what is missing.
template <class F> void for_each_true(const uint8_t* mask, int64_t n, const int64_t* starts, F f) {
  constexpr int64_t kChunk = 256;
  parallel_blocks(mask_blocks(n), [=](int64_t b) {
    F own = f;  // it may remember something of the elements before
    int64_t found[kChunk];
    int64_t k = starts[b];
    const int64_t end = std::min(n, (b + 1) * kMaskBlock);
    for (int64_t i = b * kMaskBlock; i < end; i += kChunk) {
      const int64_t stop = std::min(end, i + kChunk), room = starts[b + 1] - k;
      const int64_t expected = count_in(mask + i, stop - i);  // chunks of one value are common, and need no list
      if (expected == 0) continue;
      const bool all = expected == stop - i;
      const int64_t count = std::min(room, all ? expected : collect(mask, i, stop, found));
      if (all)
        for (int64_t j = 0; j < count; ++j) own(k++, i + j);
      else
        for (int64_t j = 0; j < count; ++j) own(k++, found[j]);
    }
    while (k < starts[b + 1]) own(k++, b * kMaskBlock);
  });
}

// Without a branch, so that the loop is vectorised: all ones or all zeros choose.
template <class T> void fill_elements(T* data, const uint8_t* mask, int64_t begin, int64_t end, T v) {
  for (int64_t i = begin; i < end; ++i) {
    const T chosen = static_cast<T>(-static_cast<T>(mask[i] != 0));
    data[i] = static_cast<T>((data[i] & ~chosen) | (v & chosen));
  }
}

}  // namespace

void count_true(const CountTrueArgs& a) {
  const int64_t blocks = mask_blocks(a.n);
  a.starts[0] = 0;
  parallel_blocks(blocks, [&](int64_t b) {
    a.starts[b + 1] = count_in(a.mask + b * kMaskBlock, std::min(kMaskBlock, a.n - b * kMaskBlock));
  });
  for (int64_t b = 0; b < blocks; ++b) a.starts[b + 1] += a.starts[b];
}

void compress(const CompressArgs& a) {
  const Offsets place{a.offsets, a.step};
  visit_item_size(item_size(a.dtype), [&](auto tag) {
    using T = typename decltype(tag)::type;
    const T* from = reinterpret_cast<const T*>(a.from);
    T* out = reinterpret_cast<T*>(a.out);
    for_each_true(a.mask, a.n, a.starts, [=](int64_t k, int64_t i) { out[k] = from[place[i]]; });
  });
}

void true_offsets(const TrueOffsetsArgs& a) {
  const Offsets place{a.offsets, a.step};
  for_each_true(a.mask, a.n, a.starts, [&](int64_t k, int64_t i) { a.out[k] = place[i]; });
}

namespace {

// The coordinates of positions. Divisions take longer than all else: those of a row are kept for what follows in it.
class Coordinates {
 public:
  explicit Coordinates(const NonzeroArgs& a) : a_(&a) {}
  void operator()(int64_t k, int64_t i) {
    const int last = a_->ndim - 1;
    if (last < 0) return;
    if (i < begin_ || i >= end_) enter_row(i);
    for (int d = 0; d < last; ++d) a_->out[d * a_->count + k] = row_[d];
    a_->out[last * a_->count + k] = i - begin_;
  }

 private:
  void enter_row(int64_t i) {
    const int last = a_->ndim - 1;
    int64_t row = i / a_->shape[last];
    begin_ = row * a_->shape[last], end_ = begin_ + a_->shape[last];
    for (int d = last - 1; d >= 0; --d) {
      row_[d] = row % a_->shape[d];
      row /= a_->shape[d];
    }
  }
  const NonzeroArgs* a_;
  int64_t begin_ = 0, end_ = 0;
  int64_t row_[kMaxDims] = {};
};

}  // namespace

void nonzero(const NonzeroArgs& a) { for_each_true(a.mask, a.n, a.starts, Coordinates(a)); }

void fill_where(const FillWhereArgs& a) {
  constexpr int64_t kBlock = 64 << 10;  // elements
  const int64_t span = std::max<int64_t>(1, kBlock / a.each);
  visit_item_size(item_size(a.dtype), [&](auto tag) {
    using T = typename decltype(tag)::type;
    T* const data = reinterpret_cast<T*>(a.data);
    const T v = *reinterpret_cast<const T*>(a.value);
    parallel_blocks((a.n + span - 1) / span, [=, n = a.n, each = a.each, mask = a.mask](int64_t b) {
      const int64_t begin = b * span, end = std::min(n, begin + span);
      if (each == 1) return fill_elements(data, mask, begin, end, v);
      for (int64_t i = begin; i < end; ++i)
        if (mask[i]) std::fill_n(data + i * each, each, v);
    });
  });
}

}  // namespace gradcore::portable
