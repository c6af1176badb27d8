// The loops of formulas/optim. Start at loop().
#include "kernels/optim/rules.h"

#include <cstddef>
#include <type_traits>
#include <utility>

#include "kernels/lane_ops.h"

namespace gradcore::GC_ISA {

template <class T> GC_INLINE Lane<T> select(formulas::Uniform condition, Lane<T> a, Lane<T> b) {
  const auto mask = -static_cast<decltype(to_bits(a.v))>(condition.value);
  return {from_bits((to_bits(a.v) & mask) | (to_bits(b.v) & ~mask))};
}

namespace {

using formulas::Absent;
using formulas::TypeList;

template <class T> GC_INLINE Lane<T> load(const T* p, int64_t i) { return {p[i]}; }
template <class T> GC_INLINE void store(T* p, int64_t i, Lane<T> v) { p[i] = v.v; }
GC_INLINE Absent load(const Absent*, int64_t) { return {}; }
GC_INLINE void store(Absent*, int64_t, Absent) {}

// A is T, or Absent for an array that is not there. The rule comes by value: no store can change it.
template <class Rule, class T, class... A>
void loop(const Rule rule, int64_t n, T* __restrict p, const T* __restrict g, A* __restrict... kept) {
  for (int64_t i = 0; i < n; ++i) {
    Lane<T> param = load(p, i);
    [&](auto... values) __attribute__((always_inline)) {
      rule.update(param, load(g, i), values...);
      (store(kept, i, values), ...);
    }(load(kept, i)...);
    store(p, i, param);
  }
}

template <class Rule, class T, unsigned kPresent, std::size_t... I>
void step(const void* rule, void* const* a, int64_t n) {
  loop(*static_cast<const Rule*>(rule), n, static_cast<T*>(a[0]), static_cast<const T*>(a[1]),
       static_cast<std::conditional_t<(kPresent >> I & 1) != 0, T, Absent>*>(a[2 + I])...);
}
template <class Rule, class T, unsigned kPresent, std::size_t... I>
constexpr OptimFn step_of(std::index_sequence<I...>) {
  if constexpr (formulas::possible<Rule>(kPresent))
    return step<Rule, T, kPresent, I...>;
  else
    return nullptr;
}
template <class Rule, std::size_t... P> constexpr RuleKernels kernels_of(std::index_sequence<P...>) {
  return by_float<StepFns>([]<class T>(TypeTag<T>) {
    constexpr auto kept = std::make_index_sequence<Rule::kArrays>();
    return StepFns{{step_of<Rule, T, P>(kept)...}};
  });
}
template <class... Rules> constexpr OptimKernels make_table(TypeList<Rules...>) {
  return {{kernels_of<Rules>(std::make_index_sequence<1 << kMaxStateArrays>())...}};
}

}  // namespace

constinit const OptimKernels optim_kernels = make_table(formulas::UpdateRules{});

}  // namespace gradcore::GC_ISA
