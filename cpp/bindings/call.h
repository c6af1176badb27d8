// A call of an op: chooses the overload, binds the arguments, runs it, deals with out=. Start at call_method() and
// Call::run().
#pragma once
#include "bindings/args.h"

namespace gradcore {

// Its signature is parsed by the first call: a thousand of them would be half of the time that an import takes.
class Overload {
 public:
  Overload(const OpRow* row, bool is_method, bool as_floats)
      : row_(row), is_method_(is_method), as_floats_(as_floats) {}
  const OpRow& row() const { return *row_; }
  bool computes_halves_as_floats() const { return as_floats_; }
  const Signature& signature() const {
    if (!signature_) [[unlikely]]
      signature_ = new Signature(parse_signature(row_->signature, is_method_));
    return *signature_;
  }

 private:
  const OpRow* row_;
  mutable const Signature* signature_ = nullptr;  // for the process's life
  bool is_method_, as_floats_;
};

// A function or a method: a name and its overloads.
struct OpEntry {
  std::string name;
  bool is_method;
  std::vector<Overload> overloads;

  // What messages call it: in _C the ops of nn.functional are named _nn_linear and so on, those of linalg _linalg_det,
  // those of special _special_zeta.
  const char* shown() const {
    const int hidden = name.starts_with("_nn_") ? 4 : name.starts_with("_linalg_") || name.starts_with("_special_");
    return name.c_str() + hidden;
  }

  // Note [Remembered overloads]
  // Whether an overload has too few or too many parameters, or lacks a keyword, depends only on the number of
  // positional arguments and on the tuple of keywords, which is the same object whenever a line runs again. For the
  // last such pair we remember how many of the first overloads it rules out.
  struct Remembered {
    Py_ssize_t nargs = -1;
    PyObject* names = nullptr;  // owned
    int ruled_out = 0;
  };
  mutable Remembered remembered;
};

// The Python object: a function or a method.
struct OpFunction {
  PyObject_HEAD vectorcallfunc vectorcall;
  const OpEntry* op;
  PyObject* module;  // __module__; of a method, the Tensor type
  PyObject* weakrefs;
};
inline const OpEntry& op_of(PyObject* self) { return *reinterpret_cast<OpFunction*>(self)->op; }

// What the interpreter calls: vectorcallfunc.
PyObject* call_function(PyObject* self, PyObject* const* args, size_t nargsf, PyObject* names);
PyObject* call_method(PyObject* self, PyObject* const* args, size_t nargsf, PyObject* names);
// A method's TypeError for what is no tensor.
PyObject* refuse_receiver(PyObject* self, PyObject* receiver);

class Call {
 public:
  Call(const OpEntry& op, PyObject* self, PyObject* const* args, Py_ssize_t nargs, PyObject* names)
      : op_(op), self_(self), args_(args), nargs_(nargs), names_(names) {}
  ~Call() { Py_XDECREF(bound_.varargs_); }
  Call(const Call&) = delete;

  // Null, without an error, where no overload fits.
  PyObject* run();
  // Raises TypeError: why none does.
  [[noreturn]] void explain();

 private:
  // Shape: no arguments in these numbers and with these keywords fit.
  enum class Fit : uint8_t { Yes, Type, Shape };

  // Puts the arguments into the slots.
  Fit bind(const Overload& o);
  Fit bind_positional(const Signature& s, PyObject** slots);
  Fit bind_spread(const Signature& s, PyObject** slots);
  PyObject* bind_no_tensors();
  Fit bind_keywords(const Signature& s, PyObject** slots, int given);
  std::string why_not(const Overload& o);
  bool may_spread(const Signature& s) const;
  void remember(int ruled_out) const;

  PyObject* invoke();
  PyObject* invoke_here();
  PyObject* invoke_placed(PyObject* device);
  PyObject* invoke_near_meta();
  template <class F> void for_each_tensor(F&& f) const;
  // Tells who listens the shapes of the tensors that were given.
  template <class F> void report_inputs(F&& report) const {
    for (size_t k = 0; k < bound_.signature_->params.size(); ++k)
      if (PyObject* o = bound_.slots_[k]; o && is_tensor(o)) report(impl_of(o)->shape);
  }
  // out.cpp
  PyObject* invoke_out(PyObject* out);
  PyObject* write_into_one(PyObject* out);
  PyObject* write_into_many(PyObject* out);
  void compute_in(DType type);
  bool has_operand_without_dims() const;
  void check_out(const Tensor& target, const Tensor& value, bool exactly) const;
  void write_out(const Tensor& target, const Tensor& value) const;

  const OpEntry& op_;
  PyObject* self_;
  PyObject* const* args_;
  Py_ssize_t nargs_;
  PyObject* names_;
  Args bound_;
};

}  // namespace gradcore
