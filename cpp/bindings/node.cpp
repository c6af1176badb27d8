// Nodes as Python sees them, and hooks: the user's functions that backward calls. Start at wrap_node() and PythonHook.
#include "bindings/node.h"
#include "bindings/define.h"
#include "bindings/docs.h"

#include "autograd/engine.h"
#include "autograd/locks.h"

#include <algorithm>
#include <cstring>

namespace gradcore {

PyTypeObject* node_type;

// ---- nodes

namespace {

// Each kind of node gets its own Python class, named as in torch, so that type(t.grad_fn).__name__ works.
const char* short_name(const Node* n) {
  const char* name = n->name();
  const char* colon = std::strrchr(name, ':');
  return colon ? colon + 1 : name;
}

void drop_references(PyObject* self) {
  Node* n = std::exchange(reinterpret_cast<PyNode*>(self)->node, nullptr);
  if (!n) return;
  n->pyobject = nullptr;
  Ref<Node>::adopt(n).reset();
}

void node_dealloc(PyObject* self) {
  PyTypeObject* type = Py_TYPE(self);
  PyObject_GC_UnTrack(self);
  drop_references(self);
  type->tp_free(self);
  Py_DECREF(type);
}

// As with tensors: what only we keep alive belongs to us.
int node_traverse(PyObject* self, visitproc visit, void* arg) {
  Py_VISIT(Py_TYPE(self));
  const Node* n = reinterpret_cast<PyNode*>(self)->node;
  if (!n || n->use_count() != 1) return 0;
  return n->traverse_all(reinterpret_cast<int (*)(void*, void*)>(visit), arg);
}
int node_clear(PyObject* self) {
  const Node* n = reinterpret_cast<PyNode*>(self)->node;
  if (n && n->use_count() == 1) drop_references(self);
  return 0;
}

PyTypeObject* class_of_node(const Node* n) {
  static auto* classes = new std::vector<std::pair<std::string, PyTypeObject*>>;
  const char* name = short_name(n);
  for (const auto& [known, type] : *classes)
    if (known == name) return type;
  const py::object made = py::reinterpret_borrow<py::object>((PyObject*)&PyType_Type)(
      name, py::make_tuple(py::handle((PyObject*)node_type)), py::dict(py::arg("__slots__") = py::tuple()));
  classes->emplace_back(name, reinterpret_cast<PyTypeObject*>(py::object(made).release().ptr()));
  return classes->back().second;
}

// Nodes come from ops alone.
PyObject* node_new(PyTypeObject* type, PyObject*, PyObject*) {
  PyErr_Format(PyExc_TypeError, "cannot create '%s' instances", type->tp_name);
  return nullptr;
}

PyObject* node_repr(PyObject* self) { return PyUnicode_FromFormat("<%s object at %p>", Py_TYPE(self)->tp_name, self); }
PyObject* node_name(PyObject* self, PyObject*) {
  return guarded([&] { return PyUnicode_FromString(live_node(self)->name()); });
}
PyObject* node_next_functions(PyObject* self, void*) {
  return guarded([&] {
    const Ref<Node> n = live_node(self);
    py::list out;
    for (int i = 0; i < n->edge_count(); ++i) {
      if (!n->shows_edge(i)) continue;
      const Edge& e = n->edge(i);
      out.append(py::make_tuple(e.node ? py::reinterpret_steal<py::object>(wrap_node(e.node)) : py::none(), e.nr));
    }
    return py::tuple(out).release().ptr();
  });
}
PyObject* node_variable(PyObject* self, void*) {
  return guarded([&] {
    TensorImpl* leaf = live_node(self)->leaf();
    if (leaf) return wrap(Tensor(Ref<TensorImpl>::share(leaf)));
    PyErr_SetString(PyExc_AttributeError, "only AccumulateGrad has a variable");
    throw PythonError{};
  });
}
PyObject* node_sequence_nr(PyObject* self, PyObject*) {
  return guarded([&] {
    const Ref<Node> n = live_node(self);
    return PyLong_FromUnsignedLongLong(n->leaf() ? UINT64_MAX : n->seq());  // as torch numbers leaves
  });
}
PyObject* node_input_metadata(PyObject* self, void*) {
  return guarded([&] {
    const Ref<Node> node = live_node(self);
    const uint32_t n = node->output_count;
    py::tuple all(n);
    for (uint32_t i = 0; i < n; ++i) {
      const std::optional<TensorMeta> meta = node->output_meta(i);
      check(meta.has_value(), ErrorKind::NotImplemented, "output ", i, " of ", node->name(), " has not been made");
      all[i] = py::cast(*meta);
    }
    return all.release().ptr();
  });
}

// node(*gradients): what its backward makes of them, hooks left out, as torch's.
PyObject* node_call(PyObject* self, PyObject* args, PyObject* kwargs) {
  return guarded([&]() -> PyObject* {
    const Ref<Node> node = live_node(self);
    check(node->pyobject == self && !node->runs_without_grads(), ErrorKind::Type, "'", Py_TYPE(self)->tp_name,
          "' object is not callable");
    check(!kwargs || PyDict_GET_SIZE(kwargs) == 0, ErrorKind::Type, "keyword arguments are not supported");
    const Py_ssize_t n = PyTuple_GET_SIZE(args);
    check(n == static_cast<Py_ssize_t>(node->output_count), ErrorKind::Type, "expected ", node->output_count,
          " arguments, got ", static_cast<int64_t>(n), " instead");
    std::vector<Tensor> grads(static_cast<size_t>(n)), out(static_cast<size_t>(node->edge_count()));
    for (Py_ssize_t i = 0; i < n; ++i) {
      PyObject* o = PyTuple_GET_ITEM(args, i);
      if (o == Py_None) continue;
      check(is_tensor(o), ErrorKind::Type, "argument ", static_cast<int64_t>(i), " is not a Variable");
      grads[i] = fitting_gradient(unwrap(o), node->output_meta(static_cast<uint32_t>(i)), static_cast<size_t>(i));
      if (!node->leaf()) grads[i] = own_gradient(grads[i]);
    }
    node->apply(grads, out);
    py::list shown;
    for (int i = 0; i < node->edge_count() && !node->leaf(); ++i)
      if (node->shows_edge(i)) shown.append(py::cast(out[i]));
    if (shown.size() == 1) return py::object(shown[0]).release().ptr();
    return py::tuple(shown).release().ptr();
  });
}

PyObject* node_reduce(PyObject* self, PyObject*) {
  PyErr_Format(PyExc_TypeError, "cannot pickle '%s' object: it belongs to the graph of this process",
               Py_TYPE(self)->tp_name);
  return nullptr;
}

PyMethodDef kNodeMethods[] = {
    {"name", node_name, METH_NOARGS, "name()\n\nThe name of the backward function."},
    {"__dir__", node_dir, METH_NOARGS, "With what the node saved."},
    {"_sequence_nr", node_sequence_nr, METH_NOARGS, "_sequence_nr()\n\nIts place on the tape."},
    {"__reduce_ex__", node_reduce, METH_O, "Nodes are not pickled."},
    {nullptr, nullptr, 0, nullptr}};
PyGetSetDef kNodeAttributes[] = {
    {"next_functions", node_next_functions, nullptr, "(node, output number) for each input.", nullptr},
    {"metadata",
     [](PyObject* self, void*) { return guarded([&] { return Py_NewRef(metadata_of(*live_node(self))); }); }, nullptr,
     "A dict for whatever should live as long as the node.", nullptr},
    {"_input_metadata", node_input_metadata, nullptr, "Shape and dtype of each gradient that it takes.", nullptr},
    {"variable", node_variable, nullptr, "The leaf of an AccumulateGrad.", nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr}};

}  // namespace

PyObject* wrap_node(const Ref<Node>& node) {
  if (node->pyobject) return Py_NewRef(static_cast<PyObject*>(node->pyobject));
  PyTypeObject* type = class_of_node(node.get());
  auto* o = reinterpret_cast<PyNode*>(checked(type->tp_alloc(type, 0)));
  o->node = Ref<Node>(node).leak();
  node->pyobject = o;
  return reinterpret_cast<PyObject*>(o);
}

Tensor fitting_gradient(const Tensor& grad, const std::optional<TensorMeta>& output, size_t i) {
  check(output.has_value(), ErrorKind::NotImplemented, "no gradient can be given for an output that has not been made");
  check(grad.shape() == output->shape, "Mismatch in shape: grad_output[", i, "] has a shape of torch.Size(",
        grad.shape(), ") and output[", i, "] has a shape of torch.Size(", output->shape, ").");
  return grad.dtype() == output->dtype ? grad : cast(grad, output->dtype);
}

// ---- hooks

namespace {

// A Python callable among the hooks. What its gradients are checked against, each kind below says.
class PythonHook : public Hook {
 public:
  explicit PythonHook(PyObject* f) : f_(Py_NewRef(f)) {}
  ~PythonHook() override {
    if (!f_)
      return;  // removed; a sweep that waited for the GIL once for each of these could fall behind those who add them
    drop_references();
  }
  int traverse(int (*visit)(void*, void*), void* arg) override { return f_ ? visit(f_, arg) : 0; }
  void drop_references() override {
    const GilAcquire gil;
    Py_CLEAR(f_);
  }
  py::object function() const { return f_ ? py::reinterpret_borrow<py::object>(f_) : py::none(); }

 protected:
  Owned result_of(PyObject* args) const {
    if (!f_) return Owned(none());    // taken out while this thread waited for the GIL
    const Owned keep(Py_NewRef(f_));  // it may take itself out
    Owned result(in_python([&] { return PyObject_Call(f_, args, nullptr); }));
    if (!result) throw py::error_already_set();
    return result;
  }
  // The name of the hook and the line where it begins; put together only for an error.
  struct Text {
    PyObject* f;
    std::string str() const {
      if (!f) return "(removed)";
      std::string name = "<unknown>";
      if (const Owned n(PyObject_GetAttrString(f, "__name__")); n && PyUnicode_Check(n.get())) name = utf8(n.get());
      PyErr_Clear();
      return str_cat("'", name, "'", place_of(f));
    }
  };
  Text text() const { return {f_}; }
  // Puts what a hook returned into the place of a gradient.
  void replace(Tensor& grad, PyObject* result) const {
    if (!is_tensor(result))
      fail(ErrorKind::Type, "expected Variable, but hook ", text(), " returned '", Py_TYPE(result)->tp_name, "'");
    const Tensor t = unwrap(result);
    check(grad.defined(), "can't replace a None gradient with a non-None value: hook ", text());
    check(same_shape(t, grad), "hook ", text(), " has changed the size of value");
    check(t.dtype() == grad.dtype(), "hook ", text(), " has changed the type of value (was torch.",
          scalar_type_name(grad.dtype()), "Tensor got torch.", scalar_type_name(t.dtype()), "Tensor)");
    grad = t;
  }
  // The same for all gradients of a node, which come as a tuple.
  void replace_all(std::span<Tensor> grads, PyObject* result) const {
    check(PyTuple_Check(result), ErrorKind::Type, "expected tuple, but backward hook ", text(), " returned '",
          Py_TYPE(result)->tp_name, "'");
    check(PyTuple_GET_SIZE(result) == static_cast<Py_ssize_t>(grads.size()), "backward hook ", text(),
          " returned an incorrect number of values (got ", static_cast<int64_t>(PyTuple_GET_SIZE(result)),
          ", but expected ", grads.size(), ")");
    std::vector<Tensor> fresh(grads.begin(), grads.end());
    for (size_t i = 0; i < grads.size(); ++i) {
      PyObject* value = PyTuple_GET_ITEM(result, i);
      if (value == Py_None)
        fresh[i] = Tensor();
      else
        replace(fresh[i], value);
    }
    std::ranges::move(fresh, grads.begin());
  }
  static Owned tuple_of(std::span<const Tensor> grads) {
    Owned tuple(checked(PyTuple_New(static_cast<Py_ssize_t>(grads.size()))));
    for (size_t i = 0; i < grads.size(); ++i) PyTuple_SET_ITEM(tuple.get(), i, grads[i] ? wrap(grads[i]) : none());
    return tuple;
  }

 private:
  PyObject* f_;
};

// hook(grad) -> grad or None
class TensorHook final : public PythonHook {
 public:
  using PythonHook::PythonHook;
  void call(std::span<Tensor> grads, std::span<Tensor>) override {
    const GilAcquire gil;
    const Owned result = result_of(tuple_of(grads).get());
    if (result.get() != Py_None) replace(grads[0], result.get());
  }
};
// hook(incoming) -> incoming or None
class PreHook final : public PythonHook {
 public:
  using PythonHook::PythonHook;
  void call(std::span<Tensor> grads, std::span<Tensor>) override {
    const GilAcquire gil;
    const Owned args(checked(PyTuple_Pack(1, tuple_of(grads).get())));
    const Owned result = result_of(args.get());
    if (result.get() != Py_None) replace_all(grads, result.get());
  }
};
// hook(returned, incoming) -> returned or None
class PostHook final : public PythonHook {
 public:
  using PythonHook::PythonHook;
  void call(std::span<Tensor> grads, std::span<Tensor> incoming) override {
    const GilAcquire gil;
    const Owned args(checked(PyTuple_Pack(2, tuple_of(grads).get(), tuple_of(incoming).get())));
    const Owned result = result_of(args.get());
    if (result.get() != Py_None) replace_all(grads, result.get());
  }
};
// hook(leaf) -> None
class AccumulatedHook final : public PythonHook {
 public:
  using PythonHook::PythonHook;
  void call(std::span<Tensor> leaf, std::span<Tensor>) override {
    const GilAcquire gil;
    const Owned result = result_of(tuple_of(leaf).get());
    if (result.get() == Py_None) return;
    Tensor replaced = leaf[0];
    replace(replaced, result.get());  // torch's order: what is returned is looked at first
    if (replaced.is_same(leaf[0])) return;
    fail("hooks should return None: nothing can be replaced after accumulation, as ", text(), " tried to");
  }
};

// callback()
class FinalCallback final : public PythonHook {
 public:
  using PythonHook::PythonHook;
  void call(std::span<Tensor>, std::span<Tensor>) override {
    const GilAcquire gil;
    result_of(Owned(checked(PyTuple_New(0))).get());
  }
};

// What a registration returns underneath: takes the hook out again.
struct HookHandle {
  Ref<Hook> hook;
  void remove() { hook->remove(); }
  py::object function() const {
    const auto* python = dynamic_cast<PythonHook*>(hook.get());
    return python ? python->function() : py::none();
  }
};

template <class H> Ref<Hook> make_hook(py::handle f, const char* who) {
  check(PyCallable_Check(f.ptr()), ErrorKind::Type, who, "() expects a callable, not ", Py_TYPE(f.ptr())->tp_name);
  return Ref<Hook>::adopt(new H(f.ptr()));
}

void add_node_type(py::module_& m) {
  static PyType_Slot slots[] = {{Py_tp_dealloc, reinterpret_cast<void*>(node_dealloc)},
                                {Py_tp_traverse, reinterpret_cast<void*>(node_traverse)},
                                {Py_tp_clear, reinterpret_cast<void*>(node_clear)},
                                {Py_tp_getattro, reinterpret_cast<void*>(node_getattro)},
                                {Py_tp_new, reinterpret_cast<void*>(node_new)},
                                {Py_tp_repr, reinterpret_cast<void*>(node_repr)},
                                {Py_tp_call, reinterpret_cast<void*>(node_call)},
                                {Py_tp_methods, kNodeMethods},
                                {Py_tp_getset, kNodeAttributes},
                                {Py_tp_doc, const_cast<char*>(docs::node_class)},
                                {0, nullptr}};
  static PyType_Spec spec = {"gradcore.autograd.Node", sizeof(PyNode), 0,
                             Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC, slots};
  node_type = reinterpret_cast<PyTypeObject*>(PyType_FromModuleAndSpec(m.ptr(), &spec, nullptr));
  if (!node_type) throw py::error_already_set();
  m.add_object("Node", py::reinterpret_borrow<py::object>(reinterpret_cast<PyObject*>(node_type)));
}

// As the class attribute Variable._execution_engine: where programs find queue_callback().
struct ExecutionEngine {
  static void queue_callback(const ExecutionEngine&, py::handle f) {
    gradcore::queue_callback(make_hook<FinalCallback>(f, "queue_callback"));
  }
};

void add_hooks(py::module_& m) {
  py::class_<ExecutionEngine> engine(m, "_ExecutionEngine");
  engine.def("queue_callback", &ExecutionEngine::queue_callback, py::arg("callback"),
             "queue_callback(callback)\n\nCalls callback() when the backward that runs in this thread is done. Raises "
             "RuntimeError where none runs.");
  forbid_new(engine);
  m.attr("_execution_engine") = py::cast(ExecutionEngine{});
  py::class_<TensorMeta> meta(m, "_InputMetadata", "What a gradient that a node takes must be.");
  meta.def_property_readonly("shape",
                             [](const TensorMeta& t) { return py::reinterpret_steal<py::object>(wrap_shape(t.shape)); })
      .def_property_readonly("dtype", [](const TensorMeta& t) { return py::handle(dtype_objects[index_of(t.dtype)]); })
      .def_property_readonly("device", [](const TensorMeta&) { return py::handle(device_cpu); })
      .def_property_readonly("is_nested_tensor", [](const TensorMeta&) { return false; });
  forbid_new(meta);
  py::class_<HookHandle> handle(m, "_HookHandle");
  handle.def("remove", &HookHandle::remove);
  handle.def_property_readonly("function", &HookHandle::function);
  forbid_new(handle);
  m.def("_register_hook", [](const Tensor& t, py::handle f) {
    HookHandle handle{make_hook<TensorHook>(f, "register_hook")};
    add_hook(t, handle.hook);
    track_cycles(t);
    return handle;
  });
  m.def("_tensor_hooks", [](const Tensor& t, bool accumulated) {
    py::list handles;
    for (const Ref<Hook>& hook : hooks_of(t, accumulated)) handles.append(HookHandle{hook});
    return handles;
  });
  m.def("_register_post_accumulate_grad_hook", [](const Tensor& t, py::handle f) {
    HookHandle handle{make_hook<AccumulatedHook>(f, "register_post_accumulate_grad_hook")};
    add_accumulated_hook(t, handle.hook);
    track_cycles(t);
    return handle;
  });
  m.def("_register_node_hook", [](py::handle node, py::handle f, bool pre) {
    const Ref<Node> n = live_node(node.ptr());
    HookHandle handle{pre ? make_hook<PreHook>(f, "register_prehook") : make_hook<PostHook>(f, "register_hook")};
    const TapeLock lock = lock_hooks();
    (pre ? n->hooks().pre : n->hooks().post).push_back(handle.hook);
    return handle;
  });
}

}  // namespace

void track_cycles(const Tensor& t) {
  auto* self = static_cast<PyObject*>(t->pyobject);
  if (self && !PyObject_GC_IsTracked(self)) PyObject_GC_Track(self);
}

std::string place_of(PyObject* function) {
  const Owned code(PyObject_GetAttrString(function, "__code__"));
  if (!code || !PyCode_Check(code.get())) {
    PyErr_Clear();
    return "";
  }
  const auto* c = reinterpret_cast<PyCodeObject*>(code.get());
  return str_cat(" (", utf8(c->co_filename), ":", c->co_firstlineno, ")");
}

void add_nodes(py::module_& m) {
  add_node_type(m);
  add_hooks(m);
}

}  // namespace gradcore
