#include "kernels/portable/convert.h"

#include <cstdint>
#include <type_traits>

namespace gradcore::portable {

namespace {

// Any element: an integer, as the bits of 64, or a float.
struct Element {
  bool is_float, is_signed;
  uint64_t bits;
  double number;
};

template <class T> Element load(const char* p) {
  if constexpr (std::is_same_v<T, bool>)
    return {false, false, *reinterpret_cast<const uint8_t*>(p) != 0, 0};
  else if constexpr (is_floating_type<T>)
    return {true, true, 0, static_cast<double>(*reinterpret_cast<const T*>(p))};
  else
    return {false, std::is_signed_v<T>, static_cast<uint64_t>(*reinterpret_cast<const T*>(p)), 0};
}

// What lies in no range, NaN too, is 2^63, as x86 has it.
uint64_t integer_of(double x) {
  if (x > -0x1p63 && x < 0x1p63) return static_cast<uint64_t>(static_cast<int64_t>(x));
  if (x >= 0x1p63 && x < 0x1p64) return static_cast<uint64_t>(x);
  return uint64_t{1} << 63;
}

template <class T> void store(char* p, const Element& e) {
  if constexpr (std::is_same_v<T, bool>)
    *reinterpret_cast<uint8_t*>(p) = e.is_float ? e.number != 0 : e.bits != 0;
  else if constexpr (!is_floating_type<T>)
    *reinterpret_cast<T*>(p) = static_cast<T>(e.is_float ? integer_of(e.number) : e.bits);
  else if (e.is_float)
    *reinterpret_cast<T*>(p) = static_cast<T>(e.number);
  else
    *reinterpret_cast<T*>(p) = e.is_signed ? static_cast<T>(static_cast<int64_t>(e.bits)) : static_cast<T>(e.bits);
}

using LoadFn = Element (*)(const char*);
using StoreFn = void (*)(char*, const Element&);

}  // namespace

void convert(DType to, DType from, const LoopArgs& a) {
  const LoadFn load_one = visit_dtype(from, []<class T>(TypeTag<T>) -> LoadFn { return load<T>; });
  const StoreFn store_one = visit_dtype(to, []<class T>(TypeTag<T>) -> StoreFn { return store<T>; });
  for (int64_t j = 0; j < a.m; ++j)
    for (int64_t i = 0; i < a.n; ++i)
      store_one(a.ptr[0] + j * a.outer[0] + i * a.inner[0], load_one(a.ptr[1] + j * a.outer[1] + i * a.inner[1]));
}

}  // namespace gradcore::portable
