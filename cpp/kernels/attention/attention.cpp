// Attention, block by block. Start at attend_block() and differentiate_block().
//
// Note [Attention in blocks]
// The scores of some queries with some keys are one block, which stays in the cache: it is made, goes through the
// softmax, and is multiplied with the values. What the softmax of a whole row needs is kept beside: the greatest score
// so far and the sum of exponentials relative to it; where a block brings a greater one, what was summed is scaled
// down. Backward makes the blocks anew from the logarithm of the sum. With P the probabilities, G the gradient of the
// output and D = rowsum(G * out):
//
//     dV = P^T G     dS = P * (G V^T - D) * scale     dQ = dS K     dK = dS^T Q
//
// A block is the same whoever computes it, and sums go in the order of blocks: the bits do not depend on the threads.
#include "kernels/attention/attention.h"

#include "core/parallel.h"
#include "kernels/math.h"
#include "kernels/matmul/tiles.h"

namespace gradcore::GC_ISA {
namespace {

constexpr int64_t kQueries = 4 * kTileRows;  // of a block
constexpr int64_t kKeys = 128;
constexpr double kWorth = 2e5;  // multiplications that make a thread worth its start
template <class T> constexpr T kInfinity = static_cast<T>(__builtin_inf());

// ---- matrices

template <class T> struct Rows {
  T* data;
  int64_t row;
  T* at(int64_t i) const { return data + i * row; }
};
template <class T> GC_INLINE Rows<T> rows_of(const HeadsArg& a, int64_t batch, int64_t head) {
  return {static_cast<T*>(a.data) + batch * a.batch + head * a.head, a.row};
}
// A as the left side of a product: element (i, k) at data[i * row + k * col].
template <class T> struct Left {
  const T* data;
  int64_t row, col;
};

// C (+)= A B of m x n elements, where B has n columns side by side; panel(j) is where B's columns from j on begin.
template <class T, class Panel>
GC_INLINE void multiply_tiles(int64_t m, int64_t n, int64_t k, Left<T> a, const Panel& panel, int64_t ldb, Rows<T> c,
                              bool accumulate) {
  for (int64_t j = 0; j < n; j += kTileCols<T>)
    for (int64_t i = 0; i < m; i += kTileRows) {
      Tile<T> t{k, a.data + i * a.row, a.row, a.col, panel(j), ldb, c.at(i) + j, c.row, 0, accumulate};
      tile_fns(t, smaller(kTileCols<T>, n - j))[smaller(kTileRows, m - i) - 1](t);
    }
}
template <class T> void multiply(int64_t m, int64_t n, int64_t k, Left<T> a, Rows<T> b, Rows<T> c, bool accumulate) {
  multiply_tiles(m, n, k, a, [&](int64_t j) { return b.data + j; }, b.row, c, accumulate);
}
// B^T as panels of kTileCols columns, filled up with zeros, one after the other.
template <class T> int64_t packed_size(int64_t rows, int64_t depth) { return round_up(rows, kTileCols<T>) * depth; }
template <class T> void pack_transposed(Rows<T> b, int64_t rows, int64_t depth, T* to) {
  constexpr int64_t lanes = kLanes<T>, width = kTileCols<T>;
  for (int64_t j = 0; j < rows; j += width, to += width * depth)
    for (int64_t v = 0; v < width; v += lanes) {
      const int64_t used = larger(0, smaller(lanes, rows - j - v));
      for (int64_t k = 0; k < depth; k += lanes)
        transpose(b.at(used ? j + v : 0) + k, b.row, used, smaller(lanes, depth - k), to + k * width + v, width);
    }
}
// C = A B^T for the rows [first, first + n) of B, `first` being where a panel begins.
template <class T>
void multiply_packed(int64_t m, int64_t first, int64_t n, int64_t depth, Rows<T> a, const T* packed, Rows<T> c) {
  const T* const begin = packed + first * depth;
  multiply_tiles(
      m, n, depth, Left<T>{a.data, a.row, 1}, [&](int64_t j) { return begin + j * depth; }, kTileCols<T>, c, false);
}

// ---- rows of scores

template <class T> GC_INLINE T greatest(const T* x, int64_t n) {
  constexpr int64_t lanes = kLanes<T>;
  T top = -kInfinity<T>;
  int64_t i = 0;
  if (n >= lanes) {
    Vec<T> best = load(x);
    for (i = lanes; i + lanes <= n; i += lanes) {
      const Vec<T> next = load(x + i);
      best = next > best ? next : best;
    }
    for (int l = 0; l < lanes; ++l) top = best[l] > top ? best[l] : top;
  }
  for (; i < n; ++i) top = x[i] > top ? x[i] : top;
  return top;
}
template <class T> GC_INLINE T sum_of(const T* x, int64_t n) {
  constexpr int64_t lanes = kLanes<T>;
  Vec<T> sum{};
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes) sum += load(x + i);
  T total = 0;
  for (int l = 0; l < lanes; ++l) total += sum[l];
  for (; i < n; ++i) total += x[i];
  return total;
}
template <class T> GC_INLINE T dot_of(const T* x, const T* y, int64_t n) {
  constexpr int64_t lanes = kLanes<T>;
  Vec<T> sum{};
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes) sum += load(x + i) * load(y + i);
  T total = 0;
  for (int l = 0; l < lanes; ++l) total += sum[l];
  for (; i < n; ++i) total += x[i] * y[i];
  return total;
}
// x = x * scale + mask
template <class T> GC_INLINE void scale_row(T* x, const T* mask, T scale, int64_t n) {
  if (mask) {
    GC_INDEPENDENT
    for (int64_t i = 0; i < n; ++i) x[i] = x[i] * scale + mask[i];
    return;
  }
  GC_INDEPENDENT
  for (int64_t i = 0; i < n; ++i) x[i] *= scale;
}
template <class T> GC_INLINE void exp_row(T* x, T shift, int64_t n) {
  GC_INDEPENDENT
  for (int64_t i = 0; i < n; ++i) x[i] = exp(Lane<T>{x[i] - shift}).v;
}
template <class T> GC_INLINE void clear_row(T* x, int64_t n) {
  for (int64_t i = 0; i < n; ++i) x[i] = 0;
}

// ---- what a head has

template <class T> struct Head {
  const AttentionSizes& sizes;
  Rows<T> q, mask;
  // How many of the keys [first, first + n) query i sees: they are the first of them.
  int64_t seen(int64_t i, int64_t first, int64_t n) const {
    return sizes.causal ? larger(0, smaller(n, i + 1 - first)) : n;
  }
  const T* mask_at(int64_t i, int64_t key) const { return mask.data ? mask.at(i) + key : nullptr; }
};
template <class T>
Head<T> head_of(const AttentionSizes& sizes, const HeadsArg& q, const HeadsArg& mask, int64_t b, int64_t h) {
  return {sizes, rows_of<T>(q, b, h), mask.data ? rows_of<T>(mask, b, h) : Rows<T>{nullptr, 0}};
}

// ---- forward

// The running softmax of a block's queries, and their output before it is divided by the sum.
template <class T> struct Running {
  T top[kQueries], sum[kQueries];
  Rows<T> out;
};

// The probabilities of a row of scores, relative to its greatest so far; out is scaled down where that has changed.
template <class T> GC_INLINE void add_row(Running<T>& run, int64_t r, T* x, int64_t seen, int64_t n, int64_t columns) {
  const T before = run.top[r], here = greatest(x, seen), top = here > before ? here : before;
  // NaN is no maximum, but comes through the exponentials.
  const T shift = top == -kInfinity<T> ? T(0) : top;
  exp_row(x, shift, seen);
  clear_row(x + seen, n - seen);
  if (top != before) {
    const T scale = exp(Lane<T>{before - shift}).v;
    run.sum[r] *= scale;
    T* const out = run.out.at(r);
    GC_INDEPENDENT
    for (int64_t i = 0; i < columns; ++i) out[i] *= scale;
    run.top[r] = top;
  }
  run.sum[r] += sum_of(x, seen);
}

// Queries [first, first + rows) with all keys that they see.
template <class T>
void attend_block(const Head<T>& head, int64_t first, int64_t rows, const T* keys, Rows<T> v, Running<T>& run,
                  Rows<T> scores) {
  const AttentionSizes& s = head.sizes;
  for (int64_t r = 0; r < rows; ++r) {
    run.top[r] = -kInfinity<T>;
    run.sum[r] = 0;
    clear_row(run.out.at(r), s.columns);
  }
  const int64_t end = head.seen(first + rows - 1, 0, s.keys);
  for (int64_t key = 0; key < end; key += kKeys) {
    const int64_t n = smaller(kKeys, end - key);
    multiply_packed(rows, key, n, s.depth, {head.q.at(first), head.q.row}, keys, scores);
    for (int64_t r = 0; r < rows; ++r) {
      const int64_t seen = head.seen(first + r, key, n);
      scale_row(scores.at(r), head.mask_at(first + r, key), static_cast<T>(s.scale), seen);
      add_row(run, r, scores.at(r), seen, n, s.columns);
    }
    multiply(rows, s.columns, n, Left<T>{scores.data, scores.row, 1}, {v.at(key), v.row}, run.out, true);
  }
}
template <class T>
void finish_block(const AttentionSizes& s, const Running<T>& run, int64_t rows, Rows<T> out, T* lse) {
  for (int64_t r = 0; r < rows; ++r) {
    const bool nothing = run.top[r] == -kInfinity<T> && run.sum[r] == 0;
    const T factor = nothing ? T(0) : T(1) / run.sum[r];
    const T* const from = run.out.at(r);
    T* const to = out.at(r);
    GC_INDEPENDENT
    for (int64_t i = 0; i < s.columns; ++i) to[i] = from[i] * factor;
    if (lse) lse[r] = nothing ? kInfinity<T> : run.top[r] + log(Lane<T>{run.sum[r]}).v;
  }
}

// Calls f(i) for i < count, on several threads where that pays.
template <class F> void each(const AttentionSizes& s, int64_t count, const F& f) {
  const double work = static_cast<double>(s.batch * s.heads) * s.queries * s.keys * (s.depth + s.columns);
  if (work >= 2 * kWorth) return parallel_blocks(count, [&](int64_t i) { f(i); });
  for (int64_t i = 0; i < count; ++i) f(i);
}

// Queries of a head that one task takes: all, where there are heads enough. By the shape alone.
GC_INLINE int64_t queries_of_task(const AttentionSizes& s) {
  constexpr int64_t kTasks = 8;
  const int64_t heads = s.batch * s.heads, blocks = ceil_div(s.queries, kQueries);
  return ceil_div(blocks, larger(1, smaller(blocks, kTasks / heads))) * kQueries;
}

template <class T> void attend(const AttentionArgs& a) {
  const AttentionSizes& s = a.sizes;
  const int64_t part = queries_of_task(s), parts = ceil_div(s.queries, part);
  const int64_t width = round_up(kKeys, kLanes<T>), out_width = round_up(s.columns, kLanes<T>);
  each(s, s.batch * s.heads * parts, [&](int64_t task) {
    const int64_t which = task / parts, b = which / s.heads, h = which % s.heads, begin = task % parts * part;
    const int64_t end = smaller(s.queries, begin + part);
    const Head<T> head = head_of<T>(s, a.q, a.mask, b, h);
    const Rows<T> k = rows_of<T>(a.k, b, h / s.shared), v = rows_of<T>(a.v, b, h / s.shared),
                  out = rows_of<T>(a.out, b, h);
    const int64_t keys = head.seen(end - 1, 0, s.keys);
    const Scratch<T> packed(packed_size<T>(keys, s.depth)), scores(kQueries * width), sums(kQueries * out_width);
    pack_transposed(k, keys, s.depth, packed.data());
    Running<T> run;
    run.out = {sums.data(), out_width};
    for (int64_t i = begin; i < end; i += kQueries) {
      const int64_t rows = smaller(kQueries, end - i);
      attend_block<T>(head, i, rows, packed.data(), v, run, {scores.data(), width});
      T* const lse = a.lse ? static_cast<T*>(a.lse) + which * s.queries + i : nullptr;
      finish_block<T>(s, run, rows, {out.at(i), out.row}, lse);
    }
  });
}

// ---- backward

template <class T> struct Gradients {
  Rows<T> q, k, v;
};
template <class T> struct Blocks {
  Rows<T> p, ds;
};

// One block of scores: adds to the gradients of its queries, keys and values.
template <class T>
void differentiate_block(const Head<T>& head, int64_t query, int64_t rows, int64_t key, int64_t n, Rows<T> g, Rows<T> k,
                         const T* packed_k, const T* packed_v, const T* lse, const T* delta, const Blocks<T>& block,
                         const Gradients<T>& to) {
  const AttentionSizes& s = head.sizes;
  const Rows<T> q{head.q.at(query), head.q.row}, g_rows{g.at(query), g.row};
  multiply_packed(rows, key, n, s.depth, q, packed_k, block.p);
  multiply_packed(rows, key, n, s.columns, g_rows, packed_v, block.ds);
  const T scale = static_cast<T>(s.scale);
  for (int64_t r = 0; r < rows; ++r) {
    const int64_t seen = head.seen(query + r, key, n);
    T *const p = block.p.at(r), *const ds = block.ds.at(r);
    scale_row(p, head.mask_at(query + r, key), scale, seen);
    exp_row(p, lse[query + r], seen);
    const T d = delta[query + r];
    GC_INDEPENDENT
    for (int64_t i = 0; i < seen; ++i) ds[i] = p[i] * (ds[i] - d) * scale;
    clear_row(p + seen, n - seen);
    clear_row(ds + seen, n - seen);
  }
  multiply<T>(n, s.columns, rows, {block.p.data, 1, block.p.row}, g_rows, {to.v.at(key), to.v.row}, true);
  multiply<T>(n, s.depth, rows, {block.ds.data, 1, block.ds.row}, q, {to.k.at(key), to.k.row}, true);
  multiply<T>(rows, s.depth, n, {block.ds.data, block.ds.row, 1}, {k.at(key), k.row}, {to.q.at(query), to.q.row}, true);
}

template <class T> void clear_rows(Rows<T> t, int64_t rows, int64_t n) {
  for (int64_t i = 0; i < rows; ++i) clear_row(t.at(i), n);
}

template <class T> void differentiate(const AttentionBackwardArgs& a) {
  const AttentionSizes& s = a.sizes;
  const int64_t others = s.heads / s.shared, width = round_up(kKeys, kLanes<T>);
  each(s, s.batch * others, [&](int64_t task) {
    const int64_t b = task / others, other = task % others;
    const Rows<T> k = rows_of<T>(a.k, b, other), v = rows_of<T>(a.v, b, other);
    Gradients<T> to{{}, rows_of<T>(a.dk, b, other), rows_of<T>(a.dv, b, other)};
    const Scratch<T> packed_k(packed_size<T>(s.keys, s.depth)), packed_v(packed_size<T>(s.keys, s.columns)),
        p(kQueries * width), ds(kQueries * width), delta(s.queries);
    pack_transposed(k, s.keys, s.depth, packed_k.data());
    pack_transposed(v, s.keys, s.columns, packed_v.data());
    clear_rows(to.k, s.keys, s.depth);
    clear_rows(to.v, s.keys, s.columns);
    for (int64_t h = other * s.shared; h < (other + 1) * s.shared; ++h) {
      const Head<T> head = head_of<T>(s, a.q, a.mask, b, h);
      const Rows<T> g = rows_of<T>(a.g, b, h), out = rows_of<T>(a.out, b, h);
      const T* const lse = static_cast<const T*>(a.lse) + (b * s.heads + h) * s.queries;
      to.q = rows_of<T>(a.dq, b, h);
      clear_rows(to.q, s.queries, s.depth);
      for (int64_t i = 0; i < s.queries; ++i) delta[i] = dot_of(g.at(i), out.at(i), s.columns);
      for (int64_t key = 0; key < s.keys; key += kKeys) {
        const int64_t n = smaller(kKeys, s.keys - key);
        for (int64_t i = 0; i < s.queries; i += kQueries) {
          const int64_t rows = smaller(kQueries, s.queries - i), seen = head.seen(i + rows - 1, key, n);
          if (seen == 0) continue;
          differentiate_block<T>(head, i, rows, key, seen, g, k, packed_k.data(), packed_v.data(), lse, delta.data(),
                                 {{p.data(), width}, {ds.data(), width}}, to);
        }
      }
    }
  });
}

}  // namespace

constinit const AttentionKernels attention_kernels{
    by_float<void (*)(const AttentionArgs&)>([]<class T>(TypeTag<T>) { return &attend<T>; }),
    by_float<void (*)(const AttentionBackwardArgs&)>([]<class T>(TypeTag<T>) { return &differentiate<T>; })};

}  // namespace gradcore::GC_ISA
