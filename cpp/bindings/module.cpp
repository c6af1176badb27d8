// The extension module gradcore._C: puts the parts together.
#include "autograd/accumulate.h"
#include "autograd/locks.h"
#include "bindings/define.h"
#include "bindings/docs.h"
#include "bindings/gil.h"
#include "bindings/node.h"
#include "bindings/op_function.h"
#include "bindings/ops/register.h"
#include "bindings/torch_function.h"
#include "core/allocator.h"
#include "core/cpu.h"
#include "core/parallel.h"
#include "core/threading_layer.h"
#include "core/warning.h"
#include "ops/convolution.h"
#include "ops/tape_ops.h"

namespace gradcore {

static void register_ops() {
  register_elementwise();
  register_reduce();
  register_scan();
  register_order();
  register_matmul();
  register_activation();
  register_nn();
  register_recurrent();
  register_attention();
  register_convolution();
  register_pooling();
  register_norm();
  register_view();
  register_convert();
  register_join();
  register_index();
  register_create();
  register_random();
  register_foreach();
  register_shapes();
  register_complex();
  register_linalg();
  register_products();
  register_autograd_ops();
  register_echoes();
}

static void add_build_info(py::module_& m) {
  m.attr("__version__") = GRADCORE_VERSION;
  m.def("_build_info", [] {
    py::dict d;
    d["version"] = GRADCORE_VERSION;
    d["isa"] = kIsaName[static_cast<int>(active_isa())];
    d["threads"] = num_threads();
    d["threading_layer"] = threading_layer();
    d["openmp_missing"] = openmp_missing();
#if defined(__clang__)
    d["compiler"] = "clang++ " __clang_version__;
#else
    d["compiler"] = "g++ " __VERSION__;
#endif
    return d;
  });
  m.def(
      "set_threading_layer", [](const std::string& name) { set_threading_layer(name); }, py::arg("name"),
      docs::set_threading_layer);
  m.def(
      "available_isas",
      [] {
        py::list out;
        for (int i = 0; i < kIsaCount; ++i)
          if (isa_available(static_cast<Isa>(i))) out.append(std::string(kIsaName[i]).substr(7));
        return out;
      },
      docs::available_isas);
  m.def("_winograd_enabled", &winograd_enabled);
  m.def("_enable_winograd", &enable_winograd, py::arg("enabled"));
  m.def("_op_table", &op_table);
  m.def("_op_names", [] {
    py::list names;
    for (py::handle row : op_table()) names.append(py::reinterpret_borrow<py::tuple>(row)[0]);
    return names;
  });
}

// What C++ throws in a type's __new__ ends the process. pybind11's own base class throws when it is made itself, which
// pickle tries for an instance of any class that it does not know: pickle.dumps(x, protocol=0).
static void guard_new() {
  auto* const base = reinterpret_cast<PyTypeObject*>(py::detail::get_internals().instance_base);
  base->tp_new = [](PyTypeObject* type, PyObject*, PyObject*) {
    return guarded([&] { return py::detail::make_new_instance(type); });
  };
}

// What programs ask torch._C: nothing is traced, and nobody counts what is used.
static void add_probes(py::module_& m) {
  m.def("_get_tracing_state", [] { return py::none(); });
  m.def("_log_api_usage_once", [](py::str) {});
}

}  // namespace gradcore

// pybind11 would wait for the main interpreter's GIL, which the thread that imports holds.
extern "C" PyObject* PyInit__C_of_main();
extern "C" PYBIND11_EXPORT PyObject* PyInit__C() {
  if (PyInterpreterState_Get() == PyInterpreterState_Main()) return PyInit__C_of_main();
  PyErr_SetString(PyExc_ImportError, "gradcore works in the main interpreter of a process alone");
  return nullptr;
}

// Files that include python.h alone may call it; what defines it may have it in line everywhere.
[[gnu::used]] static auto* const kept_out_of_line = &pybind11::detail::get_fully_qualified_tp_name;

PYBIND11_MODULE(_C_of_main, m) {
  using namespace gradcore;
  py::register_exception_translator([](std::exception_ptr p) {
    if (!p) return;
    try {
      std::rethrow_exception(p);
    } catch (const PythonError&) {
    } catch (const Error&) {
      set_python_error();
    }
  });
  keep_allocator_over_forks();
  keep_tape_locks_over_forks();
  keep_readers_waited_for();
  try {
    active_isa();
    threading_layer();
  } catch (const Error& e) {
    throw py::import_error(e.what());
  }
  show_warning = [](const std::string& text) {
    const GilAcquire gil;
    if (PyErr_WarnEx(PyExc_UserWarning, text.c_str(), 1)) throw PythonError{};
  };
  fill_tape_ops();
  register_ops();
  guard_new();
  add_types(m);
  add_size(m);
  add_tensor_type(m);
  add_functions(m.ptr());
  add_torch_function(m);
  add_data(m);
  add_dlpack(m);
  add_nodes(m);
  add_function(m);
  add_autograd(m);
  add_origin(m);
  add_profiler(m);
  add_saved_hooks(m);
  add_saved_fields(m);
  add_anomaly(m);
  add_optim(m);
  add_optim_matrices(m);
  add_lbfgs(m);
  add_nn_module(m);
  add_autocast(m);
  add_recording_mode(m);
  add_build_info(m);
  add_probes(m);
}
