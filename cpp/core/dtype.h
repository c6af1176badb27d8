// Element types and torch's promotion lattice. Start at DType and promote_types().
#pragma once
#include <cstdint>

namespace gradcore {

enum class DType : uint8_t { Bool, UInt8, Int8, Int16, Int32, Int64, Float32, Float64 };
constexpr int kDTypeCount = 8;

// The order matters: a higher category wins a promotion whatever the widths.
enum class Category : uint8_t { Bool, Int, Float };

constexpr int64_t kItemSize[kDTypeCount] = {1, 1, 1, 2, 4, 8, 4, 8};
constexpr const char* kDTypeName[kDTypeCount] = {"bool",  "uint8", "int8",    "int16",
                                                 "int32", "int64", "float32", "float64"};
// The names that torch's messages use for scalar types.
constexpr const char* kScalarTypeName[kDTypeCount] = {"Bool", "Byte", "Char",  "Short",
                                                      "Int",  "Long", "Float", "Double"};

constexpr int index_of(DType t) { return static_cast<int>(t); }
constexpr int64_t item_size(DType t) { return kItemSize[index_of(t)]; }
constexpr const char* dtype_name(DType t) { return kDTypeName[index_of(t)]; }
constexpr const char* scalar_type_name(DType t) { return kScalarTypeName[index_of(t)]; }
constexpr bool is_floating(DType t) { return t >= DType::Float32; }
constexpr bool is_integral(DType t) { return t != DType::Bool && t < DType::Float32; }
constexpr Category category(DType t) {
  return t == DType::Bool ? Category::Bool : is_floating(t) ? Category::Float : Category::Int;
}

// torch's table for two tensors of the same dimension category: uint8 with a signed type needs the next wider signed
// type.
constexpr DType promote_types(DType a, DType b) {
  if (a == b) return a;
  const DType lo = a < b ? a : b, hi = a < b ? b : a;
  if (lo == DType::UInt8 && hi == DType::Int8) return DType::Int16;
  return hi;
}

// Whether a value of type `from` may be stored in a `to` by an in-place op.
constexpr bool can_cast(DType from, DType to) { return category(from) <= category(to); }

template <class T> struct DTypeOf;
template <> struct DTypeOf<bool> {
  static constexpr DType value = DType::Bool;
};
template <> struct DTypeOf<uint8_t> {
  static constexpr DType value = DType::UInt8;
};
template <> struct DTypeOf<int8_t> {
  static constexpr DType value = DType::Int8;
};
template <> struct DTypeOf<int16_t> {
  static constexpr DType value = DType::Int16;
};
template <> struct DTypeOf<int32_t> {
  static constexpr DType value = DType::Int32;
};
template <> struct DTypeOf<int64_t> {
  static constexpr DType value = DType::Int64;
};
template <> struct DTypeOf<float> {
  static constexpr DType value = DType::Float32;
};
template <> struct DTypeOf<double> {
  static constexpr DType value = DType::Float64;
};
template <class T> constexpr DType dtype_of = DTypeOf<T>::value;

template <class T> struct TypeTag {
  using type = T;
};

// Calls f(TypeTag<T>{}) with the C++ type of `t`.
template <class F> constexpr decltype(auto) visit_dtype(DType t, F&& f) {
  switch (t) {
    case DType::Bool: return f(TypeTag<bool>{});
    case DType::UInt8: return f(TypeTag<uint8_t>{});
    case DType::Int8: return f(TypeTag<int8_t>{});
    case DType::Int16: return f(TypeTag<int16_t>{});
    case DType::Int32: return f(TypeTag<int32_t>{});
    case DType::Int64: return f(TypeTag<int64_t>{});
    case DType::Float32: return f(TypeTag<float>{});
    case DType::Float64: break;
  }
  return f(TypeTag<double>{});
}

}  // namespace gradcore
