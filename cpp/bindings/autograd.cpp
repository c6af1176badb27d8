// The tape as Python sees it: modes, nodes, hooks, backward and grad. Start at run_from_python().
#include "autograd/engine.h"
#include "bindings/define.h"
#include "bindings/docs.h"
#include "bindings/ops/register.h"
#include "ops/view.h"
#include "tensor/meta.h"

#include <algorithm>
#include <cstring>

#include "autograd/forward.h"
#include "autograd/transforms.h"
#include "bindings/node.h"
#include "core/allocator.h"
#include "core/generator.h"
#include "core/parallel.h"
#include "core/warning.h"

namespace gradcore {

namespace {

// A (node, output number) tuple such as graph.GradientEdge.
bool is_node_pair(PyObject* o) {
  return PyTuple_Check(o) && PyTuple_GET_SIZE(o) >= 2 && PyObject_TypeCheck(PyTuple_GET_ITEM(o, 0), node_type);
}

std::vector<Tensor> to_list(py::handle h, const char* what) {
  std::vector<Tensor> out;
  if (is_tensor(h.ptr())) {
    out.push_back(unwrap(h.ptr()));
    return out;
  }
  const Owned fast(PySequence_Fast(h.ptr(), what));
  if (!fast) throw py::error_already_set();
  for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(fast.get()); ++i) {
    const Owned item = item_of(fast.get(), i);
    PyObject* o = item.get();
    if (o == Py_None)
      out.emplace_back();
    else if (is_tensor(o))
      out.push_back(unwrap(o));
    else
      fail(ErrorKind::Type, what, ": element ", static_cast<int64_t>(i), " is a ", Py_TYPE(o)->tp_name);
  }
  return out;
}

// A tensor, or a (node, output number) pair: where a gradient starts or ends.
struct Place {
  Tensor tensor;  // undefined for an edge
  Edge edge;
  std::optional<TensorMeta> output;  // what an edge's tensor is, if known
  bool requires_grad() const { return tensor ? gradcore::requires_grad(tensor) : static_cast<bool>(edge.node); }
};

Place to_place(PyObject* o, const char* what, ErrorKind kind) {
  if (is_tensor(o)) return {unwrap(o), {}, {}};
  if (is_node_pair(o)) {
    const Owned node = item_of(o, 0), nr = item_of(o, 1);  // the tuple's own, whatever a subclass says
    const long k = PyLong_AsLong(nr.get());
    if (PyErr_Occurred()) throw py::error_already_set();
    const Ref<Node> n = live_node(node.get());
    check(k >= 0 && k < static_cast<long>(n->output_count), ErrorKind::Value, what, ": ", n->name(), " has no output ",
          k);
    const auto i = static_cast<uint32_t>(k);
    return {{}, {n, i}, n->output_meta(i)};
  }
  fail(kind, what, ", not ", Py_TYPE(o)->tp_name);
}

std::vector<Place> to_places(py::handle h, const char* what, ErrorKind kind = ErrorKind::Type) {
  std::vector<Place> out;
  if (is_tensor(h.ptr()) || is_node_pair(h.ptr())) {
    out.push_back(to_place(h.ptr(), what, kind));
    return out;
  }
  const Owned fast(PySequence_Fast(h.ptr(), what));
  if (!fast) throw py::error_already_set();
  for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(fast.get()); ++i)
    out.push_back(to_place(item_of(fast.get(), i).get(), what, kind));
  return out;
}

// torch's exception type for what is no tensor differs from that of outputs.
std::vector<Place> to_inputs(py::handle h) {
  return to_places(h, "all inputs have to be Tensors or GradientEdges", ErrorKind::Runtime);
}

// The gradient to start from: what was given, checked, or a one for a scalar.
Tensor seed_for(const Place& root, Tensor grad, size_t i) {
  const std::optional<TensorMeta> output =
      root.tensor ? TensorMeta{root.tensor.shape(), root.tensor.dtype()} : root.output;
  if (grad) return fitting_gradient(grad, output, i);
  check(output.has_value(), "grad can be implicitly created only for scalar outputs, but this one has not been made");
  check(checked_numel(output->shape) == 1, "grad can be implicitly created only for scalar outputs");
  check(is_floating(output->dtype), "grad can be implicitly created only for real scalar outputs but got ",
        dtype_name(output->dtype));
  if (!root.tensor) return ones(output->shape, output->dtype);
  const meta::Scope scope(is_meta(root.tensor));
  return ones_like(root.tensor);
}

Edge edge_of(const Place& p) { return p.tensor ? gradient_edge(p.tensor) : p.edge; }

// Where an input was computed, for messages.
std::string origin_note(const Place& p) {
  const Edge e = edge_of(p);
  const std::string where = origin_text(e.node ? e.node->origin() : 0);
  return where.empty() ? where : str_cat("\n  it was computed at ", where);
}

bool is_nonzero(py::handle integer) {
  const Owned number(checked(PyNumber_Index(integer.ptr())));
  return PyObject_IsTrue(number.get()) == 1;
}

// Everything is checked before anything is changed.
BackwardRequest make_request(std::span<const Place> roots, std::vector<Tensor> grads, std::span<const Place> inputs,
                             py::handle retain, bool create) {
  if (grads.empty()) grads.resize(roots.size());
  check(grads.size() == roots.size(), "got ", roots.size(), " tensors and ", grads.size(), " gradients");
  BackwardRequest request;
  request.roots.reserve(roots.size());
  request.grads.reserve(roots.size());
  for (size_t i = 0; i < roots.size(); ++i) {
    if (roots[i].requires_grad() || grads[i]) request.grads.push_back(seed_for(roots[i], std::move(grads[i]), i));
    request.roots.push_back(edge_of(roots[i]));
    if (!request.roots.back().node)
      fail("element ", i,
           " of tensors does not require grad and does not have a grad_fn: nothing that it was computed "
           "from requires grad, or it was computed under no_grad() or detach()ed. Call requires_grad_() on what to "
           "differentiate for.");
  }
  for (const Place& p : inputs) {
    check(p.requires_grad(), "One of the differentiated Tensors does not require grad");
    request.inputs.push_back(edge_of(p));
  }
  request.create_graph = create;
  request.keep_graph = retain.is_none() ? create : is_nonzero(retain);
  return request;
}

std::vector<Tensor> run_from_python(BackwardRequest&& request) {
  const KeepSavedHooks keep;  // as in torch: what hooks leave open is closed
  const GilRelease release;
  return run_backward(std::move(request));
}

// Once in a process, as torch does.
void warn_of_cycles() {
  static std::atomic<bool> warned = false;
  if (!warning_is_due(warned)) return;
  const char* text =
      "Using backward() with create_graph=True will create a reference cycle between the parameter and its gradient "
      "which can cause a memory leak. Use autograd.grad when creating the graph to avoid this. If you have to use this "
      "function, make sure to reset the .grad fields of your parameters to None after use to break the cycle.";
  if (PyErr_WarnEx(PyExc_UserWarning, text, 1)) throw PythonError{};
}

void backward_from_python(std::span<const Place> roots, std::vector<Tensor> grads, py::handle retain, bool create,
                          std::span<const Place> inputs) {
  check(!in_transform(),
        "backward() called inside a functorch transform. This is not supported, please use func.grad or func.vjp "
        "instead or call backward() outside of it.");
  if (create) warn_of_cycles();
  BackwardRequest request = make_request(roots, std::move(grads), inputs, retain, create);
  for (const Place& p : inputs)
    if (p.tensor && !is_leaf(p.tensor)) retain_grad(p.tensor);
  run_from_python(std::move(request));
}

void method_backward(const Tensor& t, const Tensor& gradient, PyObject* retain_graph, bool create_graph,
                     PyObject* inputs_given) {
  const Place root{t, {}, {}};
  std::vector<Tensor> grads;
  std::vector<Place> inputs;
  if (gradient) grads.push_back(gradient);
  if (inputs_given != Py_None) {
    inputs = to_inputs(inputs_given);
    check(!inputs.empty(), "'inputs' argument to backward() cannot be empty.");
  }
  backward_from_python({&root, 1}, std::move(grads), retain_graph, create_graph, inputs);
}

constexpr OpRow kRows[] = {
    op("backward(Tensor input, Tensor? gradient=None, bool? retain_graph=None, bool create_graph=False, object? "
       "inputs=None) -> None",
       fn<method_backward>, {.kind = kMethod}),
};

py::tuple grad_from_python(py::handle outputs, py::handle inputs, py::handle grads, py::handle retain, bool create,
                           bool allow_unused, bool materialize) {
  const std::vector<Place> roots = to_places(outputs, "grad() expects tensors as outputs");
  const std::vector<Place> in = to_inputs(inputs);
  check(!in.empty(), "`inputs` argument to `grad()` cannot be empty: grad requires non-empty inputs.");
  std::vector<Tensor> g;
  if (!grads.is_none()) g = to_list(grads, "grad_outputs must be tensors");
  BackwardRequest request = make_request(roots, std::move(g), in, retain, create);
  request.accumulate = false;
  std::vector<Tensor> result = run_from_python(std::move(request));
  for (size_t i = 0; i < result.size(); ++i) {
    if (result[i]) continue;
    check(!materialize || in[i].tensor, "materialize_grads cannot be used when the given input is a GradientEdge");
    if (materialize) {
      result[i] = zeros_like(in[i].tensor);
      if (create) set_requires_grad(result[i], true);  // as torch has it
    } else if (!allow_unused) {
      fail(
          "The differentiated Tensor at index ", i,
          " appears to not have been used in the graph (One of the differentiated "
          "Tensors appears to not have been used in the graph). Set allow_unused=True if this is the desired behavior.",
          origin_note(in[i]));
    }
  }
  py::tuple out(result.size());
  for (size_t i = 0; i < result.size(); ++i) out[i] = py::cast(result[i]);
  return out;
}

void check_open(int depth) {
  check(depth >= 0 && depth < forward_levels(), "forward AD level ", depth, " is not open");
}

// A tensor on the memory of `primal` that carries a tangent at this level and, below it, what `primal` carries.
Tensor make_dual(const Tensor& primal, const Tensor& tangent, int depth) {
  check_open(depth);
  check(!tangent_of(primal, depth),
        "Making a dual Tensor based on a Tensor that already has a forward gradient at the same level ", depth,
        " is not supported.");
  check(!tangent_of(tangent, depth), "Setting a forward grad that itself has a forward gradient at the same level ",
        depth, " is not supported.");
  check(primal.shape() == tangent.shape(),
        "Trying to set a forward gradient that has a different size than that of the original "
        "Tensor, this is not supported. Tensor is of size ",
        primal.shape(), " while the given forward gradient is of size ", tangent.shape(), ".");
  check(!overlaps_itself(primal) || primal.strides() == tangent.strides(),
        "unsupported operation: more than one element of the written-to tensor refers to a single memory "
        "location. Please clone() the tensor before performing the operation.");
  const ForwardGuard below(depth);
  const Tensor dual = view_without_tangents(primal, "ViewBackward0");
  set_tangent(dual, depth, tangent);
  return dual;
}

py::tuple unpack_dual(const Tensor& t, int depth) {
  check_open(depth);
  const Tensor tangent = forward_enabled() ? tangent_of(t, depth) : Tensor();
  const ForwardGuard below(depth);
  const Tensor primal = view_without_tangents(t, "torch::autograd::Identity");
  return py::make_tuple(primal, tangent ? py::cast(tangent) : py::object(py::none()));
}

using PyDifferentiation = std::tuple<uint32_t, uint32_t, bool, bool>;
Differentiation from_python(const PyDifferentiation& d) {
  return {std::get<0>(d), std::get<1>(d), std::get<2>(d), std::get<3>(d)};
}

// What Python needs to leave a mode that was entered; where there is no memory for it, the mode is left at once.
template <class T, class F> py::object entered(const T& how_to_leave, F&& leave) {
  try {
    return py::reinterpret_steal<py::object>(checked(py::cast(how_to_leave).release().ptr()));
  } catch (...) {
    leave();
    throw;
  }
}

// A reusable switch for `with` and decorators; the Python classes derive from it.
bool swap_mode(bool& mode, bool on) { return std::exchange(mode, on); }

PyObject* get_num_threads(PyObject*, PyObject*) {
  return guarded([] { return PyLong_FromLong(num_threads()); });
}
PyMethodDef kFunctions[] = {{"get_num_threads", get_num_threads, METH_NOARGS, docs::get_num_threads},
                            {nullptr, nullptr, 0, nullptr}};

// One of its own, so that the inherited Generator.__new__, which would leave out __init__, is refused (see forbid_new).
PyObject* new_generator(PyTypeObject* type, PyObject*, PyObject*) {
  return guarded([&] { return py::detail::make_new_instance(type); });
}

}  // namespace

void register_autograd_ops() { register_rows(kRows); }

void add_autograd(py::module_& m) {
  m.def("_backward", [](py::handle tensors, py::handle grads, py::handle retain, bool create, py::handle inputs) {
    const std::vector<Place> roots = to_places(tensors, "backward() expects tensors");
    std::vector<Tensor> g;
    std::vector<Place> in;
    if (!grads.is_none()) g = to_list(grads, "grad_tensors must be tensors");
    if (!inputs.is_none()) {
      in = to_inputs(inputs);
      check(!in.empty(), "'inputs' argument to backward() cannot be empty.");
    }
    backward_from_python(roots, std::move(g), retain, create, in);
  });
  m.def("_grad", &grad_from_python);
  m.def("_gradient_edge", [](const Tensor& t) {
    const Edge e = gradient_edge(t);
    return py::make_tuple(e.node ? py::reinterpret_steal<py::object>(wrap_node(e.node)) : py::none(), e.nr);
  });
  m.def("_next_sequence_number", &Node::next_seq);
  m.def("_increment_version", [](const Tensor& t) { t.bump_version(); });
  m.def("_set_version", [](const Tensor& t, uint32_t version) { t->version().store(version); });
  m.def("_set_warn_always", [](bool on) { warn_always = on; });
  m.def("_end_point", [](const Tensor& leaf) {
    set_requires_grad(leaf, false);
    make_meta(leaf).over = true;
  });
  m.def("_reaches_outside", [](const Tensor& t, uint64_t begun, uint32_t first, uint32_t last) {
    return reaches_outside(t, begun, {first, last});
  });
  m.def("_running_backward", [] {
    const RunningBackward r = running_backward();
    return py::make_tuple(r.id, r.outermost);
  });
  m.def("_backward_reaches_all_leaves", &backward_reaches_all_leaves);
  m.def("_backward_reaches", [](py::handle node) {
    check(PyObject_TypeCheck(node.ptr(), node_type), ErrorKind::Type, "expected a Node, but got ",
          Py_TYPE(node.ptr())->tp_name);
    const Node* n =
        reinterpret_cast<PyNode*>(node.ptr())->node;  // null: its graph is gone, and no backward comes there
    return n && backward_reaches(n);
  });

  m.def("_is_fwd_grad_enabled", &forward_enabled);
  m.def("_set_fwd_grad_enabled", [](py::handle enabled) {
    check(PyBool_Check(enabled.ptr()), ErrorKind::Type, "enabled must be a bool (got ", Py_TYPE(enabled.ptr())->tp_name,
          ")");
    return set_forward_enabled(enabled.ptr() == Py_True);
  });
  m.def("_enter_dual_level", &enter_forward_level);
  m.def("_exit_dual_level", &exit_forward_level);
  m.def("_dual_levels", &forward_levels);
  m.def("_make_dual", &make_dual);
  m.def("_unpack_dual", &unpack_dual);

  m.def("_constant", [](const Tensor& t) {
    const GradModeGuard off(false);
    return alias_without_base(t, "Identity");
  });
  m.def("_enter_differentiation", [] {
    const Differentiation d = enter_differentiation();
    return entered(PyDifferentiation(d.number, d.outer, d.left, d.inference), [&] { exit_differentiation(d); });
  });
  m.def("_exit_differentiation", [](const PyDifferentiation& d) { exit_differentiation(from_python(d)); });
  m.def("_last_differentiation", &last_differentiation);
  m.def("_leave_transforms", [](bool leave) { return swap_mode(transforms_left, leave); });
  m.def("_make_points", [](py::handle points, const PyDifferentiation& d) {
    for (const Tensor& point : to_list(points, "points are tensors")) {
      check(point.defined(), ErrorKind::Type, "points are tensors");
      make_point(point, from_python(d));
    }
  });
  m.def("_in_transform", &in_transform);
  m.def("_are_functorch_transforms_active", &in_transform);  // by torch's name
  m.def("_enter_vmap", [](int64_t size, int randomness) {
    check(size >= 0 && randomness >= 0 && randomness <= static_cast<int>(Randomness::Different), ErrorKind::Value,
          "a vmap of size ", size, " with randomness ", randomness);
    return entered(enter_batch_level(size, static_cast<Randomness>(randomness)), exit_batch_level);
  });
  m.def("_exit_vmap", &exit_batch_level);
  m.def("_leave_vmap", &leave_batch_level);
  m.def("_return_to_vmap", &return_to_batch_level);
  m.def("_hide_dim",
        [](const Tensor& t, int64_t dim, int64_t level) { return add_batch_dim(t, wrap_dim(dim, t.dim()), level); });
  m.def("_show_level", [](const Tensor& t, int64_t level, int64_t dim, int64_t size) {
    return remove_batch_dim(t, level, wrap_dim(dim, t.dim() + 1), size);
  });
  m.def("_batch_levels", [](const Tensor& t) {
    py::list levels;
    if (t->batch)
      for (int64_t id : t->batch->levels) levels.append(id);
    return levels;
  });

  // Whether a condition holds for all elements of all samples: what is refused is refused under vmap too.
  m.def("_all_true", [](const Tensor& t) {
    const GradModeGuard off(false);
    const Tensor found = all(t->batch ? physical(t) : t, std::nullopt, false);
    return *static_cast<const bool*>(found.host());
  });

  m.def("_set_grad_enabled", [](bool on) { return swap_mode(modes.grad, on); });

  if (PyModule_AddFunctions(m.ptr(), kFunctions) < 0) throw PythonError{};
  m.def(
      "set_num_threads",
      [](py::handle num) {
        check(PyLong_Check(num.ptr()) && !PyBool_Check(num.ptr()), "set_num_threads expects an int, but got ",
              Py_TYPE(num.ptr())->tp_name);
        const int64_t n = to_int64(num.ptr());
        check(n == static_cast<int>(n), ErrorKind::Value, "Overflow when unpacking long");
        set_num_threads(static_cast<int>(n));
      },
      py::arg("num"), docs::set_num_threads);
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
      docs::memory_stats);
  m.def("release_unused_memory", &release_unused_memory, docs::release_unused_memory);

  py::class_<Generator> generator(m, "Generator", docs::Generator);
  reinterpret_cast<PyTypeObject*>(generator.ptr())->tp_new = new_generator;
  generator
      .def(
          "__init__",
          [](py::detail::value_and_holder& place, py::object device) {
            check_device(device.ptr());
            // As py::init does, which frees the value twice where there is no memory left to register it.
            place.value_ptr() = new Generator;
            place.type->init_instance(place.inst, nullptr);
          },
          py::detail::is_new_style_constructor(), py::arg("device") = py::none())
      .def("_manual_seed", [](Generator& g, uint64_t seed) { g.manual_seed(seed); })
      .def("initial_seed", &Generator::initial_seed, docs::initial_seed)
      .def(
          "seed", [](Generator& g) { return g.seed(); }, docs::seed)
      .def(
          "get_state",
          [](Generator& g) {
            const Tensor t = empty(Dims{Generator::kStateBytes}, DType::UInt8);
            const std::lock_guard lock(g.mutex());
            g.get_state(t.host<uint8_t>());
            return t;
          },
          docs::get_state)
      .def(
          "set_state",
          [](Generator& g, const Tensor& state) -> Generator& {
            check(state.dtype() == DType::UInt8, ErrorKind::Type, "RNG state must be a torch.ByteTensor");
            const Tensor dense = contiguous(state);
            const std::lock_guard lock(g.mutex());
            g.set_state(dense.host<uint8_t>(), dense.numel());
            return g;
          },
          py::return_value_policy::reference, docs::set_state);
  m.attr("default_generator") = py::cast(&default_generator(), py::return_value_policy::reference);
}

}  // namespace gradcore
