// Sums over windows with channels side by side: a vector holds output channels, a tile is some places of a row. Start
// at sum_windows_last().
//
// It does for many output channels what direct.cpp does for few, and as there each output is one chain of
// multiply-adds, in the order of taps and channels.
#include "core/parallel.h"
#include "kernels/conv/last.h"
#include "kernels/conv/ways.h"

namespace gradcore::GC_ISA {
namespace {

constexpr int64_t kStripBytes = 128 << 10;  // of the source
constexpr int64_t kPartWork = 1 << 15;      // multiply-adds that make a part worth a thread's start

template <class T> struct LastTile {
  int64_t runs, run;      // how many pieces a window has, and elements of each
  const int64_t* run_at;  // where they lie
  const T* x;
  int64_t x_place;  // from one output to the next
  const T* w;       // [runs][run][kVecs vectors]
  const T* bias;    // of the same vectors, or null
  T* to;
  int64_t to_place;
};
template <class T> using LastTileFn = void (*)(const LastTile<T>&);

template <class T, int kRows, int kVecs> void run_last_tile(const LastTile<T>& t) {
  constexpr int64_t L = kLanes<T>;
  Vec<T> sum[kRows][kVecs];
#pragma GCC unroll 2
  for (int j = 0; j < kVecs; ++j) {
    const Vec<T> b = t.bias ? load(t.bias + j * L) : Vec<T>{};
#pragma GCC unroll 16
    for (int i = 0; i < kRows; ++i) sum[i][j] = b;
  }
  const T* w = t.w;
  const int64_t place = t.x_place, run = t.run;
  for (int64_t r = 0; r < t.runs; ++r) {
    const T* x = t.x + t.run_at[r];
    for (int64_t k = run; k > 0; --k, ++x, w += kVecs * L) {
      Vec<T> v[kVecs];
#pragma GCC unroll 2
      for (int j = 0; j < kVecs; ++j) v[j] = load(w + j * L);
#pragma GCC unroll 16
      for (int i = 0; i < kRows; ++i)
#pragma GCC unroll 2
        for (int j = 0; j < kVecs; ++j) sum[i][j] += x[i * place] * v[j];
    }
  }
#pragma GCC unroll 16
  for (int i = 0; i < kRows; ++i)
#pragma GCC unroll 2
    for (int j = 0; j < kVecs; ++j) store(t.to + i * t.to_place + j * L, sum[i][j]);
}

template <class T, int kVecs> struct LastTiles {
  template <int kRows> static constexpr LastTileFn<T> at() {
    return run_last_tile<T, (kRows < kTileRows ? kRows : kTileRows), kVecs>;
  }
  static constexpr LastTileFn<T> of[14] = {at<1>(), at<2>(), at<3>(),  at<4>(),  at<5>(),  at<6>(),  at<7>(),
                                           at<8>(), at<9>(), at<10>(), at<11>(), at<12>(), at<13>(), at<14>()};
};

template <class T> struct LastWindows {
  static constexpr int64_t kPanel = 2 * kLanes<T>;
  const Windows<T>& p;
  LastShape<T> shape;
  int64_t hn, wn, down, across;  // outputs of a strip, and strips of a slice
  int64_t outs;                  // filled up to whole vectors
  Scratch<T> weights, bias;
  Scratch<int64_t> run_at;

  LastWindows(const Windows<T>& windows, int64_t rows, int64_t columns)
      : p(windows),
        shape(windows, rows, columns),
        hn(rows),
        wn(columns),
        down(ceil_div(p.axis[1].out, rows)),
        across(ceil_div(p.axis[2].out, columns)),
        outs(round_up(p.o, kLanes<T>)),
        weights(p.groups * p.depth() * outs),
        bias(p.bias ? p.groups * outs : 0),
        run_at(shape.runs) {
    for (int64_t r = 0; r < shape.runs; ++r) run_at[r] = shape.run_at(p, r);
    for (int64_t g = 0; p.bias && g < p.groups; ++g)
      for (int64_t o = 0; o < outs; o += kPanel)
        for (int64_t i = 0; i < wide(o); ++i)
          bias[g * outs + o + i] = first_of(o) + i < p.o ? p.bias[g * p.o + first_of(o) + i] : T(0);
    pack_weights();
  }

  int64_t wide(int64_t o) const { return smaller(kPanel, outs - o); }
  // The output channel that a panel begins with: the last panel reaches back over others rather than past the end.
  int64_t first_of(int64_t o) const { return larger(0, smaller(o, p.o - wide(o))); }
  // Whether tiles write outputs where they belong.
  bool in_place() const { return p.to_c == 1 && p.o >= smaller(kPanel, outs); }

  // [groups][panels][taps][c][outputs of the panel]
  void pack_weights() {
    const Axis &d = p.axis[0], &h = p.axis[1], &w = p.axis[2];
    const int64_t panels = ceil_div(outs, kPanel), depth = p.depth();
    auto pack = [&](int64_t at) {
      const int64_t group = at / panels, o = at % panels * kPanel, from = first_of(o),
                    os = smaller(wide(o), p.o - from);
      T* to = weights.data() + (group * outs + o) * depth;
      const T* const first =
          p.w + group * p.w_g + from * p.w_o + d.tap * d.w_step + h.tap * h.w_step + w.tap * w.w_step;
      for (int64_t i = 0; i < d.taps; ++i)
        for (int64_t j = 0; j < h.taps; ++j)
          for (int64_t k = 0; k < w.taps; ++k) {
            const T* const tap =
                first + i * d.tap_step * d.w_step + j * h.tap_step * h.w_step + k * w.tap_step * w.w_step;
            gather_last(Run2<const T>{tap, p.w_c, p.w_o, p.c, os}, to, wide(o));
            to += p.c * wide(o);
          }
    };
    if (p.groups * p.o * depth < kPartWork) {
      for (int64_t i = 0; i < p.groups * panels; ++i) pack(i);
    } else {
      parallel_blocks(p.groups * panels, pack);
    }
  }

  void sum_strip(int64_t image, int64_t group, int64_t d0, int64_t h0, int64_t w0) const {
    const Axis &d = p.axis[0], &h = p.axis[1], &w = p.axis[2];
    const int64_t rows = smaller(hn, h.out - h0), columns = smaller(wn, w.out - w0);
    const Scratch<T> x(shape.size() + kLanes<T>), y(in_place() ? 0 : rows * columns * outs);
    shape.pack(p, p.source(image, group), d0, h0, w0, x.data());
    const auto step = [](const Axis& a) { return a.dst_step * a.to_step; };
    T* const to = p.target(image, group) + d0 * step(d) + h0 * step(h) + w0 * step(w);
    for (int64_t r = 0; r < rows; ++r) {
      const T* const from = x.data() + r * h.step * shape.line();
      if (in_place())
        sum_row(group, from, columns, to + r * step(h), step(w));
      else
        sum_row(group, from, columns, y.data() + r * columns * outs, outs);
    }
    if (in_place()) return;
    // Whole rows without gaps are one.
    const bool one = columns == w.out && step(h) == w.out * step(w);
    channel_blocks<T>(p.o, p.to_c, [&](int64_t c, int64_t cs) {
      for (int64_t r = 0; r < (one ? 1 : rows); ++r)
        scatter_last(y.data() + r * columns * outs + c, outs,
                     Run2<T>{to + r * step(h) + c * p.to_c, step(w), p.to_c, one ? rows * columns : columns, cs});
    });
  }

  void sum_row(int64_t group, const T* x, int64_t columns, T* y, int64_t y_place) const {
    const int64_t each = even_part(columns, kTileRows);
    LastTile<T> t{};
    t.runs = shape.runs, t.run = shape.run, t.run_at = run_at.data();
    t.x_place = p.axis[2].step * shape.pitch, t.to_place = y_place;
    for (int64_t o = 0; o < outs; o += kPanel) {
      t.w = weights.data() + (group * outs + o) * p.depth();
      t.bias = p.bias ? bias.data() + group * outs + o : nullptr;
      const LastTileFn<T>* const tiles = wide(o) == kPanel ? LastTiles<T, 2>::of : LastTiles<T, 1>::of;
      for (int64_t i = 0; i < columns; i += each) {
        t.x = x + i * t.x_place;
        t.to = y + i * y_place + first_of(o);
        tiles[smaller(each, columns - i) - 1](t);
      }
    }
  }
};

// Rows and places of the outputs of a strip.
template <class T> void cut_last(const Windows<T>& p, int64_t& hn, int64_t& wn) {
  const Axis &h = p.axis[1], &w = p.axis[2];
  hn = h.out, wn = w.out;
  const auto bytes = [&] { return LastShape<T>(p, hn, wn).size() * static_cast<int64_t>(sizeof(T)); };
  while (hn > 1 && bytes() > kStripBytes) hn = ceil_div(hn, 2);
  while (wn > kTileRows && bytes() > 2 * kStripBytes) wn = ceil_div(wn, 2);
  const int64_t threads = num_threads(), work = p.places() * p.o * p.depth() * p.n * p.groups;
  const auto parts = [&] { return p.n * p.groups * p.axis[0].out * ceil_div(h.out, hn) * ceil_div(w.out, wn); };
  while (threads > 1 && hn > 1 && parts() < 2 * threads && work > 2 * parts() * kPartWork) hn = ceil_div(hn, 2);
  hn = even_part(h.out, hn);
}

}  // namespace

template <class T> void sum_windows_last(const Windows<T>& p) {
  int64_t hn, wn;
  cut_last(p, hn, wn);
  const LastWindows<T> all(p, hn, wn);
  const int64_t slices = p.axis[0].out, strips = all.down * all.across;
  parallel_blocks(p.n * p.groups * slices * strips, [&](int64_t part) {
    const int64_t at = part % strips, above = part / strips;
    all.sum_strip(above / slices / p.groups, above / slices % p.groups, above % slices, at / all.across * hn,
                  at % all.across * wn);
  });
}

template void sum_windows_last(const Windows<float>&);
template void sum_windows_last(const Windows<double>&);

}  // namespace gradcore::GC_ISA
