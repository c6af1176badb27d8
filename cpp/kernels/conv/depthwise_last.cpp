// Sums over windows where each group is one channel, of channels side by side: a vector holds as many channels, and
// each has weights of its own. Start at sum_depthwise_last().
#include "core/parallel.h"
#include "kernels/conv/last.h"
#include "kernels/conv/parts.h"
#include "kernels/conv/ways.h"

namespace gradcore::GC_ISA {
namespace {

constexpr int kPlaces = 8;                  // side by side in a tile
constexpr int64_t kStripBytes = 128 << 10;  // of the source
constexpr int64_t kMostRow = 1 << 18;       // elements of a row of zeros

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

// ---- the gradient of the weights, which reads the source where it lies

constexpr int kTaps = 9;                     // that a tile sums
constexpr int64_t kRows = 8, kColumns = 16;  // of a tile: what it reads stays in the first cache for all channels

template <class T> struct ChannelGradient {
  static constexpr int64_t L = kLanes<T>;
  const Windows<T> p;  // as_one_group()
  const int64_t outs = round_up(p.c, L);
  const int64_t inside_low, inside_high;  // columns of outputs that read no place outside
  const Scratch<T> zeros;                 // a row of the source
  const Scratch<int64_t> taps;            // [taps][3]: how far each is from the first

  explicit ChannelGradient(const Windows<T>& all)
      : p(as_one_group(all)),
        inside_low(p.axis[2].first < 0 ? smaller(p.axis[2].out, ceil_div(-p.axis[2].first, p.axis[2].step)) : 0),
        inside_high(larger(inside_low, columns_up_to(p.axis[2]))),
        zeros(p.axis[2].in * p.axis[2].from_step + p.c),
        taps(3 * p.taps()) {
    for (int64_t t = 0; t < p.taps(); ++t) {
      int64_t rest = t;
      for (int i = 2; i >= 0; --i, rest /= p.axis[i + 1].taps)
        taps[3 * t + i] = rest % p.axis[i].taps * p.axis[i].apart;
    }
    clear_exactly(zeros.data(), p.axis[2].in * p.axis[2].from_step + p.c);
  }
  static int64_t columns_up_to(const Axis& w) {
    const int64_t room = w.in - w.first - w.span();
    return room < 0 ? 0 : smaller(w.out, room / w.step + 1);
  }
  // The channel that a vector begins with: the last one reaches back over others rather than past the end.
  int64_t first_of(int64_t c) const { return smaller(c, p.c - L); }

  // Adds to `to`, [taps][outs], what some rows of the slice at d0 of an image say.
  void add_rows(int64_t image, int64_t d0, int64_t h0, int64_t rows, T* to) const {
    const int64_t width = p.axis[2].out;
    for (int64_t x = 0, n; x < width; x += n) {
      const bool inside = x >= inside_low && x < inside_high;
      n = inside ? smaller(kColumns, inside_high - x) : 1;
      for (int64_t c = 0; c < outs; c += L)
        for (int64_t t = 0; t < p.taps(); t += kTaps) add_tile(image, d0, h0, rows, x, n, first_of(c), t, to + c);
    }
  }

  // For columns x .. x + n, one or none that reads places outside, and taps t .. t + kTaps.
  void add_tile(int64_t image, int64_t d0, int64_t h0, int64_t rows, int64_t x, int64_t n, int64_t c, int64_t t,
                T* to) const {
    const Axis &d = p.axis[0], &h = p.axis[1], &w = p.axis[2];
    const int64_t used = smaller(kTaps, p.taps() - t), x_place = w.step * w.from_step, y_place = w.to_step;
    // Where each tap lies in a row that it reads, null where it lies outside of all.
    const T* base[kTaps];
    int64_t down[kTaps];
    for (int64_t k = 0; k < kTaps; ++k) {
      const int64_t* const tap = taps.data() + 3 * (t + smaller(k, used - 1));
      const int64_t slice = d.first + d0 * d.step + tap[0], column = w.first + x * w.step + tap[2];
      const bool inside = slice >= 0 && slice < d.in && column >= 0 && column < w.in;
      base[k] = inside ? p.source(image, 0) + slice * d.from_step + column * w.from_step + c : nullptr;
      down[k] = h.first + tap[1];
    }
    Vec<T> sum[kTaps] = {};
    for (int64_t r = h0; r < h0 + rows; ++r) {
      const T* from[kTaps];
      for (int64_t k = 0; k < kTaps; ++k) {
        const int64_t row = r * h.step + down[k];
        from[k] = base[k] && row >= 0 && row < h.in ? base[k] + row * h.from_step : zeros.data();
      }
      const T* y = p.to + image * p.to_n + d0 * d.to_step + r * h.to_step + x * y_place + c;
      for (int64_t i = 0; i < n; ++i, y += y_place) {
        const Vec<T> g = load(y);
#pragma GCC unroll 9
        for (int k = 0; k < kTaps; ++k) sum[k] += g * load(from[k] + i * x_place);
      }
    }
    for (int64_t k = 0; k < used; ++k) {
      T* const at = to + (t + k) * outs;
      store(at, load(at) + sum[k]);
    }
  }
};

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

template <class T> bool reads_across(const Windows<T>& p) {
  const Axis& w = p.axis[2];
  return p.from_c == 1 && p.to_c == 1 && p.groups >= kLanes<T> && w.in * w.from_step + p.groups <= kMostRow;
}

template <class T> bool differentiate_depthwise_last(const Windows<T>& forward, T* w) {
  if (!fits_depthwise_last(forward) || !reads_across(forward)) return false;
  const ChannelGradient<T> all(forward);
  const Windows<T>& p = all.p;
  const Axis &d = p.axis[0], &h = p.axis[1], &x = p.axis[2];
  const int64_t outs = all.outs, size = p.taps() * outs;
  // The shape alone decides the parts, which are added in order.
  const int64_t down = ceil_div(h.out, kRows), strips = p.n * d.out * down;
  const int64_t count = larger(1, smaller(strips, kMostParts));
  const Scratch<T> sums(count * size);
  clear_exactly(sums.data(), count * size);
  parallel_blocks(count, [&](int64_t part) {
    for (int64_t i = part * strips / count; i < (part + 1) * strips / count; ++i)
      all.add_rows(i / down / d.out, i / down % d.out, i % down * kRows, smaller(kRows, h.out - i % down * kRows),
                   sums.data() + part * size);
  });
  for (int64_t t = 0; t < p.taps(); ++t) {
    const int64_t i = t / x.taps / h.taps, j = t / x.taps % h.taps, k = t % x.taps;
    for (int64_t g = 0; g < p.c; ++g) {
      const int64_t c = g / kLanes<T> * kLanes<T>, at = t * outs + c + g - all.first_of(c);
      T sum = sums[at];
      for (int64_t part = 1; part < count; ++part) sum += sums[part * size + at];
      w[g * p.w_g + i * d.w_step + j * h.w_step + k * x.w_step] = sum;
    }
  }
  return true;
}

template bool reads_across(const Windows<float>&);
template bool reads_across(const Windows<double>&);
template bool differentiate_depthwise_last(const Windows<float>&, float*);
template bool differentiate_depthwise_last(const Windows<double>&, double*);
template bool fits_depthwise_last(const Windows<float>&);
template bool fits_depthwise_last(const Windows<double>&);
template void sum_depthwise_last(const Windows<float>&);
template void sum_depthwise_last(const Windows<double>&);

}  // namespace gradcore::GC_ISA
