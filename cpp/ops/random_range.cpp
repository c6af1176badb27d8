#include "ops/random_range.h"

#include <bit>
#include <limits>
#include <type_traits>

#include "core/warning.h"

namespace gradcore {

namespace {

// Every integer up to 2^digits is a value of the type.
int digits_of(DType t) {
  return visit_in(t, []<class T>(TypeTag<T>) { return std::numeric_limits<T>::digits; }, FloatingTypes{});
}

// Through the floating type and back; 2^63 comes back as x86 has it, the least integer.
int64_t round_trip(DType t, int64_t v) {
  const double held =
      visit_in(t, [&]<class T>(TypeTag<T>) { return static_cast<double>(static_cast<T>(v)); }, FloatingTypes{});
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
constexpr const char* kTypeName[kDTypeCount] = {
    "bool",   "unsigned char", "signed char",   "short int", "int",      "long",    "float",
    "double", "c10::Half",     "c10::BFloat16", "uint16_t",  "uint32_t", "uint64_t"};

template <class T> constexpr int64_t greatest() {
  if constexpr (std::is_same_v<T, bool>) return 1;
  if constexpr (is_floating_type<T>)
    return int64_t{1} << std::numeric_limits<T>::digits;
  else if constexpr (std::is_same_v<T, uint64_t>)
    return std::numeric_limits<int64_t>::max();  // bounds are int64
  else
    return static_cast<int64_t>(std::numeric_limits<T>::max());
}

// Above them not every integer is a value of the type, and some are drawn more often than others.
void warn_of_gaps(DType dtype, const char* bound, int64_t value) {
  const int digits = digits_of(dtype);
  const int64_t most = int64_t{1} << digits;
  if (value >= -most && value <= most) return;
  warn(bound, " is out of bounds [-(2^", digits, "), 2^", digits, "]. Due to precision limitations ",
       kTypeName[index_of(dtype)], " can support discrete uniform distribution only within this range.");
}

void check_bounds(DType dtype, int64_t from, int64_t last) {
  if (dtype == DType::Float16) {
    constexpr int64_t kMost = 65504;
    check(from >= -kMost && from <= kMost, "from is out of bounds for c10::Half");
    check(last >= -kMost && last <= kMost, "to - 1 is out of bounds for c10::Half");
  }
  if (is_floating(dtype)) {  // every int64 lies between the extremes of the others
    warn_of_gaps(dtype, "from", from);
    warn_of_gaps(dtype, "to - 1", last);
    return;
  }
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

}  // namespace gradcore
