// The Python objects that ops are, and the register that they come from. Start at OpRow; rows are written with the
// helpers of ops/register.h.
#pragma once
#include <span>
#include <string_view>

#include "bindings/python.h"

namespace gradcore {

class Args;

using Handler = PyObject* (*)(Args&);
// Writes an op's result straight into out=; false where it does not fit, and nothing is done.
using IntoHandler = bool (*)(Args&, const Tensor& out);

enum OpKind : uint8_t {
  kFunction = 1,  // gradcore.f
  kMethod = 2,    // Tensor.f
  kBoth = 3,
};

// What out= takes besides a tensor of the result's own type.
enum class Out : uint8_t {
  Converts,     // any type that the result can be cast to
  Exact,        // no other type
  ExactOfDims,  // as Exact; as Converts where an operand has no dims, as torch takes it for a number
  Accumulates,  // as Converts, and the op computes in the type of out
  Joins,        // as Converts, but what cannot be cast is a TypeError
  Fills,        // of factories: as Accumulates
  Truth,        // bool or uint8, whatever the result is
  KeepsShape,   // as Fills, and an out of as many elements keeps its shape
  AnyType,      // whatever its type: the results are 0 and 1
};

// What an op does with float16 and bfloat16: Note [Computed as floats] in casting.h.
enum class Halves : uint8_t { ByFamily, Native, AsFloats };

// What autocast casts an op's floats to, float64 apart.
enum class Autocast : uint8_t {
  None,
  Lower,    // its dtype: where that is faster
  Float32,  // where it would not be precise enough
  Widest,   // of those that the op is given
};

// One overload of an op: static data.
struct OpRow {
  std::string_view name;
  std::string_view signature;  // "(Tensor input, ...) -> Tensor"
  std::string_view also;       // further names, with spaces between
  Handler handler;
  const void* function;  // where the pointer to the C++ function stands that the handler calls
  IntoHandler into;
  const void* call;  // and the one of `into`
  OpKind kind;
  Out out;
  bool in_place;   // returns its first argument
  bool holds_gil;  // runs Python code, or is a view
  Halves halves;
  Autocast autocast;
  const char* refuses_halves;  // the kernel that torch has not for them; null: it has one
};

// Adds rows, which must outlive the process. Of one name's overloads the first that fits a call is taken. `halves` is
// for rows that do not say.
void register_rows(std::span<const OpRow> rows, Halves halves = Halves::AsFloats);

// Makes the objects: functions into the module, methods into Tensor.
void add_functions(PyObject* module);
void add_methods(PyTypeObject* tensor);

// (name, signatures of the function, signatures of the method) of every op, for the stubs and the tests.
py::list op_table();

}  // namespace gradcore
