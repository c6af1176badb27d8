#include "bindings/op_function.h"

#include <structmember.h>

#include <deque>
#include <unordered_map>

#include "bindings/call.h"

namespace gradcore {

namespace {

// Note [Two types]
// A function that a class body holds is no method of that class: `act = gradcore.relu` calls relu(x) alone, as
// torch's does. A method binds. The interpreter reads that from the type (METHOD_DESCRIPTOR, with which x.sum() makes
// no bound object), so that there are two types of one layout.
PyTypeObject* function_type;
PyTypeObject* method_type;

void dealloc(PyObject* self) {
  auto* f = reinterpret_cast<OpFunction*>(self);
  PyTypeObject* type = Py_TYPE(self);
  if (f->weakrefs) PyObject_ClearWeakRefs(self);
  Py_CLEAR(f->module);
  type->tp_free(self);
  Py_DECREF(type);
}

PyObject* bind_to(PyObject* self, PyObject* tensor, PyObject*) {
  if (!tensor) return Py_NewRef(self);
  if (is_tensor(tensor)) return PyMethod_New(self, tensor);
  return refuse_receiver(self, tensor);
}
// It has a __get__ so that help() and inspect take it for a routine.
PyObject* bind_to_nothing(PyObject* self, PyObject*, PyObject*) { return Py_NewRef(self); }

PyObject* repr_function(PyObject* self) { return PyUnicode_FromFormat("<built-in function %s>", op_of(self).shown()); }
PyObject* repr_method(PyObject* self) {
  return PyUnicode_FromFormat("<method '%s' of 'gradcore.Tensor' objects>", op_of(self).name.c_str());
}

PyObject* name_of(PyObject* self, void*) { return PyUnicode_FromString(op_of(self).shown()); }
PyObject* qualname_of_method(PyObject* self, void*) {
  return PyUnicode_FromFormat("Tensor.%s", op_of(self).name.c_str());
}
// The texts are Python's, which are imported when somebody asks for one: they cost programs nothing.
PyObject* doc_of(PyObject* self, void*) {
  return guarded([&] {
    const OpEntry& op = op_of(self);
    const std::string_view original = op.overloads[0].row().name;
    return import_module("gradcore._docs")
        .attr("docstring")(op.name, py::str(original.data(), original.size()), op.is_method)
        .release()
        .ptr();
  });
}
// What inspect.signature() asks for. Like a builtin, an op of several forms has none; nor has one with arguments one by
// one.
PyObject* signature_of(PyObject* self, void*) {
  return guarded([&] {
    const OpEntry& op = op_of(self);
    const Signature& s = op.overloads[0].signature();
    const int first = op.is_method ? 1 : 0;
    const bool spreads = s.spread >= 0 && s.params[s.spread].type != ArgType::IntOrInts;
    if (op.overloads.size() != 1 || spreads)
      fail(ErrorKind::Value, "no signature found for ", op.name, "(): it is called in several forms");
    const Owned inspect(checked(PyImport_ImportModule("inspect")));
    const py::object make = py::handle(inspect.get()).attr("Parameter");
    py::list params;
    for (int k = 0; k < static_cast<int>(s.params.size()); ++k) {
      const Param& p = s.params[k];
      if (p.name == Py_None) continue;
      const py::object name = k < first ? py::str("self") : py::reinterpret_borrow<py::object>(p.name);
      const py::object kind = make.attr(p.keyword_only ? "KEYWORD_ONLY" : "POSITIONAL_OR_KEYWORD");
      const py::handle fallback = p.fallback ? py::handle(p.fallback) : py::handle(make.attr("empty").ptr());
      params.append(make(name, kind, py::arg("default") = fallback));
    }
    return py::handle(inspect.get()).attr("Signature")(params).release().ptr();
  });
}
PyObject* module_of(PyObject* self, void*) { return Py_NewRef(reinterpret_cast<OpFunction*>(self)->module); }

// Pickled and copied by name.
PyObject* reduce_function(PyObject* self, PyObject*) { return PyUnicode_FromString(op_of(self).name.c_str()); }
PyObject* reduce_method(PyObject* self, PyObject*) {
  PyObject* getattr = PyDict_GetItemString(PyEval_GetBuiltins(), "getattr");
  return Py_BuildValue("O(Os)", getattr, reinterpret_cast<OpFunction*>(self)->module, op_of(self).name.c_str());
}

PyGetSetDef kFunctionAttributes[] = {
    {"__name__", name_of, nullptr, nullptr, nullptr},           {"__qualname__", name_of, nullptr, nullptr, nullptr},
    {"__module__", module_of, nullptr, nullptr, nullptr},       {"__doc__", doc_of, nullptr, nullptr, nullptr},
    {"__signature__", signature_of, nullptr, nullptr, nullptr}, {nullptr, nullptr, nullptr, nullptr, nullptr}};
PyGetSetDef kMethodAttributes[] = {{"__name__", name_of, nullptr, nullptr, nullptr},
                                   {"__qualname__", qualname_of_method, nullptr, nullptr, nullptr},
                                   {"__objclass__", module_of, nullptr, nullptr, nullptr},
                                   {"__doc__", doc_of, nullptr, nullptr, nullptr},
                                   {"__signature__", signature_of, nullptr, nullptr, nullptr},
                                   {nullptr, nullptr, nullptr, nullptr, nullptr}};
PyMethodDef kFunctionMethods[] = {{"__reduce__", reduce_function, METH_NOARGS, nullptr},
                                  {nullptr, nullptr, 0, nullptr}};
PyMethodDef kMethodMethods[] = {{"__reduce__", reduce_method, METH_NOARGS, nullptr}, {nullptr, nullptr, 0, nullptr}};
PyMemberDef kMembers[] = {{"__vectorcalloffset__", T_PYSSIZET, offsetof(OpFunction, vectorcall), READONLY, nullptr},
                          {"__weaklistoffset__", T_PYSSIZET, offsetof(OpFunction, weakrefs), READONLY, nullptr},
                          {nullptr, 0, 0, 0, nullptr}};

PyTypeObject* make_type(bool is_method) {
  PyType_Slot slots[] = {{Py_tp_dealloc, reinterpret_cast<void*>(dealloc)},
                         {Py_tp_call, reinterpret_cast<void*>(PyVectorcall_Call)},
                         {Py_tp_descr_get, reinterpret_cast<void*>(is_method ? bind_to : bind_to_nothing)},
                         {Py_tp_repr, reinterpret_cast<void*>(is_method ? repr_method : repr_function)},
                         {Py_tp_getset, is_method ? kMethodAttributes : kFunctionAttributes},
                         {Py_tp_methods, is_method ? kMethodMethods : kFunctionMethods},
                         {Py_tp_members, kMembers},
                         {0, nullptr}};
  const unsigned int flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_VECTORCALL | Py_TPFLAGS_IMMUTABLETYPE |
                             Py_TPFLAGS_DISALLOW_INSTANTIATION | (is_method ? Py_TPFLAGS_METHOD_DESCRIPTOR : 0);
  PyType_Spec spec = {is_method ? "gradcore.op_method" : "gradcore.op_function", sizeof(OpFunction), 0, flags, slots};
  return reinterpret_cast<PyTypeObject*>(checked(PyType_FromSpec(&spec)));
}

Owned make_op(const OpEntry& op, PyObject* module) {
  PyTypeObject* type = op.is_method ? method_type : function_type;
  Owned self(checked(type->tp_alloc(type, 0)));
  auto* f = reinterpret_cast<OpFunction*>(self.get());
  f->vectorcall = op.is_method ? call_method : call_function;
  f->op = &op;
  f->module = Py_NewRef(module);
  f->weakrefs = nullptr;
  return self;
}

// The register: functions and methods, in the order of their first rows.
class Register {
 public:
  void add(const OpRow& row, Halves family) {
    const bool as_floats = (row.halves == Halves::ByFamily ? family : row.halves) == Halves::AsFloats;
    add_as(row, row.name, as_floats);
    for (std::string_view names = row.also; !names.empty();) {
      const size_t space = names.find(' ');
      add_as(row, names.substr(0, space), as_floats);
      names = space == std::string_view::npos ? std::string_view() : names.substr(space + 1);
    }
  }
  const OpEntry* find(bool is_method, const std::string& name) const {
    const auto found = by_name_[is_method].find(name);
    return found == by_name_[is_method].end() ? nullptr : found->second;
  }
  const std::deque<OpEntry>& entries() const { return entries_; }

 private:
  void add_as(const OpRow& row, std::string_view name, bool as_floats) {
    if (row.kind & kFunction) entry(false, name).overloads.emplace_back(&row, false, as_floats);
    if (row.kind & kMethod) entry(true, name).overloads.emplace_back(&row, true, as_floats);
  }
  OpEntry& entry(bool is_method, std::string_view name) {
    const auto [at, is_new] = by_name_[is_method].try_emplace(name, nullptr);
    if (is_new) {
      at->second = &entries_.emplace_back(std::string(name), is_method);
    }
    return *at->second;
  }

  std::deque<OpEntry> entries_;
  std::unordered_map<std::string_view, OpEntry*> by_name_[2];  // names are parts of static rows
};

Register& ops() {
  static auto* instance = new Register;
  return *instance;
}

void add_to(PyObject* dict, const OpEntry& op, PyObject* module) {
  const Owned self = make_op(op, module);
  PyObject* name = checked(PyUnicode_InternFromString(op.name.c_str()));
  const Owned key(name);
  if (PyDict_SetItem(dict, name, self.get()) < 0) throw PythonError{};
}

}  // namespace

void register_rows(std::span<const OpRow> rows, Halves halves) {
  for (const OpRow& row : rows) ops().add(row, halves);
}

void add_functions(PyObject* module) {
  function_type = make_type(false);
  const Owned name(checked(PyModule_GetNameObject(module)));
  for (const OpEntry& op : ops().entries())
    if (!op.is_method) add_to(PyModule_GetDict(module), op, name.get());
}

void add_methods(PyTypeObject* tensor) {
  method_type = make_type(true);
  for (const OpEntry& op : ops().entries())
    if (op.is_method) add_to(tensor->tp_dict, op, reinterpret_cast<PyObject*>(tensor));
  PyType_Modified(tensor);
}

py::list op_table() {
  py::list out;
  for (const OpEntry& op : ops().entries()) {
    if (op.is_method && ops().find(false, op.name)) continue;  // its function lists it
    py::list signatures[2];
    for (const bool is_method : {false, true})
      if (const OpEntry* found = ops().find(is_method, op.name))
        for (const Overload& o : found->overloads) signatures[is_method].append(full_text(o.row().signature));
    out.append(py::make_tuple(op.name, signatures[0], signatures[1]));
  }
  return out;
}

}  // namespace gradcore
