// What the files about nodes share: the wrapper, places in the user's program.
#pragma once
#include "bindings/gil.h"

namespace gradcore {

// A node's wrapper owns its node. A custom Function's is the other way round: the node owns its context (function.cpp),
// and `node` is null once the node is gone.
struct PyNode {
  PyObject_HEAD Node* node;
};
extern PyTypeObject* node_type;

// The node of a wrapper; an error where it has none: a context whose forward failed, or that is being freed.
inline Ref<Node> live_node(PyObject* o) {
  check(PyObject_TypeCheck(o, node_type), ErrorKind::Type, "expected a Node, but got ", Py_TYPE(o)->tp_name);
  Node* n = reinterpret_cast<PyNode*>(o)->node;
  Ref<Node> owned = n ? n->own_node() : Ref<Node>();
  check(static_cast<bool>(owned), "this node is gone: the graph that it was part of was freed");
  return owned;
}

// The gradient of output `i`, checked against what that is, in its dtype.
Tensor fitting_gradient(const Tensor& grad, const std::optional<TensorMeta>& output, size_t i);

// Shows the tensor's wrapper to the garbage collector: it can be part of a cycle now.
void track_cycles(const Tensor& t);
// " (file:line)" where a Python function begins; empty for others.
std::string place_of(PyObject* function);

// The attributes by which viewers see what a node saved: Note [What a node shows] in saved_fields.cpp.
PyObject* node_getattro(PyObject* self, PyObject* name);
PyObject* node_dir(PyObject* self, PyObject*);
// The node's dict, borrowed; made when it is first asked for.
PyObject* metadata_of(Node& node);

void add_nodes(py::module_& m);
void add_function(const py::object& m);
void add_origin(py::module_& m);
void add_profiler(py::module_& m);
void add_saved_hooks(py::module_& m);
void add_saved_fields(py::module_& m);
void add_anomaly(py::module_& m);
// What is entered and left of saved_tensors_hooks in a scope is as it was afterwards.
class KeepSavedHooks {
 public:
  KeepSavedHooks();
  ~KeepSavedHooks();
  KeepSavedHooks(const KeepSavedHooks&) = delete;

 private:
  SavedHooks* hooks_;
};
// Keeps what `pack` makes of a saved tensor in its place, and reads it back with `unpack`.
void pack_saved(Saved& saved, py::handle pack, py::handle unpack);

}  // namespace gradcore
