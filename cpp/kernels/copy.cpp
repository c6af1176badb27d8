// Copies between dtypes.
#include "kernels/elementwise.h"

namespace gradcore::GC_ISA {

namespace {

// Out-of-range floats and NaN become what the machine's conversion gives (torch's values): the lowest int64 or int32,
// cut to the target's width. Written out because the cast alone would be undefined.
template <class To, class From> GC_INLINE To convert(From x) {
  if constexpr (__is_same(To, bool)) {
    return x != From(0);
  } else if constexpr (is_float_type<From> && !is_float_type<To>) {
    if constexpr (sizeof(To) == 8) {
      const bool in = x >= From(-0x1p63) && x < From(0x1p63);
      return in ? static_cast<int64_t>(x) : INT64_MIN;
    } else {
      const bool in = x > From(-2147483649.0) && x < From(2147483648.0);
      return static_cast<To>(in ? static_cast<int32_t>(x) : INT32_MIN);
    }
  } else {
    return static_cast<To>(x);
  }
}

template <class To> struct Cast {
  struct Params {};
  static constexpr bool kPad = false;
  static Params load(const void*) { return {}; }
  template <class From> static __attribute__((always_inline)) auto apply(const Params&, Lane<From> x) {
    return Lane<To>{convert<To, From>(x.v)};
  }
};

template <class To> struct CopyRow {
  static constexpr LoopFn value[kDTypeCount] = {Loop<Cast<To>, To, bool>::run,    Loop<Cast<To>, To, uint8_t>::run,
                                                Loop<Cast<To>, To, int8_t>::run,  Loop<Cast<To>, To, int16_t>::run,
                                                Loop<Cast<To>, To, int32_t>::run, Loop<Cast<To>, To, int64_t>::run,
                                                Loop<Cast<To>, To, float>::run,   Loop<Cast<To>, To, double>::run};
};

constexpr void fill_row(LoopFn (&row)[kDTypeCount], const LoopFn (&from)[kDTypeCount]) {
  for (int i = 0; i < kDTypeCount; ++i) row[i] = from[i];
}
struct CopyTable {
  LoopFn to[kDTypeCount][kDTypeCount];
  constexpr CopyTable() : to() {
    fill_row(to[0], CopyRow<bool>::value);
    fill_row(to[1], CopyRow<uint8_t>::value);
    fill_row(to[2], CopyRow<int8_t>::value);
    fill_row(to[3], CopyRow<int16_t>::value);
    fill_row(to[4], CopyRow<int32_t>::value);
    fill_row(to[5], CopyRow<int64_t>::value);
    fill_row(to[6], CopyRow<float>::value);
    fill_row(to[7], CopyRow<double>::value);
  }
};
constexpr CopyTable table;

}  // namespace

extern const LoopFn (*const copy_kernels)[kDTypeCount] = table.to;

}  // namespace gradcore::GC_ISA
