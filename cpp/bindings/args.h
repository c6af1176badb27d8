// The arguments of a call, bound to a signature. Start at Args; Call (call.h) binds them.
#pragma once
#include <memory>

#include "autograd/modes.h"
#include "bindings/op_function.h"
#include "bindings/signature.h"
#include "ops/options.h"

namespace gradcore {

class Generator;

MemoryFormat to_memory_format(PyObject* o);  // types.cpp

// The positions are those of the C++ function's parameters.
class Args {
 public:
  PyObject* object(int i) const { return slots_[i]; }
  bool given(int i) const { return object(i) != Py_None; }
  Tensor tensor(int i) const { return unwrap(object(i)); }
  Scalar scalar(int i) const { return to_scalar(object(i)); }
  int64_t integer(int i) const { return to_int64(object(i)); }
  double number(int i) const;
  bool flag(int i) const;
  Dims dims(int i) const;
  std::string_view str(int i) const;  // as long as the argument lives
  std::vector<Tensor> tensors(int i) const;
  std::vector<Scalar> scalars(int i) const;
  DType dtype(int i) const { return *to_dtype(object(i)); }
  Generator* generator(int i) const;
  MemoryFormat memory_format(int i) const;
  Reduction reduction(int i) const;
  void check_layout(int i) const;
  // The tensor given as out=, null without one.
  PyObject* out() const;
  const OpRow& row() const { return *row_; }
  // Whether the op may compute without the GIL: Note [Away from the GIL] in gil.h.
  bool may_leave_gil() const;
  // Note [Computed as floats] in casting.h.
  bool computes_halves_as_floats() const { return as_floats_; }
  // Whether some argument might be cast.
  bool may_cast() const { return as_floats_ | modes.autocast; }

 private:
  friend class Call;

  const Signature* signature_ = nullptr;
  const OpRow* row_ = nullptr;
  PyObject* inline_[Signature::kFewParams];
  std::unique_ptr<PyObject*[]> many_;
  PyObject** slots_ = inline_;  // borrowed from the caller, in the signature's order
  bool as_floats_ = false;
  int lone_ = -1;                // the position of an int[] given as one int
  PyObject* varargs_ = nullptr;  // owned tuple behind an int[] given as separate arguments
};

}  // namespace gradcore
