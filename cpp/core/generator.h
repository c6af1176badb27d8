// Random numbers equal to those of torch's CPU generator: the same Mersenne Twister, draws per value and
// arithmetic. Start at Generator; the fill_* functions write contiguous buffers in order.
// Every function needs the generator's mutex held by the caller:
//   std::lock_guard lock(gen.mutex());
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>

#include "core/dtype.h"

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
    draw(pair, 2);
    return static_cast<uint64_t>(pair[0]) << 32 | pair[1];
  }
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

// What random_(from, to) may draw: `range` values from `base` on; range 0 means 2^64.
struct RandomRange {
  int64_t base;
  uint64_t range;
};
// torch's checks, and its rounding of the bounds to what `dtype` holds; no `to` is up to the greatest value.
RandomRange random_range(DType dtype, int64_t from, std::optional<int64_t> to);

// T is any element type, F is float or double. The callers have checked their arguments as torch does.

// [from, to)
template <class F> void fill_uniform(Generator& gen, F* p, int64_t n, double from, double to);
// What torch does for a contiguous tensor.
template <class F> void fill_normal(Generator& gen, F* p, int64_t n, double mean, double std);
// What torch does for a tensor that is not contiguous (the same for n < 16).
template <class F> void fill_normal_one_by_one(Generator& gen, F* p, int64_t n, double mean, double std);
template <class F> void fill_exponential(Generator& gen, F* p, int64_t n, double lambda);
template <class T> void fill_randint(Generator& gen, T* p, int64_t n, RandomRange range);
// random_() without bounds.
template <class T> void fill_random(Generator& gen, T* p, int64_t n);
// 0, ..., n - 1 shuffled; T is not bool and can hold n - 1.
template <class T> void fill_randperm(Generator& gen, T* p, int64_t n);
// Ones with probability `prob`, in [0, 1].
template <class T> void fill_bernoulli(Generator& gen, T* p, int64_t n, double prob);
// A probability for each element; an error outside of [0, 1].
template <class T, class F> void fill_bernoulli(Generator& gen, T* p, int64_t n, const F* probs);

// `samples` category numbers for each row of `probs` (rows x categories, contiguous). Without replacement,
// samples <= categories. Bad probabilities are an error.
template <class F>
void fill_multinomial(Generator& gen, int64_t* out, const F* probs, int64_t rows, int64_t categories, int64_t samples,
                      bool replacement);

}  // namespace gradcore
