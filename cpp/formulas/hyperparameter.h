// What optimizers compute with where there is one value for all elements.
#pragma once

namespace gradcore::formulas {

// An option, or what follows from options: a Python number, or what a tensor of one element holds. As in torch the
// dtype of a tensor goes to the result, and float32 rounds the operands and the result.
struct Hyperparameter {
  enum Kind : unsigned char { kPlain, kSingle, kDouble };  // of two the later one decides
  double value = 0;
  Kind kind = kPlain;

  constexpr Hyperparameter() = default;
  constexpr explicit Hyperparameter(double v, Kind k = kPlain)
      : value(k == kSingle ? static_cast<float>(v) : v), kind(k) {}
};

#define GC_HYPERPARAMETER_BINARY(name, result)                                       \
  [[gnu::noinline]] inline Hyperparameter name(Hyperparameter a, Hyperparameter b) { \
    const Hyperparameter::Kind kind = a.kind > b.kind ? a.kind : b.kind;             \
    const double x = Hyperparameter(a.value, kind).value;                            \
    const double y = Hyperparameter(b.value, kind).value;                            \
    return Hyperparameter(result, kind);                                             \
  }
GC_HYPERPARAMETER_BINARY(operator+, x + y)
GC_HYPERPARAMETER_BINARY(operator-, x - y)
GC_HYPERPARAMETER_BINARY(operator*, x* y)
// As torch has them, a number by a tensor is the number times a reciprocal, and a third power two products.
GC_HYPERPARAMETER_BINARY(operator/, a.kind < b.kind ? Hyperparameter(1 / y, kind).value * x : x / y)
GC_HYPERPARAMETER_BINARY(pow, y == 3 ? Hyperparameter(x * x, kind).value * x : __builtin_pow(x, y))
#undef GC_HYPERPARAMETER_BINARY

inline Hyperparameter sqrt(const Hyperparameter& x) { return Hyperparameter(__builtin_sqrt(x.value), x.kind); }

// Sym has its own versions of these, found by argument.
inline bool is_set(const Hyperparameter& option) { return option.value != 0; }
inline double value_of(const Hyperparameter& option) { return option.value; }
inline Hyperparameter as_number(const Hyperparameter& option) { return Hyperparameter(option.value); }
inline Hyperparameter as_tensor_value(const Hyperparameter& option, bool single) {
  return Hyperparameter(option.value, single ? Hyperparameter::kSingle : Hyperparameter::kDouble);
}

}  // namespace gradcore::formulas
