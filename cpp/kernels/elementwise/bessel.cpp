// The loops of Bessel functions.
#include "formulas/bessel.h"

#include "kernels/bessel_math.h"
#include "kernels/elementwise/loops.h"

namespace gradcore::GC_ISA {

template <> constexpr double near_end<formulas::I0> = kModifiedNear;
template <> constexpr double near_end<formulas::I0e> = kModifiedNear;
template <> constexpr double near_end<formulas::I1> = kModifiedNear;
template <> constexpr double near_end<formulas::I1e> = kModifiedNear;
template <> constexpr double near_end<formulas::BesselJ0> = kSwingingNear;
template <> constexpr double near_end<formulas::BesselJ1> = kSwingingNear;
template <> constexpr double near_end<formulas::BesselY0> = kSwingingNear;
template <> constexpr double near_end<formulas::BesselY1> = kSwingingNear;
template <> constexpr double near_end<formulas::SphericalBesselJ0> = kSphericalNear;

template <class Op>
  requires(IndexIn<Op, formulas::Bessel>::value >= 0)
constexpr bool in_double<Op> = true;

// torch has other names for two of them.
template <> struct ForwardLoop<formulas::ModifiedBesselI0, double> : ForwardLoop<formulas::I0, double> {};
template <> struct ForwardLoop<formulas::ModifiedBesselI1, double> : ForwardLoop<formulas::I1, double> {};

template struct KernelsOf<formulas::Bessel>;

}  // namespace gradcore::GC_ISA
