// The three kernels of a convolution: which way each is computed. See Note [One sum, three kernels].
#include "kernels/conv/conv.h"

#include "kernels/conv/ways.h"

namespace gradcore::GC_ISA {
namespace {

template <class T> void sum_somehow(const Windows<T>& p, bool exact) {
  if constexpr (sizeof(T) == 4)
    if (!exact && fits_winograd(p)) return sum_by_winograd(p);
  sum_windows(p);
}

template <class T> void forward(const ConvArgs& a) { sum_somehow(forward_windows<T>(a), a.exact); }

// With a stride the places of x fall into classes, each of which has taps of its own, or none: those are filled first,
// with all others, in the order of memory.
template <class T> void data(const ConvArgs& a) {
  if (a.n * a.groups * a.c * a.axis[0].x * a.axis[1].x * a.axis[2].x == 0) return;
  const auto classes = [&](int i) { return smaller(a.axis[i].stride, a.axis[i].x); };
  bool filled = false;
  int64_t r[3];
  for (int i = 0; i < 3; ++i)
    for (int64_t k = 0; k < classes(i); ++k) filled |= data_axis(a.axis[i], k).taps == 0;
  if (filled) {
    ConvArgs all = a;
    for (ConvAxis& axis : all.axis) axis.stride = axis.dilation = 1;
    constexpr int64_t kNone[3] = {0, 0, 0};
    fill_with_bias(data_windows<T>(all, kNone));
  }
  for (r[0] = 0; r[0] < classes(0); ++r[0])
    for (r[1] = 0; r[1] < classes(1); ++r[1])
      for (r[2] = 0; r[2] < classes(2); ++r[2]) {
        const Windows<T> p = data_windows<T>(a, r);
        if (p.taps() > 0) sum_somehow(p, a.exact);
      }
}

template <class T> void weight(const ConvArgs& a) {
  const Windows<T> p = forward_windows<T>(a);
  if constexpr (sizeof(T) == 4)
    if (!a.exact && differentiate_by_winograd(p, static_cast<T*>(a.w))) return;
  differentiate_weight(p, static_cast<T*>(a.w));
}

}  // namespace

constinit const ConvKernels conv_kernels{by_float<ConvFn>([]<class T>(TypeTag<T>) { return &forward<T>; }),
                                         by_float<ConvFn>([]<class T>(TypeTag<T>) { return &data<T>; }),
                                         by_float<ConvFn>([]<class T>(TypeTag<T>) { return &weight<T>; })};

}  // namespace gradcore::GC_ISA
