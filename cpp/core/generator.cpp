// The Mersenne Twister, its state's bytes, and the distributions. Start at Generator::draw and fill_uniform.
// Note [Same bits everywhere]: torch is built with fused multiply-adds; here each is written out, so that all
// instruction sets agree. Where fma is not an instruction libm computes it, slower but exactly.
#include "core/generator.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <numbers>
#include <random>
#include <type_traits>
#include <utility>
#include <vector>

#if defined(__SSE__)
#include <xmmintrin.h>
#endif

#include "core/cpu.h"
#include "core/error.h"

namespace gradcore {

// ---- the engine ----

namespace {

constexpr int kShift = 397;  // MT19937's "m"

inline uint32_t twisted(uint32_t here, uint32_t next, uint32_t far) {
  const uint32_t mixed = (here & 0x80000000u) | (next & 0x7fffffffu);
  return far ^ (mixed >> 1) ^ (-(next & 1u) & 0x9908b0dfu);
}

inline uint32_t tempered(uint32_t y) {
  y ^= y >> 11;
  y ^= (y << 7) & 0x9d2c5680u;
  y ^= (y << 15) & 0xefc60000u;
  return y ^ (y >> 18);
}

// What torch.get_rng_state() holds, as it lies in memory.
struct StateBytes {
  uint64_t seed;
  int32_t left;
  int32_t seeded;
  uint64_t next;
  uint64_t words[624];
  double unused_x;
  double normal;
  double unused_rho;
  int32_t has_normal;
  int32_t padding;
  float normal_float;
  uint8_t has_normal_float;
  uint8_t end_padding[3];
};
static_assert(sizeof(StateBytes) == Generator::kStateBytes && std::endian::native == std::endian::little);

uint64_t system_entropy() {
  std::random_device device;
  const uint64_t high = device();
  return (high << 32 | device()) & ((uint64_t{1} << 53) - 1);  // torch keeps what a double can hold
}

}  // namespace

void Generator::manual_seed(uint64_t seed) {
  seed_ = seed;
  words_[0] = static_cast<uint32_t>(seed);
  for (uint32_t i = 1; i < kWords; ++i) words_[i] = 1812433253u * (words_[i - 1] ^ (words_[i - 1] >> 30)) + i;
  left_ = 1;
  next_ = 0;
  waiting_normal_.reset();
  waiting_normal_float_.reset();
}

uint64_t Generator::seed() {
  const uint64_t seed = system_entropy();
  manual_seed(seed);
  return seed;
}

void Generator::twist() {
  uint32_t* w = words_.data();
  for (int i = 0; i < kWords - kShift; ++i) w[i] = twisted(w[i], w[i + 1], w[i + kShift]);
  for (int i = kWords - kShift; i < kWords - 1; ++i) w[i] = twisted(w[i], w[i + 1], w[i + kShift - kWords]);
  w[kWords - 1] = twisted(w[kWords - 1], w[0], w[kShift - 1]);
  left_ = kWords + 1;
  next_ = 0;
}

void Generator::draw(uint32_t* out, int64_t n) {
  while (n > 0) {
    if (left_ == 1) twist();
    const int64_t count = std::min<int64_t>(n, left_ - 1);
    const uint32_t* words = words_.data() + next_;
    for (int64_t i = 0; i < count; ++i) out[i] = tempered(words[i]);
    left_ -= static_cast<uint32_t>(count);
    next_ += static_cast<uint32_t>(count);
    out += count;
    n -= count;
  }
}

void Generator::get_state(uint8_t* bytes) const {
  StateBytes state{};
  state.seed = seed_;
  state.left = static_cast<int32_t>(left_);
  state.seeded = 1;
  state.next = next_;
  std::copy(words_.begin(), words_.end(), state.words);
  state.has_normal = waiting_normal_.has_value();
  state.normal = waiting_normal_.value_or(0.0);
  state.has_normal_float = waiting_normal_float_.has_value();
  state.normal_float = waiting_normal_float_.value_or(0.0f);
  std::memcpy(bytes, &state, sizeof(state));
}

void Generator::set_state(const uint8_t* bytes, size_t size) {
  check(size == kStateBytes, "Expected a CPUGeneratorImplState of size ", kStateBytes,
        " but found the input RNG state size to be ", size);
  StateBytes state;
  std::memcpy(&state, bytes, sizeof(state));
  const uint64_t left = static_cast<uint32_t>(state.left), next = static_cast<uint32_t>(state.next);
  // Together they may not reach beyond the words; torch does not look.
  const bool valid = state.seeded != 0 && left >= 1 && left <= kWords && left + next <= kWords + 1;
  check(valid, "Invalid mt19937 state");
  seed_ = state.seed;
  left_ = static_cast<uint32_t>(left);
  next_ = static_cast<uint32_t>(next);
  for (int i = 0; i < kWords; ++i) words_[i] = static_cast<uint32_t>(state.words[i]);
  waiting_normal_ = state.has_normal ? std::optional(state.normal) : std::nullopt;
  waiting_normal_float_ = state.has_normal_float ? std::optional(state.normal_float) : std::nullopt;
}

void Generator::copy_from(const Generator& other) {
  seed_ = other.seed_;
  left_ = other.left_;
  next_ = other.next_;
  words_ = other.words_;
  waiting_normal_ = other.waiting_normal_;
  waiting_normal_float_ = other.waiting_normal_float_;
}

Generator& default_generator() {
  static Generator generator(system_entropy());
  return generator;
}

// ---- uniform ----

namespace {

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

// The i-th number in [0, 1), made of kUnitDraws<F> draws.
template <class F> constexpr int kUnitDraws = sizeof(F) / sizeof(uint32_t);
template <class F> inline F unit_at(const uint32_t* draws, int64_t i) {
  if constexpr (std::is_same_v<F, double>)
    return static_cast<double>(low53(wide_draw(draws, i))) * 0x1p-53;
  else
    return static_cast<float>(low24(draws[i])) * 0x1p-24f;
}
inline double random_unit(Generator& gen) { return static_cast<double>(low53(gen.random64())) * 0x1p-53; }

template <class F> void fill_unit(Generator& gen, F* p, int64_t n) {
  fill_from_draws<kUnitDraws<F>>(gen, p, n, [](F* out, const uint32_t* draws, int64_t count) {
    for (int64_t i = 0; i < count; ++i) out[i] = unit_at<F>(draws, i);
  });
}

}  // namespace

namespace {

#define GC_INLINE inline __attribute__((always_inline))
#if defined(__x86_64__)
#define GC_TARGET_V3 __attribute__((target("avx2,fma")))
#endif

// torch turns values rounded up to the open end into the closed one.
template <class F> GC_INLINE void stretch_body(F* p, int64_t n, F low, F high) {
  const F width = high - low;
  for (int64_t i = 0; i < n; ++i) {
    const F value = std::fma(p[i], width, low);
    p[i] = value == high ? low : value;
  }
}

#if defined(GC_TARGET_V3)
GC_TARGET_V3 void stretch_v3(float* p, int64_t n, float low, float high) { stretch_body(p, n, low, high); }
GC_TARGET_V3 void stretch_v3(double* p, int64_t n, double low, double high) { stretch_body(p, n, low, high); }
#endif

template <class F> void stretch(F* p, int64_t n, F low, F high) {
#if defined(GC_TARGET_V3)
  if (active_isa() != Isa::V2) return stretch_v3(p, n, low, high);
#endif
  stretch_body(p, n, low, high);
}

}  // namespace

template <class F> void fill_uniform(Generator& gen, F* p, int64_t n, double from, double to) {
  fill_unit(gen, p, n);
  if (from != 0.0 || to != 1.0) stretch(p, n, static_cast<F>(from), static_cast<F>(to));
}

// ---- normal ----

// Box-Muller on doubles.
double Generator::normal() {
  if (waiting_normal_) return *std::exchange(waiting_normal_, std::nullopt);
  const double u1 = random_unit(*this);
  const double u2 = random_unit(*this);
  const double radius = std::sqrt(-2.0 * std::log1p(-u2));
  const double theta = 2.0 * std::numbers::pi * u1;
  waiting_normal_ = radius * std::sin(theta);
  return radius * std::cos(theta);
}

namespace {

// Coefficients from the highest power down; no arrays and no loops, for the vectoriser's sake.
template <class... C> GC_INLINE float horner(float x, float y, C... rest) {
  ((y = __builtin_fmaf(y, x, rest)), ...);
  return y;
}

// Cephes' single precision logf for 2^-24 <= x <= 1, in the order of operations torch's vector code has.
GC_INLINE float log_unit(float x) {
  const int32_t bits = std::bit_cast<int32_t>(x);
  const int32_t half_bits = (bits & 0x007fffff) | 0x3f000000;  // the significand, in [1/2, 1)
  const float half = std::bit_cast<float>(half_bits);
  // Below sqrt(1/2) it is doubled; without a branch, which would not vectorise.
  const int32_t small = half < 0.707106781186547524f;
  const float e = static_cast<float>((bits >> 23) - 126 - small);
  const float r = (half - 1.0f) + std::bit_cast<float>(half_bits & -small);
  const float z = r * r;
  const float poly = horner(r, 7.0376836292e-2f, -1.1514610310e-1f, 1.1676998740e-1f, -1.2420140846e-1f,
                            1.4249322787e-1f, -1.6668057665e-1f, 2.0000714765e-1f, -2.4999993993e-1f, 3.3333331174e-1f);
  float y = __builtin_fmaf(poly * r, z, e * -2.12194440e-4f);
  y = __builtin_fmaf(-0.5f, z, y);
  return __builtin_fmaf(e, 0.693359375f, r + y);
}

struct SinCos {
  float sin, cos;
};

// Cephes' sinf and cosf for x >= 0: the nearest even octant is taken off, a polynomial serves either.
GC_INLINE SinCos sin_cos(float x) {
  const int32_t octant = (static_cast<int32_t>(x * 1.27323954473516f) + 1) & ~1;
  const float j = static_cast<float>(octant);
  float r = __builtin_fmaf(j, -0.78515625f, x);
  r = __builtin_fmaf(j, -2.4187564849853515625e-4f, r);
  r = __builtin_fmaf(j, -3.77489497744594108e-8f, r);
  const float z = r * r;
  const float cos_poly = horner(z, 2.443315711809948e-5f, -1.388731625493765e-3f, 4.166664568298827e-2f);
  const float sin_poly = horner(z, -1.9515295891e-4f, 8.3321608736e-3f, -1.6666654611e-1f);
  const float c = __builtin_fmaf(cos_poly * z, z, -0.5f * z) + 1.0f;
  const float s = __builtin_fmaf(sin_poly * z, r, r);
  const bool swapped = octant & 2;
  const uint32_t sin_sign = static_cast<uint32_t>(octant & 4) << 29;
  const uint32_t cos_sign = static_cast<uint32_t>(~(octant - 2) & 4) << 29;
  return {std::bit_cast<float>(std::bit_cast<uint32_t>(swapped ? c : s) ^ sin_sign),
          std::bit_cast<float>(std::bit_cast<uint32_t>(swapped ? s : c) ^ cos_sign)};
}

// The compiler's own sqrtf may set errno, which would keep its loop from being vectorised.
GC_INLINE void sqrt8(float* p) {
#if defined(__SSE__)
  _mm_storeu_ps(p, _mm_sqrt_ps(_mm_loadu_ps(p)));
  _mm_storeu_ps(p + 4, _mm_sqrt_ps(_mm_loadu_ps(p + 4)));
#else
  for (int i = 0; i < 8; ++i) p[i] = std::sqrt(p[i]);
#endif
}

// Box-Muller on blocks of 16 uniforms: the first eight make radii, the others angles. A loop of eight is one
// vector; unrolled first it would stay scalar.
GC_INLINE void normal_blocks_body(float* p, int64_t blocks, float mean, float std) {
  for (float* end = p + 16 * blocks; p != end; p += 16) {
    float radius[8], first[8], second[8];
#pragma GCC unroll 1
    for (int i = 0; i < 8; ++i) radius[i] = -2.0f * log_unit(1.0f - p[i]);
    sqrt8(radius);
#pragma GCC unroll 1
    for (int i = 0; i < 8; ++i) {
      const SinCos angle = sin_cos(static_cast<float>(2 * std::numbers::pi) * p[i + 8]);
      first[i] = __builtin_fmaf(radius[i] * angle.cos, std, mean);
      second[i] = __builtin_fmaf(radius[i] * angle.sin, std, mean);
    }
    std::memcpy(p, first, sizeof(first));
    std::memcpy(p + 8, second, sizeof(second));
  }
}

#if defined(GC_TARGET_V3)
GC_TARGET_V3 void normal_blocks_v3(float* p, int64_t blocks, float mean, float std) {
  normal_blocks_body(p, blocks, mean, std);
}
#endif

void normal_blocks(float* p, int64_t blocks, float mean, float std) {
#if defined(GC_TARGET_V3)
  if (active_isa() != Isa::V2) return normal_blocks_v3(p, blocks, mean, std);
#endif
  normal_blocks_body(p, blocks, mean, std);
}

void normal_blocks(double* p, int64_t blocks, double mean, double std) {
  for (double* end = p + 16 * blocks; p != end; p += 16) {
    for (int i = 0; i < 8; ++i) {
      const double radius = std::sqrt(-2.0 * std::log(1.0 - p[i]));
      const double theta = 2.0 * std::numbers::pi * p[i + 8];
      p[i] = std::fma(radius * std::cos(theta), std, mean);
      p[i + 8] = std::fma(radius * std::sin(theta), std, mean);
    }
  }
}

}  // namespace

template <class F> void fill_normal_one_by_one(Generator& gen, F* p, int64_t n, double mean, double std) {
  for (int64_t i = 0; i < n; ++i) p[i] = static_cast<F>(std::fma(gen.normal(), std, mean));
}

template <class F> void fill_normal(Generator& gen, F* p, int64_t n, double mean, double std) {
  if (n < 16) return fill_normal_one_by_one(gen, p, n, mean, std);
  const F mean_f = static_cast<F>(mean), std_f = static_cast<F>(std);
  fill_unit(gen, p, n);
  normal_blocks(p, n / 16, mean_f, std_f);
  if (n % 16 == 0) return;
  // A ragged end is not left over: the last 16 are drawn anew.
  fill_unit(gen, p + n - 16, 16);
  normal_blocks(p + n - 16, 1, mean_f, std_f);
}

template <class F> void fill_exponential(Generator& gen, F* p, int64_t n, double lambda) {
  const double scale = -1.0 / lambda;
  fill_from_draws<2>(gen, p, n, [scale](F* out, const uint32_t* draws, int64_t count) {
    for (int64_t i = 0; i < count; ++i) out[i] = static_cast<F>(scale * std::log1p(-unit_at<double>(draws, i)));
  });
}

// ---- integers ----

namespace {

// Every integer up to 2^digits is a value of the type.
constexpr int digits_of(DType t) { return t == DType::Float32 ? 24 : 53; }

// Through the floating type and back; 2^63 comes back as x86 has it, the least integer.
int64_t round_trip(DType t, int64_t v) {
  const double held = t == DType::Float32 ? static_cast<float>(v) : static_cast<double>(v);
  return held >= 0x1p63 ? std::numeric_limits<int64_t>::min() : static_cast<int64_t>(held);
}

constexpr int64_t wrapping_add(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b));
}

// The distance of the floating type's neighbours near v, which is none of its values.
int64_t spacing(DType t, int64_t v) {
  const uint64_t size = v < 0 ? -static_cast<uint64_t>(v) : static_cast<uint64_t>(v);
  return int64_t{1} << (std::bit_width(size) - digits_of(t));
}

// The bounds move inwards where rounding to the type would leave the interval.
int64_t rounded_from(DType t, int64_t from) {
  const int64_t inside = wrapping_add(from, 1), held = round_trip(t, inside);
  return held < from ? wrapping_add(held, spacing(t, inside)) : from;
}
int64_t rounded_to(DType t, int64_t to) {
  const int64_t inside = wrapping_add(to, -1), held = round_trip(t, inside);
  return held >= to ? wrapping_add(held, -spacing(t, inside)) : to;
}

// The names of C++ types that torch prints here.
constexpr const char* kTypeName[kDTypeCount] = {"bool", "unsigned char", "signed char", "short int",
                                                "int",  "long",          "float",       "double"};

template <class T> constexpr int64_t greatest() {
  if constexpr (std::is_same_v<T, bool>) return 1;
  if constexpr (std::is_floating_point_v<T>) return int64_t{1} << std::numeric_limits<T>::digits;
  return static_cast<int64_t>(std::numeric_limits<T>::max());
}

void check_bounds(DType dtype, int64_t from, int64_t last) {
  if (is_floating(dtype)) return;  // every int64 lies between a float's extremes
  visit_dtype(dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    const int64_t low = static_cast<int64_t>(std::numeric_limits<T>::lowest()), high = greatest<T>();
    check(from >= low && from <= high, "from is out of bounds for ", kTypeName[index_of(dtype)]);
    check(last >= low && last <= high, "to - 1 is out of bounds for ", kTypeName[index_of(dtype)]);
  });
}

RandomRange range_between(DType dtype, int64_t from, int64_t to) {
  check(from < to, "random_ expects 'from' to be less than 'to', but got from=", from, " >= to=", to);
  if (is_floating(dtype)) {
    from = rounded_from(dtype, from);
    to = rounded_to(dtype, to);
    check(from < to, "random_ expects 'from' casted to dtype to be less than 'to' casted to dtype, ",
          "but got from=", from, " >= to=", to);
  }
  check_bounds(dtype, from, to - 1);
  return {from, static_cast<uint64_t>(to) - static_cast<uint64_t>(from)};
}

RandomRange range_from(DType dtype, int64_t from) {
  const int64_t last = visit_dtype(dtype, [](auto tag) { return greatest<typename decltype(tag)::type>(); });
  if (is_floating(dtype)) {
    from = rounded_from(dtype, from);
    check(from < last, "random_ expects 'from' casted to dtype to be less than or equal to 'to_inc' ",
          "casted to dtype, but got from=", from, " > to_inc=", last);
  }
  check_bounds(dtype, from, last);
  return {from, static_cast<uint64_t>(last) - static_cast<uint64_t>(from) + 1};
}

}  // namespace

RandomRange random_range(DType dtype, int64_t from, std::optional<int64_t> to) {
  if (to) return range_between(dtype, from, *to);
  if (from != std::numeric_limits<int64_t>::lowest()) return range_from(dtype, from);
  check(dtype == DType::Int64 || is_floating(dtype),
        "random_full_64_bits_range_kernel_cpu handles only int64, double, float and bfloat16");
  return {0, 0};
}

template <class T> void fill_randint(Generator& gen, T* p, int64_t n, RandomRange range) {
  const auto [base, size] = range;
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

template <class T> void fill_random(Generator& gen, T* p, int64_t n) {
  constexpr int kDraws = std::is_same_v<T, double> || std::is_same_v<T, int64_t> ? 2 : 1;
  constexpr uint64_t kSize = static_cast<uint64_t>(greatest<T>()) + 1;
  fill_from_draws<kDraws>(gen, p, n, [](T* out, const uint32_t* draws, int64_t count) {
    for (int64_t i = 0; i < count; ++i)
      out[i] = static_cast<T>((kDraws == 2 ? wide_draw(draws, i) : uint64_t{draws[i]}) % kSize);
  });
}

namespace {

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

template <class T> void fill_randperm(Generator& gen, T* p, int64_t n) {
  if (n < std::numeric_limits<uint32_t>::max() / 20) return shuffle(gen, p, n);
  shuffle_many(gen, p, n);
}

// ---- Bernoulli and multinomial ----

template <class T> void fill_bernoulli(Generator& gen, T* p, int64_t n, double prob) {
  // draw * 2^-53 < prob, in integers.
  const int64_t limit = static_cast<int64_t>(std::ceil(prob * 0x1p53));
  fill_from_draws<2>(gen, p, n, [limit](T* out, const uint32_t* draws, int64_t count) {
    for (int64_t i = 0; i < count; ++i) out[i] = static_cast<T>(low53(wide_draw(draws, i)) < limit);
  });
}

template <class T, class F> void fill_bernoulli(Generator& gen, T* p, int64_t n, const F* probs) {
  bool valid = true;
  for (int64_t i = 0; i < n; ++i) valid &= probs[i] >= 0 && probs[i] <= 1;
  check(valid, "Expected p_in >= 0 && p_in <= 1 to be true, but got false.  (Could this error message be ",
        "improved?  If so, please report an enhancement request to PyTorch.)");
  fill_from_draws<kUnitDraws<F>>(gen, p, n, [&probs](T* out, const uint32_t* draws, int64_t count) {
    for (int64_t i = 0; i < count; ++i) out[i] = static_cast<T>(unit_at<F>(draws, i) < probs[i]);
    probs += count;
  });
}

namespace {

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

template <class F> struct Keyed {
  F key;
  int64_t index;
};

// The categories with the greatest keys, in torch's order even where keys are equal: it sorts like this.
template <class F> void greatest_keys(std::vector<Keyed<F>>& keys, int64_t* out, int64_t samples) {
  const auto descending = [](const Keyed<F>& a, const Keyed<F>& b) {
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
  fill_exponential(gen, waits.data(), rows * categories, 1.0);
  std::vector<Keyed<F>> keys(static_cast<size_t>(categories));
  for (int64_t r = 0; r < rows; ++r) {
    const int64_t at = r * categories;
    for (int64_t c = 0; c < categories; ++c) keys[c] = {probs[at + c] / waits[at + c], c};
    if (samples == 1) {
      const auto later = [](const Keyed<F>& a, const Keyed<F>& b) { return a.key < b.key; };
      out[r] = std::max_element(keys.begin(), keys.end(), later)->index;
    } else {
      greatest_keys(keys, out + r * samples, samples);
    }
  }
}

// The running sums of a row, scaled to end at 1.
template <class F> void cumulate(std::vector<F>& sums, const F* row) {
  F sum = 0;
  for (size_t c = 0; c < sums.size(); ++c) {
    check(row[c] >= 0, "invalid multinomial distribution (encountering probability entry < 0)");
    check(std::isfinite(row[c]), "invalid multinomial distribution (encountering probability entry = infinity or NaN)");
    sums[c] = sum += row[c];
  }
  check(sum > 0, "invalid multinomial distribution (sum of probabilities <= 0)");
  for (F& s : sums) s /= sum;
  sums.back() = 1;
}

}  // namespace

template <class F>
void fill_multinomial(Generator& gen, int64_t* out, const F* probs, int64_t rows, int64_t categories, int64_t samples,
                      bool replacement) {
  if (!replacement || samples == 1) return race(gen, out, probs, rows, categories, samples);
  std::vector<F> sums(static_cast<size_t>(categories));
  for (int64_t r = 0; r < rows; ++r) {
    cumulate(sums, probs + r * categories);
    for (int64_t s = 0; s < samples; ++s) {
      const double u = random_unit(gen);
      const auto below = [](F sum, double value) { return static_cast<double>(sum) < value; };
      out[r * samples + s] = std::lower_bound(sums.begin(), sums.end(), u, below) - sums.begin();
    }
  }
}

// ---- what other files may call ----

#define GC_FLOATING(F)                                                           \
  template void fill_uniform(Generator&, F*, int64_t, double, double);           \
  template void fill_normal(Generator&, F*, int64_t, double, double);            \
  template void fill_normal_one_by_one(Generator&, F*, int64_t, double, double); \
  template void fill_exponential(Generator&, F*, int64_t, double);               \
  template void fill_multinomial(Generator&, int64_t*, const F*, int64_t, int64_t, int64_t, bool);
GC_FLOATING(float)
GC_FLOATING(double)

#define GC_ANY(T)                                                      \
  template void fill_randint(Generator&, T*, int64_t, RandomRange);    \
  template void fill_random(Generator&, T*, int64_t);                  \
  template void fill_bernoulli(Generator&, T*, int64_t, double);       \
  template void fill_bernoulli(Generator&, T*, int64_t, const float*); \
  template void fill_bernoulli(Generator&, T*, int64_t, const double*);
#define GC_NUMBER(T) \
  GC_ANY(T)          \
  template void fill_randperm(Generator&, T*, int64_t);
GC_ANY(bool)
GC_NUMBER(uint8_t)
GC_NUMBER(int8_t)
GC_NUMBER(int16_t)
GC_NUMBER(int32_t)
GC_NUMBER(int64_t)
GC_NUMBER(float)
GC_NUMBER(double)

}  // namespace gradcore
