// The loops of special functions.
#include "formulas/special.h"

#include "kernels/elementwise/loops.h"
#include "kernels/special_math.h"

namespace gradcore::GC_ISA {

template <> constexpr bool in_lanes<formulas::Lgamma, float> = true;
template <> constexpr bool in_lanes<formulas::Digamma, float> = true;

// The first derivative of digamma, which its gradient is made of, in lanes; the later ones one by one.
struct Trigamma {
  static constexpr bool kPad = true, kNear = false;
  using Params = ParamLanes<float, 0>;
  static Params load(const void* p) { return Params::load(p); }
  GC_INLINE F32 apply(const Params&, F32 x) { return trigamma(x); }
};
void run_polygamma(const LoopArgs& a) {
  if (*static_cast<const float*>(a.params) == 1) return Loop<Trigamma, float, float>::run(a);
  run_one_by_one<formulas::Polygamma, float>(a);
}
template <> constexpr LoopFn forward_loop<formulas::Polygamma, float>() { return run_polygamma; }

template struct KernelsOf<formulas::Special>;

}  // namespace gradcore::GC_ISA
