#include "bindings/dtype_names.h"

#include <algorithm>
#include <array>

#include "core/error.h"

namespace gradcore {

namespace {

using Kind = DTypeKind;

constexpr DTypeFacts kNames[] = {
    {"complex32", "ComplexHalf", "", 4, Kind::Complex, true},
    {"complex64", "ComplexFloat", "Zf", 8, Kind::Complex, true},
    {"complex128", "ComplexDouble", "Zd", 16, Kind::Complex, true},
    {"qint8", "QInt8", "", 1, Kind::Quantized, true},
    {"quint8", "QUInt8", "", 1, Kind::Quantized, false},
    {"qint32", "QInt32", "", 4, Kind::Quantized, true},
    {"quint4x2", "QUInt4x2", "", 1, Kind::Quantized, false},
    {"quint2x4", "QUInt2x4", "", 1, Kind::Quantized, false},
    {"float8_e4m3fn", "Float8_e4m3fn", "", 1, Kind::Float8, true},
    {"float8_e5m2", "Float8_e5m2", "", 1, Kind::Float8, true},
    {"float8_e4m3fnuz", "Float8_e4m3fnuz", "", 1, Kind::Float8, true},
    {"float8_e5m2fnuz", "Float8_e5m2fnuz", "", 1, Kind::Float8, true},
    {"float8_e8m0fnu", "Float8_e8m0fnu", "", 1, Kind::Float8, false},
};

constexpr auto kAll = [] {
  std::array<DTypeFacts, kDTypeCount + std::size(kNames)> all{};
  for (const DTypeInfo& row : kDTypes) {
    const Kind kind = row.category == Category::Float ? Kind::Float
                      : is_wide_unsigned(row.dtype)   ? Kind::WideUnsigned
                      : row.category == Category::Int ? Kind::Int
                                                      : Kind::Bool;
    all[static_cast<size_t>(index_of(row.dtype))] = {row.name, row.scalar_name, row.format, row.size,
                                                     kind,     row.is_signed};
  }
  std::ranges::copy(kNames, all.begin() + kDTypeCount);
  return all;
}();

constexpr int numbered(std::string_view name) {
  for (size_t i = 0; i < kAll.size(); ++i)
    if (kAll[i].name == name) return static_cast<int>(i);
  throw "no dtype has this name";
}
constexpr int kHalf = numbered("float16"), kBFloat16 = numbered("bfloat16");
constexpr int kFloat = numbered("float32"), kDouble = numbered("float64");
constexpr int kComplex32 = numbered("complex32"), kComplex64 = numbered("complex64"),
              kComplex128 = numbered("complex128");

Kind kind_of(int number) { return facts_of(number).kind; }

[[noreturn]] void fail_promotion(std::string_view of, int a, int b) {
  fail("Promotion for ", of, " is not supported, attempted to promote ", facts_of(a).scalar_name, " and ",
       facts_of(b).scalar_name);
}

// Of two floats, or a float and what is none.
int promoted_float(int a, int b) {
  if (kind_of(a) != Kind::Float) return b;
  if (kind_of(b) != Kind::Float) return a;
  if (facts_of(a).size != facts_of(b).size) return facts_of(a).size > facts_of(b).size ? a : b;
  return a == b ? a : kFloat;  // the two of sixteen bits
}

}  // namespace

std::span<const DTypeFacts> all_dtypes() { return kAll; }

int promoted(int a, int b) {
  if (a == b) return a;
  if (has_tensors(a) && has_tensors(b)) return index_of(promote_types(static_cast<DType>(a), static_cast<DType>(b)));
  const auto either = [&](Kind kind) { return kind_of(a) == kind || kind_of(b) == kind; };
  if (either(Kind::Quantized))
    fail(
        "promoteTypes with quantized numbers is not handled yet; figure out what the correct rules should be, "
        "offending types: ",
        facts_of(a).scalar_name, " ", facts_of(b).scalar_name);
  if (either(Kind::Float8)) fail_promotion("Float8 Types", a, b);
  if (either(Kind::WideUnsigned) && !either(Kind::Float)) fail_promotion("uint16, uint32, uint64 types", a, b);
  if (!either(Kind::Complex)) return promoted_float(a, b);
  return complex_of(promoted_float(real_of(a), real_of(b)));
}

bool may_cast(int from, int to) {
  const Kind f = kind_of(from), t = kind_of(to);
  const bool to_integer = t == Kind::Bool || t == Kind::Int || t == Kind::WideUnsigned;
  if (f == Kind::Complex && t != Kind::Complex) return false;
  if ((f == Kind::Float || f == Kind::Float8) && to_integer) return false;
  return f == Kind::Bool || t != Kind::Bool;
}

int complex_of(int number) {
  if (kind_of(number) == Kind::Complex) return number;
  if (number == kHalf) return kComplex32;
  if (number == kFloat || number == kBFloat16) return kComplex64;
  if (number == kDouble) return kComplex128;
  fail("Unknown Complex ScalarType for ", facts_of(number).scalar_name);
}

int real_of(int number) {
  if (number == kComplex32) return kHalf;
  if (number == kComplex64) return kFloat;
  return number == kComplex128 ? kDouble : number;
}

void fail_name_alone(std::string_view name) {
  fail(ErrorKind::NotImplemented, "torch.", name, " is a name alone: gradcore has no tensors of this dtype");
}

void check_format_has_tensors(std::string_view format, int64_t item_size) {
  for (const DTypeFacts& row : kNames)
    if (*row.format && format == row.format && item_size == row.size) fail_name_alone(row.name);
}

}  // namespace gradcore
