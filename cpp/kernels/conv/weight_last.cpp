// The gradient of the weights for many output channels: outer products of places of x and of y, whose channels lie side
// by side. Start at differentiate_weight_last().
//
// A vector holds output channels, so that images of any width fill it. A tile is the gradient of some weights that read
// x side by side, of the channels of a row of taps; it stays in registers over all places of a strip. Parts are made
// and added as in weight.cpp.
#include "kernels/conv/last.h"
#include "kernels/conv/parts.h"
#include "kernels/conv/ways.h"

namespace gradcore::GC_ISA {
namespace {

constexpr int64_t kStripPlaces = 128;  // of y: what a tile reads of them stays in the first cache

template <class T> struct OuterTile {
  int64_t rows, columns;
  const T* x;
  int64_t x_row, x_column;
  const T* y;
  int64_t y_row, y_column;
  T* to;
  int64_t to_row;
};
template <class T> using OuterTileFn = void (*)(const OuterTile<T>&);

template <class T, int kRows, int kVecs> void run_outer_tile(const OuterTile<T>& t) {
  constexpr int64_t L = kLanes<T>;
  Vec<T> sum[kRows][kVecs];
#pragma GCC unroll 16
  for (int i = 0; i < kRows; ++i)
#pragma GCC unroll 2
    for (int j = 0; j < kVecs; ++j) sum[i][j] = load(t.to + i * t.to_row + j * L);
  const int64_t x_column = t.x_column, y_column = t.y_column;
  for (int64_t r = 0; r < t.rows; ++r) {
    const T *x = t.x + r * t.x_row, *y = t.y + r * t.y_row;
    for (int64_t k = t.columns; k > 0; --k, x += x_column, y += y_column) {
      Vec<T> v[kVecs];
#pragma GCC unroll 2
      for (int j = 0; j < kVecs; ++j) v[j] = load(y + j * L);
#pragma GCC unroll 16
      for (int i = 0; i < kRows; ++i)
#pragma GCC unroll 2
        for (int j = 0; j < kVecs; ++j) sum[i][j] += x[i] * v[j];
    }
  }
#pragma GCC unroll 16
  for (int i = 0; i < kRows; ++i)
#pragma GCC unroll 2
    for (int j = 0; j < kVecs; ++j) store(t.to + i * t.to_row + j * L, sum[i][j]);
}

template <class T, int kVecs> struct OuterTiles {
  template <int kRows> static constexpr OuterTileFn<T> at() {
    return run_outer_tile<T, (kRows < kTileRows ? kRows : kTileRows), kVecs>;
  }
  static constexpr OuterTileFn<T> of[14] = {at<1>(), at<2>(), at<3>(),  at<4>(),  at<5>(),  at<6>(),  at<7>(),
                                            at<8>(), at<9>(), at<10>(), at<11>(), at<12>(), at<13>(), at<14>()};
};

// How x and y are cut: `hn` rows of `wn` places of y, of one image, or whole images.
template <class T> struct LastPlan {
  int64_t images, hn, wn, down, across;
  int64_t strips;  // of one group
  int64_t outs;    // filled up to whole vectors
};
template <class T> LastPlan<T> plan_last(const Windows<T>& p) {
  const Axis &d = p.axis[0], &h = p.axis[1], &w = p.axis[2];
  LastPlan<T> plan{};
  plan.wn = smaller(w.out, kStripPlaces);
  plan.hn = even_part(h.out, larger(1, kStripPlaces / plan.wn));
  plan.down = ceil_div(h.out, plan.hn), plan.across = ceil_div(w.out, plan.wn);
  const bool whole = plan.down == 1 && plan.across == 1 && d.out == 1;
  plan.images = whole ? larger(1, smaller(p.n, kStripPlaces / (h.out * w.out))) : 1;
  plan.strips = ceil_div(p.n, plan.images) * d.out * plan.down * plan.across;
  plan.outs = round_up(p.o, kLanes<T>);
  return plan;
}

// One strip of x and y, and what it adds to the gradient of output channels o0 .. o0 + os, [taps][c][outs].
template <class T> struct LastStrip {
  const Windows<T>& p;
  const LastPlan<T>& plan;
  LastShape<T> shape;
  int64_t o0, os;
  int64_t x_image, y_image;
  Scratch<T> x, y;
  LastStrip(const Windows<T>& windows, const LastPlan<T>& cut, int64_t first, int64_t outs)
      : p(windows),
        plan(cut),
        shape(windows, cut.hn, cut.wn),
        o0(first),
        os(outs),
        x_image(shape.size()),
        y_image(plan.hn * plan.wn * round_up(os, kLanes<T>)),
        x(plan.images * x_image + kLanes<T>),
        y(plan.images * y_image) {}

  void read(int64_t group, int64_t image, int64_t images, int64_t d0, int64_t h0, int64_t w0) {
    const Axis &d = p.axis[0], &h = p.axis[1], &w = p.axis[2];
    for (int64_t k = 0; k < images; ++k) shape.pack(p, p.source(image + k, group), d0, h0, w0, x.data() + k * x_image);
    const int64_t hn = smaller(plan.hn, h.out - h0), wn = smaller(plan.wn, w.out - w0);
    for (int64_t k = 0; k < images; ++k)
      for (int64_t r = 0; r < hn; ++r) {
        const T* const from = p.to + (image + k) * p.to_n + (group * p.o + o0) * p.to_c + d0 * d.to_step +
                              (h0 + r) * h.to_step + w0 * w.to_step;
        for (int64_t o = 0; o < os; o += kPanel)
          gather_last(Run2<const T>{from + o * p.to_c, w.to_step, p.to_c, wn, smaller(kPanel, os - o)},
                      panel(k, o) + r * plan.wn * wide(o), wide(o));
      }
  }
  static constexpr int64_t kPanel = 2 * kLanes<T>;
  // Output channels come in panels of as many: [panels][hn][wn][kPanel], the last perhaps narrower.
  int64_t wide(int64_t o) const { return smaller(kPanel, round_up(os - o, kLanes<T>)); }
  T* panel(int64_t image, int64_t o) const { return y.data() + image * y_image + o * plan.hn * plan.wn; }

  void add(int64_t images, int64_t hn, int64_t wn, T* to) const {
    const Axis &h = p.axis[1], &w = p.axis[2];
    const int64_t each = even_part(shape.run, kTileRows);
    OuterTile<T> t{};
    t.rows = hn, t.columns = wn;
    t.x_row = h.step * shape.line(), t.x_column = w.step * shape.pitch;
    t.to_row = plan.outs;
    for (int64_t image = 0; image < images; ++image)
      for (int64_t o = 0; o < os; o += kPanel) {
        t.y = panel(image, o);
        t.y_row = plan.wn * wide(o), t.y_column = wide(o);
        for (int64_t run = 0; run < shape.runs; ++run) {
          const T* const first = x.data() + image * x_image + shape.run_at(p, run);
          for (int64_t i = 0; i < shape.run; i += each) {
            const int64_t rows = smaller(each, shape.run - i);
            t.x = first + i;
            t.to = to + (run * shape.run + i) * plan.outs + o0 + o;
            (wide(o) == kPanel ? OuterTiles<T, 2>::of : OuterTiles<T, 1>::of)[rows - 1](t);
          }
        }
      }
  }
};

}  // namespace

// Where there are enough output channels for vectors of them, but not where rows of y fill vectors, lie side by side
// and are all that is to be read.
template <class T> bool fits_last(const Windows<T>& p) {
  if (4 * p.o < 3 * kLanes<T>) return false;
  return p.axis[2].to_step != 1 || p.depth() > 32 || used_lanes<T>(p.axis[2].out) < 0.8;
}

template <class T> void differentiate_weight_last(const Windows<T>& p, T* w) {
  const LastPlan<T> plan = plan_last(p);
  const int64_t size = p.depth() * plan.outs;
  const Parts parts = cut_in_parts(p, plan.strips, 2 * kLanes<T>);
  const Scratch<T> sums(parts.count * p.groups * size);
  parts.run([&](int64_t part, int64_t group, int64_t o0, int64_t os) {
    T* const to = sums.data() + (part * p.groups + group) * size;
    for (int64_t i = 0; i < p.depth(); ++i) clear_exactly(to + i * plan.outs + o0, round_up(os, kLanes<T>));
    LastStrip<T> strip(p, plan, o0, os);
    for (int64_t i = parts.begin(part); i < parts.begin(part + 1); ++i) {
      const int64_t across = i % plan.across, down = i / plan.across % plan.down, above = i / plan.across / plan.down;
      const int64_t d0 = above % p.axis[0].out, image = above / p.axis[0].out * plan.images;
      const int64_t images = smaller(plan.images, p.n - image), h0 = down * plan.hn, w0 = across * plan.wn;
      strip.read(group, image, images, d0, h0, w0);
      strip.add(images, smaller(plan.hn, p.axis[1].out - h0), smaller(plan.wn, p.axis[2].out - w0), to);
    }
  });
  // The strides of [taps][c][outs].
  merge_parts(p, w, sums.data(), parts.count, size, plan.outs, p.c * plan.outs, int64_t{1});
}

template bool fits_last(const Windows<float>&);
template bool fits_last(const Windows<double>&);
template void differentiate_weight_last(const Windows<float>&, float*);
template void differentiate_weight_last(const Windows<double>&, double*);

}  // namespace gradcore::GC_ISA
