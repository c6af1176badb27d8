#include "kernels/portable/taps.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <type_traits>

namespace gradcore::portable {

namespace {

// The filters of W. Press's and R. Keys's interpolations, by the distance from the output.
template <class T> T triangle(T x) { return x < 1 ? 1 - x : T(0); }
template <class T> T cubic(T x, T a) {
  if (x <= 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : T(0);
}

// Where a window begins, in steps of the padded input, and where it ends there and in the input itself.
struct Reach {
  int64_t begin, end, first, last;
};
Reach reach_of(const TapDim& d, int64_t o) {
  if (d.kind == TapKind::Adaptive) {
    const int64_t begin = o * d.size / d.out, end = ((o + 1) * d.size + d.out - 1) / d.out;
    return {begin, end, begin, end};
  }
  const int64_t begin = o * d.stride - d.padding,
                end = std::min(begin + d.dilation * (d.kernel - 1) + 1, d.size + d.padding);
  const int64_t first = begin < 0 ? begin + (-begin + d.dilation - 1) / d.dilation * d.dilation : begin;
  return {begin, end, first, std::min(end, d.size)};
}

int32_t inside(const TapDim& d, int64_t i) { return static_cast<int32_t>(std::clamp<int64_t>(i, 0, d.size - 1)); }

template <class T> void fill_windows(const TapDim& d, const TapTable<T>& to) {
  const int64_t most = d.most();
  for (int64_t o = 0; o < d.out; ++o) {
    const Reach r = reach_of(d, o);
    int32_t n = 0;
    to.index[o * most] = inside(d, r.first);  // also of a window that has no element
    for (int64_t i = r.first; i < r.last; i += d.dilation) to.index[o * most + n++] = static_cast<int32_t>(i);
    to.count[o] = n;
    if (to.divisor) to.divisor[o] = static_cast<T>(d.counts_padding ? r.end - r.begin : r.last - r.first);
  }
}

// torch computes positions in the dtype of the elements, in this order.
template <class T> T position(const TapDim& d, int64_t o) {
  const T step = static_cast<T>(d.step), at = static_cast<T>(o);
  return d.corners ? at * step : step * (at + T(0.5)) - T(0.5);
}

// Always in float32, whose rounding decides between neighbours.
template <class T> void fill_nearest(const TapDim& d, const TapTable<T>& to) {
  const float step = static_cast<float>(d.step), shift = d.kind == TapKind::NearestExact ? 0.5F : 0.0F;
  for (int64_t o = 0; o < d.out; ++o) {
    to.count[o] = 1;
    if (to.weight) to.weight[o] = 1;
    to.index[o] = inside(d, static_cast<int64_t>(std::floor((static_cast<float>(o) + shift) * step)));
  }
}

int64_t padded_place(const TapDim& d, int64_t place) {
  const int64_t last = d.size - 1;
  if (d.kind == TapKind::Reflect) return last - std::abs(last - std::abs(place));
  if (d.kind == TapKind::Replicate) return std::clamp<int64_t>(place, 0, last);
  return (place % d.size + d.size) % d.size;
}
template <class T> void fill_padded(const TapDim& d, const TapTable<T>& to) {
  for (int64_t o = 0; o < d.out; ++o) {
    to.count[o] = 1;
    if (to.weight) to.weight[o] = 1;
    to.index[o] = inside(d, padded_place(d, o - d.padding));
  }
}

template <class T> void fill_linear(const TapDim& d, const TapTable<T>& to) {
  for (int64_t o = 0; o < d.out; ++o) {
    const T at = std::max(position<T>(d, o), T(0));
    const int32_t low = inside(d, static_cast<int64_t>(at));
    const T share = std::clamp(at - static_cast<T>(low), T(0), T(1));
    to.count[o] = 2;
    to.index[2 * o] = low;
    to.index[2 * o + 1] = inside(d, low + 1);
    to.weight[2 * o] = 1 - share;
    to.weight[2 * o + 1] = share;
  }
}

template <class T> void fill_cubic(const TapDim& d, const TapTable<T>& to) {
  for (int64_t o = 0; o < d.out; ++o) {
    const T at = position<T>(d, o), low = std::floor(at), t = at - low;
    const T distance[] = {t + 1, t, 1 - t, 2 - t};
    to.count[o] = 4;
    for (int k = 0; k < 4; ++k) {
      to.index[4 * o + k] = inside(d, static_cast<int64_t>(low) + k - 1);
      to.weight[4 * o + k] = cubic(distance[k], T(-0.75));
    }
  }
}

template <class T> void fill_smooth(const TapDim& d, const TapTable<T>& to) {
  const int64_t most = d.most();
  const bool is_cubic = d.kind == TapKind::SmoothCubic;
  const T step = static_cast<T>(d.step), stretch = std::max(step, T(1)), radius = (is_cubic ? 2 : 1) * stretch;
  for (int64_t o = 0; o < d.out; ++o) {
    const T centre = step * (static_cast<T>(o) + T(0.5));
    const int64_t begin = std::max<int64_t>(static_cast<int64_t>(centre - radius + T(0.5)), 0);
    const int64_t end = std::min<int64_t>(static_cast<int64_t>(centre + radius + T(0.5)), d.size);
    T total = 0;
    int32_t n = 0;
    for (int64_t i = begin; i < end && n < most; ++i, ++n) {
      const T x = std::abs((static_cast<T>(i) - centre + T(0.5)) / stretch);
      const T w = is_cubic ? cubic(x, T(-0.5)) : triangle(x);
      to.index[o * most + n] = static_cast<int32_t>(i);
      to.weight[o * most + n] = w;
      total += w;
    }
    to.count[o] = n;
    for (int32_t k = 0; total != 0 && k < n; ++k) to.weight[o * most + k] /= total;
  }
}

}  // namespace

int64_t TapDim::most() const {
  switch (kind) {
    case TapKind::Window: return std::min(kernel, size);
    case TapKind::Adaptive: return std::min(size, (size + out - 1) / out + 1);
    case TapKind::Nearest:
    case TapKind::NearestExact:
    case TapKind::Reflect:
    case TapKind::Replicate:
    case TapKind::Circular: return 1;
    case TapKind::Linear: return 2;
    case TapKind::Cubic: return 4;
    case TapKind::SmoothLinear: return std::min(size, 2 * static_cast<int64_t>(std::ceil(std::max(step, 1.0))) + 1);
    case TapKind::SmoothCubic: return std::min(size, 2 * static_cast<int64_t>(std::ceil(2 * std::max(step, 1.0))) + 1);
  }
  return 1;
}

template <class T> void fill_taps(const TapDim& d, const TapTable<T>& to) {
  if (d.is_window()) return fill_windows(d, to);
  if (d.is_padded()) return fill_padded(d, to);
  if constexpr (std::is_floating_point_v<T>) {
    if (d.kind == TapKind::Linear) return fill_linear(d, to);
    if (d.kind == TapKind::Cubic) return fill_cubic(d, to);
    if (d.kind == TapKind::SmoothLinear || d.kind == TapKind::SmoothCubic) return fill_smooth(d, to);
  }
  fill_nearest(d, to);
}
template void fill_taps(const TapDim& d, const TapTable<float>& to);
template void fill_taps(const TapDim& d, const TapTable<double>& to);
template void fill_taps(const TapDim& d, const TapTable<int64_t>& to);

}  // namespace gradcore::portable
