// Batch, group and instance normalisation: y = (x - mean) * scale * weight + bias, and its gradients. Start at
// normalise() and differentiate().
//
// Each goes through memory twice. The first pass takes the sums of runs, the second writes. A run is the places of one
// channel of one sample; of a channels-last tensor it is a band of rows, with a sum for each column. Moments of
// pieces that fit into the nearest cache are taken in two steps there, and are put together in double: T. F. Chan et
// al., "Updating formulae and a pairwise algorithm for computing sample variances", 1979. All is cut by shape alone.
#include "kernels/norm/channel_norm.h"

#include "core/parallel.h"
#include "kernels/norm/sums.h"

namespace gradcore::GC_ISA {
namespace {

constexpr int64_t kGrain = 1 << 14;  // elements of a parallel block
constexpr int64_t kPiece = 1 << 11;  // elements of a piece

// Mean of `count` elements, and the sum of the squares of what they differ from it.
struct Moments {
  double count = 0, mean = 0, squares = 0;
  void add(const Moments& o) {
    if (o.count == 0) return;
    const double all = count + o.count, d = o.mean - mean;
    mean += d * (o.count / all);
    squares += o.squares + d * d * (count * o.count / all);
    count = all;
  }
};
// Sums of the gradient g, and of g * (x - mean).
struct Products {
  double g = 0, gx = 0;
};

// Where squares overflow in T: in double.
template <class T> [[gnu::noinline, gnu::cold]] Moments moments_in_double(const T* x, int64_t n, int64_t step) {
  const double count = static_cast<double>(n);
  double sum = 0, squares = 0;
  for (int64_t i = 0; i < n; ++i) sum += static_cast<double>(x[i * step]);
  for (int64_t i = 0; i < n; ++i) squares += square(static_cast<double>(x[i * step]) - sum / count);
  return {count, sum / count, squares};
}

template <class T> GC_INLINE Moments moments_of(const T* x, int64_t n) {
  Moments all;
  for (int64_t i = 0; i < n; i += kPiece) {
    const int64_t m = smaller(kPiece, n - i);
    const double count = static_cast<double>(m),
                 mean = sum_of<T>(m, [&](auto at, int64_t j) { return at(x + i, j); }) / count;
    const T about = static_cast<T>(mean);
    // The mean that was rounded is off by d, which adds m * d * d to the squares.
    const double d = mean - static_cast<double>(about);
    const double squares = sum_of<T>(m, [&](auto at, int64_t j) { return square(at(x + i, j) - about); });
    all.add({count, mean, squares - count * d * d});
  }
  if (!(all.squares <= __DBL_MAX__)) [[unlikely]]
    return moments_in_double(x, n, 1);
  return all;
}

// A run: its number, its channel, and what its statistics are the number of.
struct Run {
  int64_t at, channel, statistic;
};
class Runs {
 public:
  explicit Runs(const ChannelNormSizes& s) : channels_(s.channels), in_group_(s.groups ? s.channels / s.groups : 0) {}
  Run operator[](int64_t at) const {
    const int64_t channel = at % channels_;
    return {at, channel, in_group_ ? at / in_group_ : channel};
  }
  // Calls f(run) for those from `begin` to `end`. To count takes less time than to divide.
  template <class F> void each(int64_t begin, int64_t end, const F& f) const {
    if (begin >= end) return;
    Run run = (*this)[begin];
    for (int64_t left = in_group_ ? in_group_ - begin % in_group_ : 0; run.at < end; ++run.at) {
      f(run);
      if (++run.channel == channels_) run.channel = 0;
      if (in_group_ == 0)
        run.statistic = run.channel;
      else if (--left == 0)
        ++run.statistic, left = in_group_;
    }
  }

 private:
  int64_t channels_, in_group_;  // channels of a group, 0: each is one by itself
};

// Calls f(run) for all runs in parallel.
template <class F> GC_INLINE void each_run(const ChannelNormSizes& s, const F& f) {
  const int64_t each = larger(1, kGrain / larger(1, s.places)), count = s.runs();
  const Runs runs(s);
  parallel_blocks(ceil_div(count, each),
                  [&](int64_t block) { runs.each(block * each, smaller(count, (block + 1) * each), f); });
}
// Calls f(first row, number of rows, band) for bands of rows of a channels-last tensor, in parallel.
struct Bands {
  int64_t rows, each, count;
  explicit Bands(const ChannelNormSizes& s)
      : rows(s.samples * s.places), each(larger(16, kGrain / larger(1, s.channels))), count(ceil_div(rows, each)) {}
  template <class F> void run(const F& f) const {
    parallel_blocks(count, [&](int64_t band) { f(band * each, smaller(each, rows - band * each), band); });
  }
};

// What each channel multiplies and adds.
template <class T> struct Affine {
  T weight, bias;
};
template <class T> GC_INLINE Affine<T> affine_of(const ChannelNormArgs& a, int64_t channel) {
  const T *const w = static_cast<const T*>(a.weight), *const b = static_cast<const T*>(a.bias);
  return {w ? w[channel] : T(1), b ? b[channel] : T(0)};
}

// ---- forward

// What is one after the other in memory and has one mean: a run, or so many runs of a group as fill a piece.
template <class T> void take_moments_of_runs(const ChannelNormArgs& a, Moments* into) {
  const ChannelNormSizes& s = a.sizes;
  const T* const x = static_cast<const T*>(a.x);
  const Runs all_runs(s);
  const int64_t in_group = s.groups ? s.channels / s.groups : 1;
  const int64_t together = larger(1, smaller(in_group, kPiece / larger(1, s.places))),
                parts = ceil_div(in_group, together);
  const int64_t count = s.runs() / in_group * parts, each = larger(1, kGrain / larger(1, together * s.places));
  const auto first_run = [&](int64_t k) { return k / parts * in_group + k % parts * together; };
  const Scratch<Moments> of_part(count);
  parallel_blocks(ceil_div(count, each), [&](int64_t block) {
    for (int64_t k = block * each; k < smaller(count, (block + 1) * each); ++k) {
      const int64_t runs = smaller(together, in_group - k % parts * together);
      of_part[k] = moments_of(x + first_run(k) * s.places, runs * s.places);
    }
  });
  for (int64_t k = 0; k < count; ++k) into[all_runs[first_run(k)].statistic].add(of_part[k]);
}

// Adds up the columns of n rows: sums in T, of pieces of rows that stay in cache.
template <class T> void moments_of_rows(const T* x, int64_t n, int64_t channels, Moments* into, T* sum, T* squares) {
  const int64_t rows = smaller(256, larger(8, 4 * kPiece / channels));
  for (int64_t i = 0; i < n; i += rows) {
    const int64_t m = smaller(rows, n - i);
    const T* const piece = x + i * channels;
    const T share = T(1) / static_cast<T>(m);
    for (int64_t c = 0; c < channels; ++c) sum[c] = squares[c] = 0;
    for (int64_t r = 0; r < m; ++r) GC_INDEPENDENT
    for (int64_t c = 0; c < channels; ++c) sum[c] += piece[r * channels + c];
    for (int64_t c = 0; c < channels; ++c) sum[c] *= share;
    for (int64_t r = 0; r < m; ++r) GC_INDEPENDENT
    for (int64_t c = 0; c < channels; ++c) {
      const T d = piece[r * channels + c] - sum[c];
      squares[c] += d * d;
    }
    for (int64_t c = 0; c < channels; ++c) {
      const double total = static_cast<double>(squares[c]);
      if (total <= __DBL_MAX__) [[likely]]
        into[c].add({static_cast<double>(m), static_cast<double>(sum[c]), total});
      else
        into[c].add(moments_in_double(piece + c, m, channels));
    }
  }
}

template <class T> void take_moments(const ChannelNormArgs& a, Moments* all) {
  const ChannelNormSizes& s = a.sizes;
  const T* const x = static_cast<const T*>(a.x);
  if (!s.channels_last) return take_moments_of_runs<T>(a, all);
  const Bands bands(s);
  const Scratch<Moments> of_band(bands.count * s.channels);
  bands.run([&](int64_t first, int64_t n, int64_t band) {
    const Scratch<T> sums(2 * s.channels);
    Moments* const into = of_band.data() + band * s.channels;
    for (int64_t c = 0; c < s.channels; ++c) into[c] = {};
    moments_of_rows(x + first * s.channels, n, s.channels, into, sums.data(), sums.data() + s.channels);
  });
  for (int64_t b = 0; b < bands.count; ++b)
    for (int64_t c = 0; c < s.channels; ++c) all[c].add(of_band[b * s.channels + c]);
}

template <class T> GC_INLINE void write_statistic(const ChannelNormArgs& a, int64_t k, const Moments& of) {
  if (a.var) static_cast<T*>(a.var)[k] = static_cast<T>(of.squares / (of.count - 1));
  static_cast<T*>(a.mean)[k] = static_cast<T>(of.mean);
  static_cast<T*>(a.scale)[k] = static_cast<T>(1 / __builtin_sqrt(of.squares / of.count + a.eps));
}

template <class T> void take_statistics(const ChannelNormArgs& a) {
  const int64_t count = a.sizes.statistics();
  const Scratch<Moments> all(count);
  for (int64_t k = 0; k < count; ++k) all[k] = {};
  take_moments<T>(a, all.data());
  for (int64_t k = 0; k < count; ++k) write_statistic<T>(a, k, all[k]);
}

// `count` runs of one group, from `first` on; one alone where channels have weights.
template <class T> GC_INLINE void normalise_runs(const ChannelNormArgs& a, const Run& first, int64_t count) {
  const auto [w, b] = affine_of<T>(a, first.channel);
  const T m = static_cast<const T*>(a.mean)[first.statistic], by = static_cast<const T*>(a.scale)[first.statistic] * w;
  const T* const from = static_cast<const T*>(a.x) + first.at * a.sizes.places;
  T* const to = static_cast<T*>(a.out) + first.at * a.sizes.places;
  GC_INDEPENDENT
  for (int64_t i = 0; i < count * a.sizes.places; ++i) to[i] = (from[i] - m) * by + b;
}
template <class T> GC_INLINE void normalise_range(const ChannelNormArgs& a, int64_t begin, int64_t end) {
  const Runs runs(a.sizes);
  if (!a.sizes.groups || a.weight || a.bias)
    return runs.each(begin, end, [&](const Run& r) { normalise_runs<T>(a, r, 1); });
  const int64_t in_group = a.sizes.channels / a.sizes.groups;
  while (begin < end) {
    const Run first = runs[begin];
    const int64_t stop = smaller(end, (first.statistic + 1) * in_group);
    normalise_runs<T>(a, first, stop - begin);
    begin = stop;
  }
}

// Both passes over a group while it is in cache.
template <class T> void normalise_groups(const ChannelNormArgs& a) {
  const ChannelNormSizes& s = a.sizes;
  const int64_t runs = s.channels / s.groups, groups = s.statistics(), each = larger(1, kGrain / (runs * s.places));
  parallel_blocks(ceil_div(groups, each), [&](int64_t block) {
    for (int64_t k = block * each; k < smaller(groups, (block + 1) * each); ++k) {
      const int64_t size = runs * s.places;
      write_statistic<T>(a, k, moments_of(static_cast<const T*>(a.x) + k * size, size));
      normalise_range<T>(a, k * runs, (k + 1) * runs);
    }
  });
}

template <class T> void normalise_rows(const ChannelNormArgs& a) {
  const int64_t n = a.sizes.channels;
  const Scratch<T> parts(2 * n);
  T *const by = parts.data(), *const plus = by + n;
  const T *const mean = static_cast<const T*>(a.mean), *const scale = static_cast<const T*>(a.scale);
  for (int64_t c = 0; c < n; ++c) {
    const auto [w, b] = affine_of<T>(a, c);
    by[c] = scale[c] * w, plus[c] = b;
  }
  Bands(a.sizes).run([&](int64_t first, int64_t rows, int64_t) {
    for (int64_t r = first; r < first + rows; ++r) {
      const T* const from = static_cast<const T*>(a.x) + r * n;
      T* const to = static_cast<T*>(a.out) + r * n;
      GC_INDEPENDENT
      for (int64_t c = 0; c < n; ++c) to[c] = (from[c] - mean[c]) * by[c] + plus[c];
    }
  });
}

template <class T> void normalise(const ChannelNormArgs& a) {
  const ChannelNormSizes& s = a.sizes;
  constexpr int64_t kNear = 1 << 16,
                    kMany = 8;  // elements that stay in cache; groups for which threads need no other cut
  if (s.groups && s.statistics() >= kMany && s.channels / s.groups * s.places <= kNear) return normalise_groups<T>(a);
  if (!a.given) take_statistics<T>(a);
  if (s.channels_last) return normalise_rows<T>(a);
  const int64_t each = larger(1, kGrain / larger(1, s.places)), runs = s.runs();
  parallel_blocks(ceil_div(runs, each),
                  [&](int64_t block) { normalise_range<T>(a, block * each, smaller(runs, (block + 1) * each)); });
}

// ---- backward

template <class T>
void products_of_rows(const T* g, const T* x, const T* mean, int64_t n, int64_t channels, Products* into, T* sum,
                      T* sum_x) {
  constexpr int64_t kRows = 64;  // that are summed in T
  for (int64_t i = 0; i < n; i += kRows) {
    for (int64_t c = 0; c < channels; ++c) sum[c] = sum_x[c] = 0;
    for (int64_t r = i; r < smaller(n, i + kRows); ++r) GC_INDEPENDENT
    for (int64_t c = 0; c < channels; ++c) {
      const T u = g[r * channels + c];
      sum[c] += u;
      sum_x[c] += u * (x[r * channels + c] - mean[c]);
    }
    for (int64_t c = 0; c < channels; ++c) into[c].g += sum[c], into[c].gx += sum_x[c];
  }
}

// The sums of all runs or, of a channels-last tensor, of the channels.
template <class T> void take_products(const ChannelNormBackwardArgs& a, Products* all) {
  const ChannelNormSizes& s = a.sizes;
  const T *const g = static_cast<const T*>(a.g), *const x = static_cast<const T*>(a.x),
                 *const mean = static_cast<const T*>(a.mean);
  if (!s.channels_last) {
    return each_run(s, [&](const Run& r) {
      const T *const u = g + r.at * s.places, *const v = x + r.at * s.places, m = mean[r.statistic];
      all[r.at].g = sum_of<T>(s.places, [&](auto at, int64_t i) { return at(u, i); });
      all[r.at].gx = sum_of<T>(s.places, [&](auto at, int64_t i) { return at(u, i) * (at(v, i) - m); });
    });
  }
  const Bands bands(s);
  const Scratch<Products> of_band(bands.count * s.channels);
  bands.run([&](int64_t first, int64_t n, int64_t band) {
    const Scratch<T> sums(2 * s.channels);
    Products* const into = of_band.data() + band * s.channels;
    for (int64_t c = 0; c < s.channels; ++c) into[c] = {};
    products_of_rows(g + first * s.channels, x + first * s.channels, mean, n, s.channels, into, sums.data(),
                     sums.data() + s.channels);
  });
  for (int64_t c = 0; c < s.channels; ++c) all[c] = {};
  for (int64_t b = 0; b < bands.count; ++b)
    for (int64_t c = 0; c < s.channels; ++c) {
      all[c].g += of_band[b * s.channels + c].g;
      all[c].gx += of_band[b * s.channels + c].gx;
    }
}

// dx = by * g - (x - mean) * slope - shift, for a run or a channel.
template <class T> struct Line {
  T by, slope, shift;
};

template <class T> class Backward {
 public:
  explicit Backward(const ChannelNormBackwardArgs& a)
      : a_(a), s_(a.sizes), sums_(s_.channels_last ? s_.channels : s_.runs()), lines_(sums_), products_(sums_) {}

  void run() const {
    take_products<T>(a_, products_.data());
    write_parameters();
    if (!a_.dx) return;
    set_lines();
    s_.channels_last ? write_rows() : write_runs();
  }

 private:
  T weight(int64_t channel) const { return a_.weight ? static_cast<const T*>(a_.weight)[channel] : T(1); }
  T scale(int64_t k) const { return static_cast<const T*>(a_.scale)[k]; }
  T mean(int64_t k) const { return static_cast<const T*>(a_.mean)[k]; }

  void write_parameters() const {
    const Scratch<Products> of(s_.channels);
    for (int64_t c = 0; c < s_.channels; ++c) of[c] = {};
    Runs(s_).each(0, sums_, [&](const Run& r) {
      of[r.channel].g += products_[r.at].g;
      of[r.channel].gx += products_[r.at].gx * static_cast<double>(scale(r.statistic));
    });
    T *const dw = static_cast<T*>(a_.dweight), *const db = static_cast<T*>(a_.dbias);
    for (int64_t c = 0; dw && c < s_.channels; ++c) dw[c] = static_cast<T>(of[c].gx);
    for (int64_t c = 0; db && c < s_.channels; ++c) db[c] = static_cast<T>(of[c].g);
  }

  // With p = g * weight and h = (x - mean) * scale: dx = scale * (p - mean(p) - h * mean(p * h)).
  void set_lines() const {
    const Runs runs(s_);
    const int64_t count = s_.statistics();
    const Scratch<Products> means(count);
    for (int64_t k = 0; k < count; ++k) means[k] = {};
    const double elements = static_cast<double>(s_.runs() * s_.places / larger(1, count));
    runs.each(0, sums_, [&](const Run& r) {
      const double by = static_cast<double>(weight(r.channel)) / elements;
      means[r.statistic].g += products_[r.at].g * by;
      means[r.statistic].gx += products_[r.at].gx * by;
    });
    runs.each(0, sums_, [&](const Run& r) {
      const int64_t k = r.statistic;
      const double by = static_cast<double>(scale(k));
      lines_[r.at].by = scale(k) * weight(r.channel);
      lines_[r.at].slope = a_.given ? T(0) : static_cast<T>(means[k].gx * by * by * by);
      lines_[r.at].shift = a_.given ? T(0) : static_cast<T>(means[k].g * by);
    });
  }

  void write_runs() const {
    each_run(s_, [&](const Run& r) {
      const int64_t first = r.at * s_.places;
      const T *const g = static_cast<const T*>(a_.g) + first, *const x = static_cast<const T*>(a_.x) + first;
      T* const dx = static_cast<T*>(a_.dx) + first;
      const Line<T> l = lines_[r.at];
      const T m = mean(r.statistic);
      if (a_.given) {
        for (int64_t i = 0; i < s_.places; ++i) dx[i] = l.by * g[i];
        return;
      }
      GC_INDEPENDENT
      for (int64_t i = 0; i < s_.places; ++i) dx[i] = l.by * g[i] - (x[i] - m) * l.slope - l.shift;
    });
  }
  void write_rows() const {
    const int64_t n = s_.channels;
    const Scratch<T> parts(3 * n);
    T *const by = parts.data(), *const slope = by + n, *const shift = slope + n;
    for (int64_t c = 0; c < n; ++c) by[c] = lines_[c].by, slope[c] = lines_[c].slope, shift[c] = lines_[c].shift;
    const T* const m = static_cast<const T*>(a_.mean);
    Bands(s_).run([&](int64_t first, int64_t rows, int64_t) {
      for (int64_t r = first; r < first + rows; ++r) {
        const T *const g = static_cast<const T*>(a_.g) + r * n, *const x = static_cast<const T*>(a_.x) + r * n;
        T* const dx = static_cast<T*>(a_.dx) + r * n;
        for (int64_t c = 0; a_.given && c < n; ++c) dx[c] = by[c] * g[c];
        if (a_.given) continue;
        GC_INDEPENDENT
        for (int64_t c = 0; c < n; ++c) dx[c] = by[c] * g[c] - (x[c] - m[c]) * slope[c] - shift[c];
      }
    });
  }

  const ChannelNormBackwardArgs& a_;
  const ChannelNormSizes& s_;
  const int64_t sums_;
  const Scratch<Line<T>> lines_;
  const Scratch<Products> products_;
};

template <class T> void differentiate(const ChannelNormBackwardArgs& a) { Backward<T>(a).run(); }

}  // namespace

constinit const ChannelNormKernels channel_norm_kernels{
    by_float<void (*)(const ChannelNormArgs&)>([]<class T>(TypeTag<T>) { return &normalise<T>; }),
    by_float<void (*)(const ChannelNormBackwardArgs&)>([]<class T>(TypeTag<T>) { return &differentiate<T>; })};

}  // namespace gradcore::GC_ISA
