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

// Trials are skipped by geometric numbers, whose sum passes the count at last.
template <class T> T binomial_by_skips(Generator& gen, T count, T p) {
  const double scale = std::log1p(-p);
  double passed = 0;
  for (T successes = 0;; ++successes) {
    passed += std::ceil(std::log(unit(gen)) / scale);
    if (passed > count) return successes;
  }
}

// What Stirling's formula of log k! leaves out.
double stirling_rest(double k) {
  constexpr double kFirst[] = {0.0810614667953272,  0.0413406959554092, 0.0276779256849983, 0.02079067210376509,
                               0.0166446911898211,  0.0138761288230707, 0.0118967099458917, 0.0104112652619720,
                               0.00925546218271273, 0.00833056343336287};
  if (k <= 9) return kFirst[static_cast<int>(k)];
  const double inverse_square = 1 / ((k + 1) * (k + 1));
  return (1.0 / 12 - (1.0 / 360 - 1.0 / 1260 * inverse_square) * inverse_square) / (k + 1);
}

// Transformed rejection with a squeeze, algorithm BTRS of W. Hoermann, "The generation of binomial random variates",
// Journal of Statistical Computation and Simulation 46 (1993). His names are kept.
template <class T> T binomial_by_rejection(Generator& gen, T count, T p) {
  const double spq = std::sqrt(count * p * (1 - p)), b = 1.15 + 2.53 * spq, a = -0.0873 + 0.0248 * b + 0.01 * p;
  const double c = count * p + 0.5, v_r = 0.92 - 4.2 / b, r = p / (1 - p), alpha = (2.83 + 5.1 / b) * spq;
  const double n = count, m = std::floor((count + 1) * p);
  for (;;) {
    const double u = unit(gen) - 0.5, v = unit(gen), us = 0.5 - std::abs(u);
    const double k = std::floor((2 * a / us + b) * u + c);
    if (us >= 0.07 && v <= v_r) return static_cast<T>(k);
    if (!(k >= 0 && k <= n)) continue;
    const double bound = (m + 0.5) * std::log((m + 1) / (r * (n - m + 1))) +
                         (n + 1) * std::log((n - m + 1) / (n - k + 1)) +
                         (k + 0.5) * std::log(r * (n - k + 1) / (k + 1)) + stirling_rest(m) + stirling_rest(n - m) -
                         stirling_rest(k) - stirling_rest(n - k);
    if (std::log(v * alpha / (a / (us * us) + b)) <= bound) return static_cast<T>(k);
  }
}

template <class T> T binomial(Generator& gen, T count, T p) {
  if (std::isnan(p) || std::isnan(count)) return std::numeric_limits<T>::quiet_NaN();
  check(count < 0x1p53, "binomial expects counts below 2^53");  // torch does not come back from an infinite one
  if (count <= 0 || p <= 0) return 0;
  if (p >= 1) return count;
  const T rare = p < T{0.5} ? p : 1 - p;
  const T drawn = count * rare >= 10 ? binomial_by_rejection(gen, count, rare) : binomial_by_skips(gen, count, rare);
  return p < T{0.5} ? drawn : count - drawn;
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

void fill_binomial(const BinomialArgs& a) {
  const std::lock_guard lock(a.generator->mutex());
  const auto fill_all = [&]<class T>(T) {
    const T *const counts = reinterpret_cast<const T*>(a.counts), *const p =
                                                                      reinterpret_cast<const T*>(a.probabilities);
    T* const out = reinterpret_cast<T*>(a.out);
    for (int64_t i = 0; i < a.n; ++i) out[i] = binomial(*a.generator, counts[i], p[i]);
  };
  a.dtype == DType::Float32 ? fill_all(0.0f) : fill_all(0.0);
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
