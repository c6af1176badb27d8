// What every binding file needs: the Tensor type, wrapping, errors. Start at wrap() and unwrap().
// It has pybind11's objects and casts alone. What defines classes, or functions of a module, includes define.h instead:
// each file that does compiles seconds longer.
#pragma once
#define PY_SSIZE_T_CLEAN
#include <cxxabi.h>
#include <pybind11/cast.h>
#include <pybind11/detail/class.h>  // has the bodies of inline functions that cast.h calls

#include "autograd/node.h"
#include "ops/ops.h"

PYBIND11_NAMESPACE_BEGIN(PYBIND11_NAMESPACE)
class module_;
PYBIND11_NAMESPACE_END(PYBIND11_NAMESPACE)

namespace gradcore {

namespace py = pybind11;

// A Python tensor owns its TensorImpl; the impl points back without owning, so that one impl has one wrapper.
struct PyTensor {
  PyObject_HEAD TensorImpl* impl;
  PyObject* dict;
  PyObject* weakrefs;
};

extern PyTypeObject* tensor_type;  // gradcore.Tensor
extern PyTypeObject* size_type;    // gradcore.Size
extern PyObject* device_cpu;       // gradcore.device('cpu')
extern PyTypeObject* device_type;
extern PyTypeObject* dtype_type;
extern PyTypeObject* layout_type;
extern PyTypeObject* memory_format_type;
extern PyObject *strided_layout, *contiguous_format, *preserve_format;
extern PyObject* dtype_objects[kDTypeCount];
extern PyObject* linalg_error;  // gradcore.linalg.LinAlgError

// A subclass is made by a class statement: of float, int and the like there is nothing to ask.
inline bool is_tensor(PyObject* o) {
  const PyTypeObject* type = Py_TYPE(o);
  if (type == tensor_type) return true;
  return (type->tp_flags & Py_TPFLAGS_HEAPTYPE) && PyType_IsSubtype(Py_TYPE(o), tensor_type);
}
inline TensorImpl* impl_of(PyObject* o) { return reinterpret_cast<PyTensor*>(o)->impl; }
inline Tensor unwrap(PyObject* o) { return Tensor(Ref<TensorImpl>::share(impl_of(o))); }

// A borrowed view of a wrapper's tensor, without touching the count.
class Borrowed {
 public:
  explicit Borrowed(PyObject* o) : t_(Ref<TensorImpl>::adopt(impl_of(o))) {}
  ~Borrowed() { t_.take().leak(); }
  Borrowed(const Borrowed&) = delete;
  operator const Tensor&() const { return t_; }
  const Tensor& operator*() const { return t_; }
  const Tensor* operator->() const { return &t_; }

 private:
  Tensor t_;
};

// New references.
PyObject* wrap(Tensor t);
PyObject* wrap_as(PyTypeObject* type, Tensor t);  // as a subclass
PyObject* wrap_shape(std::span<const int64_t> dims);
PyObject* wrap_node(const Ref<Node>& node);
PyObject* wrap_tuple(std::vector<Tensor> tensors);  // a tuple
PyObject* wrap_scalar(const void* element, DType dtype);
PyObject* tensor_item(PyObject* tensor, PyObject* = nullptr);  // Tensor.item(); null with Python's error set

inline PyObject* none() { return Py_NewRef(Py_None); }
inline PyObject* boolean(bool b) { return Py_NewRef(b ? Py_True : Py_False); }

inline py::object import_module(const char* name) {
  PyObject* module = PyImport_ImportModule(name);
  if (!module) throw py::error_already_set();
  return py::reinterpret_steal<py::object>(module);
}

// A Python exception is already set; unwinds to the nearest guard.
struct PythonError {};
inline PyObject* checked(PyObject* o) {
  if (!o) throw PythonError{};
  return o;
}
void set_python_error();  // turns the exception in flight into Python's

// Runs f, turning C++ exceptions into Python ones.
template <class F> PyObject* guarded(F&& f) {
  try {
    return f();
  } catch (...) {
    set_python_error();
    return nullptr;
  }
}
template <class F> int guarded_int(F&& f) {
  try {
    f();
    return 0;
  } catch (...) {
    set_python_error();
    return -1;
  }
}

// Small owner of a new reference.
class Owned {
 public:
  explicit Owned(PyObject* o = nullptr) : o_(o) {}
  Owned(Owned&& other) noexcept : o_(std::exchange(other.o_, nullptr)) {}
  Owned& operator=(Owned other) noexcept {
    std::swap(o_, other.o_);
    return *this;
  }
  ~Owned() { Py_XDECREF(o_); }
  PyObject* get() const { return o_; }
  PyObject* release() { return std::exchange(o_, nullptr); }
  explicit operator bool() const { return o_ != nullptr; }

 private:
  PyObject* o_;
};

// A str as UTF-8; what has none (in a file name of odd bytes, say) is escaped.
inline std::string utf8(PyObject* s) {
  const Owned bytes(checked(PyUnicode_AsEncodedString(s, "utf-8", "backslashreplace")));
  return {PyBytes_AS_STRING(bytes.get()), static_cast<size_t>(PyBytes_GET_SIZE(bytes.get()))};
}

// Runs f, which may run Python code for long. When the interpreter ends, Python stops a daemon thread by unwinding its
// stack, where the system's threads do so (from 3.14 on it sleeps for good): our destructors could not be passed in
// that way, and would touch objects without the GIL. So the thread sleeps here, as in 3.14, until the process is gone.
[[noreturn]] void sleep_for_good();
template <class F> auto in_python(F&& f) {
#if defined(__GLIBCXX__)
  try {
    return f();
  } catch (const abi::__forced_unwind&) {
    sleep_for_good();
  }
#else
  return f();
#endif
}

// An item of a list or tuple that was measured before: Python code that ran since may have changed the list.
inline Owned item_of(PyObject* list, Py_ssize_t i) {
  check(i < PySequence_Fast_GET_SIZE(list), "the list changed while it was read");
  return Owned(Py_NewRef(PySequence_Fast_GET_ITEM(list, i)));
}

// pybind11 lets a type's __new__ alone make an instance without a value, and methods would read memory that nobody
// wrote. For types that Python code does not make.
inline void forbid_new(py::handle type) { reinterpret_cast<PyTypeObject*>(type.ptr())->tp_new = nullptr; }

// Conversions shared by the parser and the slots.
bool is_number(PyObject* o);  // Python or NumPy scalar
Scalar to_scalar(PyObject* o);
int64_t to_int64(PyObject* o);                                          // of anything with __index__
void check_device(PyObject* o);                                         // a name that is not the CPU's is refused
std::optional<DType> to_dtype(PyObject* o);                             // of a dtype object, or float / int / bool
Tensor tensor_from_object(PyObject* data, std::optional<DType> dtype);  // torch.tensor(data)
void warn_of_copy(const char* call);             // that copies a tensor where detach().clone() says so
bool is_array(PyObject* o);                      // of NumPy or alike, a scalar too
bool share_array(PyObject* array, Tensor& out);  // zero-copy from an object with the buffer or array interface
bool is_storage(PyObject* o);                    // of _compat/legacy.py
// Its memory as a vector of this dtype, or None; it grows to have `room` elements if it can.
Tensor tensor_on_storage(PyObject* storage, PyObject* dtype, int64_t room = 0);
Tensor tensor_of_dlpack(PyObject* o);  // zero-copy from an object with __dlpack__
int tensor_getbuffer(PyObject* self, Py_buffer* view, int flags);
void tensor_releasebuffer(PyObject* self, Py_buffer* view);
PyObject* getitem(PyObject* self, PyObject* key);
int setitem(PyObject* self, PyObject* key, PyObject* value);

// Each file adds its part to the module or to the tensor type's tables.
void add_tensor_type(const py::object& m);
void add_autograd(py::module_& m);
void add_types(py::module_& m);
void add_data(py::module_& m);
void add_dlpack(py::module_& m);
void add_optim(const py::object& m);
void add_optim_matrices(const py::object& m);
void add_lbfgs(const py::object& m);

}  // namespace gradcore

namespace pybind11::detail {
template <> struct type_caster<gradcore::Tensor> {
  PYBIND11_TYPE_CASTER(gradcore::Tensor, const_name("Tensor"));
  bool load(handle h, bool) {
    if (!gradcore::is_tensor(h.ptr())) return false;
    value = gradcore::unwrap(h.ptr());
    return true;
  }
  static handle cast(const gradcore::Tensor& t, return_value_policy, handle) {
    return t ? gradcore::wrap(t) : gradcore::none();
  }
};
}  // namespace pybind11::detail
