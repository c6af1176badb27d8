// Anomaly mode as Python sees it: where a node was recorded is kept in its metadata, under torch's keys.
#include "autograd/anomaly.h"

#include <algorithm>
#include <vector>

#include "bindings/define.h"
#include "bindings/docs.h"
#include "bindings/node.h"

namespace gradcore {

namespace {

constexpr const char* kTraceback = "traceback_";  // the lines of traceback.format_stack()
constexpr const char* kParent = "parent_";        // the node whose backward recorded this one

void put(PyObject* dict, const char* key, PyObject* value) {
  const Owned owned(checked(value));
  if (PyDict_SetItemString(dict, key, value)) throw PythonError{};
}

void recorded(Node& node, Node* parent) {
  const GilAcquire gil;
  try {
    PyObject* dict = metadata_of(node);
    put(dict, kTraceback, py::module_::import("traceback").attr("format_stack")().release().ptr());
    if (parent) put(dict, kParent, wrap_node(Ref<Node>::share(parent)));
  } catch (const PythonError&) {
    throw py::error_already_set();
  }
}

// The lines of the stack where the node was recorded, or the one line that is always kept.
std::string stack_of(Node& node) {
  PyObject* lines = PyDict_GetItemString(metadata_of(node), kTraceback);
  if (!lines) {
    const std::string where = origin_text(node.origin());
    return str_cat(
        ". No forward pass information available. Enable detect anomaly during forward pass for more information.",
        where.empty() ? where : str_cat(" It was recorded at ", where, "."));
  }
  const Owned keep(Py_NewRef(lines)), empty(checked(PyUnicode_FromString("")));
  const Owned text(PyUnicode_Join(empty.get(), lines));
  PyErr_Clear();  // the program may have put anything there: the error that is to be explained goes on
  return str_cat(". Traceback of forward call that caused the error:\n",
                 text ? utf8(text.get()) : "(not a list of str)");
}

// Where warnings are errors, the one that is on its way counts, and the warning is printed.
void warn(const std::string& text) {
  if (PyErr_WarnEx(PyExc_UserWarning, text.c_str(), 1)) PyErr_Print();
}

void explain(Node& node) {
  const GilAcquire gil;
  const py::error_scope failure;  // a Python exception may be on its way
  warn(str_cat("Error detected in ", node.name(), stack_of(node)));
  py::object child = py::reinterpret_steal<py::object>(wrap_node(Ref<Node>::share(&node)));
  std::vector<py::object> seen;  // a program may have made a circle of them
  while (std::ranges::none_of(seen, [&](const py::object& o) { return o.is(child); })) {
    seen.push_back(child);
    PyObject* parent = PyDict_GetItemString(metadata_of(*live_node(child.ptr())), kParent);
    if (!parent || !PyObject_TypeCheck(parent, node_type)) return;
    child = py::reinterpret_borrow<py::object>(parent);
    const Ref<Node> n = live_node(child.ptr());
    warn(str_cat("\n\nPrevious calculation was induced by ", n->name(), stack_of(*n)));
  }
}

}  // namespace

void add_anomaly(py::module_& m) {
  anomaly.recorded = recorded;
  anomaly.explain = explain;
  m.def("set_anomaly_enabled", &set_anomaly, py::arg("mode"), py::arg("check_nan") = true, docs::set_anomaly_enabled);
  m.def("is_anomaly_enabled", [] { return anomaly.on.load(); }, docs::is_anomaly_enabled);
  m.def("is_anomaly_check_nan_enabled", [] { return anomaly.check_nan.load(); }, docs::is_anomaly_check_nan_enabled);
}

}  // namespace gradcore
