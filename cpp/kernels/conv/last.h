// Strips with channels side by side: [rows][columns][channels]. A place takes pitch_of() elements: what is packed may
// write zeros behind a place, less than a vector, if the next place overwrites them.
#pragma once
#include "kernels/conv/windows.h"

namespace gradcore::GC_ISA {
namespace {

template <class T> GC_INLINE int64_t pitch_of(int64_t channels) {
  return channels < kLanes<T> ? channels : round_up(channels, kLanes<T>);
}

// Copies between a run of places of an array, whose places and channels lie as they lie, and one with channels side by
// side, `pitch` from place to place.
template <class T> struct Run2 {
  T* at;
  int64_t place, channel;  // strides
  int64_t places, channels;
};

template <class T> GC_INLINE void gather_last(const Run2<const T>& from, T* to, int64_t pitch) {
  constexpr int64_t L = kLanes<T>;
  if (pitch == 1) return copy_past(from.at, from.place, to, from.places);
  for (int64_t c = 0; c < from.channels; c += L) {
    const int64_t cs = smaller(L, from.channels - c);
    const T* const at = from.at + c * from.channel;
    if (from.channel == 1) {
      for (int64_t x = 0; x < from.places; ++x)
        store(to + x * pitch + c, cs == L ? load(at + x * from.place) : load_part(at + x * from.place, cs));
      continue;
    }
    if (from.place == 1) {
      for (int64_t x = 0; x < from.places; x += L)
        transpose(at + x, from.channel, cs, smaller(L, from.places - x), to + x * pitch + c, pitch);
      continue;
    }
    for (int64_t x = 0; x < from.places; ++x) {
      store(to + x * pitch + c, Vec<T>{});
      for (int64_t k = 0; k < cs; ++k) to[x * pitch + c + k] = at[x * from.place + k * from.channel];
    }
  }
}

template <class T> GC_INLINE void scatter_last(const T* from, int64_t pitch, const Run2<T>& to) {
  constexpr int64_t L = kLanes<T>;
  alignas(64) T square[L * L];
  for (int64_t c = 0; c < to.channels; c += L) {
    const int64_t cs = smaller(L, to.channels - c);
    T* const at = to.at + c * to.channel;
    if (to.channel == 1) {
      for (int64_t x = 0; x < to.places; ++x) {
        const Vec<T> v = load(from + x * pitch + c);
        if (cs == L)
          store(at + x * to.place, v);
        else
          store_part(at + x * to.place, v, cs);
      }
      continue;
    }
    if (to.place == 1) {
      for (int64_t x = 0; x < to.places; x += L) {
        const int64_t xs = smaller(L, to.places - x);
        if (xs == L) {
          transpose(from + x * pitch + c, pitch, L, cs, at + x, to.channel);
          continue;
        }
        transpose(from + x * pitch + c, pitch, xs, cs, square, L);
        for (int64_t k = 0; k < cs; ++k) store_part(at + x + k * to.channel, load(square + k * L), xs);
      }
      continue;
    }
    for (int64_t x = 0; x < to.places; ++x)
      for (int64_t k = 0; k < cs; ++k) at[x * to.place + k * to.channel] = from[x * pitch + c + k];
  }
}

// Calls f(c, cs) for blocks of channels: all at once where they lie side by side, else a vector of them, so that memory
// is read and written in as few streams as a processor follows.
template <class T, class F> GC_INLINE void channel_blocks(int64_t channels, int64_t channel_step, const F& f) {
  const int64_t each = channel_step == 1 ? channels : kLanes<T>;
  for (int64_t c = 0; c < channels; c += each) f(c, smaller(each, channels - c));
}

// Columns [first, first + count) of a row of the source, from `row` on, with zeros outside of [0, in); all zeros where
// `row` is null.
template <class T>
GC_INLINE void pack_row_last(const T* row, int64_t step, int64_t channel, int64_t channels, int64_t first,
                             int64_t count, int64_t in, T* to, int64_t pitch) {
  const int64_t low = row ? smaller(count, larger(0, -first)) : count;
  const int64_t high = row ? larger(low, smaller(count, in - first)) : count;
  const auto clear = [&](int64_t x, int64_t end) {
    for (; x < end; ++x) clear_past(to + x * pitch, channels);
  };
  clear(0, low);
  if (low < high)
    gather_last(Run2<const T>{row + (first + low) * step, step, channel, high - low, channels}, to + low * pitch,
                pitch);
  clear(high, count);
}

// What `hn` rows of `wn` outputs read: [taps along d][rows][columns][pitch].
template <class T> struct LastShape {
  int64_t planes, rows, columns, pitch;
  int64_t run, runs;  // elements of a window that lie side by side, and how many such pieces it has

  LastShape(const Windows<T>& p, int64_t hn, int64_t wn)
      : planes(p.axis[0].taps),
        rows((hn - 1) * p.axis[1].step + p.axis[1].span()),
        columns((wn - 1) * p.axis[2].step + p.axis[2].span()),
        pitch(pitch_of<T>(p.c)) {
    run = p.axis[2].apart == 1 && pitch == p.c ? p.axis[2].taps * p.c : p.c;
    runs = p.depth() / run;
  }
  int64_t line() const { return columns * pitch; }
  int64_t size() const { return planes * rows * line(); }  // a vector more may be written
  int64_t tap_at(const Windows<T>& p, int64_t tap) const {
    const Axis &h = p.axis[1], &w = p.axis[2];
    return (tap / w.taps / h.taps * rows + tap / w.taps % h.taps * h.apart) * line() + tap % w.taps * w.apart * pitch;
  }
  int64_t run_at(const Windows<T>& p, int64_t r) const { return tap_at(p, r * (run / p.c)); }
  __attribute__((noinline)) void pack(const Windows<T>& p, const T* from, int64_t d0, int64_t h0, int64_t w0,
                                      T* to) const {
    const Axis &d = p.axis[0], &h = p.axis[1], &w = p.axis[2];
    channel_blocks<T>(p.c, p.from_c, [&](int64_t c, int64_t cs) {
      T* at = to + c;
      for (int64_t t = 0; t < planes; ++t)
        for (int64_t r = 0; r < rows; ++r, at += line()) {
          const int64_t z = d0 * d.step + d.first + t * d.apart, row = h0 * h.step + h.first + r;
          const bool inside = z >= 0 && z < d.in && row >= 0 && row < h.in;
          pack_row_last(inside ? from + z * d.from_step + row * h.from_step + c * p.from_c : nullptr, w.from_step,
                        p.from_c, cs, w0 * w.step + w.first, columns, w.in, at, pitch);
        }
    });
  }
};

}  // namespace
}  // namespace gradcore::GC_ISA
