// Sums over windows where each group is one channel. Start at sum_depthwise().
//
// There is one weight for each place that is read, so that loads decide the time: a tile is kDown rows of one vector,
// and a row of the source is loaded once for all rows of outputs that read it.
#include "core/parallel.h"
#include "kernels/conv/ways.h"

namespace gradcore::GC_ISA {
namespace {

constexpr int kDown = 8;
constexpr int64_t kPartWork = 1 << 13;  // places that make a part worth a thread's start

template <class T> struct Columns {
  const T* x;
  int64_t x_row;
  int64_t taps;        // along a row
  const int64_t* tap;  // where each lies
  const T* w;          // [taps][rows of taps]
  T bias;
  Vec<T> sum[kDown];
};

template <class T, int kTaps, int kStep> void sum_columns(Columns<T>& t) {
  Vec<T> sum[kDown];
#pragma GCC unroll 8
  for (int r = 0; r < kDown; ++r) sum[r] = Vec<T>{} + t.bias;
  const T* w = t.w;
  const int64_t row = t.x_row;
  for (int64_t k = 0; k < t.taps; ++k, w += kTaps) {
    const T* x = t.x + t.tap[k];
#pragma GCC unroll 32
    for (int i = 0; i < (kDown - 1) * kStep + kTaps; ++i, x += row) {
      const Vec<T> v = load(x);
#pragma GCC unroll 8
      for (int r = 0; r < kDown; ++r)
        if (i >= r * kStep && i - r * kStep < kTaps) sum[r] += w[i - r * kStep] * v;
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < kDown; ++r) t.sum[r] = sum[r];
}

template <class T> using ColumnsFn = void (*)(Columns<T>&);
// For windows of so many rows, so far apart.
template <class T> ColumnsFn<T> columns_fn(int64_t taps, int64_t step) {
  if (taps == 3) return step == 1 ? sum_columns<T, 3, 1> : step == 2 ? sum_columns<T, 3, 2> : nullptr;
  if (taps == 5) return step == 1 ? sum_columns<T, 5, 1> : step == 2 ? sum_columns<T, 5, 2> : nullptr;
  return nullptr;
}

// One channel of one image. `to` is its first output.
template <class T>
void sum_channel(const Windows<T>& p, const Strip& s, ColumnsFn<T> run, Columns<T>& t, const T* strip, T* to) {
  constexpr int64_t L = kLanes<T>;
  const int64_t to_h = s.h.dst_step * s.h.to_step, to_w = s.w.dst_step * s.w.to_step;
  const int64_t height = p.axis[1].out, width = p.axis[2].out;
  for (int64_t h = 0; h < height; h += kDown)
    for (int64_t w = 0; w < width; w += L) {
      t.x = strip + h * s.out_row() + w;
      run(t);
      const int64_t n = smaller(L, width - w);
      for (int64_t r = 0; r < smaller(kDown, height - h); ++r) {
        T* const at = to + (h + r) * to_h + w * to_w;
        if (to_w != 1)
          for (int64_t i = 0; i < n; ++i) at[i * to_w] = t.sum[r][i];
        else if (n == L)
          store(at, t.sum[r]);
        else
          store_part(at, t.sum[r], n);
      }
    }
}

}  // namespace

template <class T> bool fits_depthwise(const Windows<T>& p) {
  const Axis &d = p.axis[0], &h = p.axis[1];
  return p.c == 1 && p.o == 1 && d.taps == 1 && h.apart == 1 && columns_fn<T>(h.taps, h.step);
}

template <class T> void sum_depthwise(const Windows<T>& p) {
  const Axis &d = p.axis[0], &h = p.axis[1], &w = p.axis[2];
  const ColumnsFn<T> run = columns_fn<T>(h.taps, h.step);
  // As many rows as whole tiles have, and the last of them may read.
  const Strip model = Strip::make(p, 0, 0, round_up(h.out, kDown), 0, w.out);
  const Scratch<int64_t> taps(w.taps);
  for (int64_t k = 0; k < w.taps; ++k) taps[k] = model.tap(0, 0, k);
  const int64_t slices = d.out, channels = p.n * p.groups * slices;
  const int64_t each = larger(1, kPartWork / (h.out * w.out));
  parallel_blocks(ceil_div(channels, each), [&](int64_t part) {
    const Scratch<T> strip(strip_size(p, model)), weights(h.taps * w.taps);
    for (int64_t i = part * each; i < smaller(channels, (part + 1) * each); ++i) {
      const int64_t d0 = i % slices, group = i / slices % p.groups, image = i / slices / p.groups;
      const Strip s = Strip::make(p, d0, 0, round_up(h.out, kDown), 0, w.out);
      const T* const first = p.w + group * p.w_g + d.tap * d.w_step + h.tap * h.w_step + w.tap * w.w_step;
      for (int64_t k = 0; k < w.taps; ++k)
        for (int64_t r = 0; r < h.taps; ++r)
          weights[k * h.taps + r] = first[r * h.tap_step * h.w_step + k * w.tap_step * w.w_step];
      pack_strip(p, s, p.source(image, group), strip.data());
      Columns<T> t{};
      t.x_row = s.row, t.taps = w.taps, t.tap = taps.data(), t.w = weights.data();
      t.bias = p.bias ? p.bias[group] : T(0);
      sum_channel(p, s, run, t, strip.data(), p.target(image, group) + d0 * d.dst_step * d.to_step);
    }
  });
}

template bool fits_depthwise(const Windows<float>&);
template bool fits_depthwise(const Windows<double>&);
template void sum_depthwise(const Windows<float>&);
template void sum_depthwise(const Windows<double>&);

}  // namespace gradcore::GC_ISA
