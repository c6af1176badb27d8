#include "kernels/portable/columns.h"

#include <algorithm>

#include "core/parallel.h"
#include "kernels/portable/elements.h"

namespace gradcore::portable {

namespace {

// The windows [from, to) along a dim whose tap lies inside of the image: that of window o at o * stride + shift.
struct Inside {
  int64_t from, to, shift;
};
Inside inside(const ColumnsArgs& a, int dim, int64_t tap) {
  const int64_t shift = tap * a.dilation[dim] - a.padding[dim], stride = a.stride[dim], size = a.size[dim];
  const int64_t from = std::min(a.out[dim], shift < 0 ? (-shift + stride - 1) / stride : 0);
  const int64_t to = shift < size ? std::min(a.out[dim], (size - 1 - shift) / stride + 1) : 0;
  return {from, std::max(from, to), shift};
}

// Calls f(tap's rows of columns, windows inside along both dims) for each tap of a plane.
template <class T, class F> void each_tap(const ColumnsArgs& a, T* columns, const F& f) {
  for (int64_t i = 0; i < a.kernel[0]; ++i) {
    const Inside rows = inside(a, 0, i);
    for (int64_t j = 0; j < a.kernel[1]; ++j, columns += a.out[0] * a.out[1]) f(columns, rows, inside(a, 1, j));
  }
}

// Calls f(plane of the image, plane of the columns) for all, in parallel.
template <class F> void each_plane(const ColumnsArgs& a, const F& f) {
  const int64_t places = a.size[0] * a.size[1];
  const int64_t elements = a.kernel[0] * a.kernel[1] * a.out[0] * a.out[1];
  const int64_t each = std::max<int64_t>(1, (1 << 14) / std::max<int64_t>(1, elements));
  parallel_blocks((a.planes + each - 1) / each, [&](int64_t block) {
    for (int64_t p = block * each; p < std::min(a.planes, (block + 1) * each); ++p) f(p * places, p * elements);
  });
}

template <class T> void unfold_plane(const ColumnsArgs& a, const T* image, T* columns) {
  const int64_t width = a.size[1], n = a.out[1], stride = a.stride[1];
  each_tap(a, columns, [&](T* to, const Inside& rows, const Inside& line) {
    std::fill_n(to, rows.from * n, T());
    for (int64_t o = rows.from; o < rows.to; ++o) {
      const T* const from = image + (o * a.stride[0] + rows.shift) * width;
      T* const row = to + o * n;
      std::fill(row, row + line.from, T());
      if (stride == 1)
        std::copy(from + line.from + line.shift, from + line.to + line.shift, row + line.from);
      else
        for (int64_t w = line.from; w < line.to; ++w) row[w] = from[w * stride + line.shift];
      std::fill(row + line.to, row + n, T());
    }
    std::fill(to + rows.to * n, to + a.out[0] * n, T());
  });
}

template <class T> void fold_plane(const ColumnsArgs& a, const T* columns, T* image) {
  const int64_t width = a.size[1], n = a.out[1], stride = a.stride[1];
  std::fill_n(image, a.size[0] * width, T());
  each_tap(a, columns, [&](const T* from, const Inside& rows, const Inside& line) {
    for (int64_t o = rows.from; o < rows.to; ++o) {
      T* const to = image + (o * a.stride[0] + rows.shift) * width + line.shift;
      const T* const row = from + o * n;
      if (stride == 1)
        for (int64_t w = line.from; w < line.to; ++w) to[w] = plus(to[w], row[w]);
      else
        for (int64_t w = line.from; w < line.to; ++w) to[w * stride] = plus(to[w * stride], row[w]);
    }
  });
}

}  // namespace

void unfold(const ColumnsArgs& a) {
  visit_item_size(item_size(a.dtype), [&]<class T>(TypeTag<T>) {
    each_plane(a, [&](int64_t image, int64_t columns) {
      unfold_plane(a, reinterpret_cast<const T*>(a.from) + image, reinterpret_cast<T*>(a.to) + columns);
    });
  });
}

void fold(const ColumnsArgs& a) {
  visit_addable(a.dtype, [&]<class T>(TypeTag<T>) {
    each_plane(a, [&](int64_t image, int64_t columns) {
      fold_plane(a, reinterpret_cast<const T*>(a.from) + columns, reinterpret_cast<T*>(a.to) + image);
    });
  });
}

}  // namespace gradcore::portable
