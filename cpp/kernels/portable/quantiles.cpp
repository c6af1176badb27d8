// Start at gamma_slopes().
//
// Note [Slopes of quantiles]
// A distribution function is its density times a series of positive terms:
//
//   gamma   F / f = x / a * S,            S = sum of x^n / ((a+1) ... (a+n))
//   beta    F / f = x (1 - x) / a * S,    S = sum of x^n (t ... (t+n-1)) / ((a+1) ... (a+n)),    t = a + b
//
// Each term has a logarithm with a simple derivative by a. With L that of what stands before the series, f's own
// constant among it, and S' the sum of the terms, each times the derivative of its logarithm,
//
//   dF/da / f = x / a * (L S + S'), and for beta 1 - x times that.
//
// For beta the series of b in 1 - x gives 1 - F: the smaller of a and b has the shorter one, and where both are small
// the smaller of x and 1 - x. Far in the other tail, where samples do not fall, the terms cancel each other; and where
// the parameters are large there are many. There gamma has a continued fraction and Temme's expansion, and
// beta what Note [Slopes by the deviance] says.
#include "kernels/portable/quantiles.h"

#include <algorithm>
#include <cmath>

#include "core/parallel.h"
#include "kernels/portable/special/series.h"
#include "kernels/portable/special/special.h"

namespace gradcore::portable {

namespace {

constexpr int kLanes = 2;  // what every instruction set has
using Lanes [[gnu::vector_size(kLanes * sizeof(double))]] = double;

template <class F> [[gnu::always_inline]] inline void each_lane(F&& f) {
  for (int k = 0; k < kLanes; ++k) f(k);
}

template <class Mask> [[gnu::always_inline]] inline bool any_lane(const Mask& mask) {
  bool any = false;
  each_lane([&](int k) { any |= mask[k] != 0; });
  return any;
}

// What is left out of a sum beside the whole, for results of each type. In the upper tail, where terms cancel each
// other, it is that of double.
template <class T> constexpr double kNegligible = sizeof(T) == 4 ? 0x1p-36 : 0x1p-57;
// The concentration from which Temme's expansion has the digits of each type.
template <class T> constexpr double kLargeGamma = sizeof(T) == 4 ? 20 : 300;
// The concentrations from which the deviance gives five digits, or nine, of a beta quantile's slope.
template <class T> constexpr double kLargeBeta = sizeof(T) == 4 ? 100 : 2000;

// digamma(argument) = log(shifted) + rest, for arguments > 0. It is kept for the next elements, which often have the
// same concentrations.
struct Digamma {
  Lanes argument{}, shifted{}, rest{};

  [[gnu::always_inline]] void set(const Lanes& z) {
    if (!any_lane(z != argument)) return;
    argument = z;
    compute();
  }

 private:
  void compute() {
    constexpr double kStirling[] = {-1.0 / 12, 1.0 / 120, -1.0 / 252, 1.0 / 240, -1.0 / 132, 691.0 / 32760, -1.0 / 12};
    // The sum of 1 / z over the steps to where the series holds, as one fraction.
    Lanes z = argument, over = Lanes{}, under = Lanes{} + 1;
    for (int step = any_lane(z < 6) ? 0 : 6; step < 6; ++step) {
      const auto small = z < 6;
      over = small ? over * z + under : over;
      under = small ? under * z : under;
      z = small ? z + 1 : z;
    }
    const Lanes inverse = 1 / z, square = inverse * inverse;
    Lanes series = Lanes{} + kStirling[6];
    for (int k = 5; k >= 0; --k) series = series * square + kStirling[k];
    shifted = z;
    rest = series * square - 0.5 * inverse - over / under;
  }
};

// Adds up a series whose first term is 1. next(ratio, change) says what makes the next term of the last one: a factor,
// and what the derivative of its logarithm grows by.
template <class Next>
[[gnu::always_inline]] inline void add_up(double negligible, Next next, Lanes& sum, Lanes& slopes) {
  Lanes term = Lanes{} + 1, slope = Lanes{}, ratio, change;
  sum = term;
  slopes = Lanes{};
  bool more = true;
  while (more) {
    for (int step = 0; step < 4; ++step) {
      next(ratio, change);
      term *= ratio;
      slope += change;
      sum += term;
      slopes += term * slope;
    }
    more = any_lane(term > negligible * sum);
  }
}

// ---- gamma

double gamma_in_upper_tail(double a, double x) {
  constexpr double kDepth = 40;
  double h = x + 2 * kDepth + 1 - a, slope = -1;
  for (double k = kDepth; k >= 1; --k) {
    const double over = k * (k - a);
    slope = -1 + (k + over * slope / h) / h;
    h = x + 2 * k - 1 - a - over / h;
  }
  return (std::log(x) - digamma(a)) * x / h - x * slope / (h * h);
}

// c[0] + x * (c[1] + x * (...)), and its derivative.
template <int n>
[[gnu::always_inline]] inline void expand(const Lanes& x, const double (&c)[n], Lanes& y, Lanes& slope) {
  y = Lanes{} + c[n - 1];
  slope = Lanes{};
  for (int i = n - 2; i >= 0; --i) {
    slope = slope * x + y;
    y = y * x + c[i];
  }
}

// F = Phi(z) - phi(z) S / sqrt(a), where z = eta sqrt(a) and S is the expansion. 1 / eta and its first term together
// are 1 / m; only what is small beside it depends on eta.
[[gnu::always_inline]] inline void gamma_by_expansion(const Lanes& a, const Lanes& m, const Lanes& log, Lanes& slope) {
  constexpr double kGamma[] = {1, 1.0 / 12, 1.0 / 288, -139.0 / 51840, -571.0 / 2488320};
  Lanes eta, c[3], dc[3], stirling, unused;
  each_lane([&](int k) { eta[k] = std::copysign(std::sqrt(2 * std::max(0.0, m[k] - log[k])), m[k]); });
  for (int k = 0; k < 3; ++k) expand(eta, kTemme[k], c[k], dc[k]);
  const Lanes inverse = 1 / a;
  expand(inverse, kGamma, stirling, unused);
  const Lanes first = m == 0 ? Lanes{} + 1 : log / m;
  const Lanes eta_slope = -0.5 * inverse * (eta == 0 ? Lanes{} : 2 * log / eta + eta);
  const Lanes later = (c[1] + c[2] * inverse) * inverse;
  const Lanes by_eta = (dc[0] + (dc[1] + dc[2] * inverse) * inverse) * eta_slope;
  const Lanes by_a = -(0.5 * c[0] + (1.5 * c[1] + 2.5 * c[2] * inverse) * inverse) * inverse;
  slope = (1 + m) * stirling * (first + log * later + by_eta + by_a);
}

// How the slope at one element is found.
enum class Way { Series, Expansion, Tail };

template <class T> Way way_of_gamma(double a, double x) {
  if (!(a > 0)) return Way::Tail;
  if (a > kLargeGamma<T> && x >= 0.5 * a && x <= 1.5 * a) return Way::Expansion;
  return x <= a + 4 * std::sqrt(a) + 8 ? Way::Series : Way::Tail;  // all but a sample in some thousands
}

template <class T> void gamma_slope(const Lanes& a, const Lanes& x, Digamma& of_next, Lanes& slope) {
  Way ways[kLanes];
  bool used[3] = {};
  each_lane([&](int k) { used[static_cast<int>(ways[k] = way_of_gamma<T>(a[k], x[k]))] = true; });
  const auto fill = [&](Way way, auto&& value) {
    each_lane([&](int k) {
      if (ways[k] == way) slope[k] = value(k);
    });
  };
  if (used[static_cast<int>(Way::Series)]) {
    Lanes log{}, inner{}, sum, slopes;
    of_next.set(a + 1);
    each_lane([&](int k) {
      if (ways[k] != Way::Series) return;
      inner[k] = x[k];
      log[k] = std::log(x[k] / of_next.shifted[k]);
    });
    const auto next = [&, down = a](Lanes& ratio, Lanes& change) mutable {
      down += 1;
      change = -1 / down;
      ratio = -inner * change;
    };
    add_up(kNegligible<T>, next, sum, slopes);
    const Lanes result = -x / a * ((log - of_next.rest) * sum + slopes);
    fill(Way::Series, [&](int k) { return x[k] == 0 ? 0 : result[k]; });
  }
  if (used[static_cast<int>(Way::Expansion)]) {
    const Lanes m = (x - a) / a;
    Lanes log{}, result;
    each_lane([&](int k) {
      if (ways[k] == Way::Expansion) log[k] = std::log1p(m[k]);
    });
    gamma_by_expansion(a, m, log, result);
    fill(Way::Expansion, [&](int k) { return result[k]; });
  }
  fill(Way::Tail, [&](int k) { return a[k] > 0 ? gamma_in_upper_tail(a[k], x[k]) : kNaN; });
}

// ---- beta

// Whether the series of concentration `own` in x converges, and its terms do not cancel each other: all but a sample in
// some thousands.
bool serves(double own, double x, double total) {
  return x <= 0.9 && (x * total <= own + 8 || x * total <= own + 4 * std::sqrt(own) + 8);
}

// Note [Slopes by the deviance]
// With m = a / t, the mean, let z be the root of twice the deviance a log(m / x) + b log((1 - m) / (1 - x)), with the
// sign of x - m, and u = (x - m) sqrt(t^3 / ab). Then the density is, in the limit, phi(z) dz z / u, and by parts
//
//   F = Phi(z) + phi(z) (1 / z - 1 / u)
//
// up to terms of order t^-3/2. Its derivatives by a and x give the slope; that of Phi alone is log(x / m) / (x - m)
// times x (1 - x) / t. In the middle, where terms cancel each other, stands their limit.
double beta_slope_by_deviance(double x, double a, double b) {
  const double t = a + b, above = (x * t - a) / a, log = std::log1p(above);
  const double first = x / a * (above == 0 ? 1 : log / above);
  if (std::fabs(above) < 1e-3) return first * (1 + 1 / (6 * a) + 1 / (3 * t));
  const double below = std::max(-1.0, -above * a / b), z2 = 2 * (a * (above - log) + b * (below - std::log1p(below)));
  const double from_mean = above * a / t, z = std::copysign(std::sqrt(z2), above);
  const double u = from_mean * t * std::sqrt(t / (a * b));
  const double second = u * log / (z2 * z) - b / (t * t * from_mean) + 1.5 / t - 0.5 / a;
  const double constant = 1 + (1 / t - 1 / a - 1 / b) / 12;
  return (first - x / (t * from_mean) * second) / constant;
}

// Of one small concentration far in the upper tail of its number: that is nearly 1 - e^(-g / c), of a gamma number g of
// the concentration, up to terms of order c^-2.
double beta_slope_by_gamma(double x, double a, double b) {
  if (b < a) return -x * std::log(x) / ((a + 0.5 * (b - 1)) * (1 - x));
  const double c = b + 0.5 * (a - 1), g = -c * std::log1p(-x);
  return (gamma_in_upper_tail(a, g) - 0.5 * g / c) / c;
}

double other_beta_slope(double x, double a, double b) {
  if (!(a > 0 && b >= 0 && x >= 0 && x <= 1)) return kNaN;
  if (x == 0 || b == 0) return 0;  // where it stays
  return std::min(a, b) < kLargeBeta<float> ? beta_slope_by_gamma(x, a, b) : beta_slope_by_deviance(x, a, b);
}

template <class T>
void beta_slope(const Lanes& x, const Lanes& a, const Lanes& total, Digamma& of_total, Digamma& of_next, Lanes& slope) {
  const Lanes b = total - a, none = Lanes{}, one = none + 1;
  // Of the series: 1 where it is that of a, its concentration, and its argument.
  Lanes lower = (total < 40 ? 0.5 - x : b - a) >= 0 ? one : none;
  Lanes own = lower == 1 ? a : b;
  Lanes inner = lower == 1 ? x : 1 - x;
  bool in_series[kLanes], any = false, all = true, tail = false;
  each_lane([&](int k) {
    const bool valid = a[k] > 0 && b[k] > 0 && x[k] > 0 && x[k] <= 1;
    in_series[k] = valid && own[k] <= kLargeBeta<T> && serves(own[k], inner[k], total[k]);
    if (!in_series[k] && valid && own[k] <= kLargeBeta<T> && inner[k] >= 0.01) {  // the other one, in its lower tail
      in_series[k] = true;
      lower[k] = 1 - lower[k];
      own[k] = lower[k] == 1 ? a[k] : b[k];
      inner[k] = 1 - inner[k];
    }
    any |= in_series[k];
    all &= in_series[k];
    tail |= inner[k] * total[k] > 1.1 * own[k] + 10;
    if (!in_series[k]) inner[k] = 0;
  });
  if (any) {
    of_total.set(total);
    of_next.set(a + 1);
    const Lanes ratio_of_shifted = x * of_total.shifted / of_next.shifted;
    Lanes log, sum, slopes;
    each_lane([&](int k) { log[k] = std::log(ratio_of_shifted[k]); });
    log += of_total.rest - of_next.rest + (1 - lower) / a;
    const auto next = [&, up = total - 1, down = own, gain = own + 1 - lower * total](Lanes& ratio,
                                                                                      Lanes& change) mutable {
      up += 1;
      down += 1;
      const Lanes inverse = 1 / (up * down);
      ratio = inner * up * up * inverse;
      change = gain * inverse;
      gain += 1 - lower;
    };
    add_up(tail ? kNegligible<double> : kNegligible<T>, next, sum, slopes);
    slope = (1 - 2 * lower) * (x / own) * (log * sum + slopes);
  }
  if (all) return;
  each_lane([&](int k) {
    if (!in_series[k]) slope[k] = other_beta_slope(x[k], a[k], b[k]);
  });
}

// Calls a Slope of its own for each block, slope(lanes of each operand, result); the last lanes are filled with copies.
template <class T, class Slope, int operands> void each_pair(const char* const (&in)[operands], char* out, int64_t n) {
  constexpr int64_t kBlock = 2048;
  parallel_blocks((n + kBlock - 1) / kBlock, [&](int64_t block) {
    Slope slope;
    const int64_t end = std::min(n, (block + 1) * kBlock);
    for (int64_t i = block * kBlock; i < end; i += kLanes) {
      Lanes x[operands], y{};
      const int64_t last = std::min<int64_t>(kLanes, end - i) - 1;
      for (int j = 0; j < operands; ++j)
        each_lane([&](int k) { x[j][k] = reinterpret_cast<const T*>(in[j])[i + std::min<int64_t>(k, last)]; });
      slope(x, y);
      for (int64_t k = 0; k <= last; ++k) reinterpret_cast<T*>(out)[i + k] = static_cast<T>(y[k]);
    }
  });
}

template <class T> struct GammaSlope {
  Digamma of_next;
  void operator()(const Lanes (&in)[2], Lanes& out) { gamma_slope<T>(in[0], in[1], of_next, out); }
};
template <class T> struct BetaSlope {
  Digamma of_total, of_next;
  void operator()(const Lanes (&in)[3], Lanes& out) { beta_slope<T>(in[0], in[1], in[2], of_total, of_next, out); }
};

}  // namespace

void gamma_slopes(const GammaSlopeArgs& g) {
  const auto run = [&]<class T>(T) { each_pair<T, GammaSlope<T>>({g.concentrations, g.x}, g.out, g.n); };
  g.dtype == DType::Float32 ? run(0.0f) : run(0.0);
}

void beta_slopes(const BetaSlopeArgs& b) {
  const auto run = [&]<class T>(T) { each_pair<T, BetaSlope<T>>({b.x, b.concentrations, b.totals}, b.out, b.n); };
  b.dtype == DType::Float32 ? run(0.0f) : run(0.0);
}

}  // namespace gradcore::portable
