// The ways to compute the three sums of a convolution.
#pragma once
#include "kernels/conv/windows.h"

namespace gradcore::GC_ISA {

// In direct.cpp: what sums of nothing are, and any.
template <class T> void fill_with_bias(const Windows<T>& p);
template <class T> void sum_windows(const Windows<T>& p);
// The same for many output channels. In direct_last.cpp.
template <class T> void sum_windows_last(const Windows<T>& p);
// The same for windows of one place. In product.cpp.
template <class T> bool fits_product(const Windows<T>& p);
template <class T> void sum_by_product(const Windows<T>& p);
template <class T> bool differentiate_by_product(const Windows<T>& p, T* w);  // false where it does not fit
// The same for groups of one channel. In depthwise.cpp.
template <class T> bool fits_depthwise(const Windows<T>& p);
template <class T> void sum_depthwise(const Windows<T>& p);
// The same for channels that lie side by side in memory. In depthwise_last.cpp.
template <class T> bool fits_depthwise_last(const Windows<T>& p);
template <class T> void sum_depthwise_last(const Windows<T>& p);
template <class T> bool differentiate_depthwise_last(const Windows<T>& p, T* w);  // false where it does not fit
// Whether rows of the source are short enough for one of zeros, and channels fill a vector: nothing is then packed.
template <class T> bool reads_across(const Windows<T>& p);
// In winograd.cpp: for what fits_winograd(), faster and less exact.
bool fits_winograd(const Windows<float>& p);
void sum_by_winograd(const Windows<float>& p);
bool differentiate_by_winograd(const Windows<float>& p, float* w);  // false where it does not fit
// w, the gradient of the weights of forward windows. In weight.cpp.
template <class T> void differentiate_weight(const Windows<T>& p, T* w);
// The same for what fits_last(). In weight_last.cpp.
template <class T> bool fits_last(const Windows<T>& p);
template <class T> void differentiate_weight_last(const Windows<T>& p, T* w);

}  // namespace gradcore::GC_ISA
