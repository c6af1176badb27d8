#include "kernels/portable/random.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <mutex>
#include <numbers>
#include <type_traits>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/generator.h"
#include "kernels/portable/elements.h"
#include "kernels/table.h"

namespace gradcore::portable {

namespace {

template <class F> void visit_floating(DType t, F&& f) { visit_in(t, f, FloatingTypes{}); }

constexpr int64_t kChunk = 1024;  // draws held at a time: on the stack and in the first cache

// Calls make(out, draws, count) for consecutive pieces of p, with `kDraws` 32-bit draws for each element.
template <int kDraws, class T, class Make> void fill_from_draws(Generator& gen, T* p, int64_t n, Make make) {
  uint32_t draws[kChunk];
  for (int64_t at = 0; at < n; at += kChunk / kDraws) {
    const int64_t count = std::min<int64_t>(kChunk / kDraws, n - at);
    gen.draw(draws, count * kDraws);
    make(p + at, draws, count);
  }
}

inline uint64_t wide_draw(const uint32_t* draws, int64_t i) {
  return static_cast<uint64_t>(draws[2 * i]) << 32 | draws[2 * i + 1];
}
// The low bits that fit a significand; signed, for that converts faster.
inline int64_t low53(uint64_t draw) { return static_cast<int64_t>(draw & ((uint64_t{1} << 53) - 1)); }
inline int32_t low24(uint32_t draw) { return static_cast<int32_t>(draw & 0xffffffu); }

// The i-th number in [0, 1), made of kUnitDraws<F> draws. Beside a half it is a float.
template <class F> constexpr int kUnitDraws = std::is_same_v<F, double> ? 2 : 1;
template <class F> inline auto unit_at(const uint32_t* draws, int64_t i) {
  if constexpr (std::is_same_v<F, double>)
    return static_cast<double>(low53(wide_draw(draws, i))) * 0x1p-53;
  else
    return static_cast<float>(low24(draws[i])) * 0x1p-24f;
}
template <class F> void fill_unit(Generator& gen, F* p, int64_t n) {
  fill_from_draws<kUnitDraws<F>>(gen, p, n, [](F* out, const uint32_t* draws, int64_t count) {
    for (int64_t i = 0; i < count; ++i) out[i] = unit_at<F>(draws, i);
  });
}

// Box-Muller as kernels().random has it for floats; here time goes into libm.
void normal_f64(double* p, int64_t blocks, double mean, double std) {
  for (double* end = p + 16 * blocks; p != end; p += 16) {
    for (int i = 0; i < 8; ++i) {
      const double radius = std::sqrt(-2.0 * std::log(1.0 - p[i]));
      const double theta = 2.0 * std::numbers::pi * p[i + 8];
      p[i] = std::fma(radius * std::cos(theta), std, mean);
      p[i + 8] = std::fma(radius * std::sin(theta), std, mean);
    }
  }
}

template <class F, class Transform>
void fill_normal_in_blocks(Generator& gen, F* p, int64_t n, F mean, F std, Transform to_normal) {
  fill_unit(gen, p, n);
  to_normal(p, n / 16, mean, std);
  if (n % 16 == 0) return;
  // A ragged end is not left over: the last 16 are drawn anew.
  fill_unit(gen, p + n - 16, 16);
  to_normal(p + n - 16, 1, mean, std);
}

// Calls make(floats, count) for pieces of `step` elements at most and rounds what it made.
template <class H, class Make> void fill_as_floats(H* p, int64_t n, const Make& make) {
  float buffer[kChunk];
  for (int64_t at = 0; at < n; at += kChunk) {
    const int64_t count = std::min(kChunk, n - at);
    make(buffer, count);
    for (int64_t i = 0; i < count; ++i) p[at + i] = H(buffer[i]);
  }
}
// What rounding makes the upper bound, which is excluded, becomes the lower one.
template <class H> void fill_uniform_halves(const UniformArgs& a) {
  const float from = static_cast<float>(a.from), to = static_cast<float>(a.to);
  H* const p = reinterpret_cast<H*>(a.out);
  fill_as_floats(p, a.n, [&](float* out, int64_t count) {
    fill_unit(*a.generator, out, count);
    kernels().random.stretch_f32(out, count, from, to);
  });
  for (int64_t i = 0; i < a.n; ++i)
    if (float(p[i]) == float(H(to))) p[i] = H(from);
}
template <class H> void fill_normal_halves(Generator& gen, H* p, int64_t n, float mean, float std) {
  const auto make = [&](float* out, int64_t count) {
    fill_unit(gen, out, count);
    kernels().random.normal_f32(out, count / 16, mean, std);
  };
  fill_as_floats(p, n / 16 * 16, make);
  if (n % 16) fill_as_floats(p + n - 16, 16, make);
}

int64_t wrapping_add(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b));
}

template <class T> void randint(Generator& gen, T* p, int64_t n, int64_t base, uint64_t size) {
  if (size != 0 && size < uint64_t{1} << 28) {  // a wider one takes 64 bits, to keep the modulo's skew small
    const uint32_t divisor = static_cast<uint32_t>(size);
    return fill_from_draws<1>(gen, p, n, [=](T* out, const uint32_t* draws, int64_t count) {
      for (int64_t i = 0; i < count; ++i) out[i] = static_cast<T>(wrapping_add(draws[i] % divisor, base));
    });
  }
  fill_from_draws<2>(gen, p, n, [=](T* out, const uint32_t* draws, int64_t count) {
    for (int64_t i = 0; i < count; ++i) {
      const uint64_t draw = wide_draw(draws, i);
      out[i] = static_cast<T>(wrapping_add(static_cast<int64_t>(size == 0 ? draw : draw % size), base));
    }
  });
}

// What random_() draws from: [0, size_of_range<T>). Floats hold every whole number up to 2^digits.
template <class T> constexpr uint64_t size_of_range() {
  if constexpr (is_floating_type<T>)
    return (uint64_t{1} << std::numeric_limits<T>::digits) + 1;
  else
    return static_cast<uint64_t>(std::numeric_limits<T>::max()) + 1;
}

template <class T> void random(Generator& gen, T* p, int64_t n) {
  constexpr int kDraws = std::is_same_v<T, double> || std::is_same_v<T, int64_t> || std::is_same_v<T, uint64_t> ? 2 : 1;
  constexpr uint64_t kSize = size_of_range<T>();
  fill_from_draws<kDraws>(gen, p, n, [](T* out, const uint32_t* draws, int64_t count) {
    for (int64_t i = 0; i < count; ++i) {
      const uint64_t draw = kDraws == 2 ? wide_draw(draws, i) : uint64_t{draws[i]};
      if constexpr (kSize == 0)  // all of 64 bits
        out[i] = static_cast<T>(draw);
      else
        out[i] = static_cast<T>(draw % kSize);
    }
  });
}

// Forward Fisher-Yates.
template <class T> void shuffle(Generator& gen, T* p, int64_t n) {
  for (int64_t i = 0; i < n; ++i) p[i] = static_cast<T>(i);
  uint32_t draws[kChunk];
  for (int64_t at = 0; at < n - 1; at += kChunk) {
    const int64_t count = std::min<int64_t>(kChunk, n - 1 - at);
    gen.draw(draws, count);
    for (int64_t i = 0; i < count; ++i) {
      const uint32_t rest = static_cast<uint32_t>(n - at - i);
      std::swap(p[at + i], p[at + i + draws[i] % rest]);
    }
  }
}

// Inside-out Fisher-Yates on 64-bit draws, for so many that the modulo of 32 bits would be skewed.
template <class T> void shuffle_many(Generator& gen, T* p, int64_t n) {
  for (int64_t i = 0; i < n; ++i) {
    const uint64_t j = gen.random64() % static_cast<uint64_t>(i + 1);
    p[i] = static_cast<T>(i);
    p[i] = p[j];
    p[j] = static_cast<T>(i);
  }
}

}  // namespace

void fill_uniform(const UniformArgs& a) {
  const std::lock_guard lock(a.generator->mutex());
  if (a.dtype == DType::Float16) return fill_uniform_halves<half>(a);
  if (a.dtype == DType::BFloat16) return fill_uniform_halves<bfloat16>(a);
  const bool whole = a.from == 0.0 && a.to == 1.0;
  if (a.dtype == DType::Float32) {
    float* p = reinterpret_cast<float*>(a.out);
    fill_unit(*a.generator, p, a.n);
    if (!whole) kernels().random.stretch_f32(p, a.n, static_cast<float>(a.from), static_cast<float>(a.to));
  } else {
    double* p = reinterpret_cast<double*>(a.out);
    fill_unit(*a.generator, p, a.n);
    if (!whole) kernels().random.stretch_f64(p, a.n, a.from, a.to);
  }
}

void fill_normal(const NormalArgs& a) {
  const std::lock_guard lock(a.generator->mutex());
  visit_floating(a.dtype, [&](auto tag) {
    using F = typename decltype(tag)::type;
    F* p = reinterpret_cast<F*>(a.out);
    if (a.one_by_one || a.n < 16) {
      for (int64_t i = 0; i < a.n; ++i) p[i] = static_cast<F>(std::fma(a.generator->normal(), a.std, a.mean));
      return;
    }
    using Compute = std::conditional_t<is_half_type<F>, float, F>;
    const Compute mean = static_cast<Compute>(a.mean), std = static_cast<Compute>(a.std);
    if constexpr (is_half_type<F>)
      fill_normal_halves(*a.generator, p, a.n, mean, std);
    else if constexpr (std::is_same_v<F, float>)
      fill_normal_in_blocks(*a.generator, p, a.n, mean, std, kernels().random.normal_f32);
    else
      fill_normal_in_blocks(*a.generator, p, a.n, mean, std, normal_f64);
  });
}

void fill_randint(const RandintArgs& a) {
  const std::lock_guard lock(a.generator->mutex());
  const auto fill = [&](auto tag) {
    using T = typename decltype(tag)::type;
    randint(*a.generator, reinterpret_cast<T*>(a.out), a.n, a.base, a.range);
  };
  if (is_floating(a.dtype)) return visit_floating(a.dtype, fill);
  visit_item_size(item_size(a.dtype), fill);  // a bool is 0 or 1, as its byte is
}

void fill_random(const RandomArgs& a) {
  const std::lock_guard lock(a.generator->mutex());
  visit_dtype(a.dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    random(*a.generator, reinterpret_cast<T*>(a.out), a.n);
  });
}

void fill_permutation(const PermutationArgs& a) {
  const std::lock_guard lock(a.generator->mutex());
  const bool many = a.n >= std::numeric_limits<uint32_t>::max() / 20;
  const auto fill = [&](auto tag) {
    using T = typename decltype(tag)::type;
    T* p = reinterpret_cast<T*>(a.out);
    many ? shuffle_many(*a.generator, p, a.n) : shuffle(*a.generator, p, a.n);
  };
  if (is_floating(a.dtype)) return visit_floating(a.dtype, fill);
  visit_item_size(item_size(a.dtype), fill);
}

namespace {

template <class F> void exponential(Generator& gen, F* p, int64_t n, double lambda) {
  const double scale = -1.0 / lambda;
  fill_from_draws<2>(gen, p, n, [scale](F* out, const uint32_t* draws, int64_t count) {
    for (int64_t i = 0; i < count; ++i) out[i] = static_cast<F>(scale * std::log1p(-unit_at<double>(draws, i)));
  });
}

template <class T, class F> void bernoulli_each(Generator& gen, T* p, int64_t n, const F* probs) {
  fill_from_draws<kUnitDraws<F>>(gen, p, n, [&probs](T* out, const uint32_t* draws, int64_t count) {
    for (int64_t i = 0; i < count; ++i) out[i] = static_cast<T>(unit_at<F>(draws, i) < probs[i]);
    probs += count;
  });
}

// Calls f with the type of elements in which 0 and 1 are stored.
template <class F> void visit_zero_one(DType t, F&& f) {
  if (is_floating(t)) return visit_floating(t, f);
  visit_item_size(item_size(t), f);
}

template <class F> void check_probabilities(const F* probs, int64_t rows, int64_t categories) {
  bool valid = true;
  for (int64_t i = 0; i < rows * categories; ++i) valid &= probs[i] >= 0 && std::isfinite(probs[i]);
  check(valid, "probability tensor contains either `inf`, `nan` or element < 0");
  for (int64_t r = 0; r < rows; ++r) {
    const F* row = probs + r * categories;
    check(std::any_of(row, row + categories, [](F v) { return v > 0; }),
          "invalid multinomial distribution (sum of probabilities <= 0)");
  }
}

struct Keyed {
  double key;  // of a float quotient: as exact, in the same order
  int64_t index;
};

// The categories with the greatest keys, in torch's order even where keys are equal: it sorts like this.
void greatest_keys(std::vector<Keyed>& keys, int64_t* out, int64_t samples) {
  const auto descending = [](const Keyed& a, const Keyed& b) {
    return (std::isnan(a.key) && !std::isnan(b.key)) || a.key > b.key;
  };
  const int64_t n = static_cast<int64_t>(keys.size());
  if (samples * 64 <= n) {
    std::partial_sort(keys.begin(), keys.begin() + samples, keys.end(), descending);
  } else {
    std::nth_element(keys.begin(), keys.begin() + samples - 1, keys.end(), descending);
    std::sort(keys.begin(), keys.begin() + samples - 1, descending);
  }
  for (int64_t i = 0; i < samples; ++i) out[i] = keys[i].index;
}

// Each probability over an exponential sample: the greatest quotients are a sample without replacement.
template <class F>
void race(Generator& gen, int64_t* out, const F* probs, int64_t rows, int64_t categories, int64_t samples) {
  check_probabilities(probs, rows, categories);
  std::vector<F> waits(static_cast<size_t>(rows * categories));
  exponential(gen, waits.data(), rows * categories, 1.0);
  std::vector<Keyed> keys(static_cast<size_t>(categories));
  for (int64_t r = 0; r < rows; ++r) {
    const int64_t at = r * categories;
    for (int64_t c = 0; c < categories; ++c) keys[c] = {static_cast<F>(probs[at + c] / waits[at + c]), c};
    if (samples == 1) {
      const auto less = [](const Keyed& a, const Keyed& b) { return a.key < b.key; };
      out[r] = std::max_element(keys.begin(), keys.end(), less)->index;
    } else {
      greatest_keys(keys, out + r * samples, samples);
    }
  }
}

// The running sums of a row, scaled to end at 1.
template <class S, class F> void cumulate(std::vector<S>& sums, const F* row) {
  S sum(0);
  for (size_t c = 0; c < sums.size(); ++c) {
    check(row[c] >= 0, "invalid multinomial distribution (encountering probability entry < 0)");
    check(std::isfinite(row[c]), "invalid multinomial distribution (encountering probability entry = infinity or NaN)");
    sums[c] = sum += row[c];
  }
  check(sum > 0, "invalid multinomial distribution (sum of probabilities <= 0)");
  for (S& s : sums) s /= sum;
  sums.back() = 1;
}

template <class F> void sample_with_replacement(const MultinomialArgs& a) {
  const F* probs = reinterpret_cast<const F*>(a.probs);
  std::vector<std::conditional_t<is_half_type<F>, float, F>> sums(static_cast<size_t>(a.categories));
  for (int64_t r = 0; r < a.rows; ++r) {
    cumulate(sums, probs + r * a.categories);
    const auto sample = [&](int64_t* out, const uint32_t* draws, int64_t count) {
      const auto below = [](auto sum, double value) { return static_cast<double>(sum) < value; };
      for (int64_t i = 0; i < count; ++i)
        out[i] = std::lower_bound(sums.begin(), sums.end(), unit_at<double>(draws, i), below) - sums.begin();
    };
    fill_from_draws<2>(*a.generator, a.out + r * a.samples, a.samples, sample);
  }
}

}  // namespace

void fill_exponential(const ExponentialArgs& a) {
  const std::lock_guard lock(a.generator->mutex());
  visit_floating(a.dtype, [&](auto tag) {
    using F = typename decltype(tag)::type;
    exponential(*a.generator, reinterpret_cast<F*>(a.out), a.n, a.lambda);
  });
}

void fill_bernoulli(const BernoulliArgs& a) {
  const std::lock_guard lock(a.generator->mutex());
  // draw * 2^-53 < prob, in integers.
  const int64_t limit = static_cast<int64_t>(std::ceil(a.prob * 0x1p53));
  visit_zero_one(a.dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    fill_from_draws<2>(*a.generator, reinterpret_cast<T*>(a.out), a.n,
                       [limit](T* out, const uint32_t* draws, int64_t count) {
                         for (int64_t i = 0; i < count; ++i)
                           out[i] = static_cast<T>(low53(wide_draw(draws, i)) < limit);
                       });
  });
}

void fill_bernoulli_each(const BernoulliEachArgs& a) {
  const std::lock_guard lock(a.generator->mutex());
  visit_floating(a.prob_dtype, [&](auto prob_tag) {
    using F = typename decltype(prob_tag)::type;
    const F* probs = reinterpret_cast<const F*>(a.probs);
    bool valid = true;
    for (int64_t i = 0; i < a.n; ++i) valid &= probs[i] >= 0 && probs[i] <= 1;
    check(valid, "Expected p_in >= 0 && p_in <= 1 to be true, but got false.  (Could this error message be ",
          "improved?  If so, please report an enhancement request to PyTorch.)");
    visit_zero_one(a.dtype, [&](auto tag) {
      using T = typename decltype(tag)::type;
      bernoulli_each(*a.generator, reinterpret_cast<T*>(a.out), a.n, probs);
    });
  });
}

void sample_multinomial(const MultinomialArgs& a) {
  const std::lock_guard lock(a.generator->mutex());
  visit_floating(a.dtype, [&](auto tag) {
    using F = typename decltype(tag)::type;
    if (a.replacement && a.samples > 1) return sample_with_replacement<F>(a);
    race(*a.generator, a.out, reinterpret_cast<const F*>(a.probs), a.rows, a.categories, a.samples);
  });
}

}  // namespace gradcore::portable
