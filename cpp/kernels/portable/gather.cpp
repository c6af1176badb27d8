#include "kernels/portable/gather.h"

#include <algorithm>
#include <type_traits>

#include "core/parallel.h"
#include "kernels/portable/elements.h"
#include "kernels/portable/take.h"

namespace gradcore::portable {

void IndexWalk::add(const Loop& l, bool may_cut) {
  total *= l.size;
  if (l.size == 1) return;
  check(ndim < kMaxDims, "a tensor of more than ", kMaxDims, " dimensions is more than ops support");
  // Loops that step evenly into each other are one.
  if (may_cut && ndim > 0 && along != ndim - 1) {
    Loop& last = loop[ndim - 1];
    if (last.index == l.size * l.index && last.indexed == l.size * l.indexed && last.list == l.size * l.list) {
      last = {last.size * l.size, l.index, l.indexed, l.list};
      if (last.size > loop[cut].size) cut = ndim - 1;
      return;
    }
  }
  if (!may_cut)
    along = ndim;
  else if (cut < 0 || l.size > loop[cut].size)
    cut = ndim;
  loop[ndim++] = l;
}

namespace {

using Loop = IndexWalk::Loop;

struct Position {
  int64_t index = 0, indexed = 0, list = 0;
  void advance(const Loop& l, int64_t n) {
    index += n * l.index;
    indexed += n * l.indexed;
    list += n * l.list;
  }
};

// What a walk does with a run of its innermost loop. A pointer to a function, so that the walk is compiled once.
struct Row {
  void (*call)(const void* f, const Position& at, const Loop& loop);
  const void* f;
};
template <class F> Row row_of(const F& f) {
  return {[](const void* g, const Position& at, const Loop& loop) { (*static_cast<const F*>(g))(at, loop); }, &f};
}

// Calls row(start, innermost loop) for every run of the innermost loop, in order. Loop `cut` has `cut_size` steps.
void walk_part(const IndexWalk& w, int cut, int64_t cut_size, Position at, Row row) {
  if (w.total == 0) return;
  if (w.ndim == 0) return row.call(row.f, at, Loop{1, 0, 0, 0});
  const int inner = w.ndim - 1;
  Loop last = w.loop[inner];
  if (inner == cut) last.size = cut_size;
  int64_t count[kMaxDims];
  for (int d = 0; d < inner; ++d) count[d] = 0;
  for (;;) {
    row.call(row.f, at, last);
    int d = inner - 1;
    for (; d >= 0; --d) {
      at.advance(w.loop[d], 1);
      if (++count[d] < (d == cut ? cut_size : w.loop[d].size)) break;
      at.advance(w.loop[d], -count[d]);
      count[d] = 0;
    }
    if (d < 0) return;
  }
}

template <class F> void walk_rows(const IndexWalk& w, const F& f) { walk_part(w, -1, 0, {}, row_of(f)); }

// The same in parallel blocks. Where the indexed dim lies outside the innermost loop, that loop is cut into strips:
// what one strip touches of the indexed tensor is then still in the cache for the next step along the dim.
void walk_blocks(const IndexWalk& w, Row row) {
  constexpr int64_t kBlock = 8192;  // elements; about 10 us of random access
  constexpr int64_t kStrip = 64;
  const bool strips = w.along >= 0 && w.along < w.ndim - 1 && w.loop[w.along].size >= kStrip;
  const int cut = strips ? w.ndim - 1 : w.cut;
  if (cut < 0 || w.total < 2 * kBlock) return walk_part(w, -1, 0, {}, row);
  const int64_t size = w.loop[cut].size, grain = strips ? kStrip : 1, pieces = (size + grain - 1) / grain;
  const int64_t blocks = std::min(pieces, w.total / kBlock);
  parallel_blocks(blocks, [&](int64_t b) {
    const int64_t end = std::min(size, pieces * (b + 1) / blocks * grain);
    for (int64_t begin = pieces * b / blocks * grain; begin < end;) {
      const int64_t n = strips ? std::min(kStrip, end - begin) : end - begin;
      Position at;
      at.advance(w.loop[cut], begin);
      walk_part(w, cut, n, at, row);
      begin += n;
    }
  });
}
template <class F> void walk_in_blocks(const IndexWalk& w, const F& f) { walk_blocks(w, row_of(f)); }

// The indices are the user's own memory, which another thread may write to: each is read once, and what it is then
// decides. The step that it stands for, in elements. One that is outside stands for 0 until finish() raises, so that
// loops call nothing.
class Steps {
 public:
  explicit Steps(const GatherArgs& a)
      : index_(a.index), size_(static_cast<uint64_t>(a.size)), step_(a.step), dim_(a.dim), checked_(a.checked) {}
  int64_t operator[](int64_t i) { return place(i) * step_; }
  // The same where a step is one element. To guess that the index is good does not wait for the comparison.
  int64_t place(int64_t i) {
    const int64_t v = __atomic_load_n(index_ + i, __ATOMIC_RELAXED);
    if (static_cast<uint64_t>(v) < size_) [[likely]]
      return v;
    outside_ = true;
    value_ = v;
    return 0;
  }
  int64_t step() const { return step_; }
  bool have_places() const { return size_ > 0; }
  void finish() const {
    if (outside_ && !checked_) fail_out_of_bounds(ErrorKind::Runtime, value_, dim_, static_cast<int64_t>(size_));
  }

 private:
  const int64_t* index_;
  uint64_t size_;
  int64_t step_, value_ = 0;
  int dim_;
  bool checked_, outside_ = false;
};

// Calls f(position in the indexed tensor, position in the list) along a run. Most runs read vectors: index and list
// side by side, and the indexed tensor too. With `kAcross` runs along another dim than the indexed one have a loop too.
template <bool kAcross, class F> void each_pair_by(Steps& steps, const Position& at, const Loop& l, const F& f) {
  const int64_t size = l.size;
  if (kAcross && l.index == 1 && l.list == 1 && l.indexed == 1) {
    for (int64_t i = 0; i < size; ++i) f(at.indexed + i + steps[at.index + i], at.list + i);
    return;
  }
  if (l.index == 1 && l.list == 1 && l.indexed == 0 && steps.step() == 1) {
#pragma GCC unroll 4
    for (int64_t i = 0; i < size; ++i) f(at.indexed + steps.place(at.index + i), at.list + i);
    return;
  }
  for (int64_t i = 0; i < size; ++i)
    f(at.indexed + i * l.indexed + steps[at.index + i * l.index], at.list + i * l.list);
}
template <bool kAcross, class F> void each_pair(Steps steps, const Position& at, const Loop& l, const F& f) {
  if (steps.have_places())
    each_pair_by<kAcross>(steps, at, l, f);
  else
    steps.place(at.index);  // there is no 0 either
  steps.finish();
}

}  // namespace

void gather(const GatherArgs& a) {
  visit_item_size(item_size(a.dtype), [&](auto tag) {
    using T = typename decltype(tag)::type;
    const T* const indexed = reinterpret_cast<const T*>(a.indexed);
    T* const list = reinterpret_cast<T*>(a.list);
    walk_in_blocks(a.walk, [=, steps = Steps(a)](const Position& at, const Loop& l) {
      each_pair<true>(steps, at, l, [=](int64_t place, int64_t item) { list[item] = indexed[place]; });
    });
  });
}

void scatter(const GatherArgs& a) {
  visit_item_size(item_size(a.dtype), [&](auto tag) {
    using T = typename decltype(tag)::type;
    T* const indexed = reinterpret_cast<T*>(a.indexed);
    const T* const list = reinterpret_cast<const T*>(a.list);
    walk_in_blocks(a.walk, [=, steps = Steps(a)](const Position& at, const Loop& l) {
      each_pair<true>(steps, at, l, [=](int64_t place, int64_t item) { indexed[place] = list[item]; });
    });
  });
}

// indexed[index] = join(indexed[index], list), for elements of type T.
template <class T, bool kAcross, class Join> static void scatter_joined(const GatherArgs& a, const Join& join) {
  T* const indexed = reinterpret_cast<T*>(a.indexed);
  const T* const list = reinterpret_cast<const T*>(a.list);
  walk_in_blocks(a.walk, [=, steps = Steps(a)](const Position& at, const Loop& l) {
    each_pair<kAcross>(steps, at, l,
                       [&](int64_t place, int64_t item) { indexed[place] = join(indexed[place], list[item]); });
  });
}

void scatter_add(const GatherArgs& a) {
  visit_addable(a.dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    constexpr bool often = std::is_same_v<T, float> || std::is_same_v<T, double>;
    scatter_joined<T, often>(a, [](T x, T y) { return plus(x, y); });
  });
}

void scatter_multiply(const GatherArgs& a) {
  visit_dtype(a.dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    scatter_joined<T, false>(a, [](T x, T y) {
      if constexpr (is_floating_type<T> || std::is_same_v<T, bool>)
        return static_cast<T>(x * y);
      else
        return static_cast<T>(static_cast<uint64_t>(x) * static_cast<uint64_t>(y));  // integers wrap
    });
  });
}

// y where it is larger (by kSign) than x or NaN, without a branch: which of them is larger nobody guesses. NaN stays.
template <class T, int kSign> static T extreme(T x, T y) {
  if constexpr (std::is_same_v<T, float> || std::is_same_v<T, double>) {  // in vectors, which have masks
    typedef T V __attribute__((vector_size(16)));
    using Bits = decltype(V{} < V{});
    const V of_x = {x}, of_y = {y};
    const Bits takes_y = (of_y != of_y) | (kSign > 0 ? of_y > of_x : of_y < of_x);
    return reinterpret_cast<V>((takes_y & reinterpret_cast<Bits>(of_y)) | (~takes_y & reinterpret_cast<Bits>(of_x)))[0];
  } else {
    return y != y ? y : (kSign > 0 ? y > x : y < x) ? y : x;
  }
}

void scatter_max(const GatherArgs& a) {
  visit_dtype(a.dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    scatter_joined<T, false>(a, [](T x, T y) { return extreme<T, 1>(x, y); });
  });
}
void scatter_min(const GatherArgs& a) {
  visit_dtype(a.dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    scatter_joined<T, false>(a, [](T x, T y) { return extreme<T, -1>(x, y); });
  });
}

void check_index(const CheckIndexArgs& a) {
  const uint64_t size = static_cast<uint64_t>(a.size);
  walk_in_blocks(a.walk, [&](const Position& at, const Loop& l) {
    const int64_t* row = a.index + at.index;
    // The sign of what is below 0, or above the last: old vectors have no comparison of 64 bits.
    uint64_t signs = 0;
    const auto look = [&signs, last = size - 1](int64_t i) {
      const auto v = static_cast<uint64_t>(i);
      signs |= v | (last - v);
    };
    if (l.index == 1)
      for (int64_t i = 0; i < l.size; ++i) look(row[i]);
    else
      for (int64_t i = 0; i < l.size; ++i) look(row[i * l.index]);
    for (int64_t i = 0; signs >> 63 && i < l.size; ++i) {
      const int64_t v = row[i * l.index];
      if (static_cast<uint64_t>(v) >= size) fail_out_of_bounds(ErrorKind::Runtime, v, a.dim, a.size);
    }
  });
}

void add_in_order(const AddInOrderArgs& a) {
  visit_addable(a.dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    T* const indexed = reinterpret_cast<T*>(a.indexed);
    const T* const list = reinterpret_cast<const T*>(a.list);
    walk_rows(a.walk, [=](const Position& at, const Loop& l) {
      for (int64_t i = 0; i < l.size; ++i) {
        T& place = indexed[at.indexed + i * l.indexed];
        place = plus(place, list[at.list + i * l.list]);
      }
    });
  });
}

}  // namespace gradcore::portable
