// Layer normalisation of rows: y = (x - mean) / sqrt(var + eps) * weight + bias, and its gradients; about 0 instead of
// the mean it is root mean square normalisation. Start at normalise_row() and differentiate_row(). A row is read
// several times, and from the second time on it is in the cache; the backward pass takes the moments again rather than
// read them, so that forward keeps nothing but its input.
#include "kernels/norm/layer_norm.h"

#include "core/parallel.h"
#include "kernels/norm/sums.h"

namespace gradcore::GC_ISA {
namespace {

constexpr int64_t kGrain = 1 << 14;                // elements of a parallel block
constexpr int64_t kFewRows = 16, kManyRows = 128;  // a band of the backward pass has rows between these

template <class T> struct Moments {
  T mean, scale;  // scale: 1 / sqrt(var + eps)
};
template <class T> GC_INLINE Moments<T> moments_of(const T* x, int64_t n, double eps, bool centred) {
  const double count = static_cast<double>(n);
  const T mean = centred ? static_cast<T>(sum_of<T>(n, [&](auto at, int64_t i) { return at(x, i); }) / count) : T(0);
  const double squares = sum_of<T>(n, [&](auto at, int64_t i) { return square(at(x, i) - mean); });
  return {mean, static_cast<T>(1 / __builtin_sqrt(squares / count + eps))};
}

// A row whose squares overflow: moments and results in double, of elements times a power of two that makes the largest
// about 1, or not far from it.
template <class T> struct LargeRow {
  double by = 1, mean = 0, scale = 1;
  const T* x;

  double operator[](int64_t i) const { return (static_cast<double>(x[i]) * by - mean) * scale; }
  // False where elements are not finite: their results are what the usual way has.
  bool take(int64_t n, double eps, bool centred) {
    double most = 0;
    for (int64_t i = 0; i < n; ++i) {
      const double size = __builtin_fabs(static_cast<double>(x[i]));
      if (!(size <= __DBL_MAX__)) return false;
      if (size > most) most = size;
    }
    int exponent;
    (void)__builtin_frexp(most, &exponent);
    by = __builtin_ldexp(1.0, -smaller(exponent, 1000));  // no denormal number, which may count as 0
    const double count = static_cast<double>(n);
    double sum = 0, squares = 0;
    for (int64_t i = 0; centred && i < n; ++i) sum += static_cast<double>(x[i]) * by;
    mean = sum / count;
    for (int64_t i = 0; i < n; ++i) squares += square(static_cast<double>(x[i]) * by - mean);
    const double beside = eps * by * by;
    scale = 1 / __builtin_sqrt(squares / count + (beside > __DBL_MIN__ ? beside : __DBL_MIN__));
    return true;
  }
};
template <class T>
[[gnu::noinline, gnu::cold]] bool normalise_large_row(const T* x, const T* w, const T* b, T* y, int64_t n, double eps,
                                                      bool centred) {
  LargeRow<T> row{.x = x};
  if (!row.take(n, eps, centred)) return false;
  for (int64_t i = 0; i < n; ++i)
    y[i] = static_cast<T>(row[i] * (w ? static_cast<double>(w[i]) : 1) + (b ? static_cast<double>(b[i]) : 0));
  return true;
}

template <class T>
GC_INLINE void normalise_row(const T* x, const T* w, const T* b, T* y, int64_t n, double eps, bool centred) {
  const auto [mean, scale] = moments_of(x, n, eps, centred);
  if (!(scale > 0)) [[unlikely]]
    if (normalise_large_row(x, w, b, y, n, eps, centred)) return;
  if (w && b) {
    GC_INDEPENDENT
    for (int64_t i = 0; i < n; ++i) y[i] = (x[i] - mean) * scale * w[i] + b[i];
    return;
  }
  GC_INDEPENDENT
  for (int64_t i = 0; i < n; ++i) y[i] = (x[i] - mean) * scale;
  if (w) {
    GC_INDEPENDENT
    for (int64_t i = 0; i < n; ++i) y[i] *= w[i];
  }
  if (b) {
    GC_INDEPENDENT
    for (int64_t i = 0; i < n; ++i) y[i] += b[i];
  }
}

template <class T> void normalise(const LayerNormArgs& a) {
  const T *x = static_cast<const T*>(a.x), *w = static_cast<const T*>(a.weight), *b = static_cast<const T*>(a.bias);
  T* y = static_cast<T*>(a.out);
  const int64_t each = larger(1, kGrain / a.n);
  parallel_blocks(ceil_div(a.rows, each), [&](int64_t block) {
    const int64_t end = smaller(a.rows, (block + 1) * each);
    for (int64_t r = block * each; r < end; ++r) normalise_row(x + r * a.n, w, b, y + r * a.n, a.n, a.eps, a.centred);
  });
}

template <class T>
[[gnu::noinline, gnu::cold]] bool differentiate_large_row(const T* g, const T* x, const T* w, T* dx, T* dw, T* db,
                                                          int64_t n, double eps, bool centred) {
  LargeRow<T> row{.x = x};
  if (!row.take(n, eps, centred)) return false;
  const auto p = [&](int64_t i) { return static_cast<double>(g[i]) * (w ? static_cast<double>(w[i]) : 1); };
  double mean_p = 0, mean_ph = 0;
  for (int64_t i = 0; i < n; ++i) {
    if (centred) mean_p += p(i) / static_cast<double>(n);
    mean_ph += p(i) * row[i] / static_cast<double>(n);
  }
  for (int64_t i = 0; i < n; ++i) dx[i] = static_cast<T>(row.by * row.scale * (p(i) - mean_p - row[i] * mean_ph));
  for (int64_t i = 0; dw && i < n; ++i) dw[i] += static_cast<T>(static_cast<double>(g[i]) * row[i]);
  for (int64_t i = 0; db && i < n; ++i) db[i] += g[i];
  return true;
}

// Writes dx, and adds the row's part to the gradients of weight and bias. With h = (x - mean) * scale and p = g *
// weight: dx = scale * (p - mean(p) - h * mean(p * h)), and without mean(p) where the row is not centred.
template <class T>
GC_INLINE void differentiate_row(const T* g, const T* x, const T* w, T* dx, T* dw, T* db, int64_t n, double eps,
                                 bool centred) {
  const Moments<T> m = moments_of(x, n, eps, centred);
  if (!(m.scale > 0)) [[unlikely]]
    if (differentiate_large_row(g, x, w, dx, dw, db, n, eps, centred)) return;
  const double count = static_cast<double>(n);
  T mean_p, mean_ph;
  if (w) {
    mean_p =
        centred ? static_cast<T>(sum_of<T>(n, [&](auto at, int64_t i) { return at(g, i) * at(w, i); }) / count) : T(0);
    mean_ph = static_cast<T>(
        sum_of<T>(n, [&](auto at, int64_t i) { return at(g, i) * at(w, i) * ((at(x, i) - m.mean) * m.scale); }) /
        count);
    GC_INDEPENDENT
    for (int64_t i = 0; i < n; ++i) dx[i] = m.scale * (g[i] * w[i] - mean_p - (x[i] - m.mean) * m.scale * mean_ph);
  } else {
    mean_p = centred ? static_cast<T>(sum_of<T>(n, [&](auto at, int64_t i) { return at(g, i); }) / count) : T(0);
    mean_ph = static_cast<T>(
        sum_of<T>(n, [&](auto at, int64_t i) { return at(g, i) * ((at(x, i) - m.mean) * m.scale); }) / count);
    GC_INDEPENDENT
    for (int64_t i = 0; i < n; ++i) dx[i] = m.scale * (g[i] - mean_p - (x[i] - m.mean) * m.scale * mean_ph);
  }
  if (dw) {
    GC_INDEPENDENT
    for (int64_t i = 0; i < n; ++i) dw[i] += g[i] * ((x[i] - m.mean) * m.scale);
  }
  if (db) {
    GC_INDEPENDENT
    for (int64_t i = 0; i < n; ++i) db[i] += g[i];
  }
}

// total[i] = the sum of a column of the bands' parts.
template <class T> GC_INLINE void merge(const T* parts, int64_t bands, int64_t n, T* total) {
  for (int64_t i = 0; i < n; ++i) {
    double sum = 0;
    for (int64_t k = 0; k < bands; ++k) sum += static_cast<double>(parts[k * n + i]);
    total[i] = static_cast<T>(sum);
  }
}

// Rows are cut into bands, by shape only. Each sums its part of the gradients of weight and bias; the parts add up in
// order.
template <class T> void differentiate(const LayerNormBackwardArgs& a) {
  const T *g = static_cast<const T*>(a.g), *x = static_cast<const T*>(a.x), *w = static_cast<const T*>(a.weight);
  T *dx = static_cast<T*>(a.dx), *dw = static_cast<T*>(a.dweight), *db = static_cast<T*>(a.dbias);
  const int64_t n = a.n, each = smaller(kManyRows, larger(kFewRows, kGrain / n)), bands = ceil_div(a.rows, each);
  const Scratch<T> part_w(dw ? bands * n : 0), part_b(db ? bands * n : 0);
  parallel_blocks(bands, [&](int64_t band) {
    T* const pw = dw ? part_w.data() + band * n : nullptr;
    T* const pb = db ? part_b.data() + band * n : nullptr;
    for (int64_t i = 0; pw && i < n; ++i) pw[i] = 0;
    for (int64_t i = 0; pb && i < n; ++i) pb[i] = 0;
    const int64_t end = smaller(a.rows, (band + 1) * each);
    for (int64_t r = band * each; r < end; ++r)
      differentiate_row(g + r * n, x + r * n, w, dx + r * n, pw, pb, n, a.eps, a.centred);
  });
  if (dw) merge(part_w.data(), bands, n, dw);
  if (db) merge(part_b.data(), bands, n, db);
}

}  // namespace

constinit const LayerNormKernels layer_norm_kernels{
    by_float<void (*)(const LayerNormArgs&)>([]<class T>(TypeTag<T>) { return &normalise<T>; }),
    by_float<void (*)(const LayerNormBackwardArgs&)>([]<class T>(TypeTag<T>) { return &differentiate<T>; })};

}  // namespace gradcore::GC_ISA
