// Copies between dtypes.
#include "kernels/elementwise/loops.h"

namespace gradcore::GC_ISA {

namespace {

// Out-of-range floats and NaN become what the machine's conversion gives (torch's values): the lowest int64 or int32,
// cut to the target's width. Written out because the cast alone would be undefined.
template <class To, class From> GC_INLINE To convert(From x) {
  if constexpr (__is_same(To, bool)) {
    return x != From(0);
  } else if constexpr (is_float<From> && !is_float<To>) {
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
  static constexpr bool kDivides = false;
  static Params load(const void*) { return {}; }
  template <class From> static __attribute__((always_inline)) auto apply(const Params&, Lane<From> x) {
    return Lane<To>{convert<To, From>(x.v)};
  }
};

template <class To> constexpr DTypeRow<LoopFn> copies_to() {
  return by_dtype<LoopFn>([]<class From>(TypeTag<From>) -> LoopFn { return Loop<Cast<To>, To, From>::run; });
}
template <class... To> constexpr CopyKernels make_table(TypeList<To...>) { return {{copies_to<To>()...}}; }

}  // namespace

constinit const CopyKernels copy_kernels = make_table(AllTypes{});

}  // namespace gradcore::GC_ISA
