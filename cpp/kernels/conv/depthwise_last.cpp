// Sums over windows where each group is one channel, of channels side by side: a vector holds as many channels, and
// each has weights of its own. Start at sum_depthwise_last().
#include "core/parallel.h"
#include "kernels/conv/last.h"
#include "kernels/conv/ways.h"

namespace gradcore::GC_ISA {
namespace {

constexpr int kPlaces = 8;                  // side by side in a tile
constexpr int64_t kStripBytes = 128 << 10;  // of the source

template <class T> struct ChannelTile {
  const T *x, *w, *bias;
  int64_t taps;
  const int64_t* tap;  // where each lies
  int64_t w_step;      // from tap to tap
  T* to;
  int64_t x_place, to_place, lanes;
};

template <class T, int kCount> GC_INLINE void sum_tile(const ChannelTile<T>& t) {
  Vec<T> sum[kCount];
#pragma GCC unroll 8
  for (int i = 0; i < kCount; ++i) sum[i] = load(t.bias);
  for (int64_t k = 0; k < t.taps; ++k) {
    const Vec<T> w = load(t.w + k * t.w_step);
    const T* const x = t.x + t.tap[k];
#pragma GCC unroll 8
    for (int i = 0; i < kCount; ++i) sum[i] += load(x + i * t.x_place) * w;
  }
#pragma GCC unroll 8
  for (int i = 0; i < kCount; ++i) {
    if (t.lanes == kLanes<T>)
      store(t.to + i * t.to_place, sum[i]);
    else
      store_part(t.to + i * t.to_place, sum[i], t.lanes);
  }
}

// All channels as those of one group: what a strip is packed from.
template <class T> Windows<T> as_one_group(const Windows<T>& p) {
  Windows<T> q = p;
  q.c = p.groups, q.groups = 1;
  return q;
}

template <class T> struct ChannelSums {
  const Windows<T> p;  // as_one_group()
  LastShape<T> shape;
  int64_t hn, outs;
  Scratch<T> weights, bias;
  Scratch<int64_t> taps;

  ChannelSums(const Windows<T>& all, int64_t rows)
      : p(as_one_group(all)),
        shape(p, rows, p.axis[2].out),
        hn(rows),
        outs(round_up(p.c, kLanes<T>)),
        weights(p.taps() * outs),
        bias(outs),
        taps(p.taps()) {
    const Axis &d = p.axis[0], &h = p.axis[1], &w = p.axis[2];
    for (int64_t g = 0; g < outs; ++g) bias[g] = p.bias && g < p.c ? p.bias[g] : T(0);
    for (int64_t t = 0; t < p.taps(); ++t) {
      taps[t] = shape.tap_at(p, t);
      const int64_t i = t / w.taps / h.taps, j = t / w.taps % h.taps, k = t % w.taps;
      const T* const from = p.w + (d.tap + i * d.tap_step) * d.w_step + (h.tap + j * h.tap_step) * h.w_step +
                            (w.tap + k * w.tap_step) * w.w_step;
      for (int64_t g = 0; g < outs; ++g) weights[t * outs + g] = g < p.c ? from[g * p.w_g] : T(0);
    }
  }

  void sum_rows(int64_t image, int64_t d0, int64_t h0) const {
    const Axis &d = p.axis[0], &h = p.axis[1], &w = p.axis[2];
    const Scratch<T> x(shape.size() + kLanes<T>);
    shape.pack(p, p.source(image, 0), d0, h0, 0, x.data());
    const auto step = [](const Axis& a) { return a.dst_step * a.to_step; };
    T* const to = p.target(image, 0) + d0 * step(d) + h0 * step(h);
    ChannelTile<T> t{};
    t.taps = p.taps(), t.tap = taps.data(), t.w_step = outs;
    t.x_place = w.step * shape.pitch, t.to_place = step(w);
    for (int64_t r = 0; r < smaller(hn, h.out - h0); ++r)
      for (int64_t c = 0; c < p.c; c += kLanes<T>) {
        t.lanes = smaller(kLanes<T>, p.c - c);
        t.w = weights.data() + c, t.bias = bias.data() + c;
        t.x = x.data() + r * h.step * shape.line() + c;
        t.to = to + r * step(h) + c;
        int64_t i = 0;
        for (; i + kPlaces <= w.out; i += kPlaces, t.x += kPlaces * t.x_place, t.to += kPlaces * t.to_place)
          sum_tile<T, kPlaces>(t);
        for (; i < w.out; ++i, t.x += t.x_place, t.to += t.to_place) sum_tile<T, 1>(t);
      }
  }
};

constexpr int kTaps = 9;            // that a tile of the gradient of the weights sums
constexpr int64_t kMostParts = 16;  // of its strips, each with sums of its own

// sum[k] += the products of y with what tap k reads, over a row.
template <class T>
GC_INLINE void add_row(const T* x, int64_t x_place, const T* y, int64_t y_place, int64_t lanes, int64_t places,
                       const int64_t* tap, Vec<T>* sum) {
  for (int64_t i = 0; i < places; ++i, x += x_place, y += y_place) {
    const Vec<T> g = lanes == kLanes<T> ? load(y) : load_part(y, lanes);
#pragma GCC unroll 9
    for (int k = 0; k < kTaps; ++k) sum[k] += g * load(x + tap[k]);
  }
}

// Adds what rows h0 .. of the slice at d0 of an image say to `to`, [taps][outs].
template <class T>
void add_rows(const Windows<T>& p, const LastShape<T>& shape, const int64_t* taps, T* strip, int64_t image, int64_t d0,
              int64_t h0, int64_t rows, T* to, int64_t outs) {
  const Axis &d = p.axis[0], &h = p.axis[1], &w = p.axis[2];
  shape.pack(p, p.source(image, 0), d0, h0, 0, strip);
  const T* const y = p.to + image * p.to_n + d0 * d.to_step + h0 * h.to_step;
  for (int64_t c = 0; c < p.c; c += kLanes<T>)
    for (int64_t t = 0; t < p.taps(); t += kTaps) {
      const int64_t used = smaller(kTaps, p.taps() - t);
      int64_t tap[kTaps];
      Vec<T> sum[kTaps] = {};
      for (int64_t k = 0; k < kTaps; ++k) tap[k] = taps[t + smaller(k, used - 1)];
      for (int64_t r = 0; r < rows; ++r)
        add_row(strip + r * h.step * shape.line() + c, w.step * shape.pitch, y + r * h.to_step + c, w.to_step,
                smaller(kLanes<T>, p.c - c), w.out, tap, sum);
      for (int64_t k = 0; k < used; ++k) {
        T* const at = to + (t + k) * outs + c;
        store(at, load(at) + sum[k]);
      }
    }
}

}  // namespace

template <class T> bool fits_depthwise_last(const Windows<T>& p) {
  return p.c == 1 && p.o == 1 && p.from_c == 1 && p.to_c == 1 && p.groups >= kLanes<T> / 2;
}

template <class T> void sum_depthwise_last(const Windows<T>& p) {
  const Axis& h = p.axis[1];
  const Windows<T> all = as_one_group(p);
  int64_t hn = h.out;
  while (hn > 1 && LastShape<T>(all, hn, p.axis[2].out).size() * static_cast<int64_t>(sizeof(T)) > kStripBytes)
    hn = ceil_div(hn, 2);
  const ChannelSums<T> sums(p, hn);
  const int64_t slices = p.axis[0].out, down = ceil_div(h.out, hn);
  parallel_blocks(p.n * slices * down,
                  [&](int64_t part) { sums.sum_rows(part / down / slices, part / down % slices, part % down * hn); });
}

template <class T> void differentiate_depthwise_last(const Windows<T>& forward, T* w) {
  const Windows<T> p = as_one_group(forward);
  const Axis &d = p.axis[0], &h = p.axis[1], &x = p.axis[2];
  const int64_t outs = round_up(p.c, kLanes<T>), size = p.taps() * outs;
  int64_t hn = h.out;
  while (hn > 1 && LastShape<T>(p, hn, x.out).size() * static_cast<int64_t>(sizeof(T)) > kStripBytes)
    hn = ceil_div(hn, 2);
  const LastShape<T> shape(p, hn, x.out);
  const Scratch<int64_t> taps(p.taps());
  for (int64_t t = 0; t < p.taps(); ++t) taps[t] = shape.tap_at(p, t);
  // The shape alone decides the parts, which are added in order.
  const int64_t down = ceil_div(h.out, hn), strips = p.n * d.out * down, count = larger(1, smaller(strips, kMostParts));
  const Scratch<T> sums(count * size);
  __builtin_memset(sums.data(), 0, static_cast<size_t>(count * size) * sizeof(T));
  parallel_blocks(count, [&](int64_t part) {
    const Scratch<T> strip(shape.size() + kLanes<T>);
    for (int64_t i = part * strips / count; i < (part + 1) * strips / count; ++i)
      add_rows(p, shape, taps.data(), strip.data(), i / down / d.out, i / down % d.out, i % down * hn,
               smaller(hn, h.out - i % down * hn), sums.data() + part * size, outs);
  });
  for (int64_t t = 0; t < p.taps(); ++t) {
    const int64_t i = t / x.taps / h.taps, j = t / x.taps % h.taps, k = t % x.taps;
    for (int64_t g = 0; g < p.c; ++g) {
      T sum = sums[t * outs + g];
      for (int64_t part = 1; part < count; ++part) sum += sums[part * size + t * outs + g];
      w[g * p.w_g + i * d.w_step + j * h.w_step + k * x.w_step] = sum;
    }
  }
}

template void differentiate_depthwise_last(const Windows<float>&, float*);
template void differentiate_depthwise_last(const Windows<double>&, double*);
template bool fits_depthwise_last(const Windows<float>&);
template bool fits_depthwise_last(const Windows<double>&);
template void sum_depthwise_last(const Windows<float>&);
template void sum_depthwise_last(const Windows<double>&);

}  // namespace gradcore::GC_ISA
