// What viewers of graphs (torchviz and the like) read from a node: metadata, _saved_* and _raw_saved_*.
//
// Note [What a node shows]
// An op's node names what it keeps (Node::saved_fields), by torch's names. From that come the attributes: `_saved_self`
// is the tensor or number, `_raw_saved_self` a handle on which one tensor's hooks are registered. They are looked up
// when they are asked for, so that nodes carry nothing for it. Dims are shown as they count from the front; torch shows
// a negative one as 2**64 less that much.
#include <string_view>

#include "bindings/define.h"
#include "bindings/node.h"

namespace gradcore {

namespace {

// ---- metadata

class Metadata final : public NodeMetadata {
 public:
  ~Metadata() override {
    const GilAcquire gil;
    Py_CLEAR(dict_);
  }
  int traverse(int (*visit)(void* object, void* arg), void* arg) const override {
    return dict_ ? visit(dict_, arg) : 0;
  }
  PyObject* dict() const { return dict_; }

 private:
  PyObject* dict_ = checked(PyDict_New());
};

// ---- fields

// One saved tensor of a node, found again by its name: the node may free it at any time.
struct SavedTensor {
  Ref<Node> node;
  const char* name;
  size_t index;  // in a list; else 0

  Saved& find() const {
    for (const SavedField& f : node->saved_fields()) {
      if (std::string_view(f.name) != name) continue;
      if (Saved* const* one = std::get_if<Saved*>(&f.value)) return **one;
      return std::get<std::vector<Saved>*>(f.value)->at(index);
    }
    fail("the node no longer shows ", name);
  }
  void register_hooks(py::handle pack, py::handle unpack) const {
    Saved& saved = find();
    check(!saved.freed(),
          "Calling register_hooks on a saved tensor after it has been freed: specify retain_graph=True in "
          "the backward() that freed it.");
    check(saved.defined(), "Calling register_hooks on a saved tensor with value None is forbidden");
    check(!saved.is_packed(),
          "Calling register_hooks on a saved tensor whose hooks have already been set. Hint: only one pair "
          "of hooks is allowed at a time.");
    pack_saved(saved, pack, unpack);
  }
};

PyObject* shown(Saved& saved, Node& node) {
  if (saved.freed()) fail_released(node);
  const GradModeGuard on(true);  // with its history
  const Tensor t = saved.unpack_for_user(&node);
  return t ? wrap(t) : none();
}
PyObject* shown(const Scalar& s) {
  if (s.is_float()) return checked(PyFloat_FromDouble(s.to_double()));
  return s.kind() == Category::Bool ? boolean(!s.is_zero()) : checked(PyLong_FromLongLong(s.to_int()));
}
PyObject* raw(const Ref<Node>& node, const char* name, size_t index) {
  return py::cast(SavedTensor{node, name, index}).release().ptr();
}
// f(index) for each of the list, as a tuple.
template <class F> PyObject* tuple_of(const std::vector<Saved>& list, Node& node, F&& f) {
  Owned tuple(checked(PyTuple_New(static_cast<Py_ssize_t>(list.size()))));
  for (size_t i = 0; i < list.size(); ++i) {
    if (list[i].freed()) fail_released(node);
    PyTuple_SET_ITEM(tuple.get(), i, f(i));
  }
  return tuple.release();
}
PyObject* tuple_of(const Dims& dims) {
  Owned tuple(checked(PyTuple_New(dims.size())));
  for (int i = 0; i < dims.size(); ++i) PyTuple_SET_ITEM(tuple.get(), i, checked(PyLong_FromLongLong(dims[i])));
  return tuple.release();
}

PyObject* value_of(Node& node, const SavedField& field) {
  return std::visit(
      [&](const auto& v) -> PyObject* {
        using T = std::decay_t<decltype(v)>;
        if constexpr (std::is_same_v<T, Saved*>)
          return shown(*v, node);
        else if constexpr (std::is_same_v<T, std::vector<Saved>*>)
          return tuple_of(*v, node, [&](size_t i) { return shown((*v)[i], node); });
        else if constexpr (std::is_same_v<T, Dims>)
          return tuple_of(v);
        else if constexpr (std::is_same_v<T, std::monostate>)
          return none();
        else if constexpr (std::is_same_v<T, Tensor>)
          return v ? wrap(v) : (fail_released(node), nullptr);
        else
          return shown(v);
      },
      field.value);
}
bool has_raw(const SavedField& f) {
  return std::holds_alternative<Saved*>(f.value) || std::holds_alternative<std::vector<Saved>*>(f.value);
}
PyObject* raw_value_of(Node& node, const SavedField& field) {
  const Ref<Node> owner = Ref<Node>::share(&node);
  if (std::holds_alternative<Saved*>(field.value)) return raw(owner, field.name, 0);
  const auto& list = *std::get<std::vector<Saved>*>(field.value);
  return tuple_of(list, node, [&](size_t i) { return raw(owner, field.name, i); });
}

constexpr std::string_view kSaved = "_saved_", kRaw = "_raw_saved_";

// The value of a `_saved_*` or `_raw_saved_*` attribute; null where the node has none of that name.
PyObject* find_field(PyObject* self, std::string_view name) {
  const bool is_raw = name.starts_with(kRaw);
  if (!reinterpret_cast<PyNode*>(self)->node || !(is_raw || name.starts_with(kSaved))) return nullptr;
  const Ref<Node> node = live_node(self);
  name.remove_prefix(is_raw ? kRaw.size() : kSaved.size());
  for (const SavedField& f : node->saved_fields()) {
    if (f.name != name || (f.raw_only && !is_raw)) continue;
    if (!is_raw) return value_of(*node, f);
    return has_raw(f) ? raw_value_of(*node, f) : nullptr;
  }
  return nullptr;
}

void append(PyObject* list, std::string_view prefix, const char* name) {
  const Owned text(checked(PyUnicode_FromString(str_cat(prefix, name).c_str())));
  if (PyList_Append(list, text.get())) throw PythonError{};
}

}  // namespace

PyObject* metadata_of(Node& node) {
  if (!node.metadata) node.metadata = std::make_unique<Metadata>();
  return static_cast<Metadata&>(*node.metadata).dict();
}

PyObject* node_getattro(PyObject* self, PyObject* name) {
  PyObject* found = PyObject_GenericGetAttr(self, name);
  if (found || !PyErr_ExceptionMatches(PyExc_AttributeError) || !PyUnicode_Check(name)) return found;
  PyObject *type, *value, *trace;
  PyErr_Fetch(&type, &value, &trace);
  found = guarded([&] { return find_field(self, utf8(name)); });
  if (found || PyErr_Occurred()) {
    for (PyObject* o : {type, value, trace}) Py_XDECREF(o);
    return found;
  }
  PyErr_Restore(type, value, trace);
  return nullptr;
}

PyObject* node_dir(PyObject* self, PyObject*) {
  return guarded([&] {
    Owned list(checked(PyObject_CallMethod(reinterpret_cast<PyObject*>(&PyBaseObject_Type), "__dir__", "O", self)));
    Node* node = reinterpret_cast<PyNode*>(self)->node;
    if (!node) return list.release();
    for (const SavedField& f : node->saved_fields()) {
      if (!f.raw_only) append(list.get(), kSaved, f.name);
      if (has_raw(f)) append(list.get(), kRaw, f.name);
    }
    return list.release();
  });
}

void add_saved_fields(py::module_& m) {
  py::class_<SavedTensor> saved(
      m, "_SavedTensor",
      "A tensor that a node keeps for backward.\n\n>>> import gradcore\n>>> x = "
      "gradcore.ones(1, requires_grad=True)\n>>> isinstance(x.exp().grad_fn._raw_saved_result, "
      "gradcore.autograd.SavedTensor)\nTrue");
  forbid_new(saved);
  saved.def("register_hooks", &SavedTensor::register_hooks, py::arg("pack_hook"), py::arg("unpack_hook"),
            "register_hooks(pack_hook, unpack_hook)\n\nKeeps pack_hook(tensor) in the tensor's place, and "
            "unpack_hook() of that is what backward gets. Raises RuntimeError where hooks are set or the tensor is "
            "freed.");
}

}  // namespace gradcore
