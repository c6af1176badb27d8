// The engine of torch's CPU generator: the same Mersenne Twister and the same state. kernels/portable/random.h makes
// numbers of its draws. Every member function needs the generator's mutex held by the caller:
//   std::lock_guard lock(gen.mutex());
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>

namespace gradcore {

class Generator {
 public:
  static constexpr uint64_t kDefaultSeed = 67280421310721;
  static constexpr size_t kStateBytes = 5056;

  explicit Generator(uint64_t seed = kDefaultSeed) { manual_seed(seed); }
  Generator(const Generator&) = delete;
  Generator& operator=(const Generator&) = delete;

  // The whole of `seed` is remembered, its low 32 bits start the engine.
  void manual_seed(uint64_t seed);
  // Seeds with 53 bits of the system's entropy and returns them.
  uint64_t seed();
  uint64_t initial_seed() const { return seed_; }

  uint32_t random() {
    uint32_t value;
    draw(&value, 1);
    return value;
  }
  // The first of two draws is the high half.
  uint64_t random64() {
    uint32_t pair[2];
    if (left_ > 2) [[likely]] {
      for (uint32_t& word : pair) word = tempered(words_[next_++]);
      left_ -= 2;
    } else {
      draw(pair, 2);
    }
    return static_cast<uint64_t>(pair[0]) << 32 | pair[1];
  }
  // In [0, 1), of the 53 bits that a double holds.
  double unit() { return static_cast<double>(static_cast<int64_t>(random64() & ((uint64_t{1} << 53) - 1))) * 0x1p-53; }
  // n successive 32-bit draws.
  void draw(uint32_t* out, int64_t n);
  // One sample of the standard normal distribution; they are made in pairs, and the second one waits here.
  double normal();

  // The bytes of torch.get_rng_state(), interchangeable with torch's.
  void get_state(uint8_t* bytes) const;
  void set_state(const uint8_t* bytes, size_t size);
  // Takes over everything but the mutex (for clone_state and the like).
  void copy_from(const Generator& other);

  std::mutex& mutex() { return mutex_; }

 private:
  static constexpr int kWords = 624;

  static uint32_t tempered(uint32_t y) {
    y ^= y >> 11;
    y ^= (y << 7) & 0x9d2c5680u;
    y ^= (y << 15) & 0xefc60000u;
    return y ^ (y >> 18);
  }
  void twist();

  uint64_t seed_;
  uint32_t left_;  // draws until the next twist, plus one
  uint32_t next_;  // index of the next word
  std::array<uint32_t, kWords> words_;
  std::optional<double> waiting_normal_;
  std::optional<float> waiting_normal_float_;  // never used, but in the state's bytes
  std::mutex mutex_;
};

// The process's generator, first seeded from the system's entropy.
Generator& default_generator();

}  // namespace gradcore
