// Signatures: one string for each overload drives the parser, the error text, help() and the stub file. Start at
// SignatureReader, which also checks a row against its C++ function while that is compiled (ops/register.h).
//   "sum(Tensor input, int[1]? dim, bool keepdim=False, *, dtype? dtype=None, Tensor? out=None) -> Tensor"
// Types: Tensor, Number, Operand (a tensor or a number), int, float, bool, str, dtype, device, Generator, Layout,
// MemoryFormat, Reduction, None, object; int[] (a sequence or, where nothing else is positional, the positional
// arguments), int[n] (a sequence, or a lone int that stands for n of them), Tensor[], Tensor... (a sequence or the
// positional arguments), Number[] (numbers alone, no tensors). `TensorOptions options` stands for a factory's keywords,
// kTensorOptions. A `?` admits None.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "bindings/python.h"

namespace gradcore {

inline constexpr std::string_view kTensorOptions =
    "dtype? dtype=None, Layout? layout=None, device? device=None, bool pin_memory=False, bool requires_grad=False";

// One parameter as it is written.
struct ParamText {
  std::string_view type, name, fallback;  // the type without its `?`
  bool optional = false, has_fallback = false, keyword_only = false;
};

// `out`, and a `device` that is given by name, are no parameters of the C++ function: every call deals with them.
constexpr bool is_special(std::string_view name, bool keyword_only) {
  return name == "out" || (name == "device" && keyword_only);
}

// Reads "(...) -> ..." from left to right.
class SignatureReader {
 public:
  constexpr explicit SignatureReader(std::string_view text) {
    const size_t end = text.find(") -> ");
    if (end == std::string_view::npos) throw "a signature needs a return type";
    rest_ = text.substr(1, end - 1);
    returns_ = text.substr(end + 5);
  }
  constexpr std::string_view returns() const { return returns_; }
  constexpr bool next(ParamText& p) {
    std::string_view item = take();
    if (item == "*") {
      keyword_only_ = true;
      item = take();
    }
    if (item.empty()) return false;
    p = {};
    p.keyword_only = keyword_only_;
    const size_t space = item.find(' ');
    if (space == std::string_view::npos) throw "a parameter needs a type and a name";
    p.type = item.substr(0, space);
    p.name = item.substr(space + 1);
    p.optional = p.type.back() == '?';
    if (p.optional) p.type.remove_suffix(1);
    const size_t equals = p.name.find('=');
    p.has_fallback = equals != std::string_view::npos;
    if (!p.has_fallback) return true;
    p.fallback = p.name.substr(equals + 1);
    p.name = p.name.substr(0, equals);
    return true;
  }

 private:
  constexpr std::string_view take() {
    const size_t comma = rest_.find(", ");
    const std::string_view item = rest_.substr(0, comma);
    rest_ = comma == std::string_view::npos ? std::string_view() : rest_.substr(comma + 2);
    return item;
  }
  std::string_view rest_, returns_;
  bool keyword_only_ = false;
};

enum class ArgType : uint8_t {
  Tensor,
  Number,
  Operand,
  Int,
  Float,
  Bool,
  Ints,
  IntOrInts,
  Tensors,
  SpreadTensors,
  Numbers,
  DType,
  Device,
  Str,
  Generator,
  Layout,
  MemoryFormat,
  Reduction,
  None,
  Object
};

struct Param {
  PyObject* name;  // interned
  const char* text;
  ArgType type;
  uint8_t ints;      // of int[n]: how many a lone int stands for
  uint8_t position;  // as it is written
  bool optional;     // admits None
  bool keyword_only;
  bool without_dims;   // an int that a tensor may stand for only where it has no dims
  PyObject* fallback;  // default; null: required
};

// A signature ready for calls.
struct Signature {
  static constexpr int kFewParams = 16;

  std::string text;                  // "(Tensor input, ...)", as error messages show it
  std::vector<Param> params;         // in order, but that the special ones come last
  std::vector<PyObject*> fallbacks;  // of each; null where it is required
  int positional = 0;
  int required = 0;        // how many are
  int required_until = 0;  // and behind the last of them
  int spread = -1;         // the position of an int[] or Tensor... that may be given one by one
  int out = -1;            // position of `out`
  int device = -1;         // and of `device`
  int dtype = -1;          // and of `dtype`
};

// A method takes no out=.
Signature parse_signature(std::string_view text, bool is_method);
// The text with `TensorOptions options` written out.
std::string full_text(std::string_view text);

bool is_int(PyObject* o);  // or an integer tensor of one element
// The place of the first item, of a list or tuple, that cannot stand among ints, or -1. Bools can behind an int.
int first_no_int(PyObject* const* items, Py_ssize_t n);
int first_no_int(PyObject* list);
bool fits(const Param& p, PyObject* o);
const char* type_text(ArgType t);

}  // namespace gradcore
