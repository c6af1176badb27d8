// nn.Module's calls, and its attributes that are parameters, buffers and submodules. What is frequent is done here;
// hooks and registration are Python, in nn/modules. Start at module_call() and module_getattro().
//
// Note [Slots of modules]
// Module is a class of Python, so that its subclasses mix with other classes as torch's do. It gets __getattr__,
// __setattr__ and __call__ from here as methods. A class statement that finds such methods fills the class's slots with
// functions of Python that look them up again at each use; an attribute is even looked up once in vain before
// __getattr__ is asked. So a class's first use puts functions of ours into its slots for reading and calling, where the
// class does not override what they stand for. When somebody assigns __call__, __getattr__ or __getattribute__ to a
// class later, Python puts its own functions back into that class and those below it. The slot for writing stays
// Python's: object.__setattr__(module, ...) is refused where that slot is of C.
#include "bindings/define.h"

namespace gradcore {

namespace {

PyTypeObject* module_type;  // nn.Module
PyObject* own_getattr;      // its methods; a class that has others overrides them
PyObject* own_call;
PyObject* plain_getattribute;  // those of object
PyObject* plain_class;

// What nn.Module hands over.
PyObject* call_with_hooks;
PyObject* assign_member;
PyObject* global_hooks;  // a tuple of dicts

// An interned name, and where it stands in the dict that Module.__init__ fills.
struct Key {
  PyObject* name = nullptr;
  Py_ssize_t place = 0;
  void make(const char* text) { name = checked(PyUnicode_InternFromString(text)); }
};
Key key_members[3];  // _parameters ...
Key key_hooks[4];
PyObject *key_getattr, *key_getattribute, *key_call, *key_class, *key_forward;

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

PyObject* member_or_error(PyObject* self, PyObject* dict, PyObject* name) {
  if (Owned found = dict ? registered(dict, name) : Owned()) return found.release();
  return PyErr_Occurred() ? nullptr : no_attribute(self, name);
}

// object.__getattribute__, and Module.__getattr__ for what that does not find.
PyObject* module_getattro(PyObject* self, PyObject* name) {
  if (PyUnicode_CheckExact(name) && !_PyType_Lookup(Py_TYPE(self), name)) {
    // The class has nothing of this name: it is in the instance's dict, or registered.
    const Owned dict = dict_of(self);
    if (!dict) return no_attribute(self, name);
    if (Owned found = find(dict.get(), name)) return found.release();
    return PyErr_Occurred() ? nullptr : member_or_error(self, dict.get(), name);
  }
  PyObject* found = PyObject_GenericGetAttr(self, name);
  if (found || !PyErr_ExceptionMatches(PyExc_AttributeError)) return found;
  PyErr_Clear();
  return member_or_error(self, dict_of(self).get(), name);
}

bool plain_lookup(PyTypeObject* type) { return _PyType_Lookup(type, key_getattribute) == plain_getattribute; }

// See Note [Slots of modules].
void take_slot_for_reading(PyTypeObject* type) {
  if (type->tp_getattro == module_getattro || !plain_lookup(type)) return;
  if (_PyType_Lookup(type, key_getattr) != own_getattr) return;
  type->tp_getattro = module_getattro;
  PyType_Modified(type);
}

// Module.__getattr__: Python asks here for what is no plain attribute.
PyObject* module_getattr(PyObject* self, PyObject* name) {
  take_slot_for_reading(Py_TYPE(self));
  return member_or_error(self, dict_of(self).get(), name);
}

// Whether isinstance() has to look closer: the value is a parameter, a buffer or a module, or says that it is one.
bool may_be_member(PyObject* value) {
  PyTypeObject* type = Py_TYPE(value);
  if (type == tensor_type) return reinterpret_cast<PyTensor*>(value)->dict != nullptr;
  if (!(type->tp_flags & Py_TPFLAGS_HEAPTYPE)) return false;
  return is_tensor(value) || PyType_IsSubtype(type, module_type) || _PyType_Lookup(type, key_class) != plain_class;
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
  if (!dict || !plain_lookup(type)) return nullptr;
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

// Module.__call__ as a method.
PyObject* call_method_of_module(PyObject* self, PyObject* args, PyObject* kwargs) {
  PyTypeObject* type = Py_TYPE(self);
  if (type->tp_call != module_call && _PyType_Lookup(type, key_call) == own_call) {
    type->tp_call = module_call;
    PyType_Modified(type);
  }
  return module_call(self, args, kwargs);
}

template <class F> PyCFunction as_method(F* function) {
  return reinterpret_cast<PyCFunction>(reinterpret_cast<void*>(function));
}
constexpr int kKeywords = METH_VARARGS | METH_KEYWORDS;
constexpr const char* kCallDoc = "Runs forward(), and the hooks around it.";
PyMethodDef kModuleMethods[] = {
    {"__getattr__", module_getattr, METH_O, "The parameter, buffer or submodule of this name."},
    {"__setattr__", as_method(module_setattr), METH_FASTCALL,
     "Registers parameters, buffers and submodules; anything else becomes a plain attribute."},
    {"__call__", as_method(call_method_of_module), kKeywords, kCallDoc},
    {"_call_impl", as_method(module_call), kKeywords, kCallDoc},  // torch's names of it
    {"_wrapped_call_impl", as_method(module_call), kKeywords, kCallDoc}};

PyObject* entry_of(PyTypeObject* type, PyObject* name) { return checked(Py_XNewRef(_PyType_Lookup(type, name))); }

void add_methods_to(PyObject* type) {
  for (PyMethodDef& method : kModuleMethods) {
    const Owned descriptor(checked(PyDescr_NewMethod(reinterpret_cast<PyTypeObject*>(type), &method)));
    if (PyObject_SetAttrString(type, method.ml_name, descriptor.get()) < 0) throw PythonError{};
  }
}

void make_keys() {
  const char* const members[] = {"_parameters", "_buffers", "_modules"};
  const char* const hooks[] = {"_backward_hooks", "_backward_pre_hooks", "_forward_hooks", "_forward_pre_hooks"};
  for (int i = 0; i < 3; ++i) key_members[i].make(members[i]);
  for (int i = 0; i < 4; ++i) key_hooks[i].make(hooks[i]);
  key_getattr = checked(PyUnicode_InternFromString("__getattr__"));
  key_getattribute = checked(PyUnicode_InternFromString("__getattribute__"));
  key_call = checked(PyUnicode_InternFromString("__call__"));
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

void add_nn_module(py::module_& m) {
  m.def(
      "_complete_module",
      [](py::type type, py::function with_hooks, py::function assign, py::tuple hooks, py::dict state) {
        make_keys();
        for (Key& key : key_members) learn_place(key, state.ptr());
        for (Key& key : key_hooks) learn_place(key, state.ptr());
        call_with_hooks = with_hooks.release().ptr();
        assign_member = assign.release().ptr();
        global_hooks = hooks.release().ptr();
        module_type = reinterpret_cast<PyTypeObject*>(Py_NewRef(type.ptr()));
        add_methods_to(type.ptr());
        own_getattr = entry_of(module_type, key_getattr);
        own_call = entry_of(module_type, key_call);
        plain_getattribute = entry_of(&PyBaseObject_Type, key_getattribute);
        plain_class = entry_of(&PyBaseObject_Type, key_class);
      },
      "Gives nn.Module its methods of C, which take: what runs hooks, what registers members, the dicts of global "
      "hooks, "
      "and what __init__ sets.");
}

}  // namespace gradcore
