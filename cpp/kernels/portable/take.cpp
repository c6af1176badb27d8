#include "kernels/portable/take.h"

#include <algorithm>
#include <cstring>

#include "core/parallel.h"
#include "kernels/portable/elements.h"

namespace gradcore::portable {

namespace {

constexpr double kRunCost = 3;      // nanoseconds for finding a run of inner elements,
constexpr double kByteCost = 0.15;  // and for each of its bytes
constexpr int64_t kBlockCost = 8000;

// How many blocks some work is worth: one when threads do not pay.
int64_t block_count(const TakeArgs& a, int64_t item, int64_t most) {
  const double runs = static_cast<double>(a.outer_count * a.index_count);
  const double cost = runs * (kRunCost + kByteCost * static_cast<double>(a.inner_count * item));
  if (cost < 2 * kBlockCost) return 1;
  return std::clamp<int64_t>(static_cast<int64_t>(cost / kBlockCost), 1, most);
}

template <class T> void take_run(T* to, const T* from, const Offsets& inner, int64_t n) {
  if (inner.dense())
    std::memcpy(to, from, static_cast<size_t>(n) * sizeof(T));
  else
    for (int64_t i = 0; i < n; ++i) to[i] = from[inner[i]];
}

// A few single elements of each outer place, one index after the other, from as many places as stay in the cache.
template <class T> void take_few(const TakeArgs& a, int64_t begin, int64_t end) {
  constexpr int64_t kTile = 1024;
  const T* const tensor = reinterpret_cast<const T*>(a.tensor);
  const Offsets outer{a.outer, a.outer_step};
  const int64_t count = a.index_count;
  for (int64_t tile = begin; tile < end; tile += kTile)
    for (int64_t k = 0; k < count; ++k) {
      const T* const from = tensor + a.index[k];
      T* const to = reinterpret_cast<T*>(a.list) + k;
      for (int64_t o = tile; o < std::min(end, tile + kTile); ++o) to[o * count] = from[outer[o]];
    }
}

template <class T> void take_of(const TakeArgs& a) {
  const T* const tensor = reinterpret_cast<const T*>(a.tensor);
  T* const list = reinterpret_cast<T*>(a.list);
  const Offsets outer{a.outer, a.outer_step}, inner{a.inner, a.inner_step};
  const int64_t* const index = a.index;
  const int64_t count = a.index_count, n = a.inner_count, runs = a.outer_count * count;
  constexpr int64_t kFew = 8;
  if (n == 1 && count <= kFew) {
    const int64_t blocks = block_count(a, sizeof(T), a.outer_count);
    return parallel_blocks(
        blocks, [&](int64_t b) { take_few<T>(a, a.outer_count * b / blocks, a.outer_count * (b + 1) / blocks); });
  }
  const int64_t blocks = block_count(a, sizeof(T), runs);
  parallel_blocks(blocks, [&](int64_t block) {
    const int64_t end = runs * (block + 1) / blocks;
    int64_t run = runs * block / blocks, o = count ? run / count : 0, k = run - o * count;
    while (run < end) {
      const int64_t stop = std::min(end - run, count - k);
      const T* from = tensor + outer[o];
      T* to = list + run * n;
      if (n == 1)
        for (int64_t j = 0; j < stop; ++j) to[j] = from[index[k + j]];
      else
        for (int64_t j = 0; j < stop; ++j) take_run(to + j * n, from + index[k + j], inner, n);
      run += stop;
      ++o;
      k = 0;
    }
  });
}

template <class T, bool kAdd> void put_of(const TakeArgs& a) {
  const auto store = [](T& to, T v) { to = kAdd ? plus(to, v) : v; };
  T* const tensor = reinterpret_cast<T*>(a.tensor);
  const T* const list = reinterpret_cast<const T*>(a.list);
  const int64_t list_step = a.one_value ? 0 : 1;
  const Offsets outer{a.outer, a.outer_step}, inner{a.inner, a.inner_step};
  const int64_t* const index = a.index;
  const int64_t count = a.index_count, n = a.inner_count;
  const auto put_run = [&](int64_t o, int64_t k, int64_t begin, int64_t end) {
    T* to = tensor + outer[o] + index[k];
    const T* from = list + (o * count + k) * n * list_step;
    if (list_step == 0 && inner.dense()) {
      const T value = *from;
      for (int64_t i = begin; i < end; ++i) store(to[i], value);
    } else if (list_step == 0) {
      for (int64_t i = begin; i < end; ++i) store(to[inner[i]], *from);
    } else if (!inner.dense()) {
      for (int64_t i = begin; i < end; ++i) store(to[inner[i]], from[i]);
    } else if constexpr (kAdd) {
#pragma omp simd
      for (int64_t i = begin; i < end; ++i) to[i] = plus(to[i], from[i]);
    } else {
      std::memcpy(to + begin, from + begin, static_cast<size_t>(end - begin) * sizeof(T));
    }
  };
  // Runs that may meet in one place stay in one block, in order; how the places are cut changes no result.
  const bool by_outer = a.outer_count > 1;
  const int64_t places = by_outer ? a.outer_count : n;
  const int64_t most = by_outer ? places : std::min<int64_t>(num_threads(), std::max<int64_t>(1, places / 64));
  const int64_t blocks = block_count(a, sizeof(T), most);
  parallel_blocks(blocks, [&](int64_t block) {
    const int64_t begin = places * block / blocks, end = places * (block + 1) / blocks;
    for (int64_t o = by_outer ? begin : 0; o < (by_outer ? end : 1); ++o) {
      if (n == 1) {
        T* to = tensor + outer[o];
        const T* from = list + o * count * list_step;
#pragma GCC unroll 4
        for (int64_t k = 0; k < count; ++k) store(to[index[k]], from[k * list_step]);
        continue;
      }
      for (int64_t k = 0; k < count; ++k) put_run(o, k, by_outer ? 0 : begin, by_outer ? n : end);
    }
  });
}

}  // namespace

void take(const TakeArgs& a) {
  visit_item_size(item_size(a.dtype), [&](auto tag) { take_of<typename decltype(tag)::type>(a); });
}

void put(const TakeArgs& a) {
  visit_item_size(item_size(a.dtype), [&](auto tag) {
    using T = typename decltype(tag)::type;
    put_of<T, false>(a);
  });
}

void put_add(const TakeArgs& a) {
  visit_addable(a.dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    put_of<T, true>(a);
  });
}

void add_offset_dim(const OffsetDimArgs& a) {
  if (a.done == 1) a.offsets[0] = 0;
  for (int64_t i = 1; i < a.size; ++i)
    for (int64_t j = 0; j < a.done; ++j) a.offsets[i * a.done + j] = a.offsets[j] + i * a.step;
}

namespace {

// The index counts from 0 on afterwards, and in steps of `stride`.
void wrap_block(const WrapIndexArgs& a, int64_t begin, int64_t end) {
  const uint64_t lowest = static_cast<uint64_t>(a.from_end ? -a.size : 0), last = static_cast<uint64_t>(a.size - 1);
  // The signs of what is outside, and of what counts from the end: old vectors have no comparison of 64 bits.
  uint64_t outside = 0, negative = 0;
  for (int64_t i = begin; i < end; ++i) {
    const auto v = static_cast<uint64_t>(a.index[i]);
    outside |= (v - lowest) | (last - v);
    negative |= v;
  }
  for (int64_t i = begin; outside >> 63 && i < end; ++i) {
    const int64_t v = a.index[i];
    if (v < static_cast<int64_t>(lowest) || v >= a.size) fail_out_of_bounds(a.error, v, a.dim, a.size);
  }
  if (negative >> 63)
    for (int64_t i = begin; i < end; ++i) a.index[i] += a.index[i] < 0 ? a.size : 0;
  if (a.stride != 1)
    for (int64_t i = begin; i < end; ++i) a.index[i] *= a.stride;
}

}  // namespace

void wrap_index(const WrapIndexArgs& a) {
  constexpr int64_t kBlock = 32 << 10;
  parallel_blocks((a.n + kBlock - 1) / kBlock,
                  [&](int64_t b) { wrap_block(a, b * kBlock, std::min(a.n, (b + 1) * kBlock)); });
}

void fail_out_of_bounds(ErrorKind kind, int64_t index, int dim, int64_t size) {
  if (dim < 0) fail(kind, "index out of range in self");
  fail(kind, "index ", index, " is out of bounds for dimension ", dim, " with size ", size);
}

void count_repeats(const CountRepeatsArgs& a) {
  int64_t total = 0;
  for (int64_t i = 0; i < a.n; ++i) {
    check(a.counts[i] >= 0, "repeats can not be negative");
    check(!__builtin_add_overflow(total, a.counts[i], &total), "repeat_interleave: the sum of the repeats overflows");
  }
  *a.total = total;
}

void repeat_index(const RepeatIndexArgs& a) {
  int64_t done = 0;
  for (int64_t i = 0; i < a.n; ++i) {
    const int64_t count = std::clamp<int64_t>(a.counts[i], 0, a.size - done);
    std::fill_n(a.out + done, count, i);
    done += count;
  }
}

}  // namespace gradcore::portable
