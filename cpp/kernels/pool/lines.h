// What pools and interpolations share: the taps of each dim as tables, and the lines of outputs that are computed at
// once. A line is the outputs along the last dim or, of a channels-last tensor, the channels of one place.
#pragma once
#include "core/parallel.h"
#include "kernels/common.h"
#include "kernels/pool/pool.h"

namespace gradcore::GC_ISA {

constexpr int64_t kPoolGrain = 1 << 14;  // additions or comparisons of a parallel block

// Tap k of the outputs [from, to) lies inside; that of the first one is input `at`.
struct Span {
  int64_t from, to, at;
};

template <class T> struct Taps {
  Taps(const portable::TapDim& dim, bool divides)
      : d(dim),
        most(larger(1, dim.most())),
        index(dim.out * most),
        count(dim.out),
        weight(dim.is_window() ? 0 : dim.out * most),
        divisor(divides ? dim.out : 0) {
    portable::fill_taps(d, portable::TapTable<T>{index.data(), count.data(), weight.data(), divisor.data()});
  }
  // Whether windows are better taken one by one than tap by tap: each is a run of the input.
  bool takes_runs() const {
    if (d.kind == portable::TapKind::Adaptive) return true;
    return d.kind == portable::TapKind::Window && d.dilation == 1 && d.kernel >= 16 && d.kernel > d.out;
  }
  int64_t first(int64_t o) const { return index[o * most]; }
  int64_t at(int64_t o, int64_t k) const { return index[o * most + k]; }
  T weight_of(int64_t o, int64_t k) const { return weight.data() ? weight[o * most + k] : T(1); }
  bool strides() const { return d.kind == portable::TapKind::Window; }
  Span span(int64_t k) const {
    const int64_t shift = k * d.dilation - d.padding;  // of output 0
    const int64_t from = shift < 0 ? ceil_div(-shift, d.stride) : 0;
    const int64_t to = shift < d.size ? smaller(d.out, (d.size - 1 - shift) / d.stride + 1) : 0;
    return {from, larger(from, to), shift + from * d.stride};
  }

  const portable::TapDim& d;
  int64_t most;
  Scratch<int32_t> index, count;
  Scratch<T> weight, divisor;
};

// The spans of all taps along the last dim that reach the input.
struct Spans {
  template <class T> explicit Spans(const Taps<T>& w) : count(0), of(reaching(w)) {
    for (int64_t k = 0; k < w.d.kernel && w.strides(); ++k)
      if (const Span s = w.span(k); s.from < s.to) of[count++] = s;
  }
  int64_t count;
  Scratch<Span> of;

 private:
  template <class T> static int64_t reaching(const Taps<T>& w) {
    int64_t n = 0;
    for (int64_t k = 0; k < w.d.kernel && w.strides(); ++k) {
      const Span s = w.span(k);
      n += s.from < s.to;
    }
    return n;
  }
};

// The place of a line: output (d, h, w) of a plane. Lines along the last dim keep w at 0.
struct LinePlace {
  int64_t plane, d, h, w;
  LinePlace(const PoolGeometry& g, int64_t line, bool along_last) : last_(along_last ? 1 : g.dim[2].out), g_(g) {
    w = line % last_, line /= last_;
    h = line % g.dim[1].out, line /= g.dim[1].out;
    d = line % g.dim[0].out, plane = line / g.dim[0].out;
  }
  void next() {
    if (++w < last_) return;
    w = 0;
    if (++h < g_.dim[1].out) return;
    h = 0;
    if (++d < g_.dim[0].out) return;
    d = 0, ++plane;
  }

 private:
  int64_t last_;
  const PoolGeometry& g_;
};

// Calls start() for each block, and what that returns for each of its lines' places; `cost` is that of a line.
template <class F> GC_INLINE void each_line(const PoolGeometry& g, int64_t cost, const F& start) {
  const bool along_last = g.channels == 1;
  const int64_t lines = g.planes * g.dim[0].out * g.dim[1].out * (along_last ? 1 : g.dim[2].out);
  const int64_t each = larger(1, kPoolGrain / larger(1, cost));
  parallel_blocks(ceil_div(lines, each), [&](int64_t block) {
    const int64_t begin = block * each, end = smaller(lines, begin + each);
    auto&& line = start();
    LinePlace at(g, begin, along_last);
    for (int64_t i = begin; i < end; ++i, at.next()) line(at, i);
  });
}

}  // namespace gradcore::GC_ISA
