// Sums over windows where each group is one channel. Start at sum_depthwise().
//
// There is one weight for each place that is read, so that loads decide the time: a tile is kDown rows of one vector,
// and a row of the source is loaded once for all rows of outputs that read it. A vector holds places of a row, which
// are read from a strip, or, of channels side by side, as many channels, which are read where they lie.
#include "core/parallel.h"
#include "kernels/conv/ways.h"

namespace gradcore::GC_ISA {
namespace {

constexpr int kDown = 8;
constexpr int kMostStep = 2, kMostTaps = 7;
constexpr int64_t kRead = (kDown - 1) * kMostStep + kMostTaps;  // rows that a tile reads
constexpr int64_t kPartWork = 1 << 15;                          // places that make a part worth a thread's start
constexpr int64_t kStripBytes = 24 << 10;                       // of a plane: it stays in the first cache

// Tiles side by side.
template <class T> struct Columns {
  const T* row[kRead];
  int64_t taps;        // along a row
  const int64_t* tap;  // where each lies
  const T* w;          // [taps][rows of taps], w_step apart
  int64_t w_step;
  const T* bias;
  int64_t each;  // 1 where every lane has weights and a bias of its own, 0 where all have the same
  int64_t size;  // elements side by side
  T* to;
  int64_t to_row, to_step;
  int64_t used;  // rows that are kept
};

// Keeps v in a register: it would be loaded again for each use.
template <class V> GC_INLINE void hold(V& v) {
#if defined(__AVX512F__)
  asm("" : "+v"(v));
#elif defined(__SSE2__)
  asm("" : "+x"(v));
#elif defined(__aarch64__)
  asm("" : "+w"(v));
#endif
}

template <class T> GC_OUTLINE void put_rows(const Columns<T>& t, const T* sums, T* to, int64_t lanes) {
  for (int64_t r = 0; r < t.used; ++r, sums += kLanes<T>, to += t.to_row)
    for (int64_t i = 0; i < lanes; ++i) to[i * t.to_step] = sums[i];
}

template <class T, int kTaps, int kStep> void sum_columns(const Columns<T>& t) {
  constexpr int64_t L = kLanes<T>;
  for (int64_t i = 0; i < t.size; i += L) {
    // The last vector reaches back over the one before it.
    const int64_t at = larger(0, smaller(i, t.size - L)), own = at * t.each, lanes = smaller(L, t.size);
    Vec<T> sum[kDown];
    const Vec<T> bias = load(t.bias + own);
#pragma GCC unroll 8
    for (int r = 0; r < kDown; ++r) sum[r] = bias;
    const T* w = t.w + own;
    for (int64_t k = 0; k < t.taps; ++k, w += kTaps * t.w_step) {
      const int64_t x = at + t.tap[k];
      Vec<T> weights[kTaps];
#pragma GCC unroll 7
      for (int j = 0; j < kTaps; ++j) weights[j] = load(w + j * t.w_step);
#pragma GCC unroll 32
      for (int j = 0; j < (kDown - 1) * kStep + kTaps; ++j) {
        Vec<T> v = load(t.row[j] + x);
        hold(v);
#pragma GCC unroll 8
        for (int r = 0; r < kDown; ++r)
          if (j >= r * kStep && j - r * kStep < kTaps) sum[r] += weights[j - r * kStep] * v;
      }
    }
    T* const to = t.to + at * t.to_step;
    if (t.to_step != 1) {
      alignas(64) T sums[kDown * L];
#pragma GCC unroll 8
      for (int r = 0; r < kDown; ++r) store(sums + r * L, sum[r]);
      put_rows(t, sums, to, lanes);
      continue;
    }
#pragma GCC unroll 8
    for (int r = 0; r < kDown; ++r) {
      if (r < t.used) {
        if (lanes == L)
          store(to + r * t.to_row, sum[r]);
        else
          store_part(to + r * t.to_row, sum[r], lanes);
      }
    }
  }
}

template <class T> using ColumnsFn = void (*)(const Columns<T>&);
// For windows of so many rows, so far apart.
template <class T> ColumnsFn<T> columns_fn(int64_t taps, int64_t step) {
  if (step == 1) {
    switch (taps) {
      case 1: return sum_columns<T, 1, 1>;  // this and the next: the gradient where windows are 2 apart
      case 2: return sum_columns<T, 2, 1>;
      case 3: return sum_columns<T, 3, 1>;
      case 5: return sum_columns<T, 5, 1>;
      case 7: return sum_columns<T, 7, 1>;
    }
  }
  if (step == 2 && taps == 3) return sum_columns<T, 3, 2>;
  if (step == 2 && taps == 5) return sum_columns<T, 5, 2>;
  return nullptr;
}

GC_INLINE int64_t step_of(const Axis& a) { return a.dst_step * a.to_step; }

// The weights of a group, in the order in which a tile reads them.
template <class T, class F> GC_INLINE void each_weight(const Windows<T>& p, int64_t group, const F& f) {
  const Axis &d = p.axis[0], &h = p.axis[1], &w = p.axis[2];
  const T* const first = p.w + group * p.w_g + d.tap * d.w_step + h.tap * h.w_step + w.tap * w.w_step;
  for (int64_t k = 0; k < w.taps; ++k)
    for (int64_t r = 0; r < h.taps; ++r)
      f(k * h.taps + r, first[r * h.tap_step * h.w_step + k * w.tap_step * w.w_step]);
}

// ---- vectors of places

// Rows [low, high) of the source, dense, each as Note [Strips] has it; what lies outside is zeros. The first place of
// each remainder begins a line of the cache. What is not written for a channel stays as it is for all: zeros.
template <class T> struct PlaneStrip {
  const Axis &h, &w;
  int64_t phases, pitch;
  Run run[kMostStep];
  int64_t shift[kMostStep];
  Scratch<T> rows;

  // `most`: rows that it holds at most, besides one of zeros.
  PlaneStrip(const Windows<T>& p, int64_t most) : PlaneStrip(p, most, pitch_for(p)) {}
  PlaneStrip(const Windows<T>& p, int64_t most, int64_t line)
      : h(p.axis[1]), w(p.axis[2]), phases(phases_of(w)), pitch(line), rows((most + 1) * row_size()) {
    for (int64_t q = 0; q < phases; ++q) run[q] = run_of(w, q, width(w)), shift[q] = shift_of(run[q]);
    __builtin_memset(rows.data(), 0, static_cast<size_t>((most + 1) * row_size()) * sizeof(T));
  }
  static int64_t phases_of(const Axis& w) { return smaller(w.step, w.span()); }
  static int64_t width(const Axis& w) { return larger(w.out, kLanes<T>) + (w.span() - 1) / w.step; }
  static int64_t shift_of(Run r) { return round_up(r.low, kLanes<T>) - r.low; }
  static int64_t pitch_for(const Windows<T>& p) {
    const Axis& w = p.axis[2];
    int64_t most = 0;
    for (int64_t q = 0; q < phases_of(w); ++q) {
      const Run r = run_of(w, q, width(w));
      most = larger(most, shift_of(r) + larger(width(w), r.low + round_up(r.high - r.low, kLanes<T>)));
    }
    return round_up(most, kLanes<T>);
  }
  int64_t row_size() const { return phases * pitch; }
  int64_t tap(int64_t k) const {
    const int64_t place = k * w.apart;
    return place % w.step * pitch + shift[place % w.step] + place / w.step;
  }
  void pack(const T* from, int64_t low, int64_t high) const {
    T* to = rows.data() + row_size();
    for (int64_t y = low; y < high; ++y)
      for (int64_t q = 0; q < phases; ++q, to += pitch)
        copy_past(from + y * h.from_step + (w.first + q + run[q].low * w.step) * w.from_step, w.step * w.from_step,
                  to + shift[q] + run[q].low, run[q].high - run[q].low);
  }
  const T* row(int64_t y, int64_t low, int64_t high) const {
    return rows.data() + (y < low || y >= high ? 0 : (1 + y - low) * row_size());
  }
};

template <class T> void sum_along(const Windows<T>& p, ColumnsFn<T> run) {
  constexpr int64_t L = kLanes<T>;
  const Axis &d = p.axis[0], &h = p.axis[1], &w = p.axis[2];
  // Rows of outputs that are made from one strip.
  const int64_t row_bytes = PlaneStrip<T>::phases_of(w) * PlaneStrip<T>::pitch_for(p) * sizeof(T);
  const int64_t fit = (kStripBytes / row_bytes - h.taps) / (h.step * kDown) * kDown;
  const int64_t hn = smaller(round_up(h.out, kDown), larger(fit, kDown)), down = ceil_div(h.out, hn);
  const int64_t strips = p.n * p.groups * d.out * down, each = larger(1, kPartWork / (hn * w.out));
  parallel_blocks(ceil_div(strips, each), [&](int64_t part) {
    const PlaneStrip<T> strip(p, smaller(h.in, (hn - 1) * h.step + h.taps));
    const Scratch<T> weights((h.taps * w.taps + 1) * L);
    const Scratch<int64_t> taps(w.taps);
    for (int64_t k = 0; k < w.taps; ++k) taps[k] = strip.tap(k);
    Columns<T> t{};
    t.taps = w.taps, t.tap = taps.data(), t.w = weights.data() + L, t.w_step = L, t.bias = weights.data();
    t.size = w.out, t.to_row = step_of(h), t.to_step = step_of(w);
    for (int64_t i = part * each; i < smaller(strips, (part + 1) * each); ++i) {
      const int64_t first = i % down * hn, d0 = i / down % d.out, channel = i / down / d.out;
      const int64_t group = channel % p.groups, image = channel / p.groups;
      store(weights.data(), Vec<T>{} + (p.bias ? p.bias[group] : T(0)));
      each_weight(p, group, [&](int64_t k, T weight) { store(weights.data() + (k + 1) * L, Vec<T>{} + weight); });
      const int64_t z = d.first + d0 * d.step, y0 = h.first + first * h.step;
      int64_t low = larger(0, y0), high = smaller(h.in, y0 + (hn - 1) * h.step + h.taps);
      if (z < 0 || z >= d.in) high = low;
      strip.pack(p.source(image, group) + z * d.from_step, low, high);
      for (int64_t h0 = first; h0 < smaller(first + hn, h.out); h0 += kDown) {
        for (int64_t r = 0; r < (kDown - 1) * h.step + h.taps; ++r)
          t.row[r] = strip.row(h.first + h0 * h.step + r, low, high);
        t.to = p.target(image, group) + d0 * step_of(d) + h0 * t.to_row;
        t.used = smaller(kDown, h.out - h0);
        run(t);
      }
    }
  });
}

// ---- vectors of channels

template <class T> void sum_across(const Windows<T>& p, ColumnsFn<T> run) {
  const Axis &d = p.axis[0], &h = p.axis[1], &w = p.axis[2];
  const int64_t C = p.groups, down = ceil_div(h.out, kDown);
  const Scratch<T> weights((h.taps * w.taps + 1) * C), zeros(w.in * w.from_step + C);
  __builtin_memset(zeros.data(), 0, static_cast<size_t>(w.in * w.from_step + C) * sizeof(T));
  const Scratch<int64_t> taps(w.taps);
  for (int64_t k = 0; k < w.taps; ++k) taps[k] = k * w.apart * w.from_step;
  for (int64_t c = 0; c < C; ++c) {
    weights[c] = p.bias ? p.bias[c] : T(0);
    each_weight(p, c, [&](int64_t k, T weight) { weights[(k + 1) * C + c] = weight; });
  }
  const int64_t tiles = p.n * d.out * down, each = larger(1, kPartWork / (kDown * w.out * C));
  parallel_blocks(ceil_div(tiles, each), [&](int64_t part) {
    Columns<T> t{};
    t.w_step = C, t.bias = weights.data(), t.each = 1, t.size = C, t.to_row = step_of(h), t.to_step = 1;
    for (int64_t i = part * each; i < smaller(tiles, (part + 1) * each); ++i) {
      const int64_t h0 = i % down * kDown, d0 = i / down % d.out, image = i / down / d.out;
      const int64_t z = d.first + d0 * d.step;
      const T* row[kRead];
      for (int64_t r = 0; r < (kDown - 1) * h.step + h.taps; ++r) {
        const int64_t y = h.first + h0 * h.step + r;
        const bool inside = y >= 0 && y < h.in && z >= 0 && z < d.in;
        row[r] = inside ? p.source(image, 0) + z * d.from_step + y * h.from_step : zeros.data();
      }
      t.used = smaller(kDown, h.out - h0);
      t.to = p.target(image, 0) + d0 * step_of(d) + h0 * t.to_row;
      for (int64_t x = 0; x < w.out; ++x, t.to += step_of(w)) {
        // Taps before and behind the row are left out.
        const int64_t first = w.first + x * w.step, low = smaller(w.taps, first < 0 ? ceil_div(-first, w.apart) : 0);
        const int64_t high = first < w.in ? smaller(w.taps, ceil_div(w.in - first, w.apart)) : 0;
        t.taps = larger(0, high - low), t.tap = taps.data();
        t.w = weights.data() + (1 + low * h.taps) * C;
        const int64_t at = t.taps ? (first + low * w.apart) * w.from_step : 0;
        for (int64_t r = 0; r < (kDown - 1) * h.step + h.taps; ++r) t.row[r] = row[r] + at;
        run(t);
      }
    }
  });
}

}  // namespace

template <class T> bool fits_depthwise(const Windows<T>& p) {
  const Axis &d = p.axis[0], &h = p.axis[1];
  if (!reads_across(p) && PlaneStrip<T>::phases_of(p.axis[2]) > kMostStep) return false;  // a strip holds no more
  return p.c == 1 && p.o == 1 && d.taps == 1 && h.apart == 1 && columns_fn<T>(h.taps, h.step);
}

template <class T> void sum_depthwise(const Windows<T>& p) {
  const ColumnsFn<T> run = columns_fn<T>(p.axis[1].taps, p.axis[1].step);
  reads_across(p) ? sum_across(p, run) : sum_along(p, run);
}

template bool fits_depthwise(const Windows<float>&);
template bool fits_depthwise(const Windows<double>&);
template void sum_depthwise(const Windows<float>&);
template void sum_depthwise(const Windows<double>&);

}  // namespace gradcore::GC_ISA
