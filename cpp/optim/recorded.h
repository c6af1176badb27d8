// A step that is itself recorded, for differentiable=True: the rule runs on tensors instead of elements.
#pragma once
#include <span>

#include "formulas/optim/rules.h"
#include "ops/formula_ops.h"

namespace gradcore {

// What rules ask of options that are tensors (formulas/optim/rule.h).
inline bool is_set(const Sym& option) { return option.is_tensor() || option.number() != 0; }
inline const Sym& as_number(const Sym& option) { return option; }
inline const Sym& as_tensor_value(const Sym& option, bool) { return option; }
inline double value_of(const Sym& option) {
  if (!option.is_tensor()) return option.number();
  return *cast(detach(option.t), DType::Float64).host<double>();
}

inline const Sym& select(formulas::Uniform condition, const Sym& a, const Sym& b) { return condition ? a : b; }

// Updates a parameter and what is kept of it by recorded ops. `arrays` as in StepItem.
template <template <class> class Rule> class RecordedStep {
 public:
  static void run(const Rule<Sym>& rule, std::span<const Tensor> arrays) { dispatch<0>(rule, arrays); }

 private:
  template <unsigned kPresent> static void dispatch(const Rule<Sym>& rule, std::span<const Tensor> arrays) {
    if constexpr (formulas::possible<Rule<Sym>>(kPresent))
      if (present_in(arrays) == kPresent)
        return apply<kPresent>(rule, arrays, std::make_index_sequence<Rule<Sym>::kArrays>());
    if constexpr (kPresent + 1 < 1u << Rule<Sym>::kArrays) dispatch<kPresent + 1>(rule, arrays);
  }

  static unsigned present_in(std::span<const Tensor> arrays) {
    unsigned bits = 0;
    for (size_t i = 2; i < arrays.size(); ++i) bits |= arrays[i].defined() << (i - 2);
    return bits;
  }

  // The rule sees clones: what is saved for backward is not overwritten when the results are copied home.
  template <bool kPresent> static auto seen(const Tensor& t) {
    if constexpr (kPresent)
      return Sym(clone(t));
    else
      return formulas::Absent();
  }
  static void bring_home(const Tensor& t, const Sym& value) { copy_(t, value.t); }
  static void bring_home(const Tensor&, formulas::Absent) {}

  template <unsigned kPresent, size_t... I>
  static void apply(const Rule<Sym>& rule, std::span<const Tensor> arrays, std::index_sequence<I...>) {
    Sym p = seen<true>(arrays[0]);
    [&](auto... kept) {
      rule.update(p, Sym(arrays[1]), kept...);
      bring_home(arrays[0], p);  // first: it is what may be refused
      (bring_home(arrays[2 + I], kept), ...);
    }(seen<(kPresent >> I & 1) != 0>(arrays[2 + I])...);
  }
};

}  // namespace gradcore
