// Copies between dtypes.
#include "kernels/elementwise/loops.h"
#include "kernels/portable/convert.h"

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
  static constexpr bool kNear = false;
  static Params load(const void*) { return {}; }
  template <class From> static __attribute__((always_inline)) auto apply(const Params&, Lane<From> x) {
    return Lane<To>{convert<To, From>(x.v)};
  }
};

template <class T> using FloatOf = If<is_half_type<T>, float, T>;
template <class To, class From> void convert_halves(const LoopArgs& a) {
  run_converted(Loop<Cast<FloatOf<To>>, FloatOf<To>, FloatOf<From>>::kSpec, dtype_of<To>, dtype_of<From>, a);
}
template <class To, class From> void convert_rarely(const LoopArgs& a) {
  portable::convert(dtype_of<To>, dtype_of<From>, a);
}

template <class Word> void copy_words(const LoopArgs& a) {
  using Copy = Loop<Cast<Word>, Word, Word>;
  if (!copy_rows(Copy::kSpec, a)) Copy::run(a);
}

template <class To, class From> constexpr LoopFn copy_loop() {
  constexpr bool computed = is_computed(dtype_of<To>) && is_computed(dtype_of<From>);
  if constexpr (__is_same(To, From))
    return copy_words<SameWidthInt<To>>;
  else if constexpr (computed)
    return Loop<Cast<To>, To, From>::run;
  else if constexpr (is_wide_unsigned(dtype_of<To>) || is_wide_unsigned(dtype_of<From>))
    return convert_rarely<To, From>;
  else
    return convert_halves<To, From>;
}
template <class To> constexpr DTypeRow<LoopFn> copies_to() {
  return by_dtype<LoopFn>([]<class From>(TypeTag<From>) { return copy_loop<To, From>(); });
}
template <class... To> constexpr CopyKernels make_table(TypeList<To...>) { return {{copies_to<To>()...}}; }

}  // namespace

constinit const CopyKernels copy_kernels = make_table(AllTypes{});

}  // namespace gradcore::GC_ISA
