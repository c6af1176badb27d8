// Images sampled at a grid. Start at sample(): for a block of points the taps of all dims are found first, then every
// channel sums its elements at them.
#include "kernels/pool/grid_sample.h"

#include <cmath>
#include <utility>

#include "core/parallel.h"
#include "kernels/common.h"
#include "kernels/intrinsics.h"

namespace gradcore::GC_ISA {
namespace {

constexpr int64_t kPoints = 128;         // of a block: what is known of them stays in the first cache
constexpr int64_t kGridGrain = 1 << 14;  // taps of a parallel block

// f<0>(), f<1>() ... f<n - 1>(): loops over taps stand inside loops over points, which are to be vectorised.
template <int n, class F> GC_INLINE void unrolled(const F& f) {
  [&]<int... k>(std::integer_sequence<int, k...>)
      __attribute__((always_inline)) { (f.template operator()<k>(), ...); }(std::make_integer_sequence<int, n>{});
}

// Pixels along one dim, as floats, and their slopes along the grid's coordinate.
template <class T> struct Positions {
  T x[kPoints];
  T slope[kPoints];
};

// The taps of points along one dim: -1 outside of the image, where weight and slope are 0. The slope is that of the
// weight along the grid's coordinate.
template <class T, int kTaps> struct Along {
  int32_t at[kTaps][kPoints];
  T weight[kTaps][kPoints];
  T slope[kTaps][kPoints];
};

// One dim of the image. Slopes are computed for a way back alone.
template <class T, bool kSlopes> class Axis {
 public:
  Axis(const GridGeometry& g, int64_t size)
      : padding_(g.padding),
        last_(static_cast<T>(size - 1)),
        scale_((g.corners ? last_ : static_cast<T>(size)) / 2),
        shift_(g.corners ? T(0) : T(0.5)),
        low_(-shift_),
        high_(last_ + shift_) {}

  // Brought into the image, as padding says, if at all.
  template <int kDims> void find(const T* coordinates, int64_t n, bool into_range, Positions<T>& to) const {
    GC_INDEPENDENT
    for (int64_t i = 0; i < n; ++i) {
      to.x[i] = (coordinates[i * kDims] + 1) * scale_ - shift_;
      if constexpr (kSlopes) to.slope[i] = scale_;
    }
    if (into_range) bring_into_range(n, to);
  }
  // At the borders of the image the slope is 0.
  [[gnu::noinline]] void bring_into_range(int64_t n, Positions<T>& p) const {
    if (padding_ == GridPadding::Zeros) return;
    if (padding_ == GridPadding::Reflection) reflect(n, p);
    const T last = last_;
    GC_INDEPENDENT
    for (int64_t i = 0; i < n; ++i) {
      const T x = p.x[i];
      if constexpr (kSlopes) p.slope[i] = ((x <= 0) | (x >= last)) ? T(0) : p.slope[i];
      const T from_first = x <= 0 ? T(0) : x;
      p.x[i] = from_first >= last ? last : from_first;
    }
  }
  // A NaN is outside.
  __attribute__((always_inline)) void set(T x, T weight, T slope, int32_t& at, T& to_weight, T& to_slope) const {
    const bool inside = (x >= 0) & (x <= last_);
    at = inside ? static_cast<int32_t>(x) : -1;
    to_weight = inside ? weight : T(0);
    if constexpr (kSlopes) to_slope = inside ? slope : T(0);
  }

 private:
  [[gnu::noinline]] void reflect(int64_t n, Positions<T>& p) const {
    const T span = high_ - low_;
    GC_INDEPENDENT
    for (int64_t i = 0; i < n; ++i) {
      const T from_low = p.x[i] - low_, distance = std::fabs(from_low);
      const T turns = span == 0 ? T(0) : std::floor(distance / span), rest = distance - turns * span;
      const bool is_even = turns - 2 * std::floor(turns / 2) == 0;
      if constexpr (kSlopes) p.slope[i] = is_even == (from_low >= 0) ? p.slope[i] : -p.slope[i];
      p.x[i] = is_even ? rest + low_ : high_ - rest;
    }
    for (int64_t i = 0; span == 0 && i < n; ++i) p.x[i] = p.slope[i] = 0;
  }

  const GridPadding padding_;
  const T last_, scale_, shift_, low_, high_;
};

// R. Keys's kernel and its derivative, by the distance from a tap: up to 1, and from 1 to 2.
template <class T> constexpr T kKeys = T(-0.75);
template <class T> GC_INLINE T near(T x) { return ((kKeys<T> + 2) * x - (kKeys<T> + 3)) * x * x + 1; }
template <class T> GC_INLINE T far(T x) { return (((x - 5) * x + 8) * x - 4) * kKeys<T>; }
template <class T> GC_INLINE T near_slope(T x) { return (3 * (kKeys<T> + 2) * x - 2 * (kKeys<T> + 3)) * x; }
template <class T> GC_INLINE T far_slope(T x) { return ((3 * x - 10) * x + 8) * kKeys<T>; }

// The weight of tap k, which lies k - 1 pixels from the one below, and its slope. t: from the pixel below to the point.
template <int k, class T> GC_INLINE T cubic_weight(T t) {
  if constexpr (k == 0) return far(t + 1);
  if constexpr (k == 1) return near(t);
  if constexpr (k == 2) return near(1 - t);
  if constexpr (k == 3) return far(2 - t);
}
template <int k, class T> GC_INLINE T cubic_slope(T t) {
  if constexpr (k == 0) return far_slope(t + 1);
  if constexpr (k == 1) return near_slope(t);
  if constexpr (k == 2) return -near_slope(1 - t);
  if constexpr (k == 3) return -far_slope(2 - t);
}

// One, two or four taps: nearest, linear or cubic.
template <int kDims, class T, bool kSlopes, int kTaps>
[[gnu::noinline]] void find_taps(const Axis<T, kSlopes>& axis, const T* coordinates, int64_t n, Along<T, kTaps>& to) {
  Positions<T> p, tap;
  axis.template find<kDims>(coordinates, n, kTaps < 4, p);
  if constexpr (kTaps == 1) {
    GC_INDEPENDENT
    for (int64_t i = 0; i < n; ++i)
      axis.set(std::rint(p.x[i]), T(1), T(0), to.at[0][i], to.weight[0][i], to.slope[0][i]);
  } else if constexpr (kTaps == 2) {
    GC_INDEPENDENT
    for (int64_t i = 0; i < n; ++i) {
      const T low = std::floor(p.x[i]), share = p.x[i] - low;
      axis.set(low, 1 - share, -p.slope[i], to.at[0][i], to.weight[0][i], to.slope[0][i]);
      axis.set(low + 1, share, p.slope[i], to.at[1][i], to.weight[1][i], to.slope[1][i]);
    }
  } else {
    unrolled<4>([&]<int k>() {
      GC_INDEPENDENT
      for (int64_t i = 0; i < n; ++i) tap.x[i] = std::floor(p.x[i]) + static_cast<T>(k - 1);
      axis.bring_into_range(n, tap);
      GC_INDEPENDENT
      for (int64_t i = 0; i < n; ++i) {
        const T t = p.x[i] - std::floor(p.x[i]), slope = cubic_slope<k>(t) * p.slope[i];
        axis.set(std::rint(tap.x[i]), cubic_weight<k>(t), slope, to.at[k][i], to.weight[k][i], to.slope[k][i]);
      }
    });
  }
}

// The elements at places of an image, 0 where a place is negative.
template <class T> GC_INLINE T element(const T* x, int32_t at) {
  const T found = x[at < 0 ? 0 : at];
  return at < 0 ? T(0) : found;
}
#ifdef __AVX2__
constexpr bool kGathers = true;
GC_INLINE Vec<float> gather(const float* x, const int32_t* at) {
  const __m256i places = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at));
  const __m256 inside = _mm256_castsi256_ps(_mm256_xor_si256(places, _mm256_set1_epi32(-1)));
  return (Vec<float>)_mm256_mask_i32gather_ps(_mm256_setzero_ps(), x, places, inside, 4);
}
GC_INLINE Vec<double> gather(const double* x, const int32_t* at) {
  const __m128i places = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
  const __m256d inside = _mm256_castsi256_pd(_mm256_cvtepi32_epi64(_mm_xor_si128(places, _mm_set1_epi32(-1))));
  return (Vec<double>)_mm256_mask_i32gather_pd(_mm256_setzero_pd(), x, places, inside, 8);
}
#else
constexpr bool kGathers = false;
template <class T> GC_INLINE Vec<T> gather(const T* x, const int32_t* at) {
  Vec<T> found;
  for (int64_t i = 0; i < kLanes<T>; ++i) found[i] = element(x, at[i]);
  return found;
}
#endif

template <int kTaps, int kDims> constexpr int count_of() {
  int n = 1;
  for (int i = 0; i < kDims; ++i) n *= kTaps;
  return n;
}

// The taps of a block of points: along each dim, and all combinations of them.
template <class T, bool kSlopes, int kDims, int kTaps> class Block {
 public:
  static constexpr int kCount = count_of<kTaps, kDims>();

  explicit Block(const GridGeometry& g)
      : g_(g), axes_{Axis<T, kSlopes>(g, g.size[0]), Axis<T, kSlopes>(g, g.size[1]), Axis<T, kSlopes>(g, g.size[2])} {}

  void find(const T* grid, int64_t n) {
    n_ = n;
    for (int d = 0; d < kDims; ++d) find_taps<kDims>(axes_[3 - kDims + d], grid + (kDims - 1 - d), n, along_[d]);
    for (int k = 0; k < kCount; ++k) combine(k);
  }

  void sum(const T* x, T* out) const {
    int64_t i = 0;
    for (; kGathers && i + kLanes<T> <= n_; i += kLanes<T>) {
      Vec<T> total = gather(x, &at_[0][i]);
      if constexpr (kCount > 1) total *= load(&weight_[0][i]);  // a single tap has the weight 1
      for (int k = 1; k < kCount; ++k) total += load(&weight_[k][i]) * gather(x, &at_[k][i]);
      store(out + i, total);
    }
    for (; i < n_; ++i) {
      T total = element(x, at_[0][i]);
      if constexpr (kCount > 1) total *= weight_[0][i];
      for (int k = 1; k < kCount; ++k) total += weight_[k][i] * element(x, at_[k][i]);
      out[i] = total;
    }
  }

  // What the gradient of one channel's points adds to that of its image.
  void spread(const T* grad, T* to) const {
    for (int k = 0; k < kCount; ++k)
      for (int64_t i = 0; i < n_; ++i)
        if (at_[k][i] >= 0) to[at_[k][i]] += weight_[k][i] * grad[i];
  }
  // The gradient of each combination's weight: summed over the channels.
  using Sums = T[kCount][kPoints];
  void add_products(const T* grad, const T* x, Sums& sums) const {
    for (int k = 0; k < kCount; ++k) {
      int64_t i = 0;
      for (; kGathers && i + kLanes<T> <= n_; i += kLanes<T>)
        store(&sums[k][i], load(&sums[k][i]) + load(grad + i) * gather(x, &at_[k][i]));
      for (; i < n_; ++i) sums[k][i] += grad[i] * element(x, at_[k][i]);
    }
  }
  void grid_gradient(const Sums& sums, T* to) const {
    for (int d = 0; d < kDims; ++d) {
      T total[kPoints] = {};
      for (int k = 0; k < kCount; ++k) add_slopes(k, d, sums[k], total);
      for (int64_t i = 0; i < n_; ++i) to[i * kDims + (kDims - 1 - d)] = total[i];
    }
  }

 private:
  // Which tap along dim d the combination k takes.
  static constexpr int tap(int k, int d) {
    for (int i = kDims - 1; i > d; --i) k /= kTaps;
    return k % kTaps;
  }
  void combine(int k) {
    GC_INDEPENDENT
    for (int64_t i = 0; i < n_; ++i) {
      int32_t at = 0, sign = 0;
      T weight = 1;
      unrolled<kDims>([&]<int d>() __attribute__((always_inline)) {
        const int32_t place = along_[d].at[tap(k, d)][i];
        at = at * static_cast<int32_t>(g_.size[3 - kDims + d]) + place;
        sign |= place;
        weight *= along_[d].weight[tap(k, d)][i];
      });
      at_[k][i] = sign < 0 ? -1 : at;
      weight_[k][i] = weight;
    }
  }
  // Adds what combination k's weight changes by along dim d, times the gradient of that weight.
  void add_slopes(int k, int d, const T* sums, T* total) const {
    const T* factor[kDims] = {along_[d].slope[tap(k, d)]};
    for (int other = 0, n = 1; other < kDims; ++other)
      if (other != d) factor[n++] = along_[other].weight[tap(k, other)];
    GC_INDEPENDENT
    for (int64_t i = 0; i < n_; ++i) {
      T found = factor[0][i];
      unrolled<kDims - 1>([&]<int other>() __attribute__((always_inline)) { found *= factor[other + 1][i]; });
      total[i] += found * sums[i];
    }
  }
  const GridGeometry& g_;
  const Axis<T, kSlopes> axes_[3];
  int64_t n_ = 0;
  Along<T, kTaps> along_[kDims];
  int32_t at_[kCount][kPoints];
  T weight_[kCount][kPoints];
};

template <class T, int kDims, int kTaps> void sample_of(const GridSampleArgs& a) {
  const GridGeometry& g = a.geometry;
  const int64_t cuts = ceil_div(g.points, kPoints), total = g.samples * cuts;
  const int64_t each = larger(1, kGridGrain / (kPoints * count_of<kTaps, kDims>() * (g.channels + 2)));
  parallel_blocks(ceil_div(total, each), [&](int64_t block) {
    Block<T, false, kDims, kTaps> taps(g);
    for (int64_t i = block * each; i < smaller(total, (block + 1) * each); ++i) {
      const int64_t s = i / cuts, first = i % cuts * kPoints, n = smaller(kPoints, g.points - first);
      taps.find(static_cast<const T*>(a.grid) + (s * g.points + first) * kDims, n);
      for (int64_t c = s * g.channels; c < (s + 1) * g.channels; ++c)
        taps.sum(static_cast<const T*>(a.x) + c * g.places(), static_cast<T*>(a.out) + c * g.points + first);
    }
  });
}

// A sample for one thread: its points may share pixels.
template <class T, int kDims, int kTaps> void backward_of(const GridSampleBackwardArgs& a) {
  const GridGeometry& g = a.geometry;
  parallel_blocks(g.samples, [&](int64_t s) {
    using Taps = Block<T, true, kDims, kTaps>;
    Taps taps(g);
    typename Taps::Sums sums;
    const int64_t image = s * g.channels * g.places();
    const T* const x = static_cast<const T*>(a.x) + image;
    T* const x_grad = a.x_grad ? static_cast<T*>(a.x_grad) + image : nullptr;
    for (int64_t i = 0; x_grad && i < g.channels * g.places(); ++i) x_grad[i] = 0;
    for (int64_t first = 0; first < g.points; first += kPoints) {
      const int64_t n = smaller(kPoints, g.points - first), at = (s * g.points + first) * kDims;
      taps.find(static_cast<const T*>(a.grid) + at, n);
      for (auto& row : sums)
        for (int64_t i = 0; i < n; ++i) row[i] = 0;
      for (int64_t c = 0; c < g.channels; ++c) {
        const T* const grad = static_cast<const T*>(a.grad) + (s * g.channels + c) * g.points + first;
        if (x_grad) taps.spread(grad, x_grad + c * g.places());
        if (a.grid_grad) taps.add_products(grad, x + c * g.places(), sums);
      }
      if (a.grid_grad) taps.grid_gradient(sums, static_cast<T*>(a.grid_grad) + at);
    }
  });
}

// Calls f with the numbers of dims and of taps along each.
template <class F> void with_taps(const GridGeometry& g, const F& f) {
  if (g.dims == 2) {
    if (g.mode == GridMode::Nearest) return f.template operator()<2, 1>();
    if (g.mode == GridMode::Linear) return f.template operator()<2, 2>();
    return f.template operator()<2, 4>();
  }
  if (g.mode == GridMode::Nearest) return f.template operator()<3, 1>();
  f.template operator()<3, 2>();
}

template <class T> void sample(const GridSampleArgs& a) {
  with_taps(a.geometry, [&]<int kDims, int kTaps>() { sample_of<T, kDims, kTaps>(a); });
}
template <class T> void backward(const GridSampleBackwardArgs& a) {
  with_taps(a.geometry, [&]<int kDims, int kTaps>() { backward_of<T, kDims, kTaps>(a); });
}

}  // namespace

constinit const GridSampleKernels grid_sample_kernels{
    by_float<void (*)(const GridSampleArgs&)>([]<class T>(TypeTag<T>) { return &sample<T>; }),
    by_float<void (*)(const GridSampleBackwardArgs&)>([]<class T>(TypeTag<T>) { return &backward<T>; })};

}  // namespace gradcore::GC_ISA
