#include "kernels/portable/range.h"

#include <algorithm>
#include <cmath>
#include <type_traits>

#include "kernels/portable/elements.h"

namespace gradcore::portable {

namespace {

template <class F> void visit_number(DType t, F&& f) {
  if (t != DType::Bool)
    visit_dtype(t, [&](auto tag) {
      if constexpr (!std::is_same_v<typename decltype(tag)::type, bool>) f(tag);
    });
}

}  // namespace

void arange(const ArangeArgs& a) {
  if (is_floating(a.dtype)) {
    const double first = a.start.to_double(), by = a.step.to_double();
    return visit_number(a.dtype, [&](auto tag) {
      using T = typename decltype(tag)::type;
      T* out = reinterpret_cast<T*>(a.out);
      for (int64_t i = 0; i < a.n; ++i) out[i] = static_cast<T>(first + by * static_cast<double>(i));
    });
  }
  const uint64_t first = static_cast<uint64_t>(a.start.to_int()), by = static_cast<uint64_t>(a.step.to_int());
  visit_item_size(item_size(a.dtype), [&](auto tag) {
    using T = typename decltype(tag)::type;
    T* out = reinterpret_cast<T*>(a.out);
    for (int64_t i = 0; i < a.n; ++i) out[i] = static_cast<T>(first + by * static_cast<uint64_t>(i));
  });
}

void linspace(const LinspaceArgs& a) {
  visit_number(a.dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    using Step = std::conditional_t<is_floating_type<T>, T, double>;
    using Factor = std::conditional_t<is_half_type<T>, float, Step>;
    T* out = reinterpret_cast<T*>(a.out);
    const T first = a.start.to<T>(), last = a.end.to<T>();
    if (a.n == 1) {
      *out = first;
      return;
    }
    const Step step =
        static_cast<Step>((static_cast<Step>(last) - static_cast<Step>(first)) / static_cast<Step>(a.n - 1));
    // Whole numbers are cut: which one it is hangs on the last bit, so they are rounded once, as torch's are.
    const auto along = [](auto from, auto by, auto times) {
      if constexpr (is_floating_type<T>)
        return static_cast<T>(from + by * times);
      else
        return static_cast<T>(std::fma(by, times, static_cast<double>(from)));
    };
    const int64_t half = a.n / 2;
    for (int64_t i = 0; i < half; ++i) out[i] = along(first, step, static_cast<Factor>(i));
    for (int64_t i = half; i < a.n; ++i) out[i] = along(last, step, static_cast<Factor>(i - a.n + 1));
  });
}

void set_diagonal(const DiagonalArgs& a) {
  visit_dtype(a.dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    T* out = reinterpret_cast<T*>(a.out);
    for (int64_t i = 0; i < std::min(a.rows, a.columns); ++i) out[i * a.columns + i] = static_cast<T>(1);
  });
}

void triangle_places(const TrianglePlacesArgs& a) {
  int64_t *row_out = a.out, *column_out = a.out + a.count;
  for (int64_t row = a.begin; row < a.end; ++row) {
    const int64_t first = a.upper ? std::max<int64_t>(0, row + a.offset) : 0;
    const int64_t n = (a.upper ? a.columns : std::min(a.columns, row + a.offset + 1)) - first;
    row_out = std::fill_n(row_out, n, row);
    for (int64_t i = 0; i < n; ++i) column_out[i] = first + i;
    column_out += n;
  }
}

void raise_base(const RaiseArgs& a) {
  for (int64_t i = 0; i < a.n; ++i) a.data[i] = std::pow(a.base, a.data[i]);
}

}  // namespace gradcore::portable
