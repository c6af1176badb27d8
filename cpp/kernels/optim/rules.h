// One pass over a parameter, its gradient and its state, for each update rule of formulas/optim.
#pragma once
#include <cstdint>

#include "core/dtype.h"
#include "formulas/optim/rules.h"

namespace gradcore {

constexpr int kMaxStateArrays = 3;  // arrays that a rule keeps beside the parameter and its gradient

// n elements of the parameter, of the gradient, then of the arrays that are present; `rule` is the rule on
// Hyperparameter.
using OptimFn = void (*)(const void* rule, void* const* arrays, int64_t n);
// By the bits of the arrays that are present; null where the rule needs more.
struct StepFns {
  OptimFn by_present[1 << kMaxStateArrays];
};
using RuleKernels = FloatRow<StepFns>;
struct OptimKernels {
  RuleKernels of[formulas::UpdateRules::size];
};

template <class Rule> constexpr int rule_index = IndexIn<Rule, formulas::UpdateRules>::value;

#ifdef GC_ISA
namespace GC_ISA {
extern const OptimKernels optim_kernels;
}
#endif

}  // namespace gradcore
