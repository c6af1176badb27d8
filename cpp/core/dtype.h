// Element types and torch's promotion lattice. Start at kDTypes; a new dtype is a name in DType, a row there and a C++
// type in AllTypes.
//
// Note [Stored and computed]
// Tensors hold elements of all these types, and kernels compute in the first eight. The floats of sixteen bits are
// computed in float32, converted a block at a time on load and store, so that no formula is compiled for them. The
// unsigned integers behind them are little more than storage, as in torch. docs/adr/0013 says why.
#pragma once
#include <cstdint>

#include "core/half.h"
#include "core/type_list.h"

namespace gradcore {

enum class DType : uint8_t {
  Bool,
  UInt8,
  Int8,
  Int16,
  Int32,
  Int64,
  Float32,
  Float64,
  Float16,
  BFloat16,
  UInt16,
  UInt32,
  UInt64
};
constexpr int kDTypeCount = static_cast<int>(DType::UInt64) + 1;
constexpr int kComputedCount = static_cast<int>(DType::Float64) + 1;  // Note [Stored and computed]
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
    {DType::Float16, "float16", "Half", "e", 2, Category::Float, true},
    {DType::BFloat16, "bfloat16", "BFloat16", "", 2, Category::Float, true},  // NumPy has none
    {DType::UInt16, "uint16", "UInt16", "H", 2, Category::Int, false},
    {DType::UInt32, "uint32", "UInt32", "I", 4, Category::Int, false},
    {DType::UInt64, "uint64", "UInt64", "L", 8, Category::Int, false},
};
// The C++ types, in the same order; those among them that kernels compute in, and in which floats are computed.
using AllTypes = TypeList<bool, uint8_t, int8_t, int16_t, int32_t, int64_t, float, double, half, bfloat16, uint16_t,
                          uint32_t, uint64_t>;
using ComputedTypes = TypeList<bool, uint8_t, int8_t, int16_t, int32_t, int64_t, float, double>;
using FloatTypes = TypeList<float, double>;
using FloatingTypes = TypeList<float, double, half, bfloat16>;

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
constexpr bool is_half(DType t) { return t == DType::Float16 || t == DType::BFloat16; }
constexpr bool is_wide_unsigned(DType t) { return t >= DType::UInt16; }
constexpr bool is_computed(DType t) { return index_of(t) < kComputedCount; }
// What elements of `t` are computed in.
constexpr DType computed_in(DType t) { return is_half(t) ? DType::Float32 : t; }

// Note [Promotion]
// torch's rule for two tensors of the same dimension category. The higher category wins; within one the wider type
// does. An unsigned integer and a signed one meet in the narrowest signed type that holds both, two floats of one width
// in the next wider float. The wide unsigned integers meet floats and themselves alone.
constexpr int kNoPromotion = 255;
constexpr int promoted_by_rule(const DTypeInfo& x, const DTypeInfo& y) {
  if (x.dtype == y.dtype) return index_of(x.dtype);
  const bool is_float = x.category == Category::Float || y.category == Category::Float;
  if (!is_float && (is_wide_unsigned(x.dtype) || is_wide_unsigned(y.dtype))) return kNoPromotion;
  if (x.category != y.category) return index_of(x.category > y.category ? x.dtype : y.dtype);
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
[[noreturn, gnu::cold]] void fail_promotion(DType a, DType b);
constexpr DType promote_types(DType a, DType b) {
  const DType t = kPromotions.of[index_of(a)][index_of(b)];
  if (index_of(t) == kNoPromotion) [[unlikely]]
    fail_promotion(a, b);
  return t;
}

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

// "not implemented for 'Half'", where a kernel of computed types meets another.
[[noreturn, gnu::cold]] void fail_not_computed(DType t);
// The same for the types that kernels compute in; raises for others.
template <class F> constexpr decltype(auto) visit_computed(DType t, F&& f) {
  if (!is_computed(t)) [[unlikely]]
    fail_not_computed(t);
  return visit_in(t, f, ComputedTypes{});
}
// For those that floats are computed in.
template <class F> constexpr decltype(auto) visit_float(DType t, F&& f) {
  if (t != DType::Float32 && t != DType::Float64) [[unlikely]]
    fail_not_computed(t);
  return visit_in(t, f, FloatTypes{});
}

// One entry for each dtype, for each that floats are computed in, or for each float of any width: of kernels, say.
template <class Fn> struct DTypeRow {
  Fn of[kDTypeCount];
  [[gnu::always_inline]] constexpr const Fn& operator[](DType t) const { return of[index_of(t)]; }
};
template <class Fn, class List> struct RowOfFloats {
  Fn of[List::size];
  // Raises for a dtype that has no entry.
  [[gnu::always_inline]] constexpr const Fn& operator[](DType t) const {
    const auto i = static_cast<unsigned>(index_of(t) - index_of(dtype_of<float>));
    if (i >= unsigned{List::size}) [[unlikely]]
      fail_not_computed(t);
    return of[i];
  }
};
template <class Fn> using FloatRow = RowOfFloats<Fn, FloatTypes>;
template <class Fn> using FloatingRow = RowOfFloats<Fn, FloatingTypes>;
static_assert(dtype_of<double> == static_cast<DType>(index_of(dtype_of<float>) + 1));
static_assert(dtype_of<half> == static_cast<DType>(index_of(dtype_of<float>) + 2));
static_assert(dtype_of<bfloat16> == static_cast<DType>(index_of(dtype_of<float>) + 3));

// A row whose entry for T is make(TypeTag<T>{}).
template <class Fn, class Make, class... Ts> constexpr DTypeRow<Fn> dtype_row(const Make& make, TypeList<Ts...>) {
  return {{make(TypeTag<Ts>{})...}};
}
template <class Fn, class Make> constexpr DTypeRow<Fn> by_dtype(const Make& make) {
  return dtype_row<Fn>(make, AllTypes{});
}
template <class Fn, class Make, class... Ts>
constexpr RowOfFloats<Fn, TypeList<Ts...>> row_of_floats(const Make& make, TypeList<Ts...>) {
  return {{make(TypeTag<Ts>{})...}};
}
template <class Fn, class Make> constexpr FloatRow<Fn> by_float(const Make& make) {
  return row_of_floats<Fn>(make, FloatTypes{});
}
template <class Fn, class Make> constexpr FloatingRow<Fn> by_floating(const Make& make) {
  return row_of_floats<Fn>(make, FloatingTypes{});
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
