// Element types and torch's promotion lattice. Start at kDTypes; a new dtype is a name in DType, a row there and a C++
// type in AllTypes.
#pragma once
#include <cstdint>

#include "core/type_list.h"

namespace gradcore {

enum class DType : uint8_t { Bool, UInt8, Int8, Int16, Int32, Int64, Float32, Float64 };
constexpr int kDTypeCount = static_cast<int>(DType::Float64) + 1;
constexpr int index_of(DType t) { return static_cast<int>(t); }

// The order matters: a higher category wins a promotion whatever the widths.
enum class Category : uint8_t { Bool, Int, Float };

struct DTypeInfo {
  DType dtype;
  const char* name;
  const char* scalar_name;  // in torch's messages, and in the names of torch.FloatTensor and its like
  const char* format;       // of the buffer protocol
  uint8_t size;             // bytes
  Category category;
  bool is_signed;
};
// In the order of DType.
constexpr DTypeInfo kDTypes[kDTypeCount] = {
    {DType::Bool, "bool", "Bool", "?", 1, Category::Bool, false},
    {DType::UInt8, "uint8", "Byte", "B", 1, Category::Int, false},
    {DType::Int8, "int8", "Char", "b", 1, Category::Int, true},
    {DType::Int16, "int16", "Short", "h", 2, Category::Int, true},
    {DType::Int32, "int32", "Int", "i", 4, Category::Int, true},
    {DType::Int64, "int64", "Long", "l", 8, Category::Int, true},
    {DType::Float32, "float32", "Float", "f", 4, Category::Float, true},
    {DType::Float64, "float64", "Double", "d", 8, Category::Float, true},
};
// The C++ types, in the same order, and those among them in which floats are computed.
using AllTypes = TypeList<bool, uint8_t, int8_t, int16_t, int32_t, int64_t, float, double>;
using FloatTypes = TypeList<float, double>;

template <class T> constexpr DType dtype_of = static_cast<DType>(IndexIn<T, AllTypes>::value);

constexpr const DTypeInfo& info_of(DType t) { return kDTypes[index_of(t)]; }
constexpr int64_t item_size(DType t) { return info_of(t).size; }
constexpr const char* dtype_name(DType t) { return info_of(t).name; }
constexpr const char* scalar_type_name(DType t) { return info_of(t).scalar_name; }
constexpr Category category(DType t) { return info_of(t).category; }

// One bit for each dtype of a category: a test without a load.
constexpr uint32_t dtypes_in(Category c) {
  uint32_t bits = 0;
  for (const DTypeInfo& row : kDTypes) bits |= static_cast<uint32_t>(row.category == c) << index_of(row.dtype);
  return bits;
}
constexpr bool is_floating(DType t) { return dtypes_in(Category::Float) >> index_of(t) & 1; }
constexpr bool is_integral(DType t) { return dtypes_in(Category::Int) >> index_of(t) & 1; }

// Note [Promotion]
// torch's rule for two tensors of the same dimension category. The higher category wins; within one the wider type
// does. An unsigned integer and a signed one meet in the narrowest signed type that holds both, two floats of one width
// in the next wider float.
constexpr int promoted_by_rule(const DTypeInfo& x, const DTypeInfo& y) {
  if (x.category != y.category) return index_of(x.category > y.category ? x.dtype : y.dtype);
  if (x.dtype == y.dtype) return index_of(x.dtype);
  const bool is_signed = x.is_signed || y.is_signed;
  const DTypeInfo& without_sign = x.is_signed ? y : x;
  int least = x.size > y.size ? x.size : y.size;
  if (x.is_signed == y.is_signed ? x.size == y.size : without_sign.size == least) ++least;
  for (const DTypeInfo& row : kDTypes)
    if (row.category == x.category && row.is_signed == is_signed && row.size >= least) return index_of(row.dtype);
  return -1;  // refused at compile time, below
}
struct PromotionTable {
  DType of[kDTypeCount][kDTypeCount];
  bool complete;
  constexpr PromotionTable() : of(), complete(true) {
    for (int i = 0; i < kDTypeCount; ++i)
      for (int j = 0; j < kDTypeCount; ++j) {
        const int found = promoted_by_rule(kDTypes[i], kDTypes[j]);
        complete &= found >= 0;
        of[i][j] = static_cast<DType>(found);
      }
  }
};
constexpr PromotionTable kPromotions;
static_assert(kPromotions.complete);
constexpr DType promote_types(DType a, DType b) { return kPromotions.of[index_of(a)][index_of(b)]; }

// Whether a value of type `from` may be stored in a `to` by an in-place op.
constexpr bool can_cast(DType from, DType to) { return category(from) <= category(to); }

// Calls f(TypeTag<T>{}) with the C++ type of `t`.
template <class F, class T, class... Rest> constexpr decltype(auto) visit_in(DType t, F&& f, TypeList<T, Rest...>) {
  if constexpr (sizeof...(Rest) == 0) {
    return f(TypeTag<T>{});
  } else {
    if (t == dtype_of<T>) return f(TypeTag<T>{});
    return visit_in(t, f, TypeList<Rest...>{});
  }
}
template <class F> constexpr decltype(auto) visit_dtype(DType t, F&& f) { return visit_in(t, f, AllTypes{}); }

// One entry for each dtype, or for each that floats are computed in: of kernels, say.
template <class Fn> struct DTypeRow {
  Fn of[kDTypeCount];
  [[gnu::always_inline]] constexpr const Fn& operator[](DType t) const { return of[index_of(t)]; }
};
template <class Fn> struct FloatRow {
  Fn of[FloatTypes::size];
  [[gnu::always_inline]] constexpr const Fn& operator[](DType t) const {
    return of[index_of(t) - index_of(dtype_of<float>)];
  }
};
static_assert(dtype_of<double> == static_cast<DType>(index_of(dtype_of<float>) + 1));

// A row whose entry for T is make(TypeTag<T>{}).
template <class Fn, class Make, class... Ts> constexpr DTypeRow<Fn> dtype_row(const Make& make, TypeList<Ts...>) {
  return {{make(TypeTag<Ts>{})...}};
}
template <class Fn, class Make> constexpr DTypeRow<Fn> by_dtype(const Make& make) {
  return dtype_row<Fn>(make, AllTypes{});
}
template <class Fn, class Make, class... Ts> constexpr FloatRow<Fn> float_row(const Make& make, TypeList<Ts...>) {
  return {{make(TypeTag<Ts>{})...}};
}
template <class Fn, class Make> constexpr FloatRow<Fn> by_float(const Make& make) {
  return float_row<Fn>(make, FloatTypes{});
}

constexpr bool rows_agree() {
  for (int i = 0; i < kDTypeCount; ++i) {
    const DType t = kDTypes[i].dtype;
    if (index_of(t) != i) return false;
    if (visit_dtype(t, []<class T>(TypeTag<T>) { return sizeof(T); }) != kDTypes[i].size) return false;
  }
  return AllTypes::size == kDTypeCount;
}
static_assert(rows_agree());

}  // namespace gradcore
