#include "bindings/torch_function.h"

#include <vector>

#include "bindings/define.h"
#include "bindings/docs.h"

namespace gradcore {

namespace {

PyObject* disabled_impl;  // what Parameter and the like have as __torch_function__
PyObject* protocol_name;  // "__torch_function__"
PyObject* modes_name;     // of the list of modes among a thread's own objects
bool modes_exist = false;

// Nothing to ask of the types that most arguments have.
bool is_plain(PyObject* o) {
  const PyTypeObject* type = Py_TYPE(o);
  return type == tensor_type || !(type->tp_flags & Py_TPFLAGS_HEAPTYPE);
}

bool overrides(PyObject* o) {
  if (is_plain(o)) return false;
  PyObject* found = _PyType_Lookup(Py_TYPE(o), protocol_name);
  return found && found != disabled_impl;
}

// The modes that this thread has entered, a list; null where it entered none.
PyObject* modes_of_thread() {
  PyObject* const state = PyThreadState_GetDict();
  return state ? PyDict_GetItemWithError(state, modes_name) : nullptr;
}
PyObject* last_mode() {
  if (!modes_exist) return nullptr;
  PyObject* const modes = modes_of_thread();
  const Py_ssize_t n = modes ? PyList_GET_SIZE(modes) : 0;
  return n ? PyList_GET_ITEM(modes, n - 1) : nullptr;
}
void enter_mode(py::object mode) {
  PyObject* const state = PyThreadState_GetDict();
  if (!state) throw py::error_already_set();
  if (!modes_of_thread()) {
    const Owned list(checked(PyList_New(0)));
    if (PyDict_SetItem(state, modes_name, list.get()) < 0) throw PythonError{};
  }
  if (PyList_Append(modes_of_thread(), mode.ptr()) < 0) throw PythonError{};
  overrides_exist = modes_exist = true;
}
py::object leave_mode() {
  PyObject* const modes = modes_of_thread();
  const Py_ssize_t n = modes ? PyList_GET_SIZE(modes) : 0;
  check(n > 0, "no mode of this thread is left");
  py::object last = py::reinterpret_borrow<py::object>(PyList_GET_ITEM(modes, n - 1));
  if (PyList_SetSlice(modes, n - 1, n, nullptr) < 0) throw PythonError{};
  return last;
}
// The last mode is away while it answers.
class ModeAway {
 public:
  ModeAway() : mode_(leave_mode()) {}
  ~ModeAway() {
    PyObject *type, *value, *trace;
    PyErr_Fetch(&type, &value, &trace);
    PyObject* const modes = modes_of_thread();
    if (!modes || PyList_Append(modes, mode_.ptr()) < 0) PyErr_WriteUnraisable(mode_.ptr());
    PyErr_Restore(type, value, trace);
  }
  ModeAway(const ModeAway&) = delete;
  PyObject* get() const { return mode_.ptr(); }

 private:
  py::object mode_;
};

// The arguments with an own __torch_function__, one of each type, subclasses before their bases.
class Overriding {
 public:
  void look(PyObject* o) {
    if (PyTuple_Check(o) || PyList_Check(o)) {
      for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(o); ++i) look_at(PySequence_Fast_GET_ITEM(o, i));
      return;
    }
    look_at(o);
  }
  // Whether nobody is there to ask.
  bool none() const { return found_.empty() && !last_mode(); }
  // What the first that does not decline says, a mode or an argument's class; null where all of them do.
  Owned ask(PyObject* func, PyObject* args, PyObject* kwargs) const {
    const Owned types(checked(PyTuple_New(static_cast<Py_ssize_t>(found_.size()))));
    for (size_t i = 0; i < found_.size(); ++i)
      PyTuple_SET_ITEM(types.get(), static_cast<Py_ssize_t>(i),
                       Py_NewRef(reinterpret_cast<PyObject*>(Py_TYPE(found_[i].get()))));
    const auto answer_of = [&](PyObject* o) {
      const Owned f(checked(PyObject_GetAttr(o, protocol_name)));
      return Owned(checked(PyObject_CallFunctionObjArgs(f.get(), func, types.get(), args, kwargs, nullptr)));
    };
    if (last_mode()) {
      const ModeAway mode;
      Owned answer = answer_of(mode.get());
      if (answer.get() != Py_NotImplemented) return answer;
    }
    for (const Owned& o : found_) {
      Owned answer = answer_of(o.get());
      if (answer.get() != Py_NotImplemented) return answer;
    }
    return Owned();
  }
  [[noreturn]] void refuse(PyObject* func) const {
    const Owned name(PyObject_GetAttrString(func, "__name__"));
    if (!name) PyErr_Clear();
    std::string text = str_cat("Multiple dispatch failed for 'torch.", name ? utf8(name.get()) : std::string("?"),
                               "'; all __torch_function__ handlers returned NotImplemented:\n");
    for (const Owned& o : found_)
      text +=
          str_cat("\n  - ", is_tensor(o.get()) ? "tensor subclass " : "object of class ", Py_TYPE(o.get())->tp_name);
    fail(ErrorKind::Type, text);
  }

 private:
  void look_at(PyObject* o) {
    if (!overrides(o)) return;
    size_t place = found_.size();
    for (size_t i = 0; i < found_.size(); ++i) {
      if (Py_TYPE(found_[i].get()) == Py_TYPE(o)) return;
      if (place == found_.size() && PyType_IsSubtype(Py_TYPE(o), Py_TYPE(found_[i].get()))) place = i;
    }
    found_.insert(found_.begin() + static_cast<std::ptrdiff_t>(place), Owned(Py_NewRef(o)));
  }

  std::vector<Owned> found_;
};

Owned tuple_of(PyObject* const* items, Py_ssize_t n) {
  Owned tuple(checked(PyTuple_New(n)));
  for (Py_ssize_t i = 0; i < n; ++i) PyTuple_SET_ITEM(tuple.get(), i, Py_NewRef(items[i]));
  return tuple;
}
Owned keywords_of(PyObject* names, PyObject* const* values) {
  Owned dict(checked(PyDict_New()));
  for (Py_ssize_t i = 0; names && i < PyTuple_GET_SIZE(names); ++i)
    if (PyDict_SetItem(dict.get(), PyTuple_GET_ITEM(names, i), values[i]) < 0) throw PythonError{};
  return dict;
}

Owned attribute_of_tensor(const char* name) {
  return Owned(checked(PyObject_GetAttrString(reinterpret_cast<PyObject*>(tensor_type), name)));
}

// handle_torch_function(): `relevant` arguments answer for all.
py::object call_relevant(py::handle func, const py::tuple& relevant, const py::tuple& args, const py::dict& kwargs) {
  Overriding found;
  for (py::handle o : relevant) found.look(o.ptr());
  Owned answer = found.ask(func.ptr(), args.ptr(), kwargs.ptr());
  if (!answer) found.refuse(func.ptr());
  return py::reinterpret_steal<py::object>(answer.release());
}

// DisableTorchFunctionSubclass. Each op on a subclass makes one; pybind11's constructors do not survive it where there
// is no memory left.
struct Disabling {
  PyObject ob_base;
  bool before;
};
bool& before_of(PyObject* self) { return reinterpret_cast<Disabling*>(self)->before; }

PyObject* enter(PyObject* self, PyObject*) {
  before_of(self) = std::exchange(overrides_off, true);
  Py_RETURN_NONE;
}
PyObject* leave(PyObject* self, PyObject*) {
  overrides_off = before_of(self);
  Py_RETURN_NONE;
}
PyMethodDef kDisablingMethods[] = {{"__enter__", enter, METH_NOARGS, nullptr},
                                   {"__exit__", leave, METH_VARARGS, nullptr},
                                   {nullptr, nullptr, 0, nullptr}};

void add_disabling(py::module_& m) {
  PyType_Slot slots[] = {{Py_tp_doc, const_cast<char*>(docs::DisableTorchFunctionSubclass)},
                         {Py_tp_methods, kDisablingMethods},
                         {0, nullptr}};
  PyType_Spec spec = {"gradcore._C.DisableTorchFunctionSubclass", sizeof(Disabling), 0, Py_TPFLAGS_DEFAULT, slots};
  m.attr("DisableTorchFunctionSubclass") = py::reinterpret_steal<py::object>(checked(PyType_FromSpec(&spec)));
}

}  // namespace

PyObject* call_override(PyObject* func, PyObject* const* args, Py_ssize_t nargs, PyObject* names) {
  Overriding found;
  const Py_ssize_t all = nargs + (names ? PyTuple_GET_SIZE(names) : 0);
  for (Py_ssize_t i = 0; i < all; ++i) found.look(args[i]);
  if (found.none()) return nullptr;
  const Owned positional = tuple_of(args, nargs), keywords = keywords_of(names, args + nargs);
  Owned answer = found.ask(func, positional.get(), keywords.get());
  if (!answer) found.refuse(func);
  return answer.release();
}

PyObject* override_slot(SlotName slot, PyObject* const* args, Py_ssize_t nargs) {
  Overriding found;
  for (Py_ssize_t i = 0; i < nargs; ++i) found.look(args[i]);
  if (found.none()) return nullptr;
  const bool turned = nargs == 2 && slot.reflected && !is_tensor(args[0]);
  PyObject* const other_way[] = {args[nargs - 1], args[0]};
  const Owned func = attribute_of_tensor(turned ? slot.reflected : slot.name);
  const Owned given = tuple_of(turned ? other_way : args, nargs), none(checked(PyDict_New()));
  Owned answer = found.ask(func.get(), given.get(), none.get());
  return answer ? answer.release() : Py_NewRef(Py_NotImplemented);
}

PyObject* override_attribute(const char* name, PyObject* self) {
  if (!overrides(self) && !last_mode()) return nullptr;
  const Owned attribute = attribute_of_tensor(name);
  const Owned getter(checked(PyObject_GetAttrString(attribute.get(), "__get__")));
  return call_override(getter.get(), &self, 1);
}

void add_torch_function(py::module_& m) {
  protocol_name = checked(PyUnicode_InternFromString("__torch_function__"));
  m.def("_set_disabled_torch_function", [](py::object f) { disabled_impl = f.release().ptr(); });
  modes_name = checked(PyUnicode_InternFromString("gradcore.overrides.modes"));
  m.def("_enter_mode", &enter_mode);
  m.def("_leave_mode", &leave_mode);
  m.def("_has_mode", [] { return last_mode() != nullptr; });
  m.def("_note_override", [] { overrides_exist = true; });
  m.def("_overrides_exist", [] { return overrides_exist; });
  m.def("_overrides_are_off", [] { return overrides_off; });
  m.def("_overrides", [](py::handle o) { return overrides(o.ptr()); });
  m.def("_call_torch_function", &call_relevant);
  add_disabling(m);
}

}  // namespace gradcore
