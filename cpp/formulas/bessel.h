// Bessel functions of orders 0 and 1, and Airy's.
#pragma once
#include "formulas/formula.h"

namespace gradcore::formulas {

// ---- modified, of the first kind; those with an e are times e**-|x|

struct I0 : Unary {
  static constexpr OpInfo info{.name = "i0", .node = "I0Backward0", .result = Float, .cost = 3.0};
  template <class V> [[gnu::always_inline]] static constexpr V fwd(V x) { return i0(x); }
  template <class V> [[gnu::always_inline]] static constexpr V vjp(V g, V x, V) { return g * i1(x); }
};
struct I0e : Unary {
  static constexpr OpInfo info{.name = "special_i0e", .node = "SpecialI0EBackward0", .result = Float, .cost = 3.0};
  template <class V> [[gnu::always_inline]] static constexpr V fwd(V x) { return i0e(x); }
  template <class V> [[gnu::always_inline]] static constexpr V vjp(V g, V x, V y) { return g * (i1e(x) - sign(x) * y); }
};
struct I1 : Unary {
  static constexpr OpInfo info{.name = "special_i1", .node = "SpecialI1Backward0", .result = Float, .cost = 3.0};
  template <class V> [[gnu::always_inline]] static constexpr V fwd(V x) { return i1(x); }
  template <class V> [[gnu::always_inline]] static constexpr V vjp(V g, V x, V y) {
    return g * select(eq(x, c<V>(0)), c<V>(0.5), i0(x) - y / nonzero(x));
  }
};
struct I1e : Unary {
  static constexpr OpInfo info{.name = "special_i1e", .node = "SpecialI1EBackward0", .result = Float, .cost = 3.0};
  template <class V> [[gnu::always_inline]] static constexpr V fwd(V x) { return i1e(x); }
  template <class V> [[gnu::always_inline]] static constexpr V vjp(V g, V x, V y) {
    return g * select(eq(x, c<V>(0)), c<V>(0.5), i0e(x) - y * (sign(x) + c<V>(1) / nonzero(x)));
  }
};

// ---- without a derivative, as in torch

#define GC_VALUE(Name, function)                                                                          \
  struct Name : Unary {                                                                                   \
    static constexpr OpInfo info{                                                                         \
        .name = "special_" #function, .result = Float, .detached = true, .no_halves = true, .cost = 4.0}; \
    template <class V> [[gnu::always_inline]] static constexpr V fwd(V x) { return function(x); }         \
  };
GC_VALUE(BesselJ0, bessel_j0)
GC_VALUE(BesselJ1, bessel_j1)
GC_VALUE(BesselY0, bessel_y0)
GC_VALUE(BesselY1, bessel_y1)
GC_VALUE(ModifiedBesselI0, modified_bessel_i0)
GC_VALUE(ModifiedBesselI1, modified_bessel_i1)
GC_VALUE(ModifiedBesselK0, modified_bessel_k0)
GC_VALUE(ModifiedBesselK1, modified_bessel_k1)
GC_VALUE(ScaledModifiedBesselK0, scaled_modified_bessel_k0)
GC_VALUE(ScaledModifiedBesselK1, scaled_modified_bessel_k1)
GC_VALUE(SphericalBesselJ0, spherical_bessel_j0)
#undef GC_VALUE

struct AiryAi : Unary {
  static constexpr OpInfo info{.name = "special_airy_ai",
                               .result = Float,
                               .detached = true,
                               .no_halves = true,
                               .one_by_one = true,
                               .cost = 80.0};
  template <class V> static constexpr V fwd(V x) { return airy_ai(x); }
};

using Bessel = TypeList<I0, I0e, I1, I1e, BesselJ0, BesselJ1, BesselY0, BesselY1, ModifiedBesselI0, ModifiedBesselI1,
                        ModifiedBesselK0, ModifiedBesselK1, ScaledModifiedBesselK0, ScaledModifiedBesselK1,
                        SphericalBesselJ0, AiryAi>;

}  // namespace gradcore::formulas
