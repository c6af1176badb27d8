// The loops of special functions.
#include "formulas/special.h"

#include "kernels/elementwise/loops.h"
#include "kernels/special_math.h"

namespace gradcore::GC_ISA {

template <> constexpr bool in_lanes<formulas::Lgamma, float> = true;
template <> constexpr bool in_lanes<formulas::Digamma, float> = true;
template <> constexpr bool in_lanes<formulas::Digamma, double> = true;

template <> constexpr bool in_double<formulas::Digamma> = true;
template <> constexpr bool in_double<formulas::Erfcx> = true;
template <> constexpr bool in_double<formulas::LogNdtr> = true;

struct WithoutParams {
  static constexpr bool kPad = true, kNear = false;
  using Params = ParamLanes<double, 0>;
  static Params load(const void* p) { return Params::load(p); }
};

// Of doubles: in lanes but for the zeros below 0, whose neighbourhoods go one by one.
struct LgammaOfDoubles : WithoutParams {
  static constexpr bool kSplit = true;
  GC_INLINE bool is_near(double x) { return (x >= -2.0) | (x <= -10.0); }
  GC_INLINE F64 apply(const Params&, Near<double> x) { return lgamma_but_for_zeros(x); }
  GC_INLINE F64 apply(const Params&, Far<double> x) { return {portable::lgamma(x.v)}; }
};
template <> constexpr LoopFn forward_loop<formulas::Lgamma, double>() {
  return Loop<LgammaOfDoubles, double, double>::run;
}

struct ErfinvInTwoWays : WithoutParams {
  static constexpr bool kSplit = true;
  GC_INLINE bool is_near(double x) { return __builtin_fabs(x) <= kErfinvNear; }
  GC_INLINE F64 apply(const Params&, Near<double> x) { return erfinv_near(F64{x.v}); }
  GC_INLINE F64 apply(const Params&, Far<double> x) { return erfinv(F64{x.v}); }
};
template <> constexpr LoopFn forward_loop<formulas::Erfinv, double>() {
  return Loop<ErfinvInTwoWays, double, double>::run;
}

// Of polygamma the first derivative of digamma, which its gradient is made of, in lanes; the later ones one by one.
struct Trigamma : WithoutParams {
  GC_INLINE F64 apply(const Params&, F64 x) { return trigamma(x); }
};
template <class T> void run_polygamma(const LoopArgs& a) {
  const T order = *static_cast<const T*>(a.params);
  if (order == 0) return forward_loop<formulas::Digamma, T>()(a);
  using L = Loop<Trigamma, double, double>;
  if (order == 1) return If<sizeof(T) == 4, InDouble<L>, L>::run(a);
  run_one_by_one<formulas::Polygamma, T>(a);
}
template <> constexpr LoopFn forward_loop<formulas::Polygamma, float>() { return run_polygamma<float>; }
template <> constexpr LoopFn forward_loop<formulas::Polygamma, double>() { return run_polygamma<double>; }

template struct KernelsOf<formulas::Special>;

}  // namespace gradcore::GC_ISA
