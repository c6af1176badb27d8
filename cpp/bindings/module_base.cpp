// The base of nn.Module: calls, and the attributes that are parameters, buffers and submodules. What is frequent is
// done here; hooks and registration are Python, in nn/modules. Start at module_call() and module_getattro().
//
// Note [Attributes of modules]
// Python asks for an attribute of a class that defines __getattr__ in two steps: the plain lookup raises
// AttributeError, then __getattr__ runs. Our tp_getattro does both without the error between. Yet the class has to have
// a __getattr__, which subclasses call through super(), and a class statement that finds one installs Python's two
// steps. The first lookup on an instance of such a class comes to module_getattro() through them: where neither
// __getattribute__ nor
// __getattr__ is overridden, it puts itself back into the class. Python takes it out again when one of the two is
// assigned later.
// __setattr__ is a method and no slot: Python refuses object.__setattr__(module, ...) to a class whose C base has the
// slot, and programs write that.
#include "bindings/define.h"

namespace gradcore {

namespace {

PyTypeObject* module_base;
PyObject* own_getattr;  // the methods of module_base itself: a class that has others overrides them
PyObject* own_getattribute;
PyObject* plain_class;  // object.__class__

// What nn.Module hands over; until then there is nothing to call.
PyObject* call_with_hooks = Py_None;
PyObject* assign_member = Py_None;
PyObject* global_hooks;  // a tuple of dicts

// An interned name, and where it stands in the dict that Module.__init__ fills.
struct Key {
  PyObject* name = nullptr;
  Py_ssize_t place = 0;
  void make(const char* text) { name = checked(PyUnicode_InternFromString(text)); }
};
Key key_members[3];  // _parameters ...
Key key_hooks[4];
PyObject *key_getattr, *key_getattribute, *key_class, *key_forward;

// The instance's __dict__; null where there is none.
Owned dict_of(PyObject* self) {
  PyObject** place = _PyObject_GetDictPtr(self);
  return Owned(place ? Py_XNewRef(*place) : nullptr);
}

// A borrowed reference; null without an error where the key is missing. Nearly every module's dict has the attributes
// that Module.__init__ sets in the order of that function: there it is, without a search.
PyObject* find_borrowed(PyObject* dict, const Key& key) {
  Py_ssize_t place = key.place;
  PyObject *found_key, *value;
  if (PyDict_Next(dict, &place, &found_key, &value) && found_key == key.name) return value;
  return PyDict_GetItemWithError(dict, key.name);
}

// A new reference; null without an error where the key is missing.
Owned find(PyObject* dict, PyObject* key) { return Owned(Py_XNewRef(PyDict_GetItemWithError(dict, key))); }

// As `members[name]`, and null without an error where it is missing. Third-party code may have put any mapping there.
Owned find_member(PyObject* members, PyObject* name) {
  if (PyDict_CheckExact(members)) return find(members, name);
  const int found = PySequence_Contains(members, name);
  return Owned(found > 0 ? PyObject_GetItem(members, name) : nullptr);
}

// The parameter, buffer or submodule of this name; null without an error where there is none.
Owned registered(PyObject* dict, PyObject* name) {
  for (const Key& kind : key_members) {
    const Owned members(Py_XNewRef(find_borrowed(dict, kind)));
    if (members) {
      if (Owned found = find_member(members.get(), name)) return found;
    }
    if (PyErr_Occurred()) return Owned();
  }
  return Owned();
}

PyObject* no_attribute(PyObject* self, PyObject* name) {
  PyErr_Format(PyExc_AttributeError, "'%s' object has no attribute '%S'", Py_TYPE(self)->tp_name, name);
  return nullptr;
}

// Module.__getattr__: Python asks here for what is no plain attribute.
PyObject* module_getattr(PyObject* self, PyObject* name) {
  if (const Owned dict = dict_of(self)) {
    if (Owned found = registered(dict.get(), name)) return found.release();
  }
  return PyErr_Occurred() ? nullptr : no_attribute(self, name);
}

bool overrides_lookup(PyTypeObject* type) {
  return _PyType_Lookup(type, key_getattr) != own_getattr || _PyType_Lookup(type, key_getattribute) != own_getattribute;
}

// See Note [Attributes of modules].
PyObject* module_getattro(PyObject* self, PyObject* name) {
  PyTypeObject* type = Py_TYPE(self);
  if (type->tp_getattro != module_getattro) [[unlikely]] {
    if (overrides_lookup(type)) return PyObject_GenericGetAttr(self, name);
    type->tp_getattro = module_getattro;
    PyType_Modified(type);
  }
  if (PyUnicode_CheckExact(name) && !_PyType_Lookup(type, name)) {
    // The class has nothing of this name: it is in the instance's dict, or registered.
    const Owned dict = dict_of(self);
    if (!dict) return no_attribute(self, name);
    if (Owned found = find(dict.get(), name)) return found.release();
    if (PyErr_Occurred()) return nullptr;
    if (Owned found = registered(dict.get(), name)) return found.release();
    return PyErr_Occurred() ? nullptr : no_attribute(self, name);
  }
  PyObject* found = PyObject_GenericGetAttr(self, name);
  if (found || !PyErr_ExceptionMatches(PyExc_AttributeError)) return found;
  PyErr_Clear();
  return module_getattr(self, name);
}

// Whether isinstance() has to look closer: the value is a parameter, a buffer or a module, or says that it is one.
bool may_be_member(PyObject* value) {
  PyTypeObject* type = Py_TYPE(value);
  if (type == tensor_type) return reinterpret_cast<PyTensor*>(value)->dict != nullptr;
  if (!(type->tp_flags & Py_TPFLAGS_HEAPTYPE)) return false;
  return is_tensor(value) || PyType_IsSubtype(type, module_base) || _PyType_Lookup(type, key_class) != plain_class;
}

// Module.__setattr__: parameters, buffers and modules are registered, all else are plain attributes.
PyObject* module_setattr(PyObject* self, PyObject* const* args, Py_ssize_t n) {
  if (n != 2) return PyErr_Format(PyExc_TypeError, "expected 2 arguments, got %zd", n);
  PyObject *name = args[0], *value = args[1];
  bool plain = !may_be_member(value);
  if (plain) {
    if (const Owned dict = dict_of(self)) plain = !registered(dict.get(), name);
    if (PyErr_Occurred()) return nullptr;
  }
  if (!plain) return PyObject_CallFunctionObjArgs(assign_member, self, name, value, nullptr);
  return PyObject_GenericSetAttr(self, name, value) == 0 ? none() : nullptr;
}

// 1 where a dict of hooks has an entry, -1 with an error set.
int any_in(PyObject* hooks) { return PyDict_Check(hooks) ? PyDict_GET_SIZE(hooks) != 0 : PyObject_IsTrue(hooks); }

// Whether a call has to run hooks, the module's own or those of all modules; -1 with an error set.
int has_hooks(PyObject* self, PyObject* dict) {
  for (const Key& key : key_hooks) {
    Owned hooks(dict ? Py_XNewRef(find_borrowed(dict, key)) : nullptr);
    if (!hooks && !PyErr_Occurred()) hooks = Owned(PyObject_GetAttr(self, key.name));
    if (!hooks) return -1;
    if (const int any = any_in(hooks.get())) return any;
  }
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(global_hooks); ++i)
    if (const int any = any_in(PyTuple_GET_ITEM(global_hooks, i))) return any;
  return 0;
}

// forward as a plain function of its class, to be called with self in front; null where it has to be looked up.
PyObject* function_of_class(PyObject* self, PyObject* dict) {
  PyTypeObject* type = Py_TYPE(self);
  if (type->tp_getattro != module_getattro || !dict) return nullptr;
  PyObject* found = _PyType_Lookup(type, key_forward);
  if (!found || !(Py_TYPE(found)->tp_flags & Py_TPFLAGS_METHOD_DESCRIPTOR)) return nullptr;
  Py_INCREF(found);
  if (!find(dict, key_forward) && !PyErr_Occurred()) return found;
  Py_DECREF(found);
  return nullptr;
}

PyObject* call_forward(PyObject* self, PyObject* dict, PyObject* args, PyObject* kwargs) {
  const Owned function(function_of_class(self, dict));
  if (!function) {
    if (PyErr_Occurred()) return nullptr;
    const Owned forward(PyObject_GetAttr(self, key_forward));
    return forward ? PyObject_Call(forward.get(), args, kwargs) : nullptr;
  }
  constexpr Py_ssize_t kFew = 7;
  const Py_ssize_t n = PyTuple_GET_SIZE(args);
  PyObject* few[kFew + 1];
  std::vector<PyObject*> many;
  PyObject** all = few;
  if (n > kFew) {
    many.resize(static_cast<size_t>(n) + 1);
    all = many.data();
  }
  all[0] = self;
  for (Py_ssize_t i = 0; i < n; ++i) all[i + 1] = PyTuple_GET_ITEM(args, i);
  return PyObject_VectorcallDict(function.get(), all, static_cast<size_t>(n) + 1, kwargs);
}

// Module.__call__: forward, and the hooks around it where there are any.
PyObject* module_call(PyObject* self, PyObject* args, PyObject* kwargs) {
  const Owned dict = dict_of(self);
  const int hooks = has_hooks(self, dict.get());
  if (hooks < 0) return nullptr;
  if (!hooks) return guarded([&] { return call_forward(self, dict.get(), args, kwargs); });
  const Owned keywords(kwargs ? Py_NewRef(kwargs) : PyDict_New());
  return keywords ? PyObject_CallFunctionObjArgs(call_with_hooks, self, args, keywords.get(), nullptr) : nullptr;
}

PyMethodDef kMethods[] = {
    {"__getattr__", module_getattr, METH_O, "The parameter, buffer or submodule of this name."},
    {"__setattr__", reinterpret_cast<PyCFunction>(reinterpret_cast<void*>(module_setattr)), METH_FASTCALL,
     "Registers parameters, buffers and submodules; anything else becomes a plain attribute."},
    {"_call_impl", reinterpret_cast<PyCFunction>(reinterpret_cast<void*>(module_call)), METH_VARARGS | METH_KEYWORDS,
     "What a call does; torch's name."},
    {"_wrapped_call_impl", reinterpret_cast<PyCFunction>(reinterpret_cast<void*>(module_call)),
     METH_VARARGS | METH_KEYWORDS, "What a call does; torch's name."},
    {nullptr, nullptr, 0, nullptr}};

PyObject* entry_of(PyTypeObject* type, PyObject* name) { return checked(Py_XNewRef(_PyType_Lookup(type, name))); }

void make_keys() {
  const char* const members[] = {"_parameters", "_buffers", "_modules"};
  const char* const hooks[] = {"_backward_hooks", "_backward_pre_hooks", "_forward_hooks", "_forward_pre_hooks"};
  for (int i = 0; i < 3; ++i) key_members[i].make(members[i]);
  for (int i = 0; i < 4; ++i) key_hooks[i].make(hooks[i]);
  key_getattr = checked(PyUnicode_InternFromString("__getattr__"));
  key_getattribute = checked(PyUnicode_InternFromString("__getattribute__"));
  key_class = checked(PyUnicode_InternFromString("__class__"));
  key_forward = checked(PyUnicode_InternFromString("forward"));
}

// Where the key stands in a dict, in the numbers of PyDict_Next.
void learn_place(Key& key, PyObject* dict) {
  Py_ssize_t place = 0;
  PyObject *found, *value;
  for (key.place = 0; PyDict_Next(dict, &place, &found, &value); key.place = place)
    if (found == key.name) return;
}

}  // namespace

void add_module_base(py::module_& m) {
  static PyType_Slot slots[] = {{Py_tp_getattro, reinterpret_cast<void*>(module_getattro)},
                                {Py_tp_call, reinterpret_cast<void*>(module_call)},
                                {Py_tp_methods, kMethods},
                                {Py_tp_doc, const_cast<char*>("The base of nn.Module: calls and attributes.")},
                                {0, nullptr}};
  static PyType_Spec spec = {"gradcore._C._ModuleBase", sizeof(PyObject), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
                             slots};
  PyObject* type = PyType_FromModuleAndSpec(m.ptr(), &spec, nullptr);
  if (!type) throw py::error_already_set();
  m.attr("_ModuleBase") = py::reinterpret_borrow<py::object>(type);
  module_base = reinterpret_cast<PyTypeObject*>(type);
  make_keys();
  own_getattr = entry_of(module_base, key_getattr);
  own_getattribute = entry_of(module_base, key_getattribute);
  plain_class = entry_of(&PyBaseObject_Type, key_class);
  global_hooks = checked(PyTuple_New(0));
  m.def(
      "_set_module_functions",
      [](py::function with_hooks, py::function assign, py::tuple hooks, py::dict state) {
        for (Key& key : key_members) learn_place(key, state.ptr());
        for (Key& key : key_hooks) learn_place(key, state.ptr());
        call_with_hooks = with_hooks.release().ptr();
        assign_member = assign.release().ptr();
        global_hooks = hooks.release().ptr();
      },
      "nn.Module hands over what runs hooks, what registers members, the dicts of global hooks, and what __init__ "
      "sets.");
}

}  // namespace gradcore
