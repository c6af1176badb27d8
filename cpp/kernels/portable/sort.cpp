#include "kernels/portable/sort.h"

#include <cstring>

#include "kernels/portable/row_order.h"

namespace gradcore::portable {

namespace {

constexpr int64_t kFew = 128;           // up to so many items are sorted by comparing
constexpr int64_t kMany = 1 << 13;      // from so many on, digits are wide
constexpr int kNarrow = 8, kWide = 11;  // bits of a digit

struct Digit {
  int first, bits;
  int64_t count() const { return int64_t{1} << bits; }
  int64_t of(uint64_t word) const { return static_cast<int64_t>(word >> first & ((uint64_t{1} << bits) - 1)); }
  int64_t of(const Item& item) const { return of(item.rank); }
};

// From `from` to `to`, in the order of a digit; equal digits keep their order. start[b * digits + d] is where the first
// item of block b with digit d goes.
template <class I> void pass(const I* from, I* to, int64_t n, Digit digit) {
  const int64_t digits = digit.count(), blocks = blocks_of_row(n);
  const Scratch<int64_t> start(blocks * digits);
  for_blocks_of_row(n, [&](int64_t b, int64_t i, int64_t end) {
    int64_t* const count = start.data() + b * digits;
    std::fill(count, count + digits, 0);
    for (; i < end; ++i) ++count[digit.of(from[i])];
  });
  int64_t total = 0;
  for (int64_t d = 0; d < digits; ++d)
    for (int64_t b = 0; b < blocks; ++b) {
      const int64_t count = start[b * digits + d];
      start[b * digits + d] = total;
      total += count;
    }
  for_blocks_of_row(n, [&](int64_t b, int64_t i, int64_t end) {
    int64_t* const next = start.data() + b * digits;
    for (; i < end; ++i) to[next[digit.of(from[i])]++] = from[i];
  });
}

template <class I> I* sort_by(I* a, I* b, int64_t n, int first, int bits) {
  if (n <= kFew) {
    std::sort(a, a + n);
    return a;
  }
  const int width = n < kMany ? kNarrow : kWide;
  for (int done = 0; done < bits; done += width) {
    pass(a, b, n, {first + done, std::min(width, bits - done)});
    std::swap(a, b);
  }
  return a;
}

template <class T> void write(const SortArgs& a, int64_t row, int64_t i, int64_t place) {
  using Element = typename Ordered<T>::Element;
  if (a.values) static_cast<Element*>(a.values)[row * a.k + i] = static_cast<const Element*>(a.in)[row * a.n + place];
  if (a.places) a.places[row * a.k + i] = place;
}

template <class T> void sort_rows(const SortArgs& a) {
  for_rows(a.rows, a.n, [&](int64_t row, int64_t end) {
    RowOrder<T> order(a.n);
    for (; row < end; ++row) {
      order.find(static_cast<const typename Ordered<T>::Element*>(a.in) + row * a.n, a.descending);
      order.each(a.k, [&](int64_t i, int64_t place) { write<T>(a, row, i, place); });
    }
  });
}

// The k least items of a stream, all of whose ranks are at most `bound`. Those that may be among them are gathered;
// when the buffer is full, the k least stay.
class Least {
 public:
  Least(Item* buffer, int64_t k, uint64_t bound) : buffer_(buffer), k_(k), bound_(bound) {}
  static int64_t room(int64_t k) { return 2 * k + 64; }

  bool takes(uint64_t rank) const { return rank < bound_ || (rank == bound_ && !full_); }
  void add(Item item) {
    buffer_[count_++] = item;
    if (count_ == room(k_)) shrink();
  }
  void shrink() {
    if (count_ <= k_) return;
    std::nth_element(buffer_, buffer_ + k_ - 1, buffer_ + count_);
    count_ = k_;
    bound_ = buffer_[k_ - 1].rank;  // of equal ones, those that came first stay
    full_ = true;
  }
  bool full() const { return full_; }
  int64_t count() const { return count_; }
  Item last() const { return buffer_[k_ - 1]; }

 private:
  Item* buffer_;
  int64_t k_, count_ = 0;
  uint64_t bound_;
  bool full_ = false;
};

constexpr int64_t kStep = 16;  // elements that are looked at together

// Whether one of kStep elements may come before `bound`, or be equal to it. NaNs get through. The baseline cannot
// compare vectors of int64.
template <class E, bool kDescending, bool kEqual> bool any_before(const E* row, E bound) {
  if constexpr (std::is_same_v<E, int64_t>) {
    for (int64_t i = 0; i < kStep; ++i)
      if (row[i] == bound ? kEqual : kDescending ? row[i] > bound : row[i] < bound) return true;
    return false;
  }
  typedef E V __attribute__((vector_size(16)));
  decltype(V{} < V{}) none = V{} == V{};
  for (int64_t i = 0; i < kStep; i += 16 / sizeof(E)) {
    V x;
    std::memcpy(&x, row + i, sizeof x);
    if constexpr (kEqual)
      none &= kDescending ? x < bound : x > bound;
    else
      none &= kDescending ? x <= bound : x >= bound;
  }
  int64_t lanes[2];
  std::memcpy(lanes, &none, sizeof lanes);
  return (lanes[0] & lanes[1]) != -1;
}

// What no number comes behind.
template <class E, bool kDescending> constexpr E last_number() {
  using Limits = std::numeric_limits<E>;
  if constexpr (Limits::has_infinity) return kDescending ? -Limits::infinity() : Limits::infinity();
  return kDescending ? Limits::lowest() : Limits::max();
}
// A number that at least k elements come before or equal: of the row's beginning in columns, the k-th of the columns'
// first ones. So most of a short row is never sorted. It is last_number() where k, or what NaNs leave, does not allow
// it.
template <class E, bool kDescending> E bound_of(const E* row, int64_t n, int64_t k) {
  constexpr int64_t kColumns = 32;
  constexpr E last = last_number<E, kDescending>();
  if (2 * k > kColumns) return last;
  const auto before = [](E a, E b) { return kDescending ? a > b : a < b; };
  E first[kColumns];
  std::fill_n(first, kColumns, last);
  const int64_t beginning = std::min<int64_t>(n, 2048);
  for (int64_t i = 0; i + kColumns <= beginning; i += kColumns)
    for (int64_t j = 0; j < kColumns; ++j) first[j] = before(row[i + j], first[j]) ? row[i + j] : first[j];
  std::nth_element(first, first + k - 1, first + kColumns, before);
  return first[k - 1];
}

// The k least of the elements [begin, end), unordered; how many there are.
template <class T, bool kDescending>
int64_t least_of_part(const typename Ordered<T>::Element* row, int64_t begin, int64_t end, int64_t k, Item* buffer) {
  using E = typename Ordered<T>::Element;
  const auto rank_of = [](E v) {
    const uint64_t key = Ordered<T>::key(v);
    return kDescending ? ~key : key;
  };
  const E bound = bound_of<E, kDescending>(row + begin, end - begin, k);
  const bool bounded = bound != last_number<E, kDescending>();
  Least least(buffer, k, bounded ? rank_of(bound) : std::numeric_limits<uint64_t>::max());
  for (int64_t i = begin; i < end; i += kStep) {
    const int64_t stop = std::min(end, i + kStep);
    const auto any = [&] {
      if (least.full()) return any_before<E, kDescending, false>(row + i, row[least.last().place]);
      return !bounded || any_before<E, kDescending, true>(row + i, bound);
    };
    if (stop - i == kStep && !any()) continue;
    for (int64_t j = i; j < stop; ++j)
      if (const uint64_t rank = rank_of(row[j]); least.takes(rank)) least.add({rank, j});
  }
  least.shrink();
  return least.count();
}

template <class T, bool kDescending> void top_k_rows(const SortArgs& a) {
  using Element = typename Ordered<T>::Element;
  const int64_t room = Least::room(a.k), part = std::max(kRowBlock, 8 * a.k), parts = (a.n + part - 1) / part;
  for_rows(a.rows, a.n, [&](int64_t row, int64_t end) {
    const Scratch<Item> buffer(parts * room);
    const Scratch<int64_t> count(parts);
    for (; row < end; ++row) {
      const Element* const in = static_cast<const Element*>(a.in) + row * a.n;
      parallel_blocks(parts, [&](int64_t p) {
        count[p] =
            least_of_part<T, kDescending>(in, p * part, std::min(a.n, (p + 1) * part), a.k, buffer.data() + p * room);
      });
      int64_t total = count[0];
      for (int64_t p = 1; p < parts; ++p) {
        std::copy_n(buffer.data() + p * room, count[p], buffer.data() + total);
        total += count[p];
      }
      while (total < a.k) buffer[total++] = {0, 0};  // another thread wrote to the row since its bound was found
      std::nth_element(buffer.data(), buffer.data() + a.k - 1, buffer.data() + total);
      std::sort(buffer.data(), buffer.data() + a.k);
      for (int64_t i = 0; i < a.k; ++i) write<T>(a, row, i, buffer[i].place);
    }
  });
}

}  // namespace

uint64_t* sort_words(uint64_t* a, uint64_t* b, int64_t n, int first, int bits) { return sort_by(a, b, n, first, bits); }
Item* sort_items(Item* a, Item* b, int64_t n, int bits) { return sort_by(a, b, n, 0, bits); }

void sort(const SortArgs& a) {
  visit_computed(a.dtype, [&]<class T>(TypeTag<T>) { sort_rows<T>(a); });
}

void top_k(const SortArgs& a) {
  if (16 * a.k > a.n || a.n <= 16) return sort(a);  // about where both take as long
  visit_computed(a.dtype,
                 [&]<class T>(TypeTag<T>) { a.descending ? top_k_rows<T, true>(a) : top_k_rows<T, false>(a); });
}

}  // namespace gradcore::portable
