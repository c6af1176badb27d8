// Recurrent layers: all steps of one layer in one direction. Start at advance() and retreat().
//
// Note [Rows of a recurrence]
// The rows of a batch know nothing of each other: each thread takes some of them through all steps and waits for
// nobody. The weights are packed once, into panels that hold, for some units, the columns of all their gates. So the
// product of a few rows with a panel is what these units' gates need, and they are computed while the sums are in the
// first cache. Each sum is one chain in the order of k, whatever the rows beside it.
#include "kernels/recurrent/recurrent.h"

#include "core/parallel.h"
#include "kernels/math.h"
#include "kernels/matmul/gemm.h"
#include "kernels/matmul/tiles.h"

namespace gradcore::GC_ISA {
namespace {

constexpr int64_t kFewSteps = 4;   // for so few, packing costs more than it saves
constexpr double kWorth = 3e5;     // multiplications that make a thread worth its start
constexpr int64_t kMostWidth = 4;  // vectors of a panel
constexpr int64_t kMostRows = 8;   // rows that are multiplied with a panel at once
#if defined(__AVX512F__)
constexpr int kAccumulators = 24;
#else
constexpr int kAccumulators = 9;
#endif
template <int kWidth> constexpr int kRowsAtOnce = kAccumulators / kWidth;

template <class T> GC_INLINE T sigmoid_of(T x) { return sigmoid(Lane<T>{x}).v; }
template <class T> GC_INLINE T tanh_of(T x) { return tanh(Lane<T>{x}).v; }

// ---- the cells: some units of a row, forward and back. Gate g of unit i stands at [g * step + i].

template <class T> struct Forward {
  const T* sum;  // what the state adds
  int64_t sum_step;
  T* gates;
  const T* bias;
  int64_t step;
  const T* h;
  T *c, *extra, *out;
};
template <class T> struct Backward {
  const T *gates, *before, *extra;
  T *to_input, *to_state;
  int64_t step;
  T *dh, *dc;  // of the step's results; afterwards of what it began with, but for the part that the product brings
};

template <class T, bool kRelu> struct Plain {
  static constexpr int kGates = 1;
  static constexpr bool kHasCell = false, kHasTwo = false;
  GC_INLINE void advance(const Forward<T>& f, int64_t n) {
    GC_INDEPENDENT
    for (int64_t i = 0; i < n; ++i) {
      const T x = f.gates[i] + f.sum[i];
      const T y = kRelu ? (x <= T(0) ? T(0) : x) : tanh_of(x);
      f.gates[i] = f.out[i] = y;
    }
  }
  GC_INLINE void retreat(const Backward<T>& b, int64_t n) {
    GC_INDEPENDENT
    for (int64_t i = 0; i < n; ++i) {
      const T y = b.gates[i], d = b.dh[i];
      b.to_input[i] = kRelu ? (y <= T(0) ? T(0) : d) : d * (T(1) - y * y);
      b.dh[i] = 0;
    }
  }
};
template <class T> using Tanh = Plain<T, false>;
template <class T> using Relu = Plain<T, true>;

template <class T> struct Lstm {
  static constexpr int kGates = 4;
  static constexpr bool kHasCell = true, kHasTwo = false;
  GC_INLINE void advance(const Forward<T>& a, int64_t n) {
    T *const gi = a.gates, *const gf = gi + a.step, *const gg = gf + a.step, *const go = gg + a.step;
    const T *const si = a.sum, *const sf = si + a.sum_step, *const sg = sf + a.sum_step, *const so = sg + a.sum_step;
    GC_INDEPENDENT
    for (int64_t k = 0; k < n; ++k) {
      const T i = sigmoid_of(gi[k] + si[k]), f = sigmoid_of(gf[k] + sf[k]);
      const T g = tanh_of(gg[k] + sg[k]), o = sigmoid_of(go[k] + so[k]);
      const T c = f * a.c[k] + i * g;
      gi[k] = i;
      gf[k] = f;
      gg[k] = g;
      go[k] = o;
      a.c[k] = c;
      a.out[k] = o * tanh_of(c);
    }
  }
  GC_INLINE void retreat(const Backward<T>& b, int64_t n) {
    const T *const gi = b.gates, *const gf = gi + b.step, *const gg = gf + b.step, *const go = gg + b.step;
    T *const di = b.to_input, *const df = di + b.step, *const dg = df + b.step, *const d_o = dg + b.step;
    GC_INDEPENDENT
    for (int64_t k = 0; k < n; ++k) {
      const T i = gi[k], f = gf[k], g = gg[k], o = go[k], c = b.extra[k];
      const T t = tanh_of(f * c + i * g), dh = b.dh[k];
      const T dc = b.dc[k] + dh * o * (T(1) - t * t);
      di[k] = dc * g * i * (T(1) - i);
      df[k] = dc * c * f * (T(1) - f);
      dg[k] = dc * i * (T(1) - g * g);
      d_o[k] = dh * t * o * (T(1) - o);
      b.dc[k] = dc * f;
      b.dh[k] = 0;
    }
  }
};

template <class T> struct Gru {
  static constexpr int kGates = 3;
  static constexpr bool kHasCell = false, kHasTwo = true;
  GC_INLINE void advance(const Forward<T>& a, int64_t count) {
    T *const gr = a.gates, *const gz = gr + a.step, *const gn = gz + a.step;
    const T *const sr = a.sum, *const sz = sr + a.sum_step, *const sn = sz + a.sum_step;
    const T *const br = a.bias, *const bz = br + a.step, *const bn = bz + a.step;
    GC_INDEPENDENT
    for (int64_t k = 0; k < count; ++k) {
      const T r = sigmoid_of(gr[k] + (sr[k] + br[k])), z = sigmoid_of(gz[k] + (sz[k] + bz[k]));
      const T from_state = sn[k] + bn[k];
      const T n = tanh_of(gn[k] + r * from_state);
      gr[k] = r;
      gz[k] = z;
      gn[k] = n;
      a.extra[k] = from_state;
      a.out[k] = (a.h[k] - n) * z + n;
    }
  }
  GC_INLINE void retreat(const Backward<T>& b, int64_t count) {
    const T *const gr = b.gates, *const gz = gr + b.step, *const gn = gz + b.step;
    T *const ir = b.to_input, *const iz = ir + b.step, *const in = iz + b.step;
    T *const sr = b.to_state, *const sz = sr + b.step, *const sn = sz + b.step;
    GC_INDEPENDENT
    for (int64_t k = 0; k < count; ++k) {
      const T r = gr[k], z = gz[k], n = gn[k], dh = b.dh[k];
      const T dn = dh * (T(1) - z) * (T(1) - n * n);
      const T dz = dh * (b.before[k] - n) * z * (T(1) - z);
      const T dr = dn * b.extra[k] * r * (T(1) - r);
      ir[k] = sr[k] = dr;
      iz[k] = sz[k] = dz;
      in[k] = dn;
      sn[k] = dn * r;
      b.dh[k] = dh * z;
    }
  }
};

// ---- products with panels of weights

// out[r][v] = the rows of A times a panel: k rows of kWidth vectors.
template <class T, int kWidth, int kRows>
void multiply_panel(int64_t k, const T* a, int64_t lda, const T* panel, T* out) {
  constexpr int64_t lanes = kLanes<T>;
  Vec<T> sum[kRows][kWidth] = {};
  for (; k > 0; --k, ++a, panel += kWidth * lanes) {
    if (kRows > 1) prefetch(panel, 8 * kWidth * lanes, kWidth * kVecBytes);  // one row waits for memory anyway
    Vec<T> w[kWidth];
#pragma GCC unroll 4
    for (int v = 0; v < kWidth; ++v) w[v] = load(panel + v * lanes);
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r)
#pragma GCC unroll 4
      for (int v = 0; v < kWidth; ++v) sum[r][v] += a[r * lda] * w[v];
  }
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r)
#pragma GCC unroll 4
    for (int v = 0; v < kWidth; ++v) store(out + (r * kWidth + v) * lanes, sum[r][v]);
}
template <class T> using PanelFn = void (*)(int64_t k, const T* a, int64_t lda, const T* panel, T* out);
template <class T, int kWidth> struct PanelFns {
  template <int kRows> static constexpr PanelFn<T> at() {
    return multiply_panel<T, kWidth, (kRows < kRowsAtOnce<kWidth> ? kRows : kRowsAtOnce<kWidth>)>;
  }
  static constexpr PanelFn<T> of[kMostRows] = {at<1>(), at<2>(), at<3>(), at<4>(), at<5>(), at<6>(), at<7>(), at<8>()};
};

// visit(row, sums of that row) for rows [0, rows) of A times a panel, a few rows at a time.
template <class T, int kWidth, class F>
GC_INLINE void each_row_times(int64_t rows, int64_t k, const T* a, int64_t lda, const T* panel, const F& visit) {
  constexpr int64_t size = kWidth * kLanes<T>;
  alignas(64) T sums[kMostRows * kMostWidth * kLanes<T>];
  const int64_t most = ceil_div(rows, ceil_div(rows, kRowsAtOnce<kWidth>));
  for (int64_t r = 0; r < rows; r += most) {
    const int64_t n = smaller(most, rows - r);
    PanelFns<T, kWidth>::of[n - 1](k, a + r * lda, lda, panel, sums);
    for (int64_t i = 0; i < n; ++i) visit(r + i, sums + i * size);
  }
}

// For cells of one gate a panel is four vectors of units, for others a vector of units with all gates.
template <class Cell> constexpr int kPanelWidth = Cell::kGates == 1 ? 4 : Cell::kGates;
template <class T, class Cell>
constexpr int64_t kPanelUnits = Cell::kGates == 1 ? kPanelWidth<Cell> * kLanes<T> : kLanes<T>;

// w [gates * hidden, hidden], transposed, in panels of all gates of some units.
template <class T, class Cell> void pack_forward(const T* w, int64_t hidden, T* to) {
  constexpr int64_t lanes = kLanes<T>, width = kPanelWidth<Cell>, units = kPanelUnits<T, Cell>;
  for (int64_t u = 0; u < hidden; u += units, to += hidden * width * lanes)
    for (int64_t v = 0; v < width; ++v) {
      const int64_t unit = Cell::kGates == 1 ? u + v * lanes : u;
      const int64_t row = Cell::kGates == 1 ? unit : v * hidden + unit;
      const int64_t used = larger(0, smaller(lanes, hidden - unit));
      for (int64_t k = 0; k < hidden; k += lanes)
        transpose(w + row * hidden + k, hidden, used, smaller(lanes, hidden - k), to + (k * width + v) * lanes,
                  width * lanes);
    }
}
constexpr int kBackWidth = 4;
// w as it is, in panels of some columns.
template <class T> void pack_backward(const T* w, int64_t rows, int64_t hidden, T* to) {
  constexpr int64_t units = kBackWidth * kLanes<T>;
  for (int64_t u = 0; u < hidden; u += units)
    for (int64_t k = 0; k < rows; ++k, to += units) {
      const int64_t used = smaller(units, hidden - u);
      __builtin_memcpy(to, w + k * hidden + u, used * sizeof(T));
      for (int64_t i = used; i < units; ++i) to[i] = 0;
    }
}
template <class T> GC_INLINE GemmFn<T> product_kernel() {
  if constexpr (__is_same(T, float))
    return matmul_kernels.f32;
  else
    return matmul_kernels.f64;
}

// ---- the steps

// The rows [first, last) of the batch that take part in step t.
struct StepRows {
  int64_t row, count;  // the first of them among all N, and how many
};
template <class Args> GC_INLINE StepRows rows_of_step(const Args& a, int64_t t, int64_t first, int64_t last) {
  const int64_t end = smaller(last, a.first[t + 1] - a.first[t]);
  return {a.first[t] + first, end - first};
}

// Calls f(first, last) for parts of the batch. How it is cut changes no bit.
template <class Args, class F> void each_part(const Args& a, int64_t gates, const F& f) {
  const double work = static_cast<double>(a.steps) * a.batch * a.hidden * a.hidden * gates;
  const int64_t parts = work < 2 * kWorth ? 1 : smaller(a.batch, num_threads()),
                each = ceil_div(a.batch, larger(parts, 1));
  if (parts <= 1) return f(0, a.batch);
  parallel_blocks(ceil_div(a.batch, each), [&](int64_t i) { f(i * each, smaller(a.batch, (i + 1) * each)); });
}

template <class T, class Cell> struct Advance {
  const RecurrentArgs& a;
  const T *w, *bias, *packed;  // packed: or null
  int64_t n = a.hidden;
  T *gates = static_cast<T*>(a.gates), *h = static_cast<T*>(a.h), *c = static_cast<T*>(a.c),
    *out = static_cast<T*>(a.out), *before = static_cast<T*>(a.before), *extra = static_cast<T*>(a.extra);

  // Units [u, u + count) of the row `row` of all, which is `member` of the batch.
  Forward<T> place(int64_t row, int64_t member, int64_t u, const T* sum, int64_t sum_step, T* spare) const {
    return {sum,
            sum_step,
            gates + row * Cell::kGates * n + u,
            bias ? bias + u : nullptr,
            n,
            h + member * n + u,
            c ? c + member * n + u : nullptr,
            extra ? extra + row * n + u : spare,
            out + row * n + u};
  }
  void by_panels(StepRows rows, int64_t first, T* spare) const {
    constexpr int width = kPanelWidth<Cell>;
    constexpr int64_t units = kPanelUnits<T, Cell>, lanes = kLanes<T>;
    const T* panel = packed;
    for (int64_t u = 0; u < n; u += units, panel += n * width * lanes)
      each_row_times<T, width>(rows.count, n, h + first * n, n, panel, [&](int64_t i, const T* sum) {
        const Forward<T> at = place(rows.row + i, first + i, u, sum, lanes, spare);
        if (n - u >= units)
          Cell::advance(at, units);
        else
          Cell::advance(at, n - u);
      });
  }
  void by_gemm(StepRows rows, int64_t first, T* spare) const {
    const int64_t width = Cell::kGates * n;
    const Scratch<T> sums(rows.count * width);
    product_kernel<T>()({rows.count, width, n, h + first * n, n, 1, w, 1, n, sums.data(), width, false});
    for (int64_t i = 0; i < rows.count; ++i)
      Cell::advance(place(rows.row + i, first + i, 0, sums.data() + i * width, n, spare), n);
  }
  void operator()(int64_t first, int64_t last) const {
    const Scratch<T> spare(n);
    for (int64_t s = 0; s < a.steps; ++s) {
      const StepRows rows = rows_of_step(a, a.reverse ? a.steps - 1 - s : s, first, last);
      if (rows.count <= 0) continue;
      const size_t bytes = static_cast<size_t>(rows.count * n) * sizeof(T);
      if (before) __builtin_memcpy(before + rows.row * n, h + first * n, bytes);
      if (extra && Cell::kHasCell) __builtin_memcpy(extra + rows.row * n, c + first * n, bytes);
      packed ? by_panels(rows, first, spare.data()) : by_gemm(rows, first, spare.data());
      __builtin_memcpy(h + first * n, out + rows.row * n, bytes);
    }
  }
};

template <class T, class Cell> void advance(const RecurrentArgs& a) {
  constexpr int64_t width = kPanelWidth<Cell> * kLanes<T>;
  const int64_t gates = Cell::kGates * a.hidden, panels = ceil_div(a.hidden, kPanelUnits<T, Cell>);
  const bool pack = a.steps >= kFewSteps;
  const T* const w = static_cast<const T*>(a.w);
  const Scratch<T> packed(pack ? panels * a.hidden * width : 0), zeros(Cell::kHasTwo && !a.bias ? gates : 0);
  if (pack) pack_forward<T, Cell>(w, a.hidden, packed.data());
  if (zeros.data()) __builtin_memset(zeros.data(), 0, static_cast<size_t>(gates) * sizeof(T));
  const T* const bias = a.bias ? static_cast<const T*>(a.bias) : zeros.data();
  each_part(a, Cell::kGates, Advance<T, Cell>{a, w, bias, packed.data()});
}

template <class T, class Cell> struct Retreat {
  const RecurrentBackwardArgs& a;
  const T *w, *packed;  // packed: or null
  int64_t n = a.hidden, width = Cell::kGates * n;
  const T *gates = static_cast<const T*>(a.gates), *before = static_cast<const T*>(a.before),
          *extra = static_cast<const T*>(a.extra), *g = static_cast<const T*>(a.g);
  T *dh = static_cast<T*>(a.dh), *dc = static_cast<T*>(a.dc), *to_input = static_cast<T*>(a.to_input),
    *to_state = static_cast<T*>(a.to_state);

  void row_back(int64_t row, int64_t member) const {
    T* const to = dh + member * n;
    if (g) {
      GC_INDEPENDENT
      for (int64_t i = 0; i < n; ++i) to[i] += g[row * n + i];
    }
    Cell::retreat({gates + row * width, before + row * n, extra ? extra + row * n : nullptr, to_input + row * width,
                   to_state + row * width, n, to, dc ? dc + member * n : nullptr},
                  n);
  }
  void through_weights(StepRows rows, int64_t first) const {
    const T* const from = to_state + rows.row * width;
    if (!packed) return product_kernel<T>()({rows.count, n, width, from, width, 1, w, n, 1, dh + first * n, n, true});
    constexpr int64_t units = kBackWidth * kLanes<T>;
    const T* panel = packed;
    for (int64_t u = 0; u < n; u += units, panel += width * units)
      each_row_times<T, kBackWidth>(rows.count, width, from, width, panel, [&](int64_t i, const T* sum) {
        T* const to = dh + (first + i) * n + u;
        const int64_t count = smaller(units, n - u);
        GC_INDEPENDENT
        for (int64_t k = 0; k < count; ++k) to[k] += sum[k];
      });
  }
  void operator()(int64_t first, int64_t last) const {
    for (int64_t s = 0; s < a.steps; ++s) {
      const StepRows rows = rows_of_step(a, a.reverse ? s : a.steps - 1 - s, first, last);
      if (rows.count <= 0) continue;
      for (int64_t i = 0; i < rows.count; ++i) row_back(rows.row + i, first + i);
      through_weights(rows, first);
    }
  }
};

template <class T, class Cell> void retreat(const RecurrentBackwardArgs& a) {
  constexpr int64_t units = kBackWidth * kLanes<T>;
  const int64_t gates = Cell::kGates * a.hidden;
  const bool pack = a.steps >= kFewSteps;
  const T* const w = static_cast<const T*>(a.w);
  const Scratch<T> packed(pack ? ceil_div(a.hidden, units) * units * gates : 0);
  if (pack) pack_backward(w, gates, a.hidden, packed.data());
  each_part(a, Cell::kGates, Retreat<T, Cell>{a, w, packed.data()});
}

template <template <class> class Cell> constexpr auto forward_row() {
  return by_float<void (*)(const RecurrentArgs&)>([]<class T>(TypeTag<T>) { return &advance<T, Cell<T>>; });
}
template <template <class> class Cell> constexpr auto backward_row() {
  return by_float<void (*)(const RecurrentBackwardArgs&)>([]<class T>(TypeTag<T>) { return &retreat<T, Cell<T>>; });
}

}  // namespace

// In the order of Recurrence.
constinit const RecurrentKernels recurrent_kernels{
    {forward_row<Tanh>(), forward_row<Relu>(), forward_row<Lstm>(), forward_row<Gru>()},
    {backward_row<Tanh>(), backward_row<Relu>(), backward_row<Lstm>(), backward_row<Gru>()}};

}  // namespace gradcore::GC_ISA
