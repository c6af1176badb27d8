// The loops of activation functions.
#include "formulas/activation.h"

#include "kernels/elementwise/loops.h"

namespace gradcore::GC_ISA {

// gelu() of floats. The normal distribution's function is e = exp(-g(|x|)) / 2 below 0 and 1 - e above, with one
// polynomial g where erf() needs two, and nothing is lost below. From 5.75 on e is nothing beside 1, and 0 to torch.
template <> struct Forward<formulas::Gelu, float> {
  static constexpr bool kPad = true, kNear = false;
  using Params = ParamLanes<float, 0>;
  static Params load(const void* p) { return Params::load(p); }
  GC_INLINE F32 apply(const Params&, F32 x) {
    const float size = abs(x).v;
    const float g = size * polynomial(size, 0.79788566f, 0.31829649f, 0.036388569f, -0.0048789387f, 5.5826709e-05f,
                                      0.00016566682f, -4.4568413e-05f, 6.1305168e-06f, -4.5689112e-07f, 1.4572862e-08f);
    constexpr int bias_less_1 = Ieee<float>::kBias - 1;
    const ReducedExp<float> a = reduce_exp<bias_less_1>(-g);
    const float scale = power_of_two<float>(a.exponent), tail = madd(scale, expm1_reduced(a.r), scale);
    const float e = size > 5.75f ? 0.0f : tail;
    return {x.v * (x.v < 0 ? e : 1.0f - e)};
  }
};

template struct KernelsOf<formulas::Activation>;

}  // namespace gradcore::GC_ISA
