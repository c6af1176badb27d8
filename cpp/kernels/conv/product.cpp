// Windows of one place, none of them outside: matrix products of the weights and of places. Start at fits_product().
//
// Places are the columns of matrices whose rows are channels or, where channels lie side by side, it is the other way
// round. Places that are not evenly apart in memory are copied so that they are.
#include "core/parallel.h"
#include "kernels/conv/ways.h"
#include "kernels/matmul/gemm.h"

namespace gradcore::GC_ISA {
namespace {

constexpr int64_t kLeast = 8;  // channels on both sides: below, a product is mostly overhead

template <class T> void multiply(const GemmArgs<T>& g) {
  if constexpr (sizeof(T) == 4)
    matmul_kernels.f32(g);
  else
    matmul_kernels.f64(g);
}

// The places of all axes as one line, as far as they are evenly apart: `step` 0 says that they are not.
struct Line {
  int64_t count = 1, step = 0;
  bool even = true;
  void add(int64_t size, int64_t apart) {
    if (size == 1) return;
    if (count == 1)
      step = apart;
    else
      even &= apart == count * step;
    count *= size;
  }
};
GC_INLINE int64_t from_step(const Axis& a) { return a.step * a.from_step; }
GC_INLINE int64_t to_step(const Axis& a) { return a.dst_step * a.to_step; }

// Where each row of places begins: f(the row's offset in the source, its offset in the target, its number).
template <class T, class F> GC_INLINE void each_row(const Windows<T>& p, const F& f) {
  const Axis &d = p.axis[0], &h = p.axis[1];
  for (int64_t i = 0; i < d.out; ++i)
    for (int64_t j = 0; j < h.out; ++j)
      f(i * from_step(d) + j * from_step(h), i * to_step(d) + j * to_step(h), i * h.out + j);
}

template <class T> struct Product {
  const Windows<T>& p;
  bool across;  // rows of matrices are places
  Line from, to;
  bool gathers, scatters;
  int64_t images, count;  // of products, and places of each

  explicit Product(const Windows<T>& windows) : p(windows), across(p.from_c == 1 && p.to_c == 1), images(p.n) {
    for (int i = 2; i >= 0; --i)
      from.add(p.axis[i].out, from_step(p.axis[i])), to.add(p.axis[i].out, to_step(p.axis[i]));
    count = from.count;
    gathers = !from.even || (!across && count > 1 && from.step != 1);
    scatters = !to.even || (!across && count > 1 && to.step != 1);
    if (!across || gathers || scatters) return;
    from.add(p.n, p.from_n), to.add(p.n, p.to_n);
    if (from.even && to.even) images = 1, count = from.count;
  }
  const T* weights(int64_t group) const {
    const T* w = p.w + group * p.w_g;
    for (const Axis& a : p.axis) w += a.tap * a.w_step;
    return w;
  }
  const T* source(int64_t image, int64_t group) const {
    const T* from_here = p.source(image, group);
    for (const Axis& a : p.axis) from_here += a.first * a.from_step;
    return from_here;
  }
  // [places][c] or [c][places], and a vector more.
  __attribute__((noinline)) void gather(const T* source, T* out) const {
    const Axis& w = p.axis[2];
    for (int64_t c = 0; c < (across ? 1 : p.c); ++c)
      each_row(p, [&](int64_t at, int64_t, int64_t row) {
        const T* const in = source + c * p.from_c + at;
        // What is written behind a row is overwritten by the next.
        if (!across) return copy_past(in, from_step(w), out + c * count + row * w.out, w.out);
        for (int64_t x = 0; x < w.out; ++x) copy_past(in + x * from_step(w), 1, out + (row * w.out + x) * p.c, p.c);
      });
  }
  void scatter(const T* in, T* target) const {
    const Axis& w = p.axis[2];
    for (int64_t o = 0; o < (across ? 1 : p.o); ++o)
      each_row(p, [&](int64_t, int64_t at, int64_t row) {
        T* const out = target + o * p.to_c + at;
        for (int64_t x = 0; x < w.out; ++x) {
          if (across)
            __builtin_memcpy(out + x * to_step(w), in + (row * w.out + x) * p.o, p.o * sizeof(T));
          else
            out[x * to_step(w)] = in[o * count + row * w.out + x];
        }
      });
  }

  __attribute__((noinline)) void sum(int64_t image, int64_t group) const {
    const Scratch<T> source_copy(gathers ? count * p.c + kLanes<T> : 0), target_copy(scatters ? count * p.o : 0);
    const T* x = source(image, group);
    if (gathers) gather(x, source_copy.data()), x = source_copy.data();
    T* const target = p.target(image, group);
    T* const y = scatters ? target_copy.data() : target;
    const T* const bias = p.bias ? p.bias + group * p.o : nullptr;
    GemmArgs<T> g{};
    if (across) {
      g = {count, p.o, p.c, x, gathers ? p.c : from.step, 1, weights(group), p.w_c, p.w_o, y, scatters ? p.o : to.step,
           false, bias};
    } else {
      g = {p.o,
           count,
           p.c,
           weights(group),
           p.w_o,
           p.w_c,
           x,
           gathers ? count : p.from_c,
           1,
           y,
           scatters ? count : p.to_c,
           bias != nullptr};
      for (int64_t o = 0; bias && o < p.o; ++o)
        for (int64_t i = 0; i < count; ++i) y[o * g.ldc + i] = bias[o];
    }
    multiply(g);
    if (scatters) scatter(y, target);
  }

  // Adds what an image says to the gradient of the weights of a group, `w`; the first image writes it.
  void differentiate(int64_t image, int64_t group, T* w) const {
    const Scratch<T> source_copy(gathers ? count * p.c + kLanes<T> : 0);
    const T* x = source(image, group);
    if (gathers) gather(x, source_copy.data()), x = source_copy.data();
    GemmArgs<T> g{};
    g.m = p.o, g.n = p.c, g.k = count;
    g.a = p.target(image, group), g.a_row = p.to_c, g.a_col = to.step, g.b = x;
    g.b_row = gathers ? (across ? p.c : 1) : from.step, g.b_col = gathers && !across ? count : p.from_c;
    g.c = w, g.ldc = p.w_o, g.accumulate = image > 0;
    multiply(g);
  }
};

}  // namespace

template <class T> bool fits_product(const Windows<T>& p) {
  if (p.taps() != 1 || p.c < kLeast || p.o < kLeast) return false;
  for (const Axis& a : p.axis)
    if (a.first < 0 || a.first + (a.out - 1) * a.step >= a.in) return false;
  return true;
}

template <class T> void sum_by_product(const Windows<T>& p) {
  const Product<T> product(p);
  const int64_t all = product.images * p.groups;
  auto run = [&](int64_t at) { product.sum(at / p.groups, at % p.groups); };
  // Threads share products, or else the places of each.
  if (all >= num_threads()) return parallel_blocks(all, run);
  for (int64_t i = 0; i < all; ++i) run(i);
}

template <class T> bool differentiate_by_product(const Windows<T>& p, T* w) {
  if (p.w_c != 1 || !fits_product(p)) return false;
  const Product<T> product(p);
  if (product.scatters) return false;
  for (int64_t group = 0; group < p.groups; ++group)
    for (int64_t image = 0; image < product.images; ++image) product.differentiate(image, group, w + group * p.w_g);
  return true;
}

template bool fits_product(const Windows<float>&);
template bool fits_product(const Windows<double>&);
template void sum_by_product(const Windows<float>&);
template void sum_by_product(const Windows<double>&);
template bool differentiate_by_product(const Windows<float>&, float*);
template bool differentiate_by_product(const Windows<double>&, double*);

}  // namespace gradcore::GC_ISA
