// The Mersenne Twister and its state's bytes. Start at Generator::draw.
#include "core/generator.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <numbers>
#include <random>
#include <utility>

#include "core/error.h"

namespace gradcore {

namespace {

constexpr int kShift = 397;  // MT19937's "m"

inline uint32_t twisted(uint32_t here, uint32_t next, uint32_t far) {
  const uint32_t mixed = (here & 0x80000000u) | (next & 0x7fffffffu);
  return far ^ (mixed >> 1) ^ (-(next & 1u) & 0x9908b0dfu);
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

// Box-Muller on doubles.
double Generator::normal() {
  if (waiting_normal_) return *std::exchange(waiting_normal_, std::nullopt);
  const double u1 = unit();
  const double u2 = unit();
  const double radius = std::sqrt(-2.0 * std::log1p(-u2));
  const double theta = 2.0 * std::numbers::pi * u1;
  waiting_normal_ = radius * std::sin(theta);
  return radius * std::cos(theta);
}

}  // namespace gradcore
