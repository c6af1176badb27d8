// Every formula, group by group. A new group is a line here and a file in kernels/elementwise.
#pragma once
#include "formulas/activation.h"
#include "formulas/arithmetic.h"
#include "formulas/bessel.h"
#include "formulas/bounds.h"
#include "formulas/comparison.h"
#include "formulas/exponential.h"
#include "formulas/logical.h"
#include "formulas/loss.h"
#include "formulas/polynomial.h"
#include "formulas/power.h"
#include "formulas/rounding.h"
#include "formulas/selection.h"
#include "formulas/special.h"
#include "formulas/trigonometric.h"

namespace gradcore::formulas {

using Groups = TypeList<Arithmetic, Power, Exponential, Trigonometric, Rounding, Comparison, Logical, Bounds,
                        Activation, Loss, Special, Selection, Bessel, Polynomials>;

// Where a formula's kernels are: its group, and its place there.
struct Place {
  int group, index;
};
template <class Op, class... Lists> constexpr Place find_place(TypeList<Lists...>) {
  Place found{-1, -1};
  int group = 0;
  ((IndexIn<Op, Lists>::value >= 0 ? found = {group, IndexIn<Op, Lists>::value} : found, ++group), ...);
  return found;
}
template <class Op> constexpr Place place_of = find_place<Op>(Groups{});

}  // namespace gradcore::formulas
