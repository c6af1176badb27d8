// The base of no_grad, enable_grad, inference_mode and set_grad_enabled: `with` blocks of loops that take microseconds
// enter and leave these modes. What is said once for each program, decorators above all, is Python: gradcore/_modes.py.
#include <utility>

#include "autograd/modes.h"
#include "bindings/define.h"
#include "bindings/docs.h"
#include "tensor/tensor.h"

namespace gradcore {

namespace {

enum class Kind { NoGrad, EnableGrad, Inference, SetGrad };  // the class attribute _kind

// Whether inference mode and recording are on.
struct Switches {
  bool inference, recording;
};

struct RecordingMode {
  PyObject ob_base;
  Kind kind;
  bool on;           // what the last two kinds were asked for
  bool is_set;       // SetGrad acts when it is made; the block that follows finds it set
  Switches* before;  // a stack: the same object may be entered again inside itself
  uint32_t depth, room;

  Switches wanted() const {
    if (kind == Kind::Inference) return {on, !on};  // inference_mode(False) turns recording on
    return {false, kind == Kind::SetGrad ? on : kind == Kind::EnableGrad};
  }
  void set(Switches to) const {
    if (kind == Kind::Inference) creation_context.set_inference(to.inference);
    modes.grad = to.recording;
  }
};
RecordingMode* mode_of(PyObject* o) { return reinterpret_cast<RecordingMode*>(o); }

PyObject *key_kind, *key_function, *key_mode;

Kind kind_of(PyTypeObject* type) {
  PyObject* const kind = _PyType_Lookup(type, key_kind);
  const long number = kind && PyLong_CheckExact(kind) ? PyLong_AsLong(kind) : -1;
  if (number < 0 || number > 3) fail(ErrorKind::Type, "the class ", type->tp_name, " has no _kind of mode");
  return static_cast<Kind>(number);
}

// The one argument that there may be; null where there is none.
PyObject* only_argument(PyTypeObject* type, PyObject* args, PyObject* kwargs, PyObject* key) {
  const Py_ssize_t given = PyTuple_GET_SIZE(args), named = kwargs ? PyDict_GET_SIZE(kwargs) : 0;
  if (given + named == 0) return nullptr;
  if (given + named > 1)
    fail(ErrorKind::Type, type->tp_name, ".__new__() takes from 1 to 2 positional arguments but ", given + named + 1,
         " were given");
  if (given) return PyTuple_GET_ITEM(args, 0);
  if (PyObject* const found = PyDict_GetItemWithError(kwargs, key)) return found;
  if (PyErr_Occurred()) throw PythonError{};
  PyObject* name = nullptr;
  Py_ssize_t place = 0;
  PyDict_Next(kwargs, &place, &name, nullptr);
  fail(ErrorKind::Type, type->tp_name, ".__new__() got an unexpected keyword argument '", utf8(name), "'");
}

bool push(RecordingMode& mode) {
  if (mode.depth == mode.room) {
    const uint32_t room = 2 * mode.room + 2;
    auto* const more = static_cast<Switches*>(PyMem_Realloc(mode.before, room * sizeof(Switches)));
    if (!more) return false;
    mode.before = more;
    mode.room = room;
  }
  mode.before[mode.depth++] = {inference_mode(), modes.grad};
  mode.set(mode.wanted());
  return true;
}

void check_bool(PyObject* argument) {
  if (!argument) fail(ErrorKind::Type, "set_grad_enabled(): missing the argument 'mode'");
  if (!PyBool_Check(argument))
    fail(ErrorKind::Type, "set_grad_enabled(): argument 'enabled' must be bool, not ", Py_TYPE(argument)->tp_name);
}

// `@no_grad` without parentheses: what is made is the decorated function.
PyObject* make(PyTypeObject* type, PyObject* args, PyObject* kwargs) {
  return guarded([&] {
    const Kind kind = kind_of(type);
    const bool of_bool = kind >= Kind::Inference;
    PyObject* const argument = only_argument(type, args, kwargs, of_bool ? key_mode : key_function);
    if (kind == Kind::SetGrad) check_bool(argument);
    Owned self(checked(type->tp_alloc(type, 0)));
    RecordingMode& mode = *mode_of(self.get());
    mode.kind = kind;
    mode.on = argument != Py_False;
    if (kind == Kind::SetGrad && !(mode.is_set = push(mode))) return PyErr_NoMemory();
    if (!argument || (of_bool ? PyBool_Check(argument) : argument == Py_None)) return self.release();
    return checked(PyObject_CallOneArg(self.get(), argument));
  });
}

void dealloc(PyObject* self) {
  PyTypeObject* const type = Py_TYPE(self);
  PyMem_Free(mode_of(self)->before);
  type->tp_free(self);
  Py_DECREF(type);
}

PyObject* enter(PyObject* self, PyObject*) {
  RecordingMode& mode = *mode_of(self);
  if (!std::exchange(mode.is_set, false) && !push(mode)) return PyErr_NoMemory();
  Py_RETURN_NONE;
}

PyObject* leave(PyObject* self, PyObject* const*, Py_ssize_t nargs) {
  if (nargs != 3) {
    PyErr_Format(PyExc_TypeError, "%s.__exit__() takes 3 arguments: type, value and traceback of an exception",
                 Py_TYPE(self)->tp_name);
    return nullptr;
  }
  RecordingMode& mode = *mode_of(self);
  if (mode.depth) mode.set(mode.before[--mode.depth]);
  Py_RETURN_NONE;
}

PyObject* reduce(PyObject* self, PyObject*) {
  PyObject* const type = reinterpret_cast<PyObject*>(Py_TYPE(self));
  const RecordingMode& mode = *mode_of(self);
  if (mode.kind < Kind::Inference) return Py_BuildValue("O()", type);
  return Py_BuildValue("O(O)", type, mode.on ? Py_True : Py_False);
}

PyObject* is_grad_enabled(PyObject*, PyObject*) { return PyBool_FromLong(modes.grad); }
PyObject* is_inference_mode_enabled(PyObject*, PyObject*) { return PyBool_FromLong(inference_mode()); }
PyMethodDef kFunctions[] = {
    {"is_grad_enabled", is_grad_enabled, METH_NOARGS, docs::is_grad_enabled},
    {"is_inference_mode_enabled", is_inference_mode_enabled, METH_NOARGS, docs::is_inference_mode_enabled},
    {nullptr, nullptr, 0, nullptr},
};

PyObject* is_on(PyObject* self, void*) { return PyBool_FromLong(mode_of(self)->on); }

PyMethodDef kModeMethods[] = {{"__enter__", enter, METH_NOARGS, "Sets the mode."},
                              {"__exit__", reinterpret_cast<PyCFunction>(reinterpret_cast<void*>(leave)), METH_FASTCALL,
                               "Brings back what was before."},
                              {"__reduce__", reduce, METH_NOARGS, nullptr},
                              {nullptr, nullptr, 0, nullptr}};
PyGetSetDef kAttributes[] = {{"_on", is_on, nullptr, nullptr, nullptr}, {nullptr, nullptr, nullptr, nullptr, nullptr}};

}  // namespace

void add_recording_mode(py::module_& m) {
  key_kind = checked(PyUnicode_InternFromString("_kind"));
  key_function = checked(PyUnicode_InternFromString("orig_func"));
  key_mode = checked(PyUnicode_InternFromString("mode"));
  if (PyModule_AddFunctions(m.ptr(), kFunctions) < 0) throw PythonError{};
  PyType_Slot slots[] = {{Py_tp_new, reinterpret_cast<void*>(make)},
                         {Py_tp_dealloc, reinterpret_cast<void*>(dealloc)},
                         {Py_tp_methods, kModeMethods},
                         {Py_tp_getset, kAttributes},
                         {0, nullptr}};
  PyType_Spec spec = {"gradcore._C._RecordingMode", sizeof(RecordingMode), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
                      slots};
  m.attr("_RecordingMode") = py::reinterpret_steal<py::object>(checked(PyType_FromSpec(&spec)));
}

}  // namespace gradcore
