// Orthogonal polynomials of degree n. As in torch they have no derivative.
#pragma once
#include "formulas/formula.h"

namespace gradcore::formulas {

#define GC_POLYNOMIAL(function, Name)                                              \
  struct Name : Binary {                                                           \
    static constexpr OpInfo info{.name = "special_" #function,                     \
                                 .result = Float,                                  \
                                 .detached = true,                                 \
                                 .no_halves = true,                                \
                                 .one_by_one = true,                               \
                                 .cost = 30.0};                                    \
    template <class V> static constexpr V fwd(V x, V n) { return function(x, n); } \
  };
GC_POLYNOMIALS(GC_POLYNOMIAL)
#undef GC_POLYNOMIAL

using Polynomials = TypeList<ChebyshevT, ChebyshevU, ChebyshevV, ChebyshevW, ShiftedChebyshevT, ShiftedChebyshevU,
                             ShiftedChebyshevV, ShiftedChebyshevW, HermiteH, HermiteHe, LaguerreL, LegendreP>;

}  // namespace gradcore::formulas
