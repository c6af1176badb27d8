// One pass over a parameter, its gradient and its state, for each update rule of formulas/optim.
#pragma once
#include <cstdint>

#include "formulas/optim/rules.h"

namespace gradcore {

constexpr int kMaxKept = 3;  // arrays that a rule keeps beside the parameter and its gradient

// n elements of the parameter, of the gradient, then of the arrays that are present; `rule` is the rule on Option.
using OptimFn = void (*)(const void* rule, void* const* arrays, int64_t n);
// By the dtype, float32 then float64, and the bits of the arrays that are present; null where the rule needs more.
struct OptimKernels {
  OptimFn by_present[2][1 << kMaxKept];
};

template <class Rule> constexpr int rule_index = formulas::IndexIn<Rule, formulas::UpdateRules>::value;

#ifdef GC_ISA
namespace GC_ISA {
extern const OptimKernels* const optim_kernels;
}
#endif

}  // namespace gradcore
