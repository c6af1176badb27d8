// What programs may ask of every dtype that torch has: those that tensors have here, and those that are names alone
// (complex64, float8_e5m2 ...). No tensor has one of the latter, but programs mention them, compare and promote them.
#pragma once
#include <cstdint>
#include <span>
#include <string_view>

#include "core/dtype.h"

namespace gradcore {

enum class DTypeKind : uint8_t { Bool, Int, WideUnsigned, Float, Float8, Complex, Quantized };

struct DTypeFacts {
  const char* name;
  const char* scalar_name;  // in torch's messages
  const char* format;       // of the buffer protocol; empty where NumPy has none
  uint8_t size;
  DTypeKind kind;
  bool is_signed;
};

// All of them: a DType is its own number, the names follow.
std::span<const DTypeFacts> all_dtypes();
inline const DTypeFacts& facts_of(int number) { return all_dtypes()[static_cast<size_t>(number)]; }
inline bool has_tensors(int number) { return number < kDTypeCount; }

// As torch answers, with its errors.
int promoted(int a, int b);
bool may_cast(int from, int to);
int complex_of(int number);
int real_of(int number);

// Raises NotImplementedError for a dtype that is a name alone.
[[noreturn]] void fail_name_alone(std::string_view name);
// The same for an element format of the buffer protocol, where it is that of such a dtype.
void check_format_has_tensors(std::string_view format, int64_t item_size);

}  // namespace gradcore
