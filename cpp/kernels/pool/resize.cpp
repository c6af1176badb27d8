// Images of bytes at another resolution, as image libraries and torch do it: weighted sums along the rows, rounded to
// bytes, and of those down the columns, both with weights of 16 bits. Start at resize_bytes(). A row is summed along
// itself when an output needs it, and kept in one of a few rows of scratch for as long.
#include <cmath>

#include "kernels/intrinsics.h"
#include "kernels/pool/lines.h"

namespace gradcore::GC_ISA {

namespace {

constexpr int64_t kRows = 64;               // outputs of a column that follow each other in a block
constexpr int64_t kGrain = 1 << 17;         // products of a parallel block
constexpr int64_t kBehind = 2 * kVecBytes;  // bytes behind a row of sums that are read or written for nothing
constexpr int kMostBits = 22;

using Ints = Vec<int32_t>;
constexpr int64_t kInts = kLanes<int32_t>;
constexpr int64_t kPixels = kInts / 4;                     // of up to four channels, each with four lanes
typedef uint32_t Narrow __attribute__((vector_size(16)));  // of which the first kInts bytes count

struct Four {
  Ints v[4];
};

GC_INLINE int32_t word_at(const uint8_t* p) {
  int32_t word;
  __builtin_memcpy(&word, p, sizeof word);
  return word;
}

// ---- vectors ----
//
// dots: the sums of both products of the halves of each lane. words: the four bytes at each of kInts places.
// pixels: the 16 bytes at each of kPixels places. picked: of each 16 bytes those that `from` names, 0 where it names
// none. rounded: kInts bytes, in front. spread: two rows of bytes as halves of lanes, in an order that rounded() of
// four vectors undoes.

#if defined(__SSE4_1__)
GC_INLINE __m128i load_16(const uint8_t* p) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p)); }
#endif
#if defined(__AVX2__) && !defined(__AVX512F__)
GC_INLINE Ints dots(Ints a, Ints b) { return (Ints)_mm256_madd_epi16((__m256i)a, (__m256i)b); }
// One by one: an instruction that gathers is slower on many processors.
GC_INLINE Ints words(const uint8_t* x, const int32_t* at) {
  const auto word = [&](int i) { return word_at(x + at[i]); };
  return Ints{word(0), word(1), word(2), word(3), word(4), word(5), word(6), word(7)};
}
GC_INLINE Ints pixels(const uint8_t* const* at, int64_t shift) {
  return (Ints)_mm256_set_m128i(load_16(at[1] + shift), load_16(at[0] + shift));
}
GC_INLINE Ints picked(Ints v, const uint8_t* from) {
  return (Ints)_mm256_shuffle_epi8((__m256i)v, _mm256_broadcastsi128_si256(load_16(from)));
}
GC_INLINE Narrow rounded(Ints sum, int bits) {
  const auto whole = (__m256i)(sum >> bits);
  const __m128i words = _mm_packs_epi32(_mm256_castsi256_si128(whole), _mm256_extracti128_si256(whole, 1));
  return (Narrow)_mm_packus_epi16(words, words);
}
GC_INLINE Four spread(const uint8_t* p, const uint8_t* q) {
  const __m256i a = (__m256i)load(p), b = (__m256i)load(q), none = _mm256_setzero_si256();
  const __m256i low = _mm256_unpacklo_epi8(a, b), high = _mm256_unpackhi_epi8(a, b);
  return {{(Ints)_mm256_unpacklo_epi8(low, none), (Ints)_mm256_unpackhi_epi8(low, none),
           (Ints)_mm256_unpacklo_epi8(high, none), (Ints)_mm256_unpackhi_epi8(high, none)}};
}
GC_INLINE Vec<uint8_t> rounded(const Four& s, int bits) {
  const auto whole = [&](int i) { return (__m256i)(s.v[i] >> bits); };
  return (Vec<uint8_t>)_mm256_packus_epi16(_mm256_packs_epi32(whole(0), whole(1)),
                                           _mm256_packs_epi32(whole(2), whole(3)));
}
#elif defined(__SSE4_1__) && !defined(__AVX2__)
GC_INLINE Ints dots(Ints a, Ints b) { return (Ints)_mm_madd_epi16((__m128i)a, (__m128i)b); }
GC_INLINE Ints words(const uint8_t* x, const int32_t* at) {
  const auto word = [&](int i) { return word_at(x + at[i]); };
  return Ints{word(0), word(1), word(2), word(3)};
}
GC_INLINE Ints pixels(const uint8_t* const* at, int64_t shift) { return (Ints)load_16(at[0] + shift); }
GC_INLINE Ints picked(Ints v, const uint8_t* from) { return (Ints)_mm_shuffle_epi8((__m128i)v, load_16(from)); }
GC_INLINE Narrow rounded(Ints sum, int bits) {
  const auto whole = (__m128i)(sum >> bits);
  const __m128i words = _mm_packs_epi32(whole, whole);
  return (Narrow)_mm_packus_epi16(words, words);
}
GC_INLINE Four spread(const uint8_t* p, const uint8_t* q) {
  const __m128i a = load_16(p), b = load_16(q), none = _mm_setzero_si128();
  const __m128i low = _mm_unpacklo_epi8(a, b), high = _mm_unpackhi_epi8(a, b);
  return {{(Ints)_mm_unpacklo_epi8(low, none), (Ints)_mm_unpackhi_epi8(low, none), (Ints)_mm_unpacklo_epi8(high, none),
           (Ints)_mm_unpackhi_epi8(high, none)}};
}
GC_INLINE Vec<uint8_t> rounded(const Four& s, int bits) {
  const auto whole = [&](int i) { return (__m128i)(s.v[i] >> bits); };
  return (Vec<uint8_t>)_mm_packus_epi16(_mm_packs_epi32(whole(0), whole(1)), _mm_packs_epi32(whole(2), whole(3)));
}
#else
GC_INLINE Ints dots(Ints a, Ints b) { return (a & 0xffff) * (b << 16 >> 16) + (a >> 16) * (b >> 16); }
GC_INLINE Ints words(const uint8_t* x, const int32_t* at) {
  Ints v{};
  for (int i = 0; i < kInts; ++i) v[i] = word_at(x + at[i]);
  return v;
}
GC_INLINE Ints pixels(const uint8_t* const* at, int64_t shift) {
  Ints v;
  for (int i = 0; i < kPixels; ++i) __builtin_memcpy(reinterpret_cast<uint8_t*>(&v) + 16 * i, at[i] + shift, 16);
  return v;
}
GC_INLINE Ints picked(Ints v, const uint8_t* from) {
  Ints to;
  for (int i = 0; i < kVecBytes; ++i)
    reinterpret_cast<uint8_t*>(&to)[i] =
        from[i % 16] < 16 ? reinterpret_cast<const uint8_t*>(&v)[i / 16 * 16 + from[i % 16]] : uint8_t{0};
  return to;
}
GC_INLINE uint8_t byte_of(int32_t sum, int bits) {
  const int32_t whole = sum >> bits;
  return static_cast<uint8_t>(whole < 0 ? 0 : whole > 255 ? 255 : whole);
}
GC_INLINE Narrow rounded(Ints sum, int bits) {
  Narrow v{};
  for (int i = 0; i < kInts; ++i) reinterpret_cast<uint8_t*>(&v)[i] = byte_of(sum[i], bits);
  return v;
}
GC_INLINE Four spread(const uint8_t* p, const uint8_t* q) {
  Four s;
  for (int i = 0; i < kVecBytes; ++i) s.v[i / kInts][i % kInts] = p[i] | q[i] << 16;
  return s;
}
GC_INLINE Vec<uint8_t> rounded(const Four& s, int bits) {
  Vec<uint8_t> v;
  for (int i = 0; i < kVecBytes; ++i) v[i] = byte_of(s.v[i / kInts][i % kInts], bits);
  return v;
}
#endif

GC_INLINE int32_t pair(int32_t low, int32_t high) {
  return static_cast<int32_t>((static_cast<uint32_t>(low) & 0xffff) | static_cast<uint32_t>(high) << 16);
}

// ---- weights ----

// Weights as whole numbers over 2 ** bits: the most bits with which none is beyond 16 bits with a sign. Output o is the
// sum over the count[o] inputs from first[o] on: taps of the same input are one, so that they are rounded once. The sum
// of bytes times weights that sum up to 2 ** 22 stays within 32 bits.
struct WholeTaps {
  int64_t out, size, most = 1;  // inputs of an output
  int bits = 0;
  Scratch<int32_t> first, count;

  explicit WholeTaps(const portable::TapDim& d)
      : out(d.out), size(d.size), first(d.out), count(d.out), width_(larger(1, d.most())), weight_(d.out * width_) {
    const Taps<double> exact(d, false);
    const Scratch<double> merged(out * width_);
    double largest = 0;
    for (int64_t o = 0; o < out; ++o) {
      const double here = merge(exact, o, &merged[o * width_]);
      largest = here > largest ? here : largest;
      most = larger(most, count[o]);
    }
    while (bits < kMostBits && 0.5 + std::ldexp(largest, bits + 1) < 32768) ++bits;
    for (int64_t i = 0; i < out * width_; ++i)
      weight_[i] = static_cast<int32_t>(std::round(std::ldexp(merged[i], bits)));
  }
  int32_t half() const { return bits ? 1 << (bits - 1) : 0; }
  int32_t weight(int64_t o, int64_t k) const { return o < out && k < width_ ? weight_[o * width_ + k] : 0; }
  int32_t weights(int64_t o, int64_t k, int64_t l) const { return pair(weight(o, k), weight(o, l)); }

 private:
  // The largest weight of an output, whose weights are written to w.
  double merge(const Taps<double>& exact, int64_t o, double* w) const {
    const int64_t taps = exact.count[o];
    first[o] = taps ? exact.index[o * exact.most] : 0;
    count[o] = taps ? exact.index[o * exact.most + taps - 1] - first[o] + 1 : 0;
    for (int64_t k = 0; k < width_; ++k) w[k] = 0;
    for (int64_t k = taps - 1; k >= 0; --k) w[exact.at(o, k) - first[o]] += exact.weight_of(o, k);
    double largest = 0;
    for (int64_t k = 0; k < width_; ++k) largest = w[k] > largest ? w[k] : largest;
    return largest;
  }

  int64_t width_;
  Scratch<int32_t> weight_;
};

// ---- sums down columns ----

// Weights of rows, in pairs.
struct RowPairs {
  const WholeTaps& taps;
  int64_t pairs;  // of an output
  Scratch<int32_t> weight;

  explicit RowPairs(const WholeTaps& t) : taps(t), pairs(ceil_div(t.most, 2)), weight(t.out * pairs) {
    for (int64_t o = 0; o < t.out; ++o)
      for (int64_t k = 0; k < pairs; ++k) weight[o * pairs + k] = t.weights(o, 2 * k, 2 * k + 1);
  }
  // Of n columns of 2 * `pairs` rows that can be read kBehind beyond.
  void sum(const uint8_t* const* rows, int64_t o, int64_t n, uint8_t* to) const {
    int64_t j = 0;
    for (; j + kVecBytes <= n; j += kVecBytes) store(to + j, columns(rows, o, j));
    if (j == n) return;
    const Vec<uint8_t> last = columns(rows, o, j);
    for (int64_t i = 0; i < n - j; ++i) to[j + i] = last[i];
  }

 private:
  [[gnu::always_inline]] Vec<uint8_t> columns(const uint8_t* const* rows, int64_t o, int64_t j) const {
    const int32_t* w = &weight[o * pairs];
    const Ints half = Ints{} + taps.half();
    Four sums{{half, half, half, half}};
    for (int64_t k = 0; k < pairs; ++k) {
      const Four both = spread(rows[2 * k] + j, rows[2 * k + 1] + j);
#pragma GCC unroll 4
      for (int i = 0; i < 4; ++i) sums.v[i] += dots(both.v[i], Ints{} + w[k]);
    }
    return rounded(sums, taps.bits);
  }
};

// ---- sums along rows ----

// Sums along a row that can be read `behind` bytes beyond.
struct Along {
  const WholeTaps& taps;
  const int64_t behind;
  // Writes up to kBehind beyond. `inputs` is room for the places of an output's inputs.
  virtual void sum(const uint8_t* row, uint8_t* to, const uint8_t** inputs) const = 0;

 protected:
  Along(const WholeTaps& t, int64_t reads) : taps(t), behind(reads) {}
  ~Along() = default;
};

// Up to four inputs at a time, of as many outputs as vectors have room for. Outputs that are none have weights of 0.
template <int C> class FewChannels final : public Along {
 public:
  explicit FewChannels(const WholeTaps& t)
      : Along(t, (t.most + 3) * C + 16),
        pairs_(ceil_div(t.most, 2)),
        groups_(ceil_div(t.out, kEach)),
        first_(groups_ * kEach),
        weight_(groups_ * pairs_ * kInts) {
    for (int64_t o = 0; o < groups_ * kEach; ++o) first_[o] = o < t.out ? t.first[o] : 0;
    int32_t* w = weight_.data();
    for (int64_t g = 0; g < groups_; ++g)
      for (int64_t k = 0; k < pairs_; ++k)
        for (int64_t lane = 0; lane < kInts; ++lane)
          *w++ = t.weights(g * kEach + lane * kEach / kInts, 2 * k, 2 * k + 1);
  }
  void sum(const uint8_t* row, uint8_t* to, const uint8_t** /*inputs*/) const override {
    // Copies, as bytes that are written might be the class's own.
    const int32_t *w = weight_.data(), *first = first_.data();
    const int64_t pairs = pairs_, groups = groups_;
    const int bits = taps.bits;
    const Ints half = Ints{} + taps.half();
    for (int64_t g = 0; g < groups; ++g, first += kEach, to += kEach * C) {
      const Inputs in(row, first);
      Ints sums = half;
      int64_t k = 0;
      for (; k + 2 <= pairs; k += 2, w += 2 * kInts) {
        const Ints four = in.four(2 * k * C);
        sums += dots(picked(four, kOrder.from[0]), load(w)) + dots(picked(four, kOrder.from[1]), load(w + kInts));
      }
      if (k < pairs) {
        sums += dots(picked(in.four(2 * k * C), kOrder.from[0]), load(w));
        w += kInts;
      }
      put(rounded(sums, bits), to);
    }
  }

 private:
  static constexpr int64_t kEach = C == 1 ? kInts : kPixels;  // outputs at once

  // Where two inputs of each lane lie in 16 bytes, as halves, and the two behind them.
  struct Order {
    uint8_t from[2][16] = {};
    constexpr Order() {
      for (int h = 0; h < 2; ++h)
        for (int i = 0; i < 16; ++i) {
          const int input = (C == 1 ? i / 4 * 4 : i / 4) + (2 * h + i % 4 / 2) * C;
          from[h][i] = static_cast<uint8_t>(i % 2 ? 0x80 : input);
        }
    }
  };
  static constexpr Order kOrder{};

  struct Inputs {
    const uint8_t* row;
    const int32_t* first;
    const uint8_t* pixel[kPixels];

    [[gnu::always_inline]] Inputs(const uint8_t* r, const int32_t* f) : row(r), first(f) {
      for (int i = 0; i < kPixels; ++i) pixel[i] = r + int64_t{f[i]} * C;
    }
    [[gnu::always_inline]] Ints four(int64_t shift) const {
      return C == 1 ? words(row + shift, first) : pixels(pixel, shift);
    }
  };

  // Four bytes for each pixel: what is beyond its channels is written over by the next one.
  [[gnu::always_inline]] static void put(Narrow bytes, uint8_t* to) {
    if (C == 1) return void(__builtin_memcpy(to, &bytes, kInts));
    for (int i = 0; i < kPixels; ++i) {
      const uint32_t pixel = bytes[i];
      __builtin_memcpy(to + i * C, &pixel, sizeof pixel);
    }
  }

  const int64_t pairs_, groups_;
  const Scratch<int32_t> first_, weight_;
};

// The channels of a pixel are columns.
class ManyChannels final : public Along {
 public:
  ManyChannels(const WholeTaps& t, int64_t channels) : Along(t, kBehind), channels_(channels), pairs_(t) {}
  void sum(const uint8_t* row, uint8_t* to, const uint8_t** inputs) const override {
    for (int64_t o = 0; o < taps.out; ++o, to += channels_) {
      for (int64_t k = 0; k < 2 * pairs_.pairs; ++k)
        inputs[k] = row + (k < taps.count[o] ? taps.first[o] + k : taps.first[o]) * channels_;
      pairs_.sum(inputs, o, channels_, to);
    }
  }

 private:
  const int64_t channels_;
  const RowPairs pairs_;
};

// ---- planes ----

class Resize {
 public:
  Resize(const TapSumArgs& a, const Along& along, const WholeTaps& down)
      : x_(static_cast<const uint8_t*>(a.x)),
        out_(static_cast<uint8_t*>(a.out)),
        planes_(a.geometry.planes),
        bytes_(along.taps.size * a.geometry.channels),
        sums_(along.taps.out * a.geometry.channels),
        along_(along),
        down_(down) {}

  void run() const {
    const WholeTaps& d = down_.taps;
    const int64_t per = ceil_div(d.out, kRows), pieces = planes_ * per;
    const int64_t work = planes_ * sums_ * (d.out * d.most + d.size * along_.taps.most);
    const int64_t blocks = larger(1, smaller(work / kGrain, pieces));
    parallel_blocks(blocks, [&](int64_t block) {
      const Kept kept(*this);
      for (int64_t i = pieces * block / blocks; i < pieces * (block + 1) / blocks; ++i)
        piece(kept, i / per, i % per * kRows);
    });
  }

 private:
  // Rows that were summed along themselves: row r of a plane in place r % most, where `row` tells it.
  struct Kept {
    explicit Kept(const Resize& r)
        : bytes(r.sums_ + kBehind),
          sums(r.down_.taps.most * bytes),
          beyond(r.bytes_ + r.along_.behind),
          row(r.down_.taps.most),
          inputs(2 * larger(r.down_.pairs, ceil_div(r.along_.taps.most, 2))) {}
    int64_t bytes;
    Scratch<uint8_t> sums, beyond;
    Scratch<int64_t> row;
    Scratch<const uint8_t*> inputs;
  };

  void piece(const Kept& kept, int64_t plane, int64_t begin) const {
    const WholeTaps& d = down_.taps;
    for (int64_t i = 0; i < d.most; ++i) kept.row[i] = -1;
    for (int64_t o = begin; o < smaller(d.out, begin + kRows); ++o) {
      for (int64_t k = 0; k < larger(1, d.count[o]); ++k) keep(kept, plane, d.first[o] + k);
      for (int64_t k = 0; k < 2 * down_.pairs; ++k)
        kept.inputs[k] = &kept.sums[(k < d.count[o] ? d.first[o] + k : d.first[o]) % d.most * kept.bytes];
      down_.sum(kept.inputs.data(), o, sums_, out_ + (plane * d.out + o) * sums_);
    }
  }

  void keep(const Kept& kept, int64_t plane, int64_t row) const {
    const int64_t place = row % down_.taps.most;
    if (kept.row[place] == row) return;
    kept.row[place] = row;
    const int64_t at = plane * down_.taps.size + row, behind = (planes_ * down_.taps.size - at - 1) * bytes_;
    const uint8_t* from = x_ + at * bytes_;
    if (behind < along_.behind) {  // the row is copied to where more can be read
      for (int64_t i = 0; i < bytes_; ++i) kept.beyond[i] = from[i];
      from = kept.beyond.data();
    }
    along_.sum(from, &kept.sums[place * kept.bytes], kept.inputs.data());
  }

  const uint8_t* x_;
  uint8_t* out_;
  const int64_t planes_, bytes_, sums_;  // bytes of a row, before and after
  const Along& along_;
  const RowPairs down_;
};

}  // namespace

void resize_bytes(const TapSumArgs& a) {
  const WholeTaps along(a.geometry.dim[2]), down(a.geometry.dim[1]);
  switch (a.geometry.channels) {
    case 1: return Resize(a, FewChannels<1>(along), down).run();
    case 3: return Resize(a, FewChannels<3>(along), down).run();
    case 4: return Resize(a, FewChannels<4>(along), down).run();
    default: Resize(a, ManyChannels(along, a.geometry.channels), down).run();
  }
}

}  // namespace gradcore::GC_ISA
