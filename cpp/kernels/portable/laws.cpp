#include "kernels/portable/laws.h"

#include <cmath>
#include <limits>
#include <mutex>
#include <numbers>
#include <type_traits>

#include "core/error.h"
#include "core/generator.h"
#include "kernels/portable/special/special.h"

namespace gradcore::portable {

namespace {

// In [0, 1), of the 53 bits that a double holds.
double unit(Generator& gen) { return static_cast<double>(gen.random64() & ((uint64_t{1} << 53) - 1)) * 0x1p-53; }

// A number as an element of T. Integers wrap, as torch's do; what none can hold is the largest one.
template <class T> T element(double v) {
  if constexpr (std::is_same_v<T, bool>) {
    return v != 0;
  } else if constexpr (std::is_integral_v<T>) {
    return v < 0x1p63 ? static_cast<T>(static_cast<int64_t>(v)) : std::numeric_limits<T>::max();
  } else {
    return static_cast<T>(v);
  }
}

template <class F> void fill(const LawArgs& a, F&& next) {
  const std::lock_guard lock(a.generator->mutex());
  visit_dtype(a.dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    T* out = reinterpret_cast<T*>(a.out);
    for (int64_t i = 0; i < a.n; ++i) out[i] = element<T>(next(*a.generator));
  });
}

// log(k!) for a whole k >= 0.
double log_factorial(double k) { return lgamma(k + 1); }

// Small rates: uniform numbers are multiplied until they fall below e^-rate.
double poisson_by_products(Generator& gen, double rate) {
  const double end = std::exp(-rate);
  double product = unit(gen);
  for (double count = 0;; ++count) {
    if (!(product > end)) return count;
    product *= unit(gen);
  }
}

// Larger ones: transformed rejection with a squeeze, algorithm PTRS of W. Hoermann, "The transformed rejection method
// for generating Poisson random variables", Insurance: Mathematics and Economics 12 (1993). His names are kept.
double poisson_by_rejection(Generator& gen, double rate) {
  const double b = 0.931 + 2.53 * std::sqrt(rate), a = -0.059 + 0.02483 * b;
  const double inverse_alpha = 1.1239 + 1.1328 / (b - 3.4), v_r = 0.9277 - 3.6224 / (b - 2);
  for (;;) {
    const double u = unit(gen) - 0.5, v = unit(gen);
    const double us = 0.5 - std::abs(u), k = std::floor((2 * a / us + b) * u + rate + 0.43);
    if (us >= 0.07 && v <= v_r) return k;
    if (k < 0 || (us < 0.013 && v > us)) continue;
    const double left = std::log(v) + std::log(inverse_alpha) - std::log(a / (us * us) + b);
    if (left <= -rate + k * std::log(rate) - log_factorial(k)) return k;
  }
}

double poisson(Generator& gen, double rate) {
  check(rate >= 0, "invalid Poisson rate, expected rate to be non-negative");
  check(std::isfinite(rate), "invalid Poisson rate, expected rate to be finite");  // torch does not come back from it
  if (rate == 0) return 0;
  return rate < 10 ? poisson_by_products(gen, rate) : poisson_by_rejection(gen, rate);
}

}  // namespace

void fill_cauchy(const LawArgs& a) {
  fill(a, [&](Generator& gen) { return a.a + a.b * std::tan(std::numbers::pi * (unit(gen) - 0.5)); });
}
void fill_log_normal(const LawArgs& a) {
  fill(a, [&](Generator& gen) { return std::exp(std::fma(gen.normal(), a.b, a.a)); });
}
void fill_geometric(const LawArgs& a) {
  const double scale = std::log1p(-a.a);
  fill(a, [&](Generator& gen) { return std::ceil(std::log(unit(gen)) / scale); });
}

void fill_poisson(const PoissonArgs& a) {
  const std::lock_guard lock(a.generator->mutex());
  visit_in(
      a.dtype,
      [&](auto tag) {
        using T = typename decltype(tag)::type;
        const T* rates = reinterpret_cast<const T*>(a.rates);
        T* out = reinterpret_cast<T*>(a.out);
        for (int64_t i = 0; i < a.n; ++i) out[i] = static_cast<T>(poisson(*a.generator, rates[i]));
      },
      FloatingTypes{});
}

}  // namespace gradcore::portable
