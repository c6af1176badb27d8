// What optimizers compute with where there is one value for all elements.
#pragma once

namespace gradcore::formulas {

// An option, or what follows from options: a Python number, or what a tensor of one element holds. As in torch the
// dtype of a tensor goes to the result, and float32 rounds the operands and the result.
struct Option {
  enum Kind : unsigned char { kPlain, kSingle, kDouble };  // of two the later one decides
  double value = 0;
  Kind kind = kPlain;

  constexpr Option() = default;
  constexpr explicit Option(double v, Kind k = kPlain) : value(k == kSingle ? static_cast<float>(v) : v), kind(k) {}
};

#define GC_OPTION_BINARY(name, result)                           \
  [[gnu::noinline]] inline Option name(Option a, Option b) {     \
    const Option::Kind kind = a.kind > b.kind ? a.kind : b.kind; \
    const double x = Option(a.value, kind).value;                \
    const double y = Option(b.value, kind).value;                \
    return Option(result, kind);                                 \
  }
GC_OPTION_BINARY(operator+, x + y)
GC_OPTION_BINARY(operator-, x - y)
GC_OPTION_BINARY(operator*, x* y)
// As torch has them, a number by a tensor is the number times a reciprocal, and a third power two products.
GC_OPTION_BINARY(operator/, a.kind < b.kind ? Option(1 / y, kind).value * x : x / y)
GC_OPTION_BINARY(pow, y == 3 ? Option(x * x, kind).value * x : __builtin_pow(x, y))
#undef GC_OPTION_BINARY

inline Option sqrt(const Option& x) { return Option(__builtin_sqrt(x.value), x.kind); }

// Sym has its own versions of these, found by argument.
inline bool given(const Option& option) { return option.value != 0; }
inline double value_of(const Option& option) { return option.value; }
inline Option plain(const Option& option) { return Option(option.value); }
inline Option held(const Option& option, bool single) {
  return Option(option.value, single ? Option::kSingle : Option::kDouble);
}

}  // namespace gradcore::formulas
