// Weighted sums of taps, a dim at a time: means of windows and interpolations. Start at tap_sum(). Along the last dim,
// a line's rows are first added up, whole vectors at once, and then its taps; of a channels-last tensor all taps are
// rows of channels. The way back is the transpose of both steps, a plane for one thread.
#include "kernels/pool/lines.h"

namespace gradcore::GC_ISA {
namespace {

template <class T> struct Row {
  int64_t at;
  T weight;
};

// The rows that the outputs of a line sum, in order.
template <class T> class Rows {
 public:
  Rows(const Taps<T>& d, const Taps<T>& h, const Taps<T>& w, bool of_channels)
      : d_(d), h_(h), w_(w), of_channels_(of_channels), rows_(d.most * h.most * (of_channels ? w.most : 1)) {}

  void find(const LinePlace& at) {
    count_ = 0;
    for (int64_t i = 0; i < d_.count[at.d]; ++i)
      for (int64_t j = 0; j < h_.count[at.h]; ++j) {
        const int64_t row = (d_.at(at.d, i) * h_.d.size + h_.at(at.h, j)) * w_.d.size;
        const T weight = d_.weight_of(at.d, i) * h_.weight_of(at.h, j);
        if (of_channels_)
          for (int64_t k = 0; k < w_.count[at.w]; ++k)
            rows_[count_++] = {row + w_.at(at.w, k), weight * w_.weight_of(at.w, k)};
        else
          rows_[count_++] = {row, weight};
      }
  }
  bool is_plain() const { return count_ == 1 && rows_[0].weight == T(1); }
  int64_t count() const { return count_; }
  const Row<T>& operator[](int64_t i) const { return rows_[i]; }

  // to[i] = the sum of weight * x[row * pitch + i], two rows in a pass.
  void sum(const T* x, int64_t pitch, T* to, int64_t n) const {
    const auto row = [&](int64_t k) { return x + rows_[k].at * pitch; };
    const auto pass = [&](int64_t k, bool two, const auto& before) {
      const T *const a = row(k), *const b = row(two ? k + 1 : k), u = rows_[k].weight,
                     v = two ? rows_[k + 1].weight : T(0);
      if (two) {
        GC_INDEPENDENT
        for (int64_t j = 0; j < n; ++j) to[j] = before(j) + (u * a[j] + v * b[j]);
      } else {
        GC_INDEPENDENT
        for (int64_t j = 0; j < n; ++j) to[j] = before(j) + u * a[j];
      }
    };
    if (count_ == 0) {
      for (int64_t j = 0; j < n; ++j) to[j] = 0;
      return;
    }
    pass(0, count_ > 1, [](int64_t) { return T(-0.0); });
    for (int64_t k = 2; k < count_; k += 2) pass(k, k + 1 < count_, [&](int64_t j) { return to[j]; });
  }
  // x[row * pitch + i] += weight * from[i].
  void spread(const T* from, T* x, int64_t pitch, int64_t n) const {
    for (int64_t i = 0; i < count_; ++i) {
      T* const to = x + rows_[i].at * pitch;
      const T u = rows_[i].weight;
      GC_INDEPENDENT
      for (int64_t j = 0; j < n; ++j) to[j] += u * from[j];
    }
  }

 private:
  const Taps<T>&d_, &h_, &w_;
  const bool of_channels_;
  int64_t count_ = 0;
  Scratch<Row<T>> rows_;
};

// from[o] = the sum of the taps of output o, and the transpose: to[taps of o] += from[o].
template <class T> GC_INLINE void sum_spans(const Spans& spans, int64_t stride, const T* x, T* to, int64_t n) {
  for (int64_t o = 0; o < n; ++o) to[o] = 0;
  for (int64_t k = 0; k < spans.count; ++k) {
    const Span& s = spans.of[k];
    const T* const from = x + s.at;
    T* const at = to + s.from;
    const int64_t m = s.to - s.from;
    const auto run = [&]<int64_t kStep>() {
      const int64_t step = kStep ? kStep : stride;
      GC_INDEPENDENT
      for (int64_t o = 0; o < m; ++o) at[o] += from[o * step];
    };
    if (stride == 1)
      run.template operator()<1>();
    else if (stride == 2)
      run.template operator()<2>();
    else
      run.template operator()<0>();
  }
}
template <class T> GC_INLINE void spread_spans(const Spans& spans, int64_t stride, const T* from, T* x) {
  for (int64_t k = 0; k < spans.count; ++k) {
    const Span& s = spans.of[k];
    GC_INDEPENDENT
    for (int64_t o = s.from; o < s.to; ++o) x[s.at + (o - s.from) * stride] += from[o];
  }
}
template <int64_t kCount, class T> GC_INLINE void sum_table(const Taps<T>& w, const T* x, T* to) {
  const int32_t* index = w.index.data();
  const T* weight = w.weight.data();
  for (int64_t o = 0; o < w.d.out; ++o) {
    T sum = weight[0] * x[index[0]];
    for (int64_t k = 1; k < kCount; ++k) sum += weight[k] * x[index[k]];
    to[o] = sum;
    index += kCount, weight += kCount;
  }
}
template <class T> GC_INLINE void take_table(const Taps<T>& w, const T* x, T* to) {
  const int32_t* const index = w.index.data();
  const int64_t n = w.d.out;
  GC_INDEPENDENT
  for (int64_t o = 0; o < n; ++o) to[o] = x[index[o]];
}
// What pads an image takes a run of it as it is, and single elements at the ends. Calls single(o) and run(from, to).
template <class T, class F, class G> GC_INLINE void each_padded(const Taps<T>& w, const F& single, const G& run) {
  const int64_t from = larger(0, smaller(w.d.padding, w.d.out));
  const int64_t to = larger(from, smaller(w.d.out, w.d.size + w.d.padding));
  for (int64_t o = 0; o < from; ++o) single(o);
  run(from, to);
  for (int64_t o = to; o < w.d.out; ++o) single(o);
}
template <class T> GC_INLINE void take_padded(const Taps<T>& w, const T* x, T* to) {
  each_padded(
      w, [&](int64_t o) { to[o] = x[w.index[o]]; },
      [&](int64_t from, int64_t end) {
        GC_INDEPENDENT
        for (int64_t o = from; o < end; ++o) to[o] = x[o - w.d.padding];
      });
}
template <class T> GC_INLINE void spread_padded(const Taps<T>& w, const T* from, T* x) {
  each_padded(
      w, [&](int64_t o) { x[w.index[o]] += from[o]; },
      [&](int64_t begin, int64_t end) {
        GC_INDEPENDENT
        for (int64_t o = begin; o < end; ++o) x[o - w.d.padding] += from[o];
      });
}
template <class T> GC_INLINE T sum_run(const T* x, int64_t n) {
  Vec<T> sums = {};
  int64_t i = 0;
  for (; i + kLanes<T> <= n; i += kLanes<T>) sums += load(x + i);
  T sum = 0;
  for (int64_t lane = 0; lane < kLanes<T>; ++lane) sum += sums[lane];
  for (; i < n; ++i) sum += x[i];
  return sum;
}
template <class T> GC_INLINE void sum_runs(const Taps<T>& w, const T* x, T* to) {
  for (int64_t o = 0; o < w.d.out; ++o) to[o] = sum_run(x + w.first(o), w.count[o]);
}
template <class T> GC_INLINE void spread_runs(const Taps<T>& w, const T* from, T* x) {
  for (int64_t o = 0; o < w.d.out; ++o) {
    T* const to = x + w.first(o);
    const int64_t n = w.count[o];
    GC_INDEPENDENT
    for (int64_t i = 0; i < n; ++i) to[i] += from[o];
  }
}
template <class T> GC_INLINE void sum_any(const Taps<T>& w, const T* x, T* to) {
  for (int64_t o = 0; o < w.d.out; ++o) {
    T sum = 0;
    for (int64_t k = 0; k < w.count[o]; ++k) sum += w.weight_of(o, k) * x[w.at(o, k)];
    to[o] = sum;
  }
}
template <class T> GC_INLINE void spread_table(const Taps<T>& w, const T* from, T* x) {
  const int32_t* const index = w.index.data();
  const int64_t n = w.d.out;
  if (w.d.kind == portable::TapKind::Nearest || w.d.kind == portable::TapKind::NearestExact) {
    for (int64_t o = 0; o < n; ++o) x[index[o]] += from[o];
    return;
  }
  for (int64_t o = 0; o < n; ++o)
    for (int64_t k = 0; k < w.count[o]; ++k) x[w.at(o, k)] += w.weight_of(o, k) * from[o];
}

template <class T> class TapSum {
 public:
  explicit TapSum(const TapSumArgs& a)
      : a_(a),
        g_(a.geometry),
        d_(g_.dim[0], divides()),
        h_(g_.dim[1], divides()),
        w_(g_.dim[2], divides()),
        spans_(w_),
        of_channels_(g_.channels > 1),
        n_(of_channels_ ? g_.channels : g_.dim[2].out),
        width_(of_channels_ ? g_.channels : g_.dim[2].size) {}

  void run() const {
    const int64_t taps = d_.most * h_.most * (of_channels_ ? w_.most : 1);
    each_line(g_, width_ * taps + n_ * w_.most, [&] {
      return [this, rows = Rows<T>(d_, h_, w_, of_channels_), summed = Scratch<T>(width_)](const LinePlace& at,
                                                                                           int64_t i) mutable {
        rows.find(at);
        T* const to = static_cast<T*>(a_.out) + i * n_;
        const T* const x = plane(static_cast<const T*>(a_.x), at.plane);
        sum_line(rows, x, to, summed.data());
        if (divides_at_all()) divide(at, to, to, n_);
      };
    });
  }

  // Of a channels-last tensor a plane's channels are cut into blocks.
  void run_back() const {
    const int64_t cuts = of_channels_ ? ceil_div(g_.channels, kChannels) : 1, total = g_.planes * cuts;
    const int64_t lines = g_.dim[0].out * g_.dim[1].out * (of_channels_ ? g_.dim[2].out : 1);
    const int64_t cost = (lines + 1) * (smaller(width_, kChannels) * d_.most * h_.most + 1);
    const int64_t each = larger(1, kPoolGrain / cost);
    parallel_blocks(ceil_div(total, each), [&](int64_t block) {
      Rows<T> rows(d_, h_, w_, of_channels_);
      const Scratch<T> spread(width_), gradient(n_);
      for (int64_t i = block * each; i < smaller(total, (block + 1) * each); ++i)
        plane_back(rows, i / cuts, i % cuts * kChannels, spread.data(), gradient.data());
    });
  }

 private:
  static constexpr int64_t kChannels = 64;

  bool divides() const { return a_.divisor == 0; }
  template <class P> P* plane(P* x, int64_t p) const { return x + p * g_.places() * g_.channels; }

  void sum_line(const Rows<T>& rows, const T* x, T* to, T* summed) const {
    if (of_channels_) return rows.sum(x, n_, to, n_);
    if (w_.d.is_trivial()) return rows.sum(x, 1, to, n_);
    const T* from = summed;
    if (rows.is_plain())
      from = x + rows[0].at;
    else
      rows.sum(x, 1, summed, width_);
    if (w_.takes_runs()) return sum_runs(w_, from, to);
    if (w_.strides()) return sum_spans(spans_, w_.d.stride, from, to, n_);
    if (w_.d.is_padded()) return take_padded(w_, from, to);
    if (w_.most == 1) return take_table(w_, from, to);
    if (w_.d.kind == portable::TapKind::Linear) return sum_table<2>(w_, from, to);
    if (w_.d.kind == portable::TapKind::Cubic) return sum_table<4>(w_, from, to);
    sum_any(w_, from, to);
  }

  void divide(const LinePlace& at, const T* from, T* to, int64_t n) const {
    if (!divides()) {
      const T by = static_cast<T>(a_.divisor);
      for (int64_t i = 0; i < n; ++i) to[i] = from[i] / by;
      return;
    }
    const T by = d_.divisor[at.d] * h_.divisor[at.h];
    if (of_channels_) {
      const T all = by * w_.divisor[at.w];
      for (int64_t i = 0; i < n; ++i) to[i] = from[i] / all;
      return;
    }
    const T* const along = w_.divisor.data();
    for (int64_t i = 0; i < n; ++i) to[i] = from[i] / (by * along[i]);
  }
  bool divides_at_all() const { return a_.divisor != 1; }

  void plane_back(Rows<T>& rows, int64_t p, int64_t first, T* spread, T* gradient) const {
    T* const x = plane(static_cast<T*>(a_.out), p) + first;
    const T* const g = static_cast<const T*>(a_.x) + p * g_.outs() * g_.channels + first;
    const int64_t n = of_channels_ ? smaller(kChannels, n_ - first) : n_;
    clear(x, n);
    if (g_.outs() == 0) return;
    const int64_t lines = g_.outs() / (of_channels_ ? 1 : g_.dim[2].out);
    LinePlace at(g_, 0, !of_channels_);
    for (int64_t i = 0; i < lines; ++i, at.next()) {
      rows.find(at);
      const T* line = g + i * n_;
      if (divides_at_all()) {
        divide(at, line, gradient, n);
        line = gradient;
      }
      if (of_channels_)
        rows.spread(line, x, n_, n);
      else
        line_back(rows, line, x, spread);
    }
  }
  void clear(T* x, int64_t channels) const {
    const int64_t places = g_.places();
    const bool whole = g_.channels == 1 || channels == n_;
    for (int64_t i = 0, n = whole ? places * g_.channels : 0; i < n; ++i) x[i] = 0;
    for (int64_t i = 0; !whole && i < places; ++i)
      for (int64_t c = 0; c < channels; ++c) x[i * n_ + c] = 0;
  }
  void line_back(const Rows<T>& rows, const T* g, T* x, T* spread) const {
    if (w_.d.is_trivial()) return rows.spread(g, x, 1, n_);
    T* to = spread;
    if (rows.is_plain())
      to = x + rows[0].at;
    else
      for (int64_t i = 0; i < width_; ++i) to[i] = 0;
    if (w_.takes_runs())
      spread_runs(w_, g, to);
    else if (w_.strides())
      spread_spans(spans_, w_.d.stride, g, to);
    else if (w_.d.is_padded())
      spread_padded(w_, g, to);
    else
      spread_table(w_, g, to);
    if (to == spread) rows.spread(spread, x, 1, width_);
  }

  const TapSumArgs& a_;
  const PoolGeometry& g_;
  const Taps<T> d_, h_, w_;
  const Spans spans_;
  const bool of_channels_;
  const int64_t n_, width_;  // elements of a line, and of a row that it sums
};

template <class T> void tap_sum(const TapSumArgs& a) { TapSum<T>(a).run(); }
template <class T> void tap_sum_backward(const TapSumArgs& a) { TapSum<T>(a).run_back(); }

constinit const PoolRow<TapSumArgs> tap_sum_row{
    by_float<void (*)(const TapSumArgs&)>([]<class T>(TypeTag<T>) { return &tap_sum<T>; }), &tap_sum<int64_t>};

}  // namespace

constinit const PoolKernels pool_kernels{
    max_pool_row,
    tap_sum_row,
    by_float<void (*)(const TapSumArgs&)>([]<class T>(TypeTag<T>) { return &tap_sum_backward<T>; }),
    grid_sample_kernels,
    bags_row,
    &resize_bytes};

}  // namespace gradcore::GC_ISA
