#include "kernels/portable/select.h"

#include "kernels/portable/row_order.h"

namespace gradcore::portable {

namespace {

constexpr int64_t kFew = 64;            // up to so many items are put in order by comparing
constexpr int64_t kMany = 1 << 13;      // from so many on, buckets are many
constexpr int kNarrow = 8, kWide = 11;  // bits that choose a bucket

template <class T> using ElementOf = typename Ordered<T>::Element;

// The item that is k-th among `n`, whose order is lost.
Item kth_of(Item* items, int64_t n, int64_t k) {
  std::nth_element(items, items + k, items + n);
  return items[k];
}

// Items are in the order of their places: among equal ones the k-th is items[k].
bool all_equal(const Item* items, int64_t n) {
  return std::all_of(items, items + n, [&](const Item& i) { return i.rank == items->rank; });
}

// Buckets of the ranks of a row by their upper bits, counted for each block of the row. Rows are the user's own memory,
// which another thread may write to while they are read more than once: a rank that is new goes to any bucket, and no
// bucket takes more items than were counted for it.
class Buckets {
 public:
  Buckets(int64_t n, int bits)
      : blocks_(blocks_of_row(n)),
        shift_(std::max(0, bits - (n < kMany ? kNarrow : kWide))),
        size_((int64_t{1} << (bits - shift_))),
        count_(blocks_ * size_) {
    std::fill(count_.data(), count_.data() + blocks_ * size_, 0);
  }
  int64_t of(uint64_t rank) const { return static_cast<int64_t>(rank >> shift_) & (size_ - 1); }
  int64_t* counts(int64_t block) const { return count_.data() + block * size_; }

  // Of bucket `b`, in all blocks.
  int64_t total(int64_t b) const {
    int64_t sum = 0;
    for (int64_t block = 0; block < blocks_; ++block) sum += counts(block)[b];
    return sum;
  }
  // The bucket that the k-th rank is in; what is left of k there.
  int64_t find(int64_t& k) const {
    int64_t b = 0;
    for (int64_t n = total(0); k >= n; n = total(++b)) k -= n;
    return b;
  }

 private:
  int64_t blocks_;
  int shift_;
  int64_t size_;
  Scratch<int64_t> count_;
};

// Rows that are in order already are common, and reading them once is all that they need. Any other row is told by its
// first elements. A NaN is before and after nothing here.
template <class T> bool in_order(const ElementOf<T>* row, int64_t n) {
  constexpr int64_t kAtOnce = 256;
  for (int64_t i = 1; i < n; i += kAtOnce) {
    bool ordered = true;
    for (int64_t j = i; j < std::min(n, i + kAtOnce); ++j)
      ordered &= std::is_same_v<T, bool> ? (row[j - 1] != 0) <= (row[j] != 0) : row[j - 1] <= row[j];
    if (!ordered) return false;
  }
  return true;
}

template <class T> int64_t place_of_kth(const ElementOf<T>* row, int64_t n, int64_t k) {
  using O = Ordered<T>;
  if (n <= kFew) {
    Item items[kFew];
    for (int64_t i = 0; i < n; ++i) items[i] = {O::key(row[i]), i};
    return kth_of(items, n, k).place;
  }
  if (in_order<T>(row, n)) return k;
  const KeyRange range = KeyRange::of<T>(row, n, false);
  const Buckets buckets(n, range.bits());
  for_blocks_of_row(n, [&](int64_t block, int64_t i, int64_t end) {
    int64_t* const count = buckets.counts(block);
    for (; i < end; ++i) ++count[buckets.of(range.rank(O::key(row[i])))];
  });
  const int64_t bucket = buckets.find(k), total = buckets.total(bucket);
  const Scratch<Item> items(total + blocks_of_row(n));  // each block may write one too many
  const Scratch<int64_t> start(blocks_of_row(n));
  for (int64_t block = 0, at = 0; block < blocks_of_row(n); ++block) {
    start[block] = at;
    at += buckets.counts(block)[bucket] + 1;
  }
  for_blocks_of_row(n, [&](int64_t block, int64_t i, int64_t end) {
    Item* to = items.data() + start[block];
    Item* const last = to + buckets.counts(block)[bucket];
    for (; i < end; ++i) {
      const uint64_t rank = range.rank(O::key(row[i]));
      *to = {rank, i};
      to += (buckets.of(rank) == bucket) & (to < last);
    }
    while (to < last) *to++ = {0, 0};
  });
  int64_t found = 0;
  for (int64_t block = 0; block < blocks_of_row(n); ++block) {
    std::copy_n(items.data() + start[block], buckets.counts(block)[bucket], items.data() + found);
    found += buckets.counts(block)[bucket];
  }
  return all_equal(items.data(), total) ? items[k].place : kth_of(items.data(), total, k).place;
}

template <class T> int64_t count_nans(const ElementOf<T>* row, int64_t n) {
  if constexpr (!Ordered<T>::kFloat) return 0;
  const Scratch<int64_t> part(blocks_of_row(n));
  for_blocks_of_row(n, [&](int64_t b, int64_t i, int64_t end) {
    int64_t count = 0;
    for (; i < end; ++i) count += row[i] != row[i];
    part[b] = count;
  });
  int64_t count = 0;
  for (int64_t b = 0; b < blocks_of_row(n); ++b) count += part[b];
  return count;
}

struct Kth {
  template <class T> static int64_t place(const SelectArgs& a, const ElementOf<T>* row) {
    return place_of_kth<T>(row, a.n, a.k);
  }
};
struct Median {
  template <class T> static int64_t place(const SelectArgs& a, const ElementOf<T>* row) {
    if (count_nans<T>(row, a.n) == 0) return place_of_kth<T>(row, a.n, (a.n - 1) / 2);
    int64_t i = 0;
    while (i < a.n - 1 && row[i] == row[i]) ++i;
    return i;
  }
};
struct NanMedian {
  template <class T> static int64_t place(const SelectArgs& a, const ElementOf<T>* row) {
    const int64_t count = a.n - count_nans<T>(row, a.n);
    return place_of_kth<T>(row, a.n, count ? (count - 1) / 2 : 0);
  }
};
struct Mode {
  template <class T> static int64_t place(const SelectArgs& a, const ElementOf<T>* row) {
    RowOrder<T> order(a.n);
    order.find(row, false);
    int64_t longest = 0, place = 0;
    for (int64_t i = 0; i < a.n;) {
      const int64_t first = i, here = order.place(first);
      while (++i < a.n && Ordered<T>::same(row[order.place(i)], row[here])) {
      }
      if (i - first <= longest) continue;
      longest = i - first;
      place = order.place(i - 1);
    }
    return place;
  }
};

template <class Which> void select(const SelectArgs& a) {
  visit_computed(a.dtype, [&]<class T>(TypeTag<T>) {
    const auto* const in = static_cast<const ElementOf<T>*>(a.in);
    for_rows(a.rows, a.n, [&](int64_t row, int64_t end) {
      for (; row < end; ++row) {
        const int64_t place = Which::template place<T>(a, in + row * a.n);
        a.places[row] = place;
        static_cast<ElementOf<T>*>(a.values)[row] = in[row * a.n + place];
      }
    });
  });
}

}  // namespace

void kth(const SelectArgs& a) { select<Kth>(a); }
void median(const SelectArgs& a) { select<Median>(a); }
void nanmedian(const SelectArgs& a) { select<NanMedian>(a); }
void mode(const SelectArgs& a) { select<Mode>(a); }

}  // namespace gradcore::portable
