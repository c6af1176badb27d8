// half and bfloat16: floats of sixteen bits, for keeping numbers. They compute as float: an operator converts them, and
// an explicit conversion rounds back, to the nearest and to even. All is inlined, so that no instruction set's code
// serves another's.
#pragma once
#include <cstdint>
#include <limits>

namespace gradcore {

#define GC_HALF_INLINE [[gnu::always_inline]] inline

// IEEE 754's binary16.
GC_HALF_INLINE constexpr float float_of_half_bits(uint16_t h) {
  constexpr uint32_t kExponent = 0x7c00u << 13;
  const uint32_t shifted = static_cast<uint32_t>(h & 0x7fff) << 13, exponent = shifted & kExponent;
  const uint32_t rebased = shifted + (uint32_t{127 - 15} << 23);
  const uint32_t quiet = h & 0x3ff ? uint32_t{1} << 22 : 0;
  const uint32_t beyond = (rebased + (uint32_t{128 - 16} << 23)) | quiet;  // of inf and NaN
  // A denormal gets a leading one, which the subtraction takes away.
  const float small = __builtin_bit_cast(float, rebased + (uint32_t{1} << 23)) - 0x1p-14f;
  const uint32_t bits = exponent == kExponent ? beyond : exponent == 0 ? __builtin_bit_cast(uint32_t, small) : rebased;
  return __builtin_bit_cast(float, bits | static_cast<uint32_t>(h & 0x8000) << 16);
}
GC_HALF_INLINE constexpr uint16_t half_bits_of(float x) {
  const uint32_t all = __builtin_bit_cast(uint32_t, x), bits = all & 0x7fffffff;
  // The addition rounds a denormal's bits at their place.
  const float aligned = __builtin_bit_cast(float, bits) + 0.5f;
  const uint32_t small = __builtin_bit_cast(uint32_t, aligned) - __builtin_bit_cast(uint32_t, 0.5f);
  const uint32_t normal = (bits - (uint32_t{127 - 15} << 23) + 0xfff + (bits >> 13 & 1)) >> 13;
  const uint32_t in_range = bits < 0x38800000 ? small : normal;  // 2^-14
  const uint32_t beyond = bits > 0x7f800000 ? 0x7e00 : 0x7c00;
  const uint32_t out = bits >= 0x47800000 ? beyond : in_range;  // 2^16
  return static_cast<uint16_t>(out | (all >> 16 & 0x8000));
}

// The upper half of a float.
GC_HALF_INLINE constexpr float float_of_bfloat16_bits(uint16_t h) {
  return __builtin_bit_cast(float, static_cast<uint32_t>(h) << 16);
}
GC_HALF_INLINE constexpr uint16_t bfloat16_bits_of(float x) {
  const uint32_t bits = __builtin_bit_cast(uint32_t, x);
  const uint32_t rounded = (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
  return static_cast<uint16_t>((bits & 0x7fffffff) > 0x7f800000 ? 0x7fc0 : rounded);
}

struct half {
  uint16_t bits;
  half() = default;
  // Through float, from whatever type, as torch does.
  template <class T> GC_HALF_INLINE explicit constexpr half(T x) : bits(half_bits_of(static_cast<float>(x))) {}
  GC_HALF_INLINE constexpr operator float() const { return float_of_half_bits(bits); }
  GC_HALF_INLINE static constexpr half from_bits(uint16_t b) {
    half h{};
    h.bits = b;
    return h;
  }
};
struct bfloat16 {
  uint16_t bits;
  bfloat16() = default;
  template <class T> GC_HALF_INLINE explicit constexpr bfloat16(T x) : bits(bfloat16_bits_of(static_cast<float>(x))) {}
  GC_HALF_INLINE constexpr operator float() const { return float_of_bfloat16_bits(bits); }
  GC_HALF_INLINE static constexpr bfloat16 from_bits(uint16_t b) {
    bfloat16 h{};
    h.bits = b;
    return h;
  }
};
#undef GC_HALF_INLINE

template <class T> constexpr bool is_half_type = __is_same(T, half) || __is_same(T, bfloat16);
// Of any width.
template <class T> constexpr bool is_floating_type = __is_same(T, float) || __is_same(T, double) || is_half_type<T>;

}  // namespace gradcore

template <> struct std::numeric_limits<gradcore::half> {
  static constexpr bool is_specialized = true, is_iec559 = true, is_signed = true, is_integer = false;
  static constexpr int digits = 11;
  static constexpr gradcore::half infinity() { return gradcore::half::from_bits(0x7c00); }
  static constexpr gradcore::half quiet_NaN() { return gradcore::half::from_bits(0x7e00); }
  static constexpr gradcore::half max() { return gradcore::half::from_bits(0x7bff); }
  static constexpr gradcore::half lowest() { return gradcore::half::from_bits(0xfbff); }
  static constexpr gradcore::half min() { return gradcore::half::from_bits(0x0400); }
  static constexpr gradcore::half epsilon() { return gradcore::half::from_bits(0x1400); }
};
template <> struct std::numeric_limits<gradcore::bfloat16> {
  static constexpr bool is_specialized = true, is_iec559 = true, is_signed = true, is_integer = false;
  static constexpr int digits = 8;
  static constexpr gradcore::bfloat16 infinity() { return gradcore::bfloat16::from_bits(0x7f80); }
  static constexpr gradcore::bfloat16 quiet_NaN() { return gradcore::bfloat16::from_bits(0x7fc0); }
  static constexpr gradcore::bfloat16 max() { return gradcore::bfloat16::from_bits(0x7f7f); }
  static constexpr gradcore::bfloat16 lowest() { return gradcore::bfloat16::from_bits(0xff7f); }
  static constexpr gradcore::bfloat16 min() { return gradcore::bfloat16::from_bits(0x0080); }
  static constexpr gradcore::bfloat16 epsilon() { return gradcore::bfloat16::from_bits(0x3c00); }
};
