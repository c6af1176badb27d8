// __torch_function__: classes that take over the calls of ops that their instances are given to. Start at
// call_override().
//
// Note [Overrides cost nothing until there is one]
// The protocol is torch's: https://docs.pytorch.org/docs/stable/notes/extending.html#extending-torch-python-api. A call
// asks for overriding arguments only once a subclass of Tensor was made that may have some (Tensor.__init_subclass__
// says so) or a mode was entered, or where no overload fits, as with classes that are no tensors. Plain programs pay
// for one load and a branch that is predicted.
//
// Modes (overrides.TorchFunctionMode) are asked before the arguments' classes, the last one first. While one answers,
// it is not there, so that its own calls go to those below it.
#pragma once
#include "bindings/python.h"

namespace gradcore {

inline bool overrides_exist = false;                       // set by the first such subclass or mode, for good
inline thread_local constinit bool overrides_off = false;  // DisableTorchFunctionSubclass

inline bool may_be_overridden() { return overrides_exist && !overrides_off; }

// While a default implementation, or our own Python code, uses a tensor as a plain one.
class OverridesOff {
 public:
  OverridesOff() : before_(std::exchange(overrides_off, true)) {}
  ~OverridesOff() { overrides_off = before_; }
  OverridesOff(const OverridesOff&) = delete;

 private:
  bool before_;
};

// Lets the classes of the arguments answer the call of `func`. Null where none of them overrides it (no error is set
// then); raises TypeError where all of them decline.
PyObject* call_override(PyObject* func, PyObject* const* args, Py_ssize_t nargs, PyObject* names = nullptr);

// The same for a slot of the Tensor type, whose method `name` stands for it. Of two operands of which the first is no
// tensor, `reflected` says which method takes them the other way round. All declined: NotImplemented.
struct SlotName {
  const char* name;
  const char* reflected = nullptr;
};
PyObject* override_slot(SlotName slot, PyObject* const* args, Py_ssize_t nargs);
inline PyObject* override_slot(SlotName slot, std::initializer_list<PyObject*> args) {
  return override_slot(slot, args.begin(), static_cast<Py_ssize_t>(args.size()));
}
// The getter of an attribute.
PyObject* override_attribute(const char* name, PyObject* self);

void add_torch_function(py::module_& m);

}  // namespace gradcore
