// Sums over windows straight from strips: a vector holds outputs side by side, a tile is some vectors of some output
// channels, held in registers while the sum runs over channels and taps. Start at sum_windows().
//
// Each output is one chain of multiply-adds in the order of channels and taps, however the work is cut.
#include "kernels/conv/ways.h"

#include "core/parallel.h"

namespace gradcore::GC_ISA {
namespace {

constexpr int64_t kStripBytes = 192 << 10;  // of a strip: it stays in the second cache
constexpr int64_t kPartWork = 1 << 15;      // multiply-adds that make a part worth a thread's start
constexpr int kMostVecs = 8;

#if defined(__AVX512F__)
constexpr int kMostRows = 14;
// Vectors of a tile by its rows: accumulators, vectors of the source and one weight fill the registers.
constexpr int vecs_for(int rows) { return rows <= 2 ? 8 : rows <= 6 ? 4 : 2; }
#else
constexpr int kMostRows = 6;
constexpr int vecs_for(int rows) { return rows <= 1 ? 8 : rows <= 2 ? 4 : 2; }
#endif

template <class T> struct WindowTile {
  int64_t c, channel;  // channels of the source, and their distance
  int64_t taps;
  const int64_t* tap;  // where each lies in a channel
  const T* w;          // [c][taps][rows]
  const T* bias;       // of each row, or null
  int64_t used;        // vectors whose sums are kept
  int64_t to_c, to_w;  // distances of output channels, and of places side by side
  const T* from[kMostVecs];
  T* to[kMostVecs];
  int64_t lanes[kMostVecs];  // places of each vector
};
template <class T> using WindowTileFn = void (*)(const WindowTile<T>&);

// Writes a tile from memory, [rows][vecs][lanes]: what is not a row of whole vectors.
template <class T> GC_OUTLINE void put_tile(const WindowTile<T>& t, const T* sums, int64_t rows, int64_t vecs) {
  constexpr int64_t L = kLanes<T>;
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = 0; j < t.used; ++j) {
      const T* const from = sums + (i * vecs + j) * L;
      T* const to = t.to[j] + i * t.to_c;
      for (int64_t l = 0; l < t.lanes[j]; ++l) to[l * t.to_w] = from[l];
    }
}

#if defined(__AVX512F__)
constexpr bool kStoresPart = true;  // as fast as whole vectors
#else
constexpr bool kStoresPart = false;
#endif

template <class T, int kRows> void run_window_tile(const WindowTile<T>& t) {
  constexpr int kVecs = vecs_for(kRows);
  const T* from[kVecs];
  Vec<T> sum[kRows][kVecs];
#pragma GCC unroll 8
  for (int j = 0; j < kVecs; ++j) from[j] = t.from[j];
#pragma GCC unroll 16
  for (int i = 0; i < kRows; ++i)
#pragma GCC unroll 8
    for (int j = 0; j < kVecs; ++j) sum[i][j] = Vec<T>{} + (t.bias ? t.bias[i] : T(0));
  const T* w = t.w;
  const int64_t taps = t.taps, channel = t.channel;
  const int64_t* const tap = t.tap;
  for (int64_t c = t.c, base = 0; c > 0; --c, base += channel)
    for (int64_t k = 0; k < taps; ++k, w += kRows) {
      const int64_t at = base + tap[k];
      Vec<T> v[kVecs];
#pragma GCC unroll 8
      for (int j = 0; j < kVecs; ++j) v[j] = load(from[j] + at);
#pragma GCC unroll 16
      for (int i = 0; i < kRows; ++i)
#pragma GCC unroll 8
        for (int j = 0; j < kVecs; ++j) sum[i][j] += w[i] * v[j];
    }
  bool direct = t.to_w == 1;
  for (int64_t j = 0; !kStoresPart && j < t.used; ++j) direct &= t.lanes[j] == kLanes<T>;
  if (!direct) {
    alignas(64) T sums[kRows * kVecs * kLanes<T>];
#pragma GCC unroll 16
    for (int i = 0; i < kRows; ++i)
#pragma GCC unroll 8
      for (int j = 0; j < kVecs; ++j) store(sums + (i * kVecs + j) * kLanes<T>, sum[i][j]);
    return put_tile(t, sums, kRows, kVecs);
  }
#pragma GCC unroll 8
  for (int j = 0; j < kVecs; ++j) {
    if (j >= t.used) break;
    T* const to = t.to[j];
    const int64_t lanes = t.lanes[j];
#pragma GCC unroll 16
    for (int i = 0; i < kRows; ++i) {
      if constexpr (kStoresPart)
        store_part(to + i * t.to_c, sum[i][j], lanes);
      else
        store(to + i * t.to_c, sum[i][j]);
    }
  }
}

template <class T> struct WindowTiles {
  template <int kRows> static constexpr WindowTileFn<T> at() {
    return run_window_tile<T, (kRows < kMostRows ? kRows : kMostRows)>;
  }
  static constexpr WindowTileFn<T> of[14] = {at<1>(), at<2>(), at<3>(),  at<4>(),  at<5>(),  at<6>(),  at<7>(),
                                             at<8>(), at<9>(), at<10>(), at<11>(), at<12>(), at<13>(), at<14>()};
};

// How the work is cut: rows of a tile, and the strips.
struct DirectPlan {
  int64_t rows;    // output channels of a tile
  int64_t hn, wn;  // outputs of a strip
  int64_t across, down;
};
template <class T> DirectPlan plan_direct(const Windows<T>& p) {
  const Axis &h = p.axis[1], &w = p.axis[2];
  DirectPlan plan{even_part(p.o, kMostRows), h.out, w.out, 1, 1};
  const int64_t most = kStripBytes / static_cast<int64_t>(sizeof(T));
  const auto size = [&] { return Strip::make(p, 0, 0, plan.hn, 0, plan.wn).channel * p.c; };
  while (plan.hn > 1 && size() > most) plan.hn = ceil_div(plan.hn, 2);
  while (plan.wn > 4 * kLanes<T> && size() > 2 * most) plan.wn = round_up(ceil_div(plan.wn, 2), kLanes<T>);
  // Enough parts for all threads.
  const int64_t threads = num_threads(), work = p.places() * p.o * p.depth();
  const auto parts = [&] {
    return p.n * p.groups * p.axis[0].out * ceil_div(h.out, plan.hn) * ceil_div(w.out, plan.wn);
  };
  while (threads > 1 && plan.hn > 1 && parts() < 2 * threads && work * p.n * p.groups > 2 * parts() * kPartWork)
    plan.hn = ceil_div(plan.hn, 2);
  plan.hn = even_part(h.out, plan.hn);
  plan.down = ceil_div(h.out, plan.hn);
  plan.across = ceil_div(w.out, plan.wn);
  return plan;
}

// Weights as tiles read them: [groups][o / rows][c][taps][rows].
template <class T> void pack_weights(const Windows<T>& p, int64_t rows, T* to) {
  const Axis &d = p.axis[0], &h = p.axis[1], &w = p.axis[2];
  const int64_t blocks = ceil_div(p.o, rows), depth = p.depth();
  auto pack = [&](int64_t block) {
    const int64_t group = block / blocks, o0 = block % blocks * rows, os = smaller(rows, p.o - o0);
    T* at = to + (group * p.o + o0) * depth;
    const T* const first = p.w + group * p.w_g + o0 * p.w_o + d.tap * d.w_step + h.tap * h.w_step + w.tap * w.w_step;
    const int64_t d_step = d.tap_step * d.w_step, h_step = h.tap_step * h.w_step, w_step = w.tap_step * w.w_step;
    for (int64_t c = 0; c < p.c; ++c)
      for (int64_t i = 0; i < d.taps; ++i)
        for (int64_t j = 0; j < h.taps; ++j)
          for (int64_t k = 0; k < w.taps; ++k, at += os) {
            const T* const from = first + c * p.w_c + i * d_step + j * h_step + k * w_step;
            for (int64_t o = 0; o < os; ++o) at[o] = from[o * p.w_o];
          }
  };
  if (p.groups * p.o * depth < kPartWork) {
    for (int64_t b = 0; b < p.groups * blocks; ++b) pack(b);
    return;
  }
  parallel_blocks(p.groups * blocks, pack);
}

// The tiles of one strip. `to` is the output at its first place, `w` the weights of the group.
template <class T>
void sum_strip(const Windows<T>& p, const DirectPlan& plan, const Strip& s, const T* strip, const int64_t* taps,
               const T* w, const T* bias, T* to) {
  constexpr int64_t L = kLanes<T>;
  const int64_t across = ceil_div(s.w.out, L), vecs = s.h.out * across, depth = p.depth();
  WindowTile<T> t{};
  t.c = p.c, t.channel = s.channel, t.taps = p.taps(), t.tap = taps;
  t.to_c = p.to_c, t.to_w = s.w.dst_step * s.w.to_step;
  const int64_t each = vecs_for(static_cast<int>(plan.rows)), to_h = s.h.dst_step * s.h.to_step;
  T* targets[kMostVecs];
  for (int64_t v = 0; v < vecs; v += each) {
    t.used = smaller(each, vecs - v);
    for (int64_t j = 0; j < kMostVecs; ++j) {
      const int64_t at = v + smaller(j, t.used - 1), h = at / across, x = at % across * L;
      t.from[j] = strip + h * s.out_row() + x;
      targets[j] = to + h * to_h + x * t.to_w;
      t.lanes[j] = smaller(L, s.w.out - x);
    }
    for (int64_t o = 0; o < p.o; o += plan.rows) {
      const int64_t rows = smaller(plan.rows, p.o - o);
      t.w = w + o * depth;
      t.bias = bias ? bias + o : nullptr;
      for (int64_t j = 0; j < kMostVecs; ++j) t.to[j] = targets[j] + o * p.to_c;
      // The last rows, where they are fewer, may have tiles of more vectors: those repeat the last one.
      WindowTiles<T>::of[rows - 1](t);
    }
  }
}

// Whether output channels fill vectors better than rows of outputs do, in sums that are long enough for the copies that
// this takes.
template <class T> bool better_last(const Windows<T>& p) {
  const Axis& w = p.axis[2];
  // Outputs are then written as they lie, and not one by one.
  if (p.to_c == 1 && p.o > 1) return used_lanes<T>(p.o) >= 0.5;
  // A strip takes rows apart where they are read in steps.
  const bool apart = w.step > 1 && w.span() >= w.step;
  return p.depth() >= 64 && used_lanes<T>(p.o) > (apart ? 0.95 : 1.05) * used_lanes<T>(w.out);
}

}  // namespace

template <class T> void fill_with_bias(const Windows<T>& p) {
  const Axis &d = p.axis[0], &h = p.axis[1], &w = p.axis[2];
  const int64_t channels = p.groups * p.o, step = w.dst_step * w.to_step;
  const int64_t each = larger(1, kPartWork / (channels * p.places()));
  const auto fill_row = [&](T* to, T value) {
    if (step == 1) {
      for (int64_t k = 0; k < w.out; ++k) to[k] = value;
    } else {
      for (int64_t k = 0; k < w.out; ++k) to[k * step] = value;
    }
  };
  const auto fill_image = [&](T* to) {
    for (int64_t o = 0; o < channels; ++o)
      for (int64_t i = 0; i < d.out; ++i)
        for (int64_t j = 0; j < h.out; ++j)
          fill_row(to + o * p.to_c + i * d.dst_step * d.to_step + j * h.dst_step * h.to_step,
                   p.bias ? p.bias[o] : T(0));
  };
  // In the order of memory, where channels lie side by side.
  const auto fill_places = [&](T* to) {
    for (int64_t i = 0; i < d.out; ++i)
      for (int64_t j = 0; j < h.out; ++j)
        for (int64_t k = 0; k < w.out; ++k) {
          T* const at = to + i * d.dst_step * d.to_step + j * h.dst_step * h.to_step + k * step;
          if (p.bias)
            __builtin_memcpy(at, p.bias, static_cast<size_t>(channels) * sizeof(T));
          else
            __builtin_memset(at, 0, static_cast<size_t>(channels) * sizeof(T));
        }
  };
  parallel_blocks(ceil_div(p.n, each), [&](int64_t part) {
    for (int64_t image = part * each; image < smaller(p.n, (part + 1) * each); ++image)
      p.to_c == 1 ? fill_places(p.target(image, 0)) : fill_image(p.target(image, 0));
  });
}

template <class T> void sum_windows(const Windows<T>& p) {
  if (p.n * p.groups * p.o * p.places() == 0) return;
  const int64_t depth = p.depth();
  if (depth == 0) return fill_with_bias(p);
  if (fits_product(p)) return sum_by_product(p);
  if (fits_depthwise(p)) return sum_depthwise(p);
  if (fits_depthwise_last(p)) return sum_depthwise_last(p);
  if (better_last(p)) return sum_windows_last(p);
  const DirectPlan plan = plan_direct(p);
  const Scratch<T> weights(p.groups * p.o * depth);
  pack_weights(p, plan.rows, weights.data());
  const Scratch<int64_t> taps(p.taps());
  list_taps(Strip::make(p, 0, 0, plan.hn, 0, plan.wn), taps.data());
  const int64_t strips = p.axis[0].out * plan.down * plan.across;
  parallel_blocks(p.n * p.groups * strips, [&](int64_t part) {
    const int64_t image = part / strips / p.groups, group = part / strips % p.groups;
    const int64_t d0 = part % strips / (plan.down * plan.across), at = part % (plan.down * plan.across);
    const int64_t h0 = at / plan.across * plan.hn, w0 = at % plan.across * plan.wn;
    const int64_t hn = smaller(plan.hn, p.axis[1].out - h0), wn = smaller(plan.wn, p.axis[2].out - w0);
    // Cut as the others are, so that taps lie in the same places.
    Strip s = Strip::make(p, d0, h0, plan.hn, w0, plan.wn);
    const Scratch<T> strip(strip_size(p, s));
    pack_strip(p, s, p.source(image, group), strip.data());
    s.h.out = hn, s.w.out = wn;
    const auto step = [](const Axis& a) { return a.dst_step * a.to_step; };
    T* const to = p.target(image, group) + d0 * step(p.axis[0]) + h0 * step(p.axis[1]) + w0 * step(p.axis[2]);
    sum_strip(p, plan, s, strip.data(), taps.data(), weights.data() + group * p.o * depth,
              p.bias ? p.bias + group * p.o : nullptr, to);
  });
}

template void fill_with_bias(const Windows<float>&);
template void fill_with_bias(const Windows<double>&);
template void sum_windows(const Windows<float>&);
template void sum_windows(const Windows<double>&);

}  // namespace gradcore::GC_ISA
