// What the kernels of convolutions share: the sum over windows that `forward` and `data` both are, and the strips that
// they read. Start at Windows and Strip.
#pragma once
#include "kernels/conv/conv.h"
#include "kernels/matmul/tiles.h"

namespace gradcore::GC_ISA {

// One dim of a sum over windows: tap j of output i reads the source at i * step + first + j * apart, and the weights at
// tap + j * tap_step. Output i lies at dst_first + i * dst_step.
struct Axis {
  int64_t out, in;  // outputs, and the size of the source
  int64_t step, first, taps, apart;
  int64_t tap, tap_step;
  int64_t dst_first, dst_step;
  int64_t from_step, to_step, w_step;  // strides in memory

  int64_t span() const { return (taps - 1) * apart + 1; }  // source places from the first tap to the last
};

// to[n, g o, i] = bias[g o] + sum over c and taps of w[g, o, c, tap] * from[n, g c, place]
template <class T> struct Windows {
  const T *from, *w, *bias;
  T* to;
  int64_t n, groups, c, o;
  int64_t from_n, from_c, w_g, w_o, w_c, to_n, to_c;
  Axis axis[3];

  int64_t taps() const { return axis[0].taps * axis[1].taps * axis[2].taps; }
  int64_t depth() const { return c * taps(); }
  int64_t places() const { return axis[0].out * axis[1].out * axis[2].out; }
  const T* source(int64_t image, int64_t group) const { return from + image * from_n + group * c * from_c; }
  T* target(int64_t image, int64_t group) const {
    T* at = to + image * to_n + group * o * to_c;
    for (const Axis& a : axis) at += a.dst_first * a.to_step;
    return at;
  }
};

namespace {

GC_INLINE Axis forward_axis(const ConvAxis& a) {
  return {a.y, a.x, a.stride, -a.padding, a.kernel, a.dilation, 0, 1, 0, 1, a.x_step, a.y_step, a.w_step};
}
template <class T> Windows<T> forward_windows(const ConvArgs& a) {
  const auto of = [](void* p) { return static_cast<T*>(p); };
  return {of(a.x),
          of(a.w),
          static_cast<const T*>(a.bias),
          of(a.y),
          a.n,
          a.groups,
          a.c,
          a.o,
          a.x_n,
          a.x_c,
          a.o * a.w_o,
          a.w_o,
          a.w_c,
          a.y_n,
          a.y_c,
          {forward_axis(a.axis[0]), forward_axis(a.axis[1]), forward_axis(a.axis[2])}};
}

GC_INLINE int64_t common_divisor(int64_t a, int64_t b) {
  while (b) {
    const int64_t rest = a % b;
    a = b;
    b = rest;
  }
  return a;
}
// The places r, r + stride, r + 2 stride ... of x, as sums over windows of y: those taps k for which
// r + padding - k * dilation is a multiple of the stride. They step backwards through y, and are taken in reverse.
GC_INLINE Axis data_axis(const ConvAxis& a, int64_t r) {
  const int64_t apart = a.stride / common_divisor(a.stride, a.dilation);
  int64_t k = 0;
  while (k < a.kernel && (r + a.padding - k * a.dilation) % a.stride != 0) {
    if (++k == apart) k = a.kernel;
  }
  const int64_t taps = k < a.kernel ? (a.kernel - 1 - k) / apart + 1 : 0, last = k + (taps - 1) * apart;
  return {ceil_div(a.x - r, a.stride),
          a.y,
          1,
          taps ? (r + a.padding - last * a.dilation) / a.stride : 0,
          taps,
          apart * a.dilation / a.stride,
          last,
          -apart,
          r,
          a.stride,
          a.y_step,
          a.x_step,
          a.w_step};
}
template <class T> Windows<T> data_windows(const ConvArgs& a, const int64_t* r) {
  const auto of = [](void* p) { return static_cast<T*>(p); };
  return {of(a.y),
          of(a.w),
          static_cast<const T*>(a.bias),
          of(a.x),
          a.n,
          a.groups,
          a.o,
          a.c,
          a.y_n,
          a.y_c,
          a.o * a.w_o,
          a.w_c,
          a.w_o,
          a.x_n,
          a.x_c,
          {data_axis(a.axis[0], r[0]), data_axis(a.axis[1], r[1]), data_axis(a.axis[2], r[2])}};
}

// The part of vectors that is used where they hold n things.
template <class T> GC_INLINE double used_lanes(int64_t n) {
  return static_cast<double>(n) / static_cast<double>(round_up(n, kLanes<T>));
}

// ---- strips

// Note [Strips]
// A strip is a dense copy of what some rows of outputs read, with zeros for what lies outside: no kernel asks where the
// edges are, and a vector of outputs side by side reads a vector of the source side by side. For that a row whose
// windows are `step` apart is stored as that many rows, one for each remainder: place p at [p % step][p / step]. Rows
// and remainders that no tap reads are left out.
struct Strip {
  Axis d, h, w;           // of the outputs [0, out) alone
  int64_t row_phases;     // rows of the source kept for each row of outputs, where those are apart; else 0
  int64_t phases, width;  // a row of the source is [phases][width]
  int64_t rows;
  int64_t row, plane, channel;  // elements

  // For rows h0 .. h0 + hn of outputs and places w0 .. w0 + wn of each, in the slice at d0.
  template <class T>
  static Strip make(const Windows<T>& p, int64_t d0, int64_t h0, int64_t hn, int64_t w0, int64_t wn) {
    Strip s{};
    s.d = part(p.axis[0], d0, 1);
    s.h = part(p.axis[1], h0, hn);
    s.w = part(p.axis[2], w0, wn);
    s.row_phases = s.h.step > s.h.span() ? s.h.span() : 0;
    s.rows = s.row_phases ? hn * s.row_phases : (hn - 1) * s.h.step + s.h.span();
    s.phases = smaller(s.w.step, s.w.span());
    s.width = round_up(wn, kLanes<T>) + (s.w.span() - 1) / s.w.step;
    s.row = s.phases * s.width;
    s.plane = s.rows * s.row;
    s.channel = s.d.taps * s.plane;
    return s;
  }
  static Axis part(Axis a, int64_t start, int64_t count) {
    a.first += start * a.step;
    a.out = count;
    return a;
  }
  // From one row of outputs to the next.
  int64_t out_row() const { return (row_phases ? row_phases : h.step) * row; }
  // Which row of the source the strip's row r is.
  int64_t source_row(int64_t r) const { return h.first + (row_phases ? r / row_phases * h.step + r % row_phases : r); }
  int64_t tap(int64_t kd, int64_t kh, int64_t kw) const {
    const int64_t place = kw * w.apart;
    return kd * plane + kh * h.apart * row + place % w.step * width + place / w.step;
  }
};

// Where each tap lies in a channel of the strip.
GC_INLINE void list_taps(const Strip& s, int64_t* to) {
  for (int64_t d = 0; d < s.d.taps; ++d)
    for (int64_t h = 0; h < s.h.taps; ++h)
      for (int64_t w = 0; w < s.w.taps; ++w) *to++ = s.tap(d, h, w);
}

// Zeros up to `n`, and perhaps some behind, less than a vector.
template <class T> GC_INLINE void clear_past(T* to, int64_t n) {
  for (int64_t i = 0; i < n; i += kLanes<T>) store(to + i, Vec<T>{});
}
template <class T, int... I> GC_INLINE Vec<T> even_lanes(Vec<T> a, Vec<T> b, std::integer_sequence<int, I...>) {
  return __builtin_shufflevector(a, b, (2 * I)...);
}
// n places that are `step` apart in memory; the same may be written behind.
template <class T> GC_INLINE void copy_past(const T* from, int64_t step, T* to, int64_t n) {
  constexpr int64_t L = kLanes<T>;
  if (step == 2) {
    for (int64_t i = 0; i < n; i += L) {
      const T* const at = from + 2 * i;
      const int64_t used = 2 * (n - i) - 1;  // nothing behind the last place is read
      const bool whole = used >= 2 * L;
      const Vec<T> a = whole ? load(at) : load_part(at, smaller(L, used));
      const Vec<T> b = whole ? load(at + L) : load_part(at + L, larger(0, used - L));
      store(to + i, even_lanes<T>(a, b, std::make_integer_sequence<int, L>()));
    }
    return;
  }
  if (step != 1) {
    for (int64_t i = 0; i < n; ++i) to[i] = from[i * step];
    return;
  }
  int64_t i = 0;
  for (; i + kLanes<T> <= n; i += kLanes<T>) store(to + i, load(from + i));
  if (i < n) store(to + i, load_part(from + i, n - i));
}

// Of the places of one remainder of a row, those that lie in the source: [low, high).
struct Run {
  int64_t low, high;
};
GC_INLINE Run run_of(const Axis& w, int64_t phase, int64_t width) {
  const int64_t first = w.first + phase;  // place q is first + q * step
  const int64_t low = first >= 0 ? 0 : smaller(width, ceil_div(-first, w.step));
  const int64_t high = first >= w.in ? 0 : smaller(width, ceil_div(w.in - first, w.step));
  return {low, larger(low, high)};
}

// The row of the source that row r of plane k of a strip holds, null where it is outside.
template <class T> GC_INLINE const T* source_row(const Strip& s, const T* from, int64_t k, int64_t r) {
  const int64_t d = s.d.first + k * s.d.apart, h = s.source_row(r);
  if (d < 0 || d >= s.d.in || h < 0 || h >= s.h.in) return nullptr;
  return from + d * s.d.from_step + h * s.h.from_step;
}

// Row by row in the order of memory, so that what is written behind a row is overwritten.
template <class T> GC_INLINE void pack_along(const Windows<T>& p, const Strip& s, const T* from, T* to) {
  const int64_t step = s.w.step * s.w.from_step;
  const Run first = run_of(s.w, 0, s.width);
  for (int64_t c = 0; c < p.c; ++c, from += p.from_c)
    for (int64_t k = 0; k < s.d.taps; ++k)
      for (int64_t r = 0; r < s.rows; ++r) {
        const T* const row = source_row(s, from, k, r);
        for (int64_t phase = 0; phase < s.phases; ++phase, to += s.width) {
          const Run run = phase ? run_of(s.w, phase, s.width) : first;
          if (!row || run.low == run.high) {
            clear_past(to, s.width);
            continue;
          }
          clear_past(to, run.low);
          copy_past(row + (s.w.first + phase + run.low * s.w.step) * s.w.from_step, step, to + run.low,
                    run.high - run.low);
          clear_past(to + run.high, s.width - run.high);
        }
      }
}

// For channels side by side in memory: squares of lanes x lanes are transposed.
template <class T> GC_INLINE void pack_across(const Windows<T>& p, const Strip& s, const T* from, T* to) {
  constexpr int64_t L = kLanes<T>;
  const int64_t step = s.w.step * s.w.from_step;
  alignas(64) T square[L * L];
  for (int64_t c = 0; c < p.c; c += L, to += L * s.channel) {
    const int64_t cs = smaller(L, p.c - c);
    for (int64_t i = 0; i < s.channel * cs; i += L) store(to + i, Vec<T>{});
    for (int64_t k = 0; k < s.d.taps; ++k)
      for (int64_t r = 0; r < s.rows; ++r) {
        const T* const row = source_row(s, from, k, r);
        for (int64_t phase = 0; row && phase < s.phases; ++phase) {
          const Run run = run_of(s.w, phase, s.width);
          const T* const base = row + (s.w.first + phase) * s.w.from_step + c;
          T* const at = to + k * s.plane + r * s.row + phase * s.width;
          for (int64_t q = run.low; q < run.high; q += L) {
            const int64_t qs = smaller(L, run.high - q);
            transpose(base + q * step, step, qs, cs, square, L);
            for (int64_t i = 0; i < cs; ++i) store_part(at + i * s.channel + q, load(square + i * L), qs);
          }
        }
      }
  }
}

// Fills a strip [c][taps along d][rows][phases][width], of strip_size(), from a group of an image.
template <class T> void pack_strip(const Windows<T>& p, const Strip& s, const T* from, T* to) {
  if (p.from_c == 1 && s.w.from_step != 1 && p.c > 2) return pack_across(p, s, from, to);
  pack_along(p, s, from, to);
}
template <class T> GC_INLINE int64_t strip_size(const Windows<T>& p, const Strip& s) {
  return s.channel * p.c + kLanes<T>;
}

}  // namespace
}  // namespace gradcore::GC_ISA
