// How the gradient of the weights is dealt out: strips to parts with sums of their own, output channels to shares.
#pragma once
#include "core/parallel.h"
#include "kernels/conv/windows.h"

namespace gradcore::GC_ISA {
namespace {

constexpr int64_t kPartWork = 1 << 15;  // multiply-adds that make a part worth its own sums
constexpr int64_t kMostParts = 16;

// The shape alone decides the parts, and with them every bit; threads may share the output channels besides.
struct Parts {
  int64_t count, strips, groups, outs, shares, share;
  int64_t begin(int64_t part) const { return part * strips / count; }
  // run(part, group, o0, os) for all of them.
  template <class F> void run(F&& f) const {
    parallel_blocks(count * groups * shares, [&](int64_t at) {
      const int64_t o0 = at % shares * share;
      if (o0 < outs) f(at / shares / groups, at / shares % groups, o0, smaller(share, outs - o0));
    });
  }
};

// `unit`: output channels that a share has at least.
template <class T> Parts cut_in_parts(const Windows<T>& p, int64_t strips, int64_t unit) {
  const int64_t weights = p.o * p.depth(), work = p.n * p.places() * weights;
  // The sums of all parts take no more memory than a fraction of x and y.
  const int64_t elements = p.n * p.places() * (p.o + p.c * p.axis[1].step * p.axis[2].step);
  int64_t count = larger(1, smaller(smaller(strips, kMostParts), work / kPartWork));
  count = smaller(count, larger(1, elements / (4 * weights)));
  int64_t shares = 1;
  const int64_t threads = num_threads();
  if (threads > 1 && count * p.groups < 2 * threads && work > 2 * kPartWork)
    shares = smaller(threads, ceil_div(p.o, unit));
  return {count, strips, p.groups, p.o, shares, round_up(ceil_div(p.o, shares), unit)};
}

template <class T> GC_INLINE void clear_exactly(T* to, int64_t n) {
  __builtin_memset(to, 0, static_cast<size_t>(n) * sizeof(T));
}

// Adds up the parts, each of all groups' sums, and lays them out as w has it. c_step, tap_step, o_step: where the sums
// of a group, `size` of them, have the weights.
template <class T>
void merge_parts(const Windows<T>& p, T* w, T* parts, int64_t count, int64_t size, int64_t c_step, int64_t tap_step,
                 int64_t o_step) {
  const int64_t apart = p.groups * size;
  for (int64_t part = 1; part < count; ++part) {
    const T* const from = parts + part * apart;
    GC_INDEPENDENT
    for (int64_t i = 0; i < apart; ++i) parts[i] += from[i];
  }
  const Axis &d = p.axis[0], &h = p.axis[1], &x = p.axis[2];
  for (int64_t group = 0; group < p.groups; ++group)
    for (int64_t o = 0; o < p.o; ++o)
      for (int64_t c = 0; c < p.c; ++c) {
        T* const to = w + group * p.w_g + o * p.w_o + c * p.w_c;
        const T* from = parts + group * size + o * o_step + c * c_step;
        for (int64_t i = 0; i < d.taps; ++i)
          for (int64_t j = 0; j < h.taps; ++j)
            for (int64_t k = 0; k < x.taps; ++k, from += tap_step)
              to[i * d.w_step + j * h.w_step + k * x.w_step] = *from;
      }
}

}  // namespace
}  // namespace gradcore::GC_ISA
