// Which inputs make an output along one dim, and with what weights: the windows of pools, the taps of
// interpolations and what pads an image. Start at fill_taps().
#pragma once
#include <cstdint>

namespace gradcore::portable {

enum class TapKind : uint8_t {
  Window,    // output o begins at o * stride - padding and has every dilation-th of `kernel` steps
  Adaptive,  // it reaches from floor(o * size / out) to ceil((o + 1) * size / out)
  Nearest,   // the other kinds follow the position (o + 0.5) * step - 0.5 or, with `corners`, o * step
  NearestExact,
  Linear,
  Cubic,
  SmoothLinear,  // as image libraries shrink: the kernel is as wide as an output
  SmoothCubic,
  Reflect,  // what pads an image: the place o - padding, mirrored, moved to the end or counted round where it is
            // outside
  Replicate,
  Circular,
};

// One dim of a pool or of an interpolation.
struct TapDim {
  int64_t size = 1, out = 1;
  TapKind kind = TapKind::Window;
  bool corners = false;
  bool counts_padding = false;  // of means of windows: whether padding counts as elements
  int64_t kernel = 1, stride = 1, padding = 0, dilation = 1;
  double step = 1;

  bool is_trivial() const { return kind == TapKind::Window && size == out && kernel == 1 && stride == 1 && !padding; }
  bool is_window() const { return kind == TapKind::Window || kind == TapKind::Adaptive; }
  bool is_padded() const { return kind == TapKind::Reflect || kind == TapKind::Replicate || kind == TapKind::Circular; }
  // How many inputs an output has at most.
  int64_t most() const;
};

// The taps of output o are index[o * most] ... for count[o] of them. weight and divisor may be null.
template <class T> struct TapTable {
  int32_t* index;
  int32_t* count;
  T* weight;   // of each tap, 1 where null
  T* divisor;  // by which an output is divided
};
template <class T> void fill_taps(const TapDim& d, const TapTable<T>& to);

}  // namespace gradcore::portable
