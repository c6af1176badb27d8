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

// With a stride the places of x fall into classes, each of which has taps of its own.
template <class T> void data(const ConvArgs& a) {
  const auto classes = [&](int i) { return smaller(a.axis[i].stride, a.axis[i].x); };
  int64_t r[3];
  for (r[0] = 0; r[0] < classes(0); ++r[0])
    for (r[1] = 0; r[1] < classes(1); ++r[1])
      for (r[2] = 0; r[2] < classes(2); ++r[2]) sum_somehow(data_windows<T>(a, r), a.exact);
}

template <class T> void weight(const ConvArgs& a) { differentiate_weight(forward_windows<T>(a), static_cast<T*>(a.w)); }

}  // namespace

constinit const ConvKernels conv_kernels{by_float<ConvFn>([]<class T>(TypeTag<T>) { return &forward<T>; }),
                                         by_float<ConvFn>([]<class T>(TypeTag<T>) { return &data<T>; }),
                                         by_float<ConvFn>([]<class T>(TypeTag<T>) { return &weight<T>; })};

}  // namespace gradcore::GC_ISA
