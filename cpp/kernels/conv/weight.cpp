// The gradient of the weights: dot products of the rows of y with the rows of x that each tap reads. Start at
// differentiate_weight().
//
// A tile of dot products stays in registers over all rows of a strip (Note [Strips]), lane by lane; then its lanes are
// summed. Strips are dealt to a number of parts that the shape alone decides; each part sums its own, and the parts are
// added in order.
#include "kernels/conv/parts.h"
#include "kernels/conv/ways.h"

namespace gradcore::GC_ISA {
namespace {

constexpr int64_t kStripBytes = 512 << 10;  // of x and y: they stay in the second cache

// A tile takes some rows of y and of x: many and four, or few and nine, which is a 3 x 3 window.
constexpr int kFewXs = 4, kMostXs = 9;
constexpr int kFewYs = kDotRows / 3 > 1 ? kDotRows / 3 : 1;

template <class T> struct WindowDots {
  int64_t images, rows, columns;
  int64_t x_image, x_row, y_image, y_row;
  const T* y;
  int64_t y_channel;
  const T* x[kMostXs];
  int64_t used;  // of x
  T* to;
  int64_t to_o;
};
template <class T> using WindowDotsFn = void (*)(const WindowDots<T>&);

template <class T, int kYs, int kXs> void run_window_dots(const WindowDots<T>& t) {
  constexpr int64_t L = kLanes<T>;
  Vec<T> sum[kYs][kXs];
  const T* x[kXs];
#pragma GCC unroll 9
  for (int q = 0; q < kXs; ++q) {
    x[q] = t.x[q];
#pragma GCC unroll 9
    for (int p = 0; p < kYs; ++p) sum[p][q] = Vec<T>{};
  }
  const int64_t whole = t.columns / L * L, rest = t.columns - whole, channel = t.y_channel;
  for (int64_t image = 0; image < t.images; ++image)
    for (int64_t r = 0; r < t.rows; ++r) {
      const T* const y = t.y + image * t.y_image + r * t.y_row;
      const int64_t at = image * t.x_image + r * t.x_row;
      for (int64_t i = 0; i < whole; i += L) {
        Vec<T> v[kXs];
#pragma GCC unroll 9
        for (int q = 0; q < kXs; ++q) v[q] = load(x[q] + at + i);
#pragma GCC unroll 9
        for (int p = 0; p < kYs; ++p) {
          const Vec<T> g = load(y + p * channel + i);
#pragma GCC unroll 9
          for (int q = 0; q < kXs; ++q) sum[p][q] += g * v[q];
        }
      }
      if (!rest) continue;
      Vec<T> v[kXs];  // what lies past the row may be infinite: it is not multiplied with 0
#pragma GCC unroll 9
      for (int q = 0; q < kXs; ++q) v[q] = load_part(x[q] + at + whole, rest);
#pragma GCC unroll 9
      for (int p = 0; p < kYs; ++p) {
        const Vec<T> g = load_part(y + p * channel + whole, rest);
#pragma GCC unroll 9
        for (int q = 0; q < kXs; ++q) sum[p][q] += g * v[q];
      }
    }
#pragma GCC unroll 9
  for (int p = 0; p < kYs; ++p) {
    T sums[kXs + 3];
#pragma GCC unroll 3
    for (int q = 0; q < kXs; q += 4) {
      Vec<T> four[4];
#pragma GCC unroll 4
      for (int i = 0; i < 4; ++i) four[i] = q + i < kXs ? sum[p][q + i < kXs ? q + i : 0] : Vec<T>{};
      sum_lanes(four, sums + q);
    }
    for (int q = 0; q < t.used; ++q) t.to[p * t.to_o + q] += sums[q];
  }
}

template <class T> struct WindowDotsFns {
  template <int kYs, int kXs> static constexpr WindowDotsFn<T> at() {
    return run_window_dots<T, (kYs < kDotRows ? kYs : kDotRows), kXs>;
  }
  static constexpr WindowDotsFn<T> few[6] = {at<1, kFewXs>(), at<2, kFewXs>(), at<3, kFewXs>(),
                                             at<4, kFewXs>(), at<5, kFewXs>(), at<6, kFewXs>()};
  static constexpr WindowDotsFn<T> most[2] = {at<1, kMostXs>(), at<kFewYs, kMostXs>()};
};

template <class T> struct WeightPlan {
  int64_t images, hn, wn, down, across;
  int64_t strips;  // of one group
  int64_t pitch;   // of a row of y in its strip
};
template <class T> WeightPlan<T> plan_weight(const Windows<T>& p) {
  const Axis &d = p.axis[0], &h = p.axis[1], &w = p.axis[2];
  WeightPlan<T> plan{1, h.out, w.out, 1, 1, 1, 0};
  const int64_t most = kStripBytes / static_cast<int64_t>(sizeof(T));
  const auto size = [&] {
    return Strip::make(p, 0, 0, plan.hn, 0, plan.wn).channel * p.c + p.o * plan.hn * round_up(plan.wn, kLanes<T>);
  };
  while (plan.hn > 1 && size() > most) plan.hn = ceil_div(plan.hn, 2);
  while (plan.wn > 4 * kLanes<T> && size() > 2 * most) plan.wn = round_up(ceil_div(plan.wn, 2), kLanes<T>);
  plan.hn = even_part(h.out, plan.hn);
  plan.down = ceil_div(h.out, plan.hn);
  plan.across = ceil_div(w.out, plan.wn);
  plan.pitch = round_up(plan.wn, kLanes<T>);
  if (plan.down == 1 && plan.across == 1 && d.out == 1) plan.images = larger(1, smaller(p.n, most / size()));
  plan.strips = ceil_div(p.n, plan.images) * d.out * plan.down * plan.across;
  return plan;
}

// Rows of y, where they are not side by side in memory: [o][hn][pitch].
template <class T>
void pack_outputs(const Windows<T>& p, const WeightPlan<T>& plan, const Strip& s, const T* y, int64_t os, T* to) {
  const int64_t h_step = s.h.to_step, w_step = s.w.to_step;
  for (int64_t o = 0; o < os; ++o)
    for (int64_t r = 0; r < plan.hn; ++r, to += plan.pitch) {
      if (r < s.h.out) copy_past(y + o * p.to_c + r * h_step, w_step, to, s.w.out);
    }
}

// Adds what one strip has to say about output channels o0 .. o0 + os to `to`, [o][c][taps].
template <class T>
void add_strip(const Windows<T>& p, const Strip& s, WindowDots<T> dots, const T* x, const int64_t* taps, int64_t o0,
               int64_t os, T* to) {
  const int64_t depth = p.depth(), each = p.taps();
  const bool many = os == 1 || (depth > kFewXs && depth <= kMostXs);
  const int64_t y_step = many ? smaller(os, kFewYs) : even_part(os, kDotRows), xs = many ? kMostXs : kFewXs;
  dots.to_o = depth;
  const T* const y = dots.y;
  for (int64_t o = 0; o < os; o += y_step) {
    const int64_t ys = smaller(y_step, os - o);
    dots.y = y + o * dots.y_channel;
    for (int64_t k = 0; k < depth; k += xs) {
      dots.used = smaller(xs, depth - k);
      for (int64_t q = 0; q < xs; ++q) {
        const int64_t at = k + smaller(q, dots.used - 1);
        dots.x[q] = x + at / each * s.channel + taps[at % each];
      }
      dots.to = to + (o0 + o) * depth + k;
      (many ? WindowDotsFns<T>::most : WindowDotsFns<T>::few)[ys - 1](dots);
    }
  }
}

// The sums of a range of strips of a group, for output channels o0 .. o0 + os.
template <class T>
void sum_part(const Windows<T>& p, const WeightPlan<T>& plan, const int64_t* taps, int64_t group, int64_t begin,
              int64_t end, int64_t o0, int64_t os, T* to) {
  const Strip model = Strip::make(p, 0, 0, plan.hn, 0, plan.wn);
  const int64_t x_image = strip_size(p, model), y_image = os * plan.hn * plan.pitch + kLanes<T>;
  const bool copies = p.axis[2].to_step != 1;
  const Scratch<T> x(plan.images * x_image), y(copies ? plan.images * y_image : 0);
  clear_exactly(to + o0 * p.depth(), os * p.depth());
  for (int64_t i = begin; i < end; ++i) {
    const int64_t across = i % plan.across, down = i / plan.across % plan.down;
    const int64_t above = i / plan.across / plan.down, d0 = above % p.axis[0].out;
    const int64_t image = above / p.axis[0].out * plan.images, h0 = down * plan.hn, w0 = across * plan.wn;
    Strip s = Strip::make(p, d0, h0, plan.hn, w0, plan.wn);
    const int64_t images = smaller(plan.images, p.n - image);
    s.h.out = smaller(plan.hn, p.axis[1].out - h0), s.w.out = smaller(plan.wn, p.axis[2].out - w0);
    const auto target = [&](int64_t k) {
      return p.to + k * p.to_n + (group * p.o + o0) * p.to_c + d0 * p.axis[0].to_step + h0 * p.axis[1].to_step +
             w0 * p.axis[2].to_step;
    };
    for (int64_t k = 0; k < images; ++k) {
      pack_strip(p, s, p.source(image + k, group), x.data() + k * x_image);
      if (copies) pack_outputs(p, plan, s, target(image + k), os, y.data() + k * y_image);
    }
    WindowDots<T> dots{};
    dots.images = images, dots.rows = s.h.out, dots.columns = s.w.out;
    dots.x_image = x_image, dots.x_row = s.out_row();
    dots.y = copies ? y.data() : target(image);
    dots.y_image = copies ? y_image : p.to_n, dots.y_row = copies ? plan.pitch : p.axis[1].to_step;
    dots.y_channel = copies ? plan.hn * plan.pitch : p.to_c;
    add_strip(p, s, dots, x.data(), taps, o0, os, to);
  }
}

}  // namespace

template <class T> void differentiate_weight(const Windows<T>& p, T* w) {
  const int64_t size = p.depth() * p.o;
  if (size * p.groups == 0) return;
  if (differentiate_by_product(p, w)) return;
  if (differentiate_depthwise_last(p, w)) return;
  if (fits_last(p)) return differentiate_weight_last(p, w);
  const WeightPlan<T> plan = plan_weight(p);
  const Scratch<int64_t> taps(p.taps());
  list_taps(Strip::make(p, 0, 0, plan.hn, 0, plan.wn), taps.data());
  const Parts parts = cut_in_parts(p, plan.strips, kDotRows);
  const Scratch<T> sums(parts.count * p.groups * size);
  parts.run([&](int64_t part, int64_t group, int64_t o0, int64_t os) {
    sum_part(p, plan, taps.data(), group, parts.begin(part), parts.begin(part + 1), o0, os,
             sums.data() + (part * p.groups + group) * size);
  });
  // The strides of [o][c][taps].
  merge_parts(p, w, sums.data(), parts.count, size, p.taps(), int64_t{1}, p.depth());
}

template void differentiate_weight(const Windows<float>&, float*);
template void differentiate_weight(const Windows<double>&, double*);

}  // namespace gradcore::GC_ISA
