// The largest element of each window. Start at max_pool(). Of equal elements the first one wins, and of NaNs the last
// one, as in torch.
#include "kernels/pool/lines.h"
#include "kernels/reduce/fold.h"

namespace gradcore::GC_ISA {
namespace {

// best[i] = the larger one of it and x[i * step]; where that is x, place[i] = at + i * at_step.
template <int64_t kStep, bool kPlaces, class T, class I>
GC_INLINE void compare_steps(const T* x, int64_t step, T* best, I* place, int64_t n, I at, I at_step) {
  const int64_t s = kStep ? kStep : step;
  GC_INDEPENDENT
  for (int64_t i = 0; i < n; ++i) {
    const T v = x[i * s], b = best[i];
    const bool better = (v > b) | (v != v);
    best[i] = better ? v : b;
    if constexpr (kPlaces) place[i] = better ? static_cast<I>(at + static_cast<I>(i) * at_step) : place[i];
  }
}
template <bool kPlaces, class T, class I>
GC_INLINE void compare(const T* x, int64_t step, T* best, I* place, int64_t n, I at, I at_step) {
  if (step == 1) return compare_steps<1, kPlaces>(x, step, best, place, n, at, at_step);
  if (step == 2) return compare_steps<2, kPlaces>(x, step, best, place, n, at, at_step);
  compare_steps<0, kPlaces>(x, step, best, place, n, at, at_step);
}

template <class T, bool kPlaces> class MaxPool {
 public:
  using I = SameWidthInt<T>;  // both are chosen in vectors of one length

  explicit MaxPool(const MaxPoolArgs& a)
      : a_(a),
        g_(a.geometry),
        d_(g_.dim[0], false),
        h_(g_.dim[1], false),
        w_(g_.dim[2], false),
        spans_(w_),
        n_(g_.channels == 1 ? g_.dim[2].out : g_.channels) {}

  void run() const {
    const int64_t taps = d_.most * h_.most * w_.most;
    each_line(g_, n_ * taps, [&] {
      return [this, places = Scratch<I>(kPlaces ? n_ : 0)](const LinePlace& at, int64_t i) {
        T* const best = static_cast<T*>(a_.out) + i * n_;
        I* const place = places.data();
        for (int64_t j = 0; j < n_; ++j) best[j] = lowest<T>();
        if (g_.channels == 1)
          along_last(at, best, place);
        else
          of_channels(at, best, place);
        if constexpr (kPlaces) write_places(place, a_.index + i * n_);
      };
    });
  }

 private:
  void write_places(const I* place, int64_t* to) const {
    const int64_t outs = n_ / g_.joined, size = g_.dim[2].size / g_.joined;
    for (int64_t p = 0; p < g_.joined; ++p)
      for (int64_t j = p * outs; j < (p + 1) * outs; ++j) to[j] = place[j] - p * size;
  }
  const T* plane(int64_t p) const { return static_cast<const T*>(a_.x) + p * g_.places() * g_.channels; }
  int64_t row(int64_t d, int64_t h) const { return (d * g_.dim[1].size + h) * g_.dim[2].size; }
  // Calls f(first place of the row) for the rows that the windows of a line reach.
  template <class F> void each_row(const LinePlace& at, const F& f) const {
    for (int64_t i = 0; i < d_.count[at.d]; ++i)
      for (int64_t j = 0; j < h_.count[at.h]; ++j) f(row(d_.at(at.d, i), h_.at(at.h, j)));
  }

  void along_last(const LinePlace& at, T* best, I* place) const {
    const T* const x = plane(at.plane);
    const int64_t first = row(d_.first(at.d), h_.first(at.h));
    if constexpr (kPlaces)
      for (int64_t o = 0; o < n_; ++o) place[o] = static_cast<I>(first + w_.first(o));
    const bool by_windows = takes_windows();
    each_row(at, [&](int64_t r) {
      if (by_windows) return compare_windows(x, r, best, place);
      for (int64_t k = 0; k < spans_.count; ++k) {
        const Span& s = spans_.of[k];
        const int64_t begin = r + s.at;
        compare<kPlaces>(x + begin, w_.d.stride, best + s.from, place + s.from, s.to - s.from, static_cast<I>(begin),
                         static_cast<I>(w_.d.stride));
      }
    });
  }
  // Whether windows are of several sizes, or so long and few that a vector is better spent on one than on several. For
  // one or two outputs no vector is worth its loop.
  bool takes_windows() const {
    const bool runs = w_.strides() && w_.d.dilation == 1;
    const int64_t least = w_.d.out <= 2 ? 4 : 8;
    return w_.takes_runs() || (runs && w_.d.kernel >= least && w_.d.kernel > w_.d.out);
  }
  void compare_windows(const T* x, int64_t r, T* best, I* place) const {
    for (int64_t o = 0; o < n_; ++o) {
      const int64_t begin = r + w_.first(o), n = w_.count[o];
      if (n >= kLanes<T> && !any_beyond(x + begin, n, best[o])) continue;
      const T most = n < kLanes<T> ? x[begin] : fold_run<MaxKind<T>>(x + begin, n);
      if (n < kLanes<T> || most != most) {
        compare_one_by_one(x, begin, n, best[o], kPlaces ? place + o : nullptr);
        continue;
      }
      if (!(most > best[o])) continue;
      best[o] = most;
      if constexpr (kPlaces) place[o] = static_cast<I>(begin + place_of(x + begin, n, most));
    }
  }
  static void compare_one_by_one(const T* x, int64_t begin, int64_t n, T& best, I* place) {
    for (int64_t k = begin; k < begin + n; ++k) {
      if (!(x[k] > best || x[k] != x[k])) continue;
      best = x[k];
      if constexpr (kPlaces) *place = static_cast<I>(k);
    }
  }
  // Whether one of at least as many elements as a vector has is larger than `best`, or NaN: in most rows none is.
  static bool any_beyond(const T* x, int64_t n, T best) {
    const Vec<T> bound = Vec<T>{} + best;
    auto beyond = ~(load(x + n - kLanes<T>) <= bound);  // it overlaps
    for (int64_t i = 0; i + kLanes<T> < n; i += kLanes<T>) beyond |= ~(load(x + i) <= bound);
    return any_lane(beyond);
  }
  // The first place of `v`, which is there.
  static int64_t place_of(const T* x, int64_t n, T v) {
    const Vec<T> wanted = Vec<T>{} + v;
    int64_t at = 0;
    while (at + kLanes<T> <= n && !any_lane(load(x + at) == wanted)) at += kLanes<T>;
    while (x[at] != v) ++at;
    return at;
  }
  template <class Mask> static bool any_lane(const Mask& mask) {
    uint64_t words[sizeof(Mask) / 8], any = 0;
    __builtin_memcpy(words, &mask, sizeof(Mask));
    for (uint64_t word : words) any |= word;
    return any != 0;
  }

  void of_channels(const LinePlace& at, T* best, I* place) const {
    const T* const x = plane(at.plane);
    if constexpr (kPlaces) {
      const I first = static_cast<I>(row(d_.first(at.d), h_.first(at.h)) + w_.first(at.w));
      for (int64_t c = 0; c < n_; ++c) place[c] = first;
    }
    each_row(at, [&](int64_t r) {
      for (int64_t k = 0; k < w_.count[at.w]; ++k) {
        const int64_t p = r + w_.at(at.w, k);
        compare_steps<1, kPlaces>(x + p * n_, 1, best, place, n_, static_cast<I>(p), I(0));
      }
    });
  }

  const MaxPoolArgs& a_;
  const PoolGeometry& g_;
  const Taps<float> d_, h_, w_;
  const Spans spans_;
  const int64_t n_;  // outputs of a line
};

template <class T> void max_pool(const MaxPoolArgs& a) {
  if (a.index)
    MaxPool<T, true>(a).run();
  else
    MaxPool<T, false>(a).run();
}

}  // namespace

constinit const PoolRow<MaxPoolArgs> max_pool_row{
    by_float<void (*)(const MaxPoolArgs&)>([]<class T>(TypeTag<T>) { return &max_pool<T>; }), &max_pool<int64_t>};

}  // namespace gradcore::GC_ISA
