// What the update rules of the optimizers are written in. A rule is one file of this folder: a struct template over S,
// the type of its options, whose text follows the paper's pseudocode:
//   scalars, arrays       torch's names of what is remembered of a parameter: single numbers (the step count first),
//   arrays kOptional, needs(i)   bits of the arrays that only some options need; whether the options of a group do
//   options(read)         reads the group's options, by torch's names; most share those of Hyperparameters
//   start(i)              what array i holds before the first step, where that is not 0
//   begin(t, ...)         what follows from the step number alone; may update the remembered numbers
//   update(p, g, ...)     the step itself, for one element: parameter, gradient, arrays
// S = Hyperparameter, and V = Lane<T> in update(), make the body of a kernel loop (kernels/optim/rules.cpp). S = V =
// Sym record ops instead of computing: that is the step with differentiable=True (optim/recorded.h). There is no second
// copy of a rule. An update has no branches, only select(), on lanes or on a Uniform: else the compiler would not make
// vectors of it, or a loop for every outcome. Nor has it arithmetic on S alone, which belongs into begin().
#pragma once
#include "formulas/formula.h"
#include "formulas/hyperparameter.h"

namespace gradcore::formulas {

// An optional array that is not there.
struct Absent {};
template <class A> constexpr bool present = !__is_same(A, Absent);

// A condition that is the same for all elements. A type of its own because select() on a bool that the loop does not
// change keeps GCC from making vectors of the loop.
struct Uniform {
  bool value;
  constexpr explicit operator bool() const { return value; }
};

// A remembered number, rounded as torch rounds it: to the dtype of the tensor that holds it, and where a new one takes
// its place, to the default dtype before.
class StateNumber {
 public:
  StateNumber(double value, bool single, bool single_by_default)
      : value_(value), single_(single), new_single_(single_by_default) {}
  operator double() const { return value_; }
  bool single() const { return single_; }
  StateNumber& operator=(double v) {
    value_ = rounded(v, single_ || new_single_);
    return *this;
  }
  StateNumber& operator*=(double v) {
    value_ = rounded(value_ * rounded(v, single_), single_);
    return *this;
  }

 private:
  static double rounded(double v, bool single) { return single ? static_cast<float>(v) : v; }
  double value_;
  bool single_, new_single_;
};

// An option as a value of the update.
template <class V> constexpr V as(const Hyperparameter& option) { return c<V>(option.value); }
template <class V> const V& as(const V& option) { return option; }

// The options that nearly all rules have, and what they make of the gradient.
template <class S> struct Hyperparameters {
  S lr, weight_decay;
  bool decoupled = false;
  Uniform maximize, decays;
  S decay_factor;

  template <class Read> void common_options(Read& read) {
    read("lr", lr), read("weight_decay", weight_decay), read("maximize", maximize.value);
    decays = {!decoupled && is_set(weight_decay)};
    decay_factor = decoupled ? c<S>(1) - lr * weight_decay : c<S>(1);
  }
  // The gradient of what is to fall, with the decay of the weights in it unless that is decoupled from it.
  template <class V> V decayed_grad(const V& g, const V& p) const {
    const V down = select(maximize, -g, g);
    return select(decays, down + as<V>(weight_decay) * p, down);
  }
  // The parameter after a decay that is decoupled.
  template <class V> V decayed(const V& p) const { return p * as<V>(decay_factor); }
};

// The moving average of x, `take` being the weight of the new value.
template <class V, class S> V averaged(const V& old, const V& x, const S& take) {
  return old + as<V>(take) * (x - old);
}
// The moving average of x^2.
template <class V, class S> V averaged_square(const V& old, const V& x, const S& keep, const S& take) {
  return old * as<V>(keep) + as<V>(take) * x * x;
}

// Whether a rule can have just these arrays: bits of what is present.
template <class Rule> constexpr bool possible(unsigned present) {
  constexpr unsigned all = (1u << Rule::kArrays) - 1;
  return present <= all && ((present | Rule::kOptional) & all) == all;
}

}  // namespace gradcore::formulas
