#include "kernels/portable/places.h"

#include <algorithm>
#include <string>

#include "core/error.h"
#include "core/parallel.h"
#include "kernels/portable/elements.h"

namespace gradcore::portable {

namespace {

constexpr int64_t kChannels = 64;  // a block's, where there are several

// Calls f(places of the plane, picked ones, index, channels) for blocks of channels of all planes, in parallel.
template <class T, class F> void each_plane(const PlacesArgs& a, const F& f) {
  const int64_t cuts = (a.channels + kChannels - 1) / kChannels;
  T *const whole = reinterpret_cast<T*>(a.whole), *const picked = reinterpret_cast<T*>(a.picked);
  // Small planes go together: a block is worth waking a thread for.
  const int64_t each =
      std::max<int64_t>(1, (1 << 14) / std::max<int64_t>(1, a.places * std::min(a.channels, kChannels)));
  const int64_t total = a.planes * cuts;
  parallel_blocks((total + each - 1) / each, [&](int64_t block) {
    for (int64_t i = block * each; i < std::min(total, (block + 1) * each); ++i) {
      const int64_t plane = i / cuts, first = i % cuts * kChannels;
      f(whole + plane * a.places * a.channels + first, picked + plane * a.count * a.channels + first,
        a.index + plane * a.count * a.channels + first, std::min(kChannels, a.channels - first));
    }
  });
}

// Calls f(element of the whole, picked one) for all whose place is in the plane.
template <class T, class F>
void each_place(const PlacesArgs& a, T* whole, T* picked, const int64_t* index, int64_t channels, const F& f) {
  const auto places = static_cast<uint64_t>(a.places);
  if (a.channels == 1) {
    for (int64_t i = 0; i < a.count; ++i)
      if (const int64_t at = index[i]; static_cast<uint64_t>(at) < places) f(whole[at], picked[i]);
    return;
  }
  for (int64_t i = 0; i < a.count; ++i)
    for (int64_t c = 0; c < channels; ++c) {
      const int64_t at = index[i * a.channels + c];
      if (static_cast<uint64_t>(at) < places) f(whole[at * a.channels + c], picked[i * a.channels + c]);
    }
}

template <class T, class F> void into_zeros(const PlacesArgs& a, const F& f) {
  each_plane<T>(a, [&](T* whole, T* picked, const int64_t* index, int64_t channels) {
    if (a.channels == channels) std::fill_n(whole, a.places * channels, T(0));
    for (int64_t i = 0; a.channels != channels && i < a.places; ++i)
      std::fill_n(whole + i * a.channels, channels, T(0));
    each_place(a, whole, picked, index, channels, f);
  });
}

template <class T> void put_all(const PlacesArgs& a) {
  into_zeros<T>(a, [](T& to, T from) { to = from; });
}
template <class T> void add_all(const PlacesArgs& a) {
  into_zeros<T>(a, [](T& to, T from) { to += from; });
}
template <class T> void pick_all(const PlacesArgs& a) {
  each_plane<T>(a, [&](T* whole, T* picked, const int64_t* index, int64_t channels) {
    for (int64_t i = 0; i < a.count; ++i) std::fill_n(picked + i * a.channels, channels, T(0));
    each_place(a, whole, picked, index, channels, [](T from, T& to) { to = from; });
  });
}

}  // namespace

void put(const PlacesArgs& a) {
  visit_item_size(item_size(a.dtype), [&]<class T>(TypeTag<T>) { put_all<T>(a); });
}
void add(const PlacesArgs& a) { a.dtype == DType::Float32 ? add_all<float>(a) : add_all<double>(a); }
void pick(const PlacesArgs& a) {
  visit_item_size(item_size(a.dtype), [&]<class T>(TypeTag<T>) { pick_all<T>(a); });
}

void check_places(const CheckPlacesArgs& a) {
  uint64_t places = 1;
  for (int i = 0; i < a.dims; ++i) places *= static_cast<uint64_t>(a.sizes[i]);
  for (int64_t i = 0; i < a.count; ++i) {
    const int64_t at = a.index[i];
    if (static_cast<uint64_t>(at) < places) continue;
    std::string sizes = str_cat(a.sizes[0]);
    for (int d = 1; d < std::max(a.dims, 2); ++d) sizes += str_cat("x", d < a.dims ? a.sizes[d] : 1);
    fail("Found an invalid max index: ", at, " (output volumes are of size ", sizes, ")");
  }
}

}  // namespace gradcore::portable
