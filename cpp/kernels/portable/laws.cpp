#include "kernels/portable/laws.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <mutex>
#include <numbers>
#include <numeric>
#include <type_traits>
#include <vector>

#include "core/error.h"
#include "core/generator.h"
#include "kernels/portable/special/special.h"

namespace gradcore::portable {

namespace {

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

// The laws whose parameters differ between elements are made for parameters, and kept while the next elements have the
// same.

// Small rates: uniform numbers are multiplied until they fall below e^-rate. Larger ones: transformed rejection with a
// squeeze, algorithm PTRS of W. Hoermann, "The transformed rejection method for generating Poisson random variables",
// Insurance: Mathematics and Economics 12 (1993). His names are kept.
class Poisson {
 public:
  explicit Poisson(double rate) : rate_(rate) {
    check(rate >= 0, "invalid Poisson rate, expected rate to be non-negative");
    check(std::isfinite(rate), "invalid Poisson rate, expected rate to be finite");  // torch does not come back from it
    if (rate < 10) {
      end_ = std::exp(-rate);
      return;
    }
    b_ = 0.931 + 2.53 * std::sqrt(rate);
    a_ = -0.059 + 0.02483 * b_;
    v_r_ = 0.9277 - 3.6224 / (b_ - 2);
  }
  bool is_of(double rate) const { return rate == rate_; }
  double draw(Generator& gen) const {
    if (rate_ == 0) return 0;
    return rate_ < 10 ? by_products(gen) : by_rejection(gen);
  }

 private:
  double by_products(Generator& gen) const {
    double product = gen.unit();
    for (double count = 0;; ++count) {
      if (!(product > end_)) return count;
      product *= gen.unit();
    }
  }
  double by_rejection(Generator& gen) const {
    for (;;) {
      const double u = gen.unit() - 0.5, v = gen.unit();
      const double us = 0.5 - std::abs(u), k = std::floor((2 * a_ / us + b_) * u + rate_ + 0.43);
      if (us >= 0.07 && v <= v_r_) return k;
      if (k < 0 || (us < 0.013 && v > us)) continue;
      const double inverse_alpha = 1.1239 + 1.1328 / (b_ - 3.4);
      const double left = std::log(v) + std::log(inverse_alpha) - std::log(a_ / (us * us) + b_);
      if (left <= -rate_ + k * std::log(rate_) - log_factorial(k)) return k;
    }
  }

  double rate_, end_ = 0, a_ = 0, b_ = 0, v_r_ = 0;
};

// What Stirling's formula of log k! leaves out.
double stirling_rest(double k) {
  constexpr double kFirst[] = {0.0810614667953272,  0.0413406959554092, 0.0276779256849983, 0.02079067210376509,
                               0.0166446911898211,  0.0138761288230707, 0.0118967099458917, 0.0104112652619720,
                               0.00925546218271273, 0.00833056343336287};
  if (k <= 9) return kFirst[static_cast<int>(k)];
  const double inverse_square = 1 / ((k + 1) * (k + 1));
  return (1.0 / 12 - (1.0 / 360 - 1.0 / 1260 * inverse_square) * inverse_square) / (k + 1);
}

// Where few successes are expected, trials are skipped by geometric numbers, whose sum passes the count at last. Else
// transformed rejection with a squeeze, algorithm BTRS of W. Hoermann, "The generation of binomial random variates",
// Journal of Statistical Computation and Simulation 46 (1993). His names are kept.
template <class T> class Binomial {
 public:
  Binomial(T count, T probability) : count_(count), probability_(probability) {
    if (std::isnan(probability) || std::isnan(count)) return;
    check(count < 0x1p53, "binomial expects counts below 2^53");  // torch does not come back from an infinite one
    p_ = probability <= T{0.5} ? probability : 1 - probability;
    by_rejection_ = count * p_ >= 10;
    by_rejection_ ? prepare_rejection() : static_cast<void>(scale_ = std::log1p(-p_));
  }
  bool is_of(T count, T probability) const { return count == count_ && probability == probability_; }
  T draw(Generator& gen) const {
    if (std::isnan(probability_) || std::isnan(count_)) return std::numeric_limits<T>::quiet_NaN();
    if (count_ <= 0 || probability_ <= 0) return 0;
    if (probability_ >= 1) return count_;
    const T drawn = by_rejection_ ? by_rejection(gen) : by_skips(gen);
    return probability_ <= T{0.5} ? drawn : count_ - drawn;
  }

 private:
  T by_skips(Generator& gen) const {
    double passed = 0;
    for (T successes = 0;; ++successes) {
      passed += std::ceil(std::log(gen.unit()) / scale_);
      if (passed > count_) return successes;
    }
  }
  void prepare_rejection() {
    spq_ = std::sqrt(count_ * p_ * (1 - p_));
    b_ = 1.15 + 2.53 * spq_;
    a_ = -0.0873 + 0.0248 * b_ + 0.01 * p_;
    v_r_ = 0.92 - 4.2 / b_;
  }
  T by_rejection(Generator& gen) const {
    const double n = count_, c = count_ * p_ + 0.5;
    for (;;) {
      const double u = gen.unit() - 0.5, v = gen.unit(), us = 0.5 - std::abs(u);
      const double k = std::floor((2 * a_ / us + b_) * u + c);
      if (us >= 0.07 && v <= v_r_) return static_cast<T>(k);
      if (!(k >= 0 && k <= n)) continue;
      const double r = p_ / (1 - p_), alpha = (2.83 + 5.1 / b_) * spq_, m = std::floor((count_ + 1) * p_);
      const double bound = (m + 0.5) * std::log((m + 1) / (r * (n - m + 1))) +
                           (n + 1) * std::log((n - m + 1) / (n - k + 1)) +
                           (k + 0.5) * std::log(r * (n - k + 1) / (k + 1)) + stirling_rest(m) + stirling_rest(n - m) -
                           stirling_rest(k) - stirling_rest(n - k);
      if (std::log(v * alpha / (a_ / (us * us) + b_)) <= bound) return static_cast<T>(k);
    }
  }

  T count_, probability_, p_ = 0;  // p is that of the rarer outcome
  bool by_rejection_ = false;
  double scale_ = 0, spq_ = 0, a_ = 0, b_ = 0, v_r_ = 0;
};

// G. Marsaglia and W. W. Tsang, "A simple method for generating gamma variables", ACM Transactions on Mathematical
// Software 26 (2000): a cube of a normal number, with a squeeze. Below 1 it draws for a concentration that is 1 more,
// and takes a power off. The constants are floats for both types, as torch has them.
template <class T> class Gamma {
 public:
  explicit Gamma(T concentration) : concentration_(concentration) {
    constexpr float kThird = 1.0f / 3.0f;
    exponent_ = static_cast<double>(1 / concentration);
    d_ = (concentration < 1 ? concentration + 1 : concentration) - kThird;
    c_ = 1 / std::sqrt(9 * d_);
  }
  bool is_of(T concentration) const { return concentration == concentration_; }
  double draw(Generator& gen) const {
    if (!(concentration_ < 1)) return accepted(gen, 1);
    if (concentration_ == 0) return 0;
    return accepted(gen, std::pow(1 - gen.unit(), exponent_));
  }

 private:
  double accepted(Generator& gen, double scale) const {
    constexpr float kSqueeze = 0.0331f;
    for (;;) {
      double x, root;
      do {
        x = gen.normal();
        root = 1 + c_ * x;
      } while (root <= 0);
      const double v = root * root * root, u = 1 - gen.unit(), square = x * x;
      if (u < 1 - kSqueeze * square * square) return scale * d_ * v;
      if (std::log(u) < 0.5 * square + d_ * (1 - v + std::log(v))) return scale * d_ * v;
    }
  }

  T concentration_;
  double exponent_, d_, c_;
};

// draw(law of the parameters of element i, i) for all elements in order.
template <class Law, class Draw, class... T> void draw_each(int64_t n, Draw&& draw, const T*... parameters) {
  if (n == 0) return;
  Law law(parameters[0]...);
  for (int64_t i = 0; i < n; ++i) {
    if (!law.is_of(parameters[i]...)) law = Law(parameters[i]...);
    draw(law, i);
  }
}

// NaN becomes the smallest normal number as well.
template <class T> T at_least_normal(T x) {
  constexpr T kLeast = std::numeric_limits<T>::min();
  return x > kLeast ? x : kLeast;
}

template <class F> void visit_single_or_double(DType t, F&& f) { t == DType::Float32 ? f(0.0f) : f(0.0); }

}  // namespace

void fill_cauchy(const LawArgs& a) {
  fill(a, [&](Generator& gen) { return a.a + a.b * std::tan(std::numbers::pi * (gen.unit() - 0.5)); });
}
void fill_log_normal(const LawArgs& a) {
  fill(a, [&](Generator& gen) { return std::exp(std::fma(gen.normal(), a.b, a.a)); });
}
void fill_geometric(const LawArgs& a) {
  const double scale = std::log1p(-a.a);
  fill(a, [&](Generator& gen) { return std::ceil(std::log(gen.unit()) / scale); });
}

void fill_binomial(const BinomialArgs& a) {
  const std::lock_guard lock(a.generator->mutex());
  visit_single_or_double(a.dtype, [&]<class T>(T) {
    T* const out = reinterpret_cast<T*>(a.out);
    const auto draw = [&](const Binomial<T>& law, int64_t i) { out[i] = law.draw(*a.generator); };
    draw_each<Binomial<T>>(a.n, draw, reinterpret_cast<const T*>(a.counts),
                           reinterpret_cast<const T*>(a.probabilities));
  });
}

void fill_poisson(const PoissonArgs& a) {
  const std::lock_guard lock(a.generator->mutex());
  visit_in(
      a.dtype,
      [&](auto tag) {
        using T = typename decltype(tag)::type;
        T* const out = reinterpret_cast<T*>(a.out);
        const auto draw = [&](const Poisson& law, int64_t i) { out[i] = static_cast<T>(law.draw(*a.generator)); };
        draw_each<Poisson>(a.n, draw, reinterpret_cast<const T*>(a.rates));
      },
      FloatingTypes{});
}

void fill_gamma(const GammaArgs& a) {
  const std::lock_guard lock(a.generator->mutex());
  visit_single_or_double(a.dtype, [&]<class T>(T) {
    T* const out = reinterpret_cast<T*>(a.out);
    const auto draw = [&](const Gamma<T>& law, int64_t i) {
      out[i] = at_least_normal(static_cast<T>(law.draw(*a.generator)));
    };
    draw_each<Gamma<T>>(a.n, draw, reinterpret_cast<const T*>(a.concentrations));
  });
}

void fill_dirichlet(const DirichletArgs& a) {
  const std::lock_guard lock(a.generator->mutex());
  std::vector<double> row(static_cast<size_t>(a.categories));
  visit_single_or_double(a.dtype, [&]<class T>(T) {
    const T* concentrations = reinterpret_cast<const T*>(a.concentrations);
    T* out = reinterpret_cast<T*>(a.out);
    const T most = std::nextafter(T{1}, T{0});
    const auto draw = [&](const Gamma<double>& law, int64_t i) { row[i] = at_least_normal(law.draw(*a.generator)); };
    for (int64_t r = 0; r < a.rows; ++r, concentrations += a.categories, out += a.categories) {
      draw_each<Gamma<double>>(a.categories, draw, concentrations);
      const double sum = std::accumulate(row.begin(), row.end(), 0.0);
      for (int64_t i = 0; i < a.categories; ++i) out[i] = std::min(most, at_least_normal(static_cast<T>(row[i] / sum)));
    }
  });
}

}  // namespace gradcore::portable
