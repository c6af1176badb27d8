// The tape as Python sees it: modes, nodes, hooks, backward and grad. Start at run_from_python().
#include "autograd/accumulate.h"
#include "autograd/engine.h"
#include "autograd/views.h"
#include "bindings/args.h"

#include <algorithm>
#include <cstring>

#include "core/allocator.h"
#include "core/generator.h"
#include "core/parallel.h"

namespace gradcore {

// ---- nodes ----------------------------------------------------------------------------------------------------------------

namespace {

// Each kind of node gets its own Python class, named as in torch, so that type(t.grad_fn).__name__ works.
struct PyNode {
  PyObject_HEAD
  Node* node;
};

PyTypeObject* node_type;

const char* short_name(const Node* n) {
  const char* name = n->name();
  const char* colon = std::strrchr(name, ':');
  return colon ? colon + 1 : name;
}

void node_dealloc(PyObject* self) {
  PyTypeObject* type = Py_TYPE(self);
  if (Node* n = std::exchange(reinterpret_cast<PyNode*>(self)->node, nullptr)) {
    n->pyobject = nullptr;
    Ref<Node>::adopt(n).reset();
  }
  type->tp_free(self);
  Py_DECREF(type);
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

Node* node_of(PyObject* self) { return reinterpret_cast<PyNode*>(self)->node; }

// Nodes come from ops alone.
PyObject* node_new(PyTypeObject* type, PyObject*, PyObject*) {
  PyErr_Format(PyExc_TypeError, "cannot create '%s' instances", type->tp_name);
  return nullptr;
}

PyObject* node_repr(PyObject* self) { return PyUnicode_FromFormat("<%s object at %p>", short_name(node_of(self)), self); }
PyObject* node_name(PyObject* self, PyObject*) { return PyUnicode_FromString(node_of(self)->name()); }
PyObject* node_next_functions(PyObject* self, void*) {
  return guarded([&] {
    const Node* n = node_of(self);
    py::tuple out(n->edge_count());
    for (int i = 0; i < n->edge_count(); ++i) {
      const Edge& e = n->edge(i);
      out[i] = py::make_tuple(e.node ? py::reinterpret_steal<py::object>(wrap_node(e.node)) : py::none(), e.nr);
    }
    return out.release().ptr();
  });
}
PyObject* node_variable(PyObject* self, void*) {
  TensorImpl* leaf = node_of(self)->leaf();
  if (!leaf) {
    PyErr_SetString(PyExc_AttributeError, "only AccumulateGrad has a variable");
    return nullptr;
  }
  return guarded([&] { return wrap(Tensor(Ref<TensorImpl>::share(leaf))); });
}
PyObject* node_sequence_nr(PyObject* self, PyObject*) { return PyLong_FromUnsignedLongLong(node_of(self)->seq()); }

PyMethodDef kNodeMethods[] = {{"name", node_name, METH_NOARGS, "name()\n\nThe name of the backward function."},
                              {"_sequence_nr", node_sequence_nr, METH_NOARGS, "_sequence_nr()\n\nIts place on the tape."},
                              {nullptr, nullptr, 0, nullptr}};
PyGetSetDef kNodeAttributes[] = {
    {"next_functions", node_next_functions, nullptr, "(node, output number) for each input.", nullptr},
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

// ---- hooks ------------------------------------------------------------------------------------------------------------------

namespace {

struct GilAcquire {
  PyGILState_STATE state = PyGILState_Ensure();
  ~GilAcquire() { PyGILState_Release(state); }
};

// A Python callable on a gradient.
class PythonHook final : public TensorHook {
 public:
  explicit PythonHook(PyObject* f) : f_(Py_NewRef(f)) {}
  ~PythonHook() override {
    const GilAcquire gil;
    Py_CLEAR(f_);
  }
  Tensor call(const Tensor& grad) override {
    const GilAcquire gil;
    const Owned g(wrap(grad));
    const Owned result(PyObject_CallOneArg(f_, g.get()));
    if (!result) throw py::error_already_set();
    if (result.get() == Py_None) return {};
    if (!is_tensor(result.get()))
      fail(ErrorKind::Type, "expected Variable, but hook returned '", Py_TYPE(result.get())->tp_name, "'");
    const Tensor t = unwrap(result.get());
    check(same_shape(t, grad), "hook '", hook_name(), "' has changed the size of value");
    check(t.dtype() == grad.dtype(), "hook '", hook_name(), "' has changed the type of value (was torch.",
          scalar_type_name(grad.dtype()), "Tensor got torch.", scalar_type_name(t.dtype()), "Tensor)");
    return t;
  }
  int traverse(int (*visit)(void*, void*), void* arg) override { return f_ ? visit(f_, arg) : 0; }

 private:
  std::string hook_name() const {
    const Owned name(PyObject_GetAttrString(f_, "__name__"));
    if (name && PyUnicode_Check(name.get())) return PyUnicode_AsUTF8(name.get());
    PyErr_Clear();
    return "<unknown>";
  }
  PyObject* f_;
};

// What register_hook returns underneath: takes the hook out again.
struct HookHandle {
  Tensor tensor;
  Ref<TensorHook> hook;
  void remove() {
    if (!hook) return;
    remove_hook(tensor, hook.get());
    hook.reset();
    tensor.reset();
  }
};

// ---- backward -------------------------------------------------------------------------------------------------------------

std::vector<Tensor> to_list(py::handle h, const char* what) {
  std::vector<Tensor> out;
  if (is_tensor(h.ptr())) {
    out.push_back(unwrap(h.ptr()));
    return out;
  }
  const Owned fast(PySequence_Fast(h.ptr(), what));
  if (!fast) throw py::error_already_set();
  for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(fast.get()); ++i) {
    PyObject* o = PySequence_Fast_GET_ITEM(fast.get(), i);
    if (o == Py_None)
      out.emplace_back();
    else if (is_tensor(o))
      out.push_back(unwrap(o));
    else
      fail(ErrorKind::Type, what, ": element ", static_cast<int64_t>(i), " is a ", Py_TYPE(o)->tp_name);
  }
  return out;
}

// Fills in ones for scalar roots and checks the gradients that were given.
void prepare_grads(std::span<const Tensor> roots, std::vector<Tensor>& grads) {
  if (grads.empty()) grads.resize(roots.size());
  check(grads.size() == roots.size(), "got ", roots.size(), " tensors and ", grads.size(), " gradients");
  for (size_t i = 0; i < roots.size(); ++i) {
    const Tensor& t = roots[i];
    if (!grads[i]) {
      if (!requires_grad(t)) continue;  // the engine says it better
      check(t.numel() == 1, "grad can be implicitly created only for scalar outputs");
      check(is_floating(t.dtype()), "grad can be implicitly created only for real scalar outputs but got ", dtype_name(t.dtype()));
      grads[i] = ones_like(t);
      continue;
    }
    check(same_shape(grads[i], t), "Mismatch in shape: grad_output[", i, "] has a shape of torch.Size(", grads[i].shape(),
          ") and output[", i, "] has a shape of torch.Size(", t.shape(), ").");
    if (grads[i].dtype() != t.dtype()) grads[i] = cast(grads[i], t.dtype());
  }
}

std::vector<Tensor> run_from_python(const BackwardRequest& request) {
  for (const Tensor& t : request.inputs)
    check(t.defined(), ErrorKind::Type, "inputs must be tensors, not None");
  const GilRelease release;
  return run_backward(request);
}

void backward_from_python(std::span<const Tensor> roots, std::vector<Tensor> grads, py::handle retain, bool create,
                          std::span<const Tensor> inputs) {
  prepare_grads(roots, grads);
  const bool sound = std::ranges::all_of(roots, [](const Tensor& t) { return requires_grad(t); });
  for (const Tensor& t : inputs)  // an error leaves them as they were
    if (sound && requires_grad(t) && !is_leaf(t)) retain_grad(t);
  BackwardRequest request{roots, grads, inputs};
  request.create_graph = create;
  request.keep_graph = retain.is_none() ? create : PyObject_IsTrue(retain.ptr()) == 1;
  run_from_python(request);
}

PyObject* method_backward(Args& a) {
  const Tensor root = a.tensor(0);
  std::vector<Tensor> grads, inputs;
  if (a.given(1)) grads.push_back(a.tensor(1));
  if (a.given(4)) {
    inputs = to_list(a.object(4), "inputs must be a tensor or a sequence of tensors");
    check(!inputs.empty(), "'inputs' argument to backward() cannot be empty.");
  }
  backward_from_python({&root, 1}, std::move(grads), a.object(2), a.flag(3), inputs);
  return none();
}

// A reusable switch for `with` and decorators; the Python classes derive from it.
bool swap_mode(bool& mode, bool on) { return std::exchange(mode, on); }

}  // namespace

void register_autograd_ops() {
  register_op(kMethod,
              "backward(Tensor input, Tensor? gradient=None, bool? retain_graph=None, bool create_graph=False, object? "
              "inputs=None)",
              method_backward);
}

Generator* Args::generator(int i) const {
  if (!given(i)) return nullptr;
  return py::handle(slots_[i]).cast<Generator*>();
}

void add_autograd(py::module_& m) {
  static PyType_Slot slots[] = {{Py_tp_dealloc, reinterpret_cast<void*>(node_dealloc)},
                                {Py_tp_new, reinterpret_cast<void*>(node_new)},
                                {Py_tp_repr, reinterpret_cast<void*>(node_repr)},
                                {Py_tp_methods, kNodeMethods},
                                {Py_tp_getset, kNodeAttributes},
                                {Py_tp_doc, const_cast<char*>("Node\n\nAn op on the tape.")},
                                {0, nullptr}};
  static PyType_Spec spec = {"gradcore.autograd.Node", sizeof(PyNode), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE, slots};
  node_type = reinterpret_cast<PyTypeObject*>(PyType_FromModuleAndSpec(m.ptr(), &spec, nullptr));
  if (!node_type) throw py::error_already_set();
  m.add_object("Node", py::reinterpret_borrow<py::object>(reinterpret_cast<PyObject*>(node_type)));

  py::class_<HookHandle>(m, "_HookHandle").def("remove", &HookHandle::remove);
  m.def("_register_hook", [](const Tensor& t, py::object hook) {
    check(PyCallable_Check(hook.ptr()), ErrorKind::Type, "register_hook() expects a callable, not ", Py_TYPE(hook.ptr())->tp_name);
    Ref<TensorHook> h = Ref<TensorHook>::adopt(new PythonHook(hook.ptr()));
    add_hook(t, h);
    PyObject* self = static_cast<PyObject*>(t->pyobject);
    if (self && !PyObject_GC_IsTracked(self)) PyObject_GC_Track(self);
    return HookHandle{t, std::move(h)};
  });

  m.def("_backward", [](py::handle tensors, py::handle grads, py::handle retain, bool create, py::handle inputs) {
    const std::vector<Tensor> roots = to_list(tensors, "backward() expects tensors");
    std::vector<Tensor> g, in;
    if (!grads.is_none()) g = to_list(grads, "grad_tensors must be tensors");
    if (!inputs.is_none()) {
      in = to_list(inputs, "inputs must be tensors");
      check(!in.empty(), "'inputs' argument to backward() cannot be empty.");
    }
    backward_from_python(roots, std::move(g), retain, create, in);
  });
  m.def("_grad", [](py::handle outputs, py::handle inputs, py::handle grads, py::handle retain, bool create, bool allow_unused,
                    bool materialize) {
    const std::vector<Tensor> roots = to_list(outputs, "grad() expects tensors as outputs");
    const std::vector<Tensor> in = to_list(inputs, "grad() expects tensors as inputs");
    check(!in.empty(), ErrorKind::Value, "grad requires non-empty inputs.");
    std::vector<Tensor> g;
    if (!grads.is_none()) g = to_list(grads, "grad_outputs must be tensors");
    prepare_grads(roots, g);
    BackwardRequest request{roots, g, in};
    request.accumulate = false;
    request.create_graph = create;
    request.keep_graph = retain.is_none() ? create : PyObject_IsTrue(retain.ptr()) == 1;
    std::vector<Tensor> result = run_from_python(request);
    for (size_t i = 0; i < result.size(); ++i) {
      if (result[i]) continue;
      if (materialize)
        result[i] = zeros_like(in[i]);
      else if (!allow_unused)
        fail("The differentiated Tensor at index ", i, " appears to not have been used in the graph (One of the differentiated "
             "Tensors appears to not have been used in the graph). Set allow_unused=True if this is the desired behavior.");
    }
    py::tuple out(result.size());
    for (size_t i = 0; i < result.size(); ++i) out[i] = py::cast(result[i]);
    return out;
  });

  m.def("is_grad_enabled", [] { return modes.grad; }, "Whether ops are being recorded in this thread.");
  m.def("is_inference_mode_enabled", [] { return inference_mode; }, "Whether this thread is in inference mode.");
  m.def("_set_grad_enabled", [](bool on) { return swap_mode(modes.grad, on); });
  m.def("_set_inference_mode", [](bool on) { return swap_mode(inference_mode, on); });

  m.def("get_num_threads", &num_threads, "How many threads large ops use.");
  m.def("set_num_threads", &set_num_threads, py::arg("num"), "Sets how many threads large ops use.");
  m.def(
      "memory_stats",
      [] {
        const MemoryStats s = memory_stats();
        py::dict d;
        d["in_use"] = s.in_use;
        d["peak"] = s.peak;
        d["cached"] = s.cached;
        d["allocations"] = s.allocations;
        return d;
      },
      "Bytes in use, at the highest, and kept for reuse; and the number of blocks handed out so far.");
  m.def("release_unused_memory", &release_unused_memory, "Gives memory that is kept for reuse back to the system.");

  py::class_<Generator>(m, "Generator", "A stream of random numbers, torch's own (MT19937).")
      .def(py::init([](py::object) { return std::make_unique<Generator>(); }), py::arg("device") = py::none())
      .def("_manual_seed", [](Generator& g, uint64_t seed) { g.manual_seed(seed); })
      .def("initial_seed", &Generator::initial_seed)
      .def("seed", [](Generator& g) { return g.seed(); })
      .def("get_state",
           [](Generator& g) {
             const Tensor t = empty(Dims{Generator::kStateBytes}, DType::UInt8);
             const std::lock_guard lock(g.mutex());
             g.get_state(t.data<uint8_t>());
             return t;
           })
      .def("set_state", [](Generator& g, const Tensor& state) {
        check(state.dtype() == DType::UInt8, ErrorKind::Type, "RNG state must be a torch.ByteTensor");
        const Tensor dense = contiguous(state);
        const std::lock_guard lock(g.mutex());
        g.set_state(dense.data<uint8_t>(), dense.numel());
      });
  m.attr("default_generator") = py::cast(&default_generator(), py::return_value_policy::reference);
}

}  // namespace gradcore
