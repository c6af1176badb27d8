// Signatures: one string for each overload drives the parser, the error text, help() and the stub file. Start at Args
// and register_op().
//   "sum(Tensor input, int[1]? dim=None, bool keepdim=False, *, dtype? dtype=None)"
// Types: Tensor, Number, Operand (a tensor or a number), int, float, bool, int[] (a sequence or, where nothing else is
// positional, the positional arguments), int[1] (a sequence or a lone int), Tensor[], Number[] (numbers alone, no
// tensors), dtype, device, str, Generator, object. A `?` admits None.
#pragma once
#include "bindings/python.h"

namespace gradcore {

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
  Numbers,
  DType,
  Device,
  Str,
  Generator,
  Object
};

struct Param {
  PyObject* name;  // interned
  const char* text;
  ArgType type;
  bool optional;  // admits None
  bool keyword_only;
  PyObject* fallback;  // default; null: required
};

struct Signature {
  std::string text;  // "(Tensor input, ...)"
  std::vector<Param> params;
  int positional = 0;
  int required = 0;
  int out = -1;     // position of `out`
  int device = -1;  // and of `device`
};

constexpr int kMaxParams = 12;

// The bound arguments of a call, in the signature's order.
class Args {
 public:
  PyObject* object(int i) const { return slots_[i]; }
  bool given(int i) const { return slots_[i] != Py_None; }
  Tensor tensor(int i) const { return unwrap(slots_[i]); }
  Tensor tensor_or_none(int i) const { return given(i) ? unwrap(slots_[i]) : Tensor(); }
  Scalar scalar(int i) const { return to_scalar(slots_[i]); }
  int64_t integer(int i) const;
  double number(int i) const;
  bool flag(int i) const;
  Dims dims(int i) const;
  std::string str(int i) const;
  std::vector<Tensor> tensors(int i) const;
  std::vector<Scalar> scalars(int i) const;
  DType dtype(int i, DType otherwise) const { return given(i) ? *to_dtype(slots_[i]) : otherwise; }
  std::optional<int64_t> maybe_integer(int i) const { return given(i) ? std::optional(integer(i)) : std::nullopt; }
  std::optional<Dims> maybe_dims(int i) const { return given(i) ? std::optional(dims(i)) : std::nullopt; }
  std::optional<DType> maybe_dtype(int i) const { return given(i) ? to_dtype(slots_[i]) : std::nullopt; }
  std::optional<Scalar> maybe_scalar(int i) const { return given(i) ? std::optional(scalar(i)) : std::nullopt; }
  Generator* generator(int i) const;

 private:
  friend class Call;
  PyObject* slots_[kMaxParams];
  int lone_ = -1;                // the position of an int[] given as one int
  PyObject* varargs_ = nullptr;  // owned tuple behind an int[] given as separate arguments
};

// An argument that is a tensor or a number, kept alive for the call.
class OperandArg {
 public:
  OperandArg(const Args& a, int i);
  operator const Operand&() const { return operand_; }
  explicit operator bool() const { return given_; }
  Bound bound() const { return given_ ? Bound(operand_) : Bound(); }

 private:
  Tensor tensor_;
  bool given_;
  Operand operand_;
};

using Handler = PyObject* (*)(Args&);

enum OpKind : uint8_t {
  kFunction = 1,  // gradcore.f
  kMethod = 2,    // Tensor.f
  kBoth = 3,
};

// Writes an op's result straight into out=; false where it does not fit, and nothing is done.
using IntoHandler = bool (*)(Args&, const Tensor& out);

// Adds an overload under the signature's name; the first that fits a call is taken.
void register_op(OpKind kind, const char* signature, Handler handler, IntoHandler into = nullptr);

// Filled from the register: what the type and the module are made of.
std::vector<PyMethodDef> op_methods();
void add_functions(const py::object& m);
// (name, kind, [signature texts]) of every op, for the stubs and the tests.
py::list op_table();

void register_ops();      // op_table.cpp
void register_foreach();  // foreach.cpp

}  // namespace gradcore
