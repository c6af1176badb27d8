// The Python Tensor: a hand-written heap type. Start at the slots at the end of the file. Ops with a signature are in
// bindings/ops; here stand the number slots, attributes, and the methods that speak Python rather than tensors.
#include "bindings/args.h"
#include "bindings/device.h"
#include "bindings/gil.h"
#include "bindings/op_function.h"
#include "bindings/python.h"

#include <structmember.h>

#include "autograd/accumulate.h"
#include "autograd/transforms.h"
#include "autograd/views.h"
#include "bindings/docs.h"
#include "bindings/node.h"
#include "bindings/torch_function.h"
#include "core/op_scope.h"
#include "core/warning.h"
#include "ops/complex.h"
#include "ops/derived.h"
#include "ops/memory_format.h"
#include "ops/view.h"
#include "tensor/batch.h"

namespace gradcore {

PyTypeObject* tensor_type;
PyTypeObject* size_type;
PyTypeObject* device_type;
PyObject* device_cpu;

// ---- life
//
// Note [Wrappers]
// The exact type keeps a free list, and its instances are shown to the garbage collector only once they can be part of
// a cycle (an attribute or a hook was set on them): creating one costs a few nanoseconds. Subclasses go through
// tp_alloc.
//
// While a wrapper dies, what it held may run Python code (a __del__, a weak reference's callback) that finds the tensor
// again through the graph. A wrapper whose count is zero is past saving: the tensor gets a new one, and the dying one
// must not take back what is no longer its own.

namespace {

constexpr int kFreeMax = 256;
PyTensor* free_wrappers[kFreeMax];
int free_count = 0;

void track(PyObject* o) {
  if (!PyObject_GC_IsTracked(o)) PyObject_GC_Track(o);
}

PyObject* fill_wrapper(PyTensor* o, Tensor t) {
  o->dict = nullptr;
  o->weakrefs = nullptr;
  o->impl = t.take().leak();
  o->impl->pyobject = o;
  return reinterpret_cast<PyObject*>(o);
}

void tensor_dealloc(PyObject* self) {
  auto* o = reinterpret_cast<PyTensor*>(self);
  PyTypeObject* type = Py_TYPE(self);
  if (PyObject_GC_IsTracked(self)) PyObject_GC_UnTrack(self);
  if (o->weakrefs) PyObject_ClearWeakRefs(self);
  Py_CLEAR(o->dict);
  if (TensorImpl* impl = std::exchange(o->impl, nullptr)) {
    if (impl->pyobject == self) impl->pyobject = nullptr;
    Ref<TensorImpl>::adopt(impl).reset();
  }
  if (type == tensor_type && free_count < kFreeMax) {
    free_wrappers[free_count++] = o;  // it keeps its reference to the type
    return;
  }
  type->tp_free(self);
  Py_DECREF(type);
}

int tensor_traverse(PyObject* self, visitproc visit, void* arg) {
  auto* o = reinterpret_cast<PyTensor*>(self);
  Py_VISIT(Py_TYPE(self));
  Py_VISIT(o->dict);
  // What only we keep alive belongs to us: our hooks, and our node with its hooks and its Python context.
  if (!o->impl || o->impl->use_count() != 1 || !o->impl->meta) return 0;
  const auto* meta = static_cast<AutogradMeta*>(o->impl->meta);
  const auto visitor = reinterpret_cast<int (*)(void*, void*)>(visit);
  if (const HookList* hooks = meta->hooks.get())
    if (const int r = hooks->traverse(visitor, arg)) return r;
  const Node* node = meta->grad_fn.get();
  if (!node || node->use_count() != 1) return 0;
  return node->traverse_all(visitor, arg);
}

int tensor_clear(PyObject* self) {
  auto* o = reinterpret_cast<PyTensor*>(self);
  Py_CLEAR(o->dict);
  if (!o->impl || o->impl->use_count() != 1 || !o->impl->meta) return 0;
  auto* meta = static_cast<AutogradMeta*>(o->impl->meta);
  meta->hooks.reset();
  if (meta->grad_fn && meta->grad_fn->use_count() == 1) meta->grad_fn.reset();
  return 0;
}

// Who has the dict can put the tensor itself into it.
PyObject* get_dict(PyObject* self, void* context) {
  PyObject* dict = PyObject_GenericGetDict(self, context);
  if (dict) track(self);
  return dict;
}
int set_dict(PyObject* self, PyObject* dict, void* context) {
  const int r = PyObject_GenericSetDict(self, dict, context);
  if (r == 0) track(self);
  return r;
}

int tensor_setattro(PyObject* self, PyObject* name, PyObject* value) {
  const int r = PyObject_GenericSetAttr(self, name, value);
  if (r == 0 && reinterpret_cast<PyTensor*>(self)->dict) track(self);
  return r;
}

// Tensor(), Tensor(2, 3), Tensor([1, 2]): torch's legacy constructor, always of the default dtype.
PyObject* tensor_new(PyTypeObject* type, PyObject* args, PyObject* kwargs) {
  return guarded([&]() -> PyObject* {
    if (kwargs && PyDict_GET_SIZE(kwargs)) {
      PyErr_SetString(PyExc_TypeError, "Tensor() takes no keyword arguments: use gradcore.tensor()");
      throw PythonError{};
    }
    const Py_ssize_t n = PyTuple_GET_SIZE(args);
    PyObject* first = n ? PyTuple_GET_ITEM(args, 0) : nullptr;
    Tensor t;
    if (n == 0) {
      t = empty(Dims{0}, default_dtype());
    } else if (n == 1 && is_tensor(first)) {
      t = alias(unwrap(first));  // recorded, as in torch
    } else if (n == 1 && Py_TYPE(first) != size_type && (!PyLong_Check(first) || PyBool_Check(first))) {
      check(PySequence_Check(first), ErrorKind::Type, "new(): data must be a sequence (got ", Py_TYPE(first)->tp_name,
            ")");
      t = tensor_from_object(first, default_dtype());
    } else {
      PyObject* sizes = n == 1 && Py_TYPE(first) == size_type ? first : args;
      Dims shape;
      for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(sizes); ++i) {
        const Py_ssize_t d = PyNumber_AsSsize_t(PyTuple_GET_ITEM(sizes, i), PyExc_TypeError);
        if (d == -1 && PyErr_Occurred()) throw PythonError{};
        shape.push_back(d);
      }
      t = empty(shape, default_dtype());
    }
    return wrap_as(type, std::move(t));
  });
}

}  // namespace

PyObject* wrap(Tensor t) {
  auto* known = static_cast<PyObject*>(t->pyobject);
  if (known && Py_REFCNT(known) > 0) return Py_NewRef(known);
  PyTensor* o;
  if (free_count) {
    o = free_wrappers[--free_count];
    _Py_NewReference(reinterpret_cast<PyObject*>(o));
  } else {
    o = PyObject_GC_New(PyTensor, tensor_type);
    if (!o) throw PythonError{};
  }
  return fill_wrapper(o, std::move(t));
}

PyObject* wrap_as(PyTypeObject* type, Tensor t) {
  if (type == tensor_type) return wrap(std::move(t));
  if (t->pyobject) t = alias_of(t);
  auto* o = reinterpret_cast<PyTensor*>(checked(type->tp_alloc(type, 0)));
  return fill_wrapper(o, std::move(t));
}

PyObject* wrap_shape(std::span<const int64_t> shape) {
  const Dims dims(shape);  // the collector may run Python code: Note [Python in the middle]
  Owned s(checked(size_type->tp_alloc(size_type, static_cast<Py_ssize_t>(dims.size()))));
  for (int i = 0; i < dims.size(); ++i) PyTuple_SET_ITEM(s.get(), i, checked(PyLong_FromLongLong(dims[i])));
  return s.release();
}

PyObject* wrap_tuple(std::vector<Tensor> tensors) {
  Owned out(checked(PyTuple_New(static_cast<Py_ssize_t>(tensors.size()))));
  for (size_t i = 0; i < tensors.size(); ++i)
    PyTuple_SET_ITEM(out.get(), static_cast<Py_ssize_t>(i), wrap(std::move(tensors[i])));
  return out.release();
}

PyObject* wrap_scalar(const void* p, DType dtype) {
  switch (dtype) {
    case DType::Bool: return boolean(*static_cast<const uint8_t*>(p) != 0);
    case DType::UInt8: return PyLong_FromLong(*static_cast<const uint8_t*>(p));
    case DType::Int8: return PyLong_FromLong(*static_cast<const int8_t*>(p));
    case DType::Int16: return PyLong_FromLong(*static_cast<const int16_t*>(p));
    case DType::Int32: return PyLong_FromLong(*static_cast<const int32_t*>(p));
    case DType::Int64: return PyLong_FromLongLong(*static_cast<const int64_t*>(p));
    case DType::Float32: return PyFloat_FromDouble(*static_cast<const float*>(p));
    case DType::Float64: return PyFloat_FromDouble(*static_cast<const double*>(p));
    case DType::Float16: return PyFloat_FromDouble(float(*static_cast<const half*>(p)));
    case DType::BFloat16: return PyFloat_FromDouble(float(*static_cast<const bfloat16*>(p)));
    case DType::UInt16: return PyLong_FromLong(*static_cast<const uint16_t*>(p));
    case DType::UInt32: return PyLong_FromLongLong(*static_cast<const uint32_t*>(p));
    case DType::UInt64: return PyLong_FromUnsignedLongLong(*static_cast<const uint64_t*>(p));
  }
  return nullptr;
}

void set_python_error() {
  try {
    throw;
  } catch (const PythonError&) {
  } catch (py::error_already_set& e) {
    e.restore();
  } catch (const Error& e) {
    static PyObject* const kinds[] = {PyExc_RuntimeError,      PyExc_ValueError,          PyExc_TypeError,
                                      PyExc_IndexError,        PyExc_NotImplementedError, PyExc_RuntimeError,
                                      PyExc_ZeroDivisionError, PyExc_OverflowError,       linalg_error};
    PyErr_SetString(kinds[static_cast<int>(e.kind())], e.what());
  } catch (const std::bad_alloc&) {
    PyErr_NoMemory();
  } catch (const std::exception& e) {
    PyErr_SetString(PyExc_RuntimeError, e.what());
  }
}

// ---- number slots

namespace {

// The two sides of a binary slot; `ok` is false for a foreign object, which gets NotImplemented.
struct Sides {
  // Borrowed: the caller's stack holds the object. Each gives up its own, for the constructor may be left by an
  // exception.
  struct Lent {
    Tensor t;
    ~Lent() {
      if (t) t.take().leak();
    }
  };
  bool ok = true;
  Lent keep[2];
  alignas(Operand) char raw[2][sizeof(Operand)];
  int64_t work = 0;

  Sides(PyObject* a, PyObject* b) {
    set(0, a);
    set(1, b);
  }
  Sides(const Sides&) = delete;
  void set(int i, PyObject* o) {
    if (is_tensor(o)) [[likely]] {
      keep[i].t = Tensor(Ref<TensorImpl>::adopt(impl_of(o)));
      work += keep[i].t.numel();
      new (raw[i]) Operand(keep[i].t);
    } else if (is_number(o)) {
      new (raw[i]) Operand(to_scalar(o));
    } else {
      if (PyComplex_Check(o)) fail(ErrorKind::NotImplemented, "gradcore has no complex tensors");
      ok = false;
      new (raw[i]) Operand(Scalar(0));
    }
  }
  const Operand& operator[](int i) const { return *reinterpret_cast<const Operand*>(raw[i]); }
  // For in_op().
  auto inputs() const {
    return [this](auto&& report) {
      for (int i = 0; i < 2; ++i)
        if ((*this)[i].is_tensor()) report((*this)[i].tensor->shape());
    };
  }
};

// The methods that stand for a number slot before a __torch_function__, as torch has them.
SlotName method_of(std::string_view op) {
  static constexpr std::pair<std::string_view, SlotName> kNames[] = {
      {"add", {"add", "add"}},
      {"sub", {"sub", "__rsub__"}},
      {"mul", {"mul", "mul"}},
      {"div", {"div", "__rtruediv__"}},
      {"floor_divide", {"__floordiv__", "__rfloordiv__"}},
      {"remainder", {"remainder", "__rmod__"}},
      {"pow", {"pow", "__rpow__"}},
      {"matmul", {"matmul", "__rmatmul__"}},
      {"bitwise_and", {"__and__", "__rand__"}},
      {"bitwise_or", {"__or__", "__ror__"}},
      {"bitwise_xor", {"__xor__", "__rxor__"}},
      {"bitwise_left_shift", {"__lshift__", "__rlshift__"}},
      {"bitwise_right_shift", {"__rshift__", "__rrshift__"}},
      {"eq", {"__eq__"}},
      {"bitwise_not", {"__invert__"}},
  };
  for (const auto& [name, slot] : kNames)
    if (name == op) return slot;
  return {op.data()};
}
[[gnu::cold, gnu::noinline]] PyObject* overridden(const char* op, std::initializer_list<PyObject*> args) {
  return overrides_off ? nullptr : override_slot(method_of(op), args);
}
[[gnu::cold, gnu::noinline]] PyObject* overridden_or_foreign(const char* op, PyObject* a, PyObject* b) {
  PyObject* result = overridden(op, {a, b});
  return result ? result : Py_NewRef(Py_NotImplemented);
}

template <Tensor (*f)(const Operand&, const Operand&), OpName name> PyObject* binary_slot(PyObject* a, PyObject* b) {
  return guarded([&]() -> PyObject* {
    if (overrides_exist) [[unlikely]]
      if (PyObject* result = overridden(name.text, {a, b})) return result;
    const Sides s(a, b);
    if (!s.ok) [[unlikely]]
      return overridden_or_foreign(name.text, a, b);
    return wrap(run_released(s.work, [&] { return in_op(name.text, [&] { return f(s[0], s[1]); }, s.inputs()); }));
  });
}
// An array over a tensor is, in torch, the array times the reciprocal, of which NumPy makes a tensor.
PyObject* divide_slot(PyObject* a, PyObject* b) {
  if (is_tensor(a) || !is_tensor(b) || is_number(a) || !is_array(a)) return binary_slot<divided_by, "div">(a, b);
  return guarded([&] {
    const Owned inverse(wrap(reciprocal(Borrowed(b))));
    return PyNumber_Multiply(inverse.get(), a);
  });
}
Tensor sub_plain(const Operand& a, const Operand& b) { return sub(a, b); }

template <void (*f)(const Tensor&, const Operand&), OpName name> PyObject* inplace_slot(PyObject* a, PyObject* b) {
  return guarded([&]() -> PyObject* {
    if (overrides_exist) [[unlikely]]
      if (PyObject* result = overridden(name.text, {a, b})) return result;
    const Sides s(a, b);
    if (!s.ok) [[unlikely]]
      return overridden_or_foreign(name.text, a, b);
    in_op(name.text, [&] { f(*s[0].tensor, s[1]); }, s.inputs());
    return Py_NewRef(a);
  });
}
void add_plain_(const Tensor& a, const Operand& b) { add_(a, b); }
void sub_plain_(const Tensor& a, const Operand& b) { sub_(a, b); }

template <Tensor (*f)(const Tensor&), OpName name> PyObject* unary_slot(PyObject* a) {
  return guarded([&] {
    if (overrides_exist) [[unlikely]]
      if (PyObject* result = overridden(name.text, {a})) return result;
    const Borrowed t(a);
    return wrap(in_op(name.text, [&] { return f(t); }, [&](auto&& report) { report(t->shape()); }));
  });
}

PyObject* power_slot(PyObject* a, PyObject* b, PyObject* mod) {
  if (mod != Py_None) return Py_NewRef(Py_NotImplemented);
  return binary_slot<pow, "pow">(a, b);
}
PyObject* ipower_slot(PyObject* a, PyObject* b, PyObject*) { return inplace_slot<pow_, "pow_">(a, b); }

PyObject* matmul_slot(PyObject* a, PyObject* b) {
  return guarded([&]() -> PyObject* {
    if (overrides_exist || !is_tensor(a) || !is_tensor(b)) [[unlikely]] {
      if (PyObject* result = overridden("matmul", {a, b})) return result;
      if (!is_tensor(a) || !is_tensor(b)) return Py_NewRef(Py_NotImplemented);
    }
    const Borrowed x(a), y(b);
    return wrap(run_released(x->numel() + y->numel(), [&] {
      return in_op(
          "matmul", [&] { return matmul(x, y); }, [&](auto&& report) { report(x->shape()), report(y->shape()); });
    }));
  });
}

PyObject* getitem_slot(PyObject* self, PyObject* key) {
  if (overrides_exist) [[unlikely]] {
    PyObject* result = guarded([&] { return overridden("__getitem__", {self, key}); });
    if (result || PyErr_Occurred()) return result;
  }
  return in_op("getitem", [&] { return getitem(self, key); }, [&](auto&& report) { report(impl_of(self)->shape); });
}
int setitem_slot(PyObject* self, PyObject* key, PyObject* value) {
  if (overrides_exist && value) [[unlikely]] {
    const Owned result(guarded([&] { return overridden("__setitem__", {self, key, value}); }));
    if (result || PyErr_Occurred()) return result ? 0 : -1;
  }
  return in_op(
      "setitem", [&] { return setitem(self, key, value); }, [&](auto&& report) { report(impl_of(self)->shape); });
}

template <Tensor (*f)(const Operand&, const Operand&), OpName name> PyObject* compare(PyObject* a, PyObject* b) {
  return binary_slot<f, name>(a, b);
}
// NumPy leaves == to the tensor, and Python would then compare addresses.
template <Tensor (*f)(const Operand&, const Operand&), OpName name> PyObject* compare_equal(PyObject* a, PyObject* b) {
  if (is_tensor(b) || is_number(b) || !is_array(b)) return compare<f, name>(a, b);
  return guarded([&]() -> PyObject* {
    const Owned other(wrap(tensor_from_object(b, std::nullopt)));
    return compare<f, name>(a, other.get());
  });
}

PyObject* tensor_richcompare(PyObject* a, PyObject* b, int op) {
  switch (op) {
    case Py_LT: return compare<lt, "lt">(a, b);
    case Py_LE: return compare<le, "le">(a, b);
    case Py_EQ: return compare_equal<eq, "eq">(a, b);
    case Py_NE: return compare_equal<ne, "ne">(a, b);
    case Py_GT: return compare<gt, "gt">(a, b);
    default: return compare<ge, "ge">(a, b);
  }
}

// The single element of a tensor.
const void* the_element(const Tensor& t) {
  check_item(t);
  return t.host();
}

int tensor_bool(PyObject* self) {
  try {
    const Borrowed t(self);
    if (any_batched(*t))
      fail(
          "vmap: It looks like you're attempting to use a Tensor in some data-dependent control flow. We don't "
          "support that yet: torch.where() chooses for each sample.");
    check(t->numel() != 0, "Boolean value of Tensor with no values is ambiguous");
    check(t->numel() == 1, "Boolean value of Tensor with more than one value is ambiguous");
    const Owned v(checked(wrap_scalar(t->host(), t->dtype())));
    return PyObject_IsTrue(v.get());
  } catch (...) {
    set_python_error();
    return -1;
  }
}

}  // namespace

PyObject* tensor_item(PyObject* self, PyObject*) {
  return guarded([&] {
    const Borrowed t(self);
    return wrap_scalar(the_element(t), t->dtype());
  });
}

namespace {

// Once in a process, as torch does.
[[gnu::cold, gnu::noinline]] void warn_of_lost_history() {
  static bool warned = false;
  if (std::exchange(warned, true)) return;
  warn(
      "Converting a tensor with requires_grad=True to a scalar may lead to unexpected behavior.\nConsider using "
      "tensor.detach() first.");
}
PyObject* tensor_float(PyObject* self) {
  return guarded([&] {
    check(impl_of(self)->numel == 1, ErrorKind::Value, "only one element tensors can be converted to Python scalars");
    if (needs_history(*Borrowed(self))) [[unlikely]]
      warn_of_lost_history();
    const Owned v(checked(tensor_item(self, nullptr)));
    return PyNumber_Float(v.get());
  });
}
PyObject* tensor_int(PyObject* self) {
  return guarded([&] {
    check(impl_of(self)->numel == 1, ErrorKind::Value, "only one element tensors can be converted to Python scalars");
    const Owned v(checked(tensor_item(self, nullptr)));
    return PyNumber_Long(v.get());
  });
}
PyObject* tensor_index(PyObject* self) {
  return guarded([&]() -> PyObject* {
    const Borrowed t(self);
    if (t->numel() != 1 || is_floating(t->dtype()))
      fail(ErrorKind::Type, "only integer tensors of a single element can be converted to an index");
    const Owned v(checked(tensor_item(self, nullptr)));
    return PyNumber_Index(v.get());
  });
}

Py_ssize_t tensor_len(PyObject* self) {
  const TensorImpl* t = impl_of(self);
  if (!t->shape.empty()) return t->shape[0];
  PyErr_SetString(PyExc_TypeError, "len() of a 0-d tensor");
  return -1;
}

// `w, b = params` unbinds; so does a loop over the first dim.
PyObject* tensor_iter(PyObject* self) {
  return guarded([&]() -> PyObject* {
    const Borrowed t(self);
    check(t->dim() > 0, ErrorKind::Type, "iteration over a 0-d tensor");
    const bool plain = !may_be_overridden() || Py_TYPE(self) == tensor_type;
    const Owned parts(plain ? wrap_tuple(unbind(t, 0)) : checked(PyObject_CallMethod(self, "unbind", "i", 0)));
    return PyObject_GetIter(parts.get());
  });
}

int tensor_contains(PyObject* self, PyObject* item) {
  try {
    const Sides s(self, item);
    if (!s.ok) {
      PyErr_Format(PyExc_RuntimeError, "Tensor.__contains__ only supports Tensor or scalar, but you passed in a %R.",
                   reinterpret_cast<PyObject*>(Py_TYPE(item)));
      return -1;
    }
    return contains(*s[0].tensor, s[1]);
  } catch (...) {
    set_python_error();
    return -1;
  }
}

Py_hash_t tensor_hash(PyObject* self) { return _Py_HashPointer(self); }

// Printing is Python's: gradcore._tensor_str.
PyObject* tensor_repr(PyObject* self) {
  const OverridesOff plain;
  return guarded(
      [&] { return import_module("gradcore._tensor_str").attr("tensor_str")(py::handle(self)).release().ptr(); });
}

// ---- attributes

PyObject* get_shape(PyObject* self, void*) {
  return guarded([&] { return wrap_shape(impl_of(self)->shape); });
}
PyObject* get_dtype(PyObject* self, void*) { return Py_NewRef(dtype_objects[index_of(impl_of(self)->dtype)]); }
PyObject* get_device(PyObject* self, void*) {
  if (!is_meta(Borrowed(self))) [[likely]]
    return Py_NewRef(device_cpu);
  return guarded([&] { return checked(PyObject_CallFunction(reinterpret_cast<PyObject*>(device_type), "s", "meta")); });
}
PyObject* get_ndim(PyObject* self, void*) { return PyLong_FromLong(impl_of(self)->shape.size()); }
PyObject* get_requires_grad(PyObject* self, void*) { return boolean(requires_grad(impl_of(self))); }
int set_requires_grad_attr(PyObject* self, PyObject* value, void*) {
  return guarded_int([&] {
    if (!value || !PyBool_Check(value)) {
      PyErr_SetString(PyExc_RuntimeError, "requires_grad must be a bool");
      throw PythonError{};
    }
    const Borrowed t(self);
    const bool computed = (*t)->meta && meta_of(*t)->grad_fn;
    check(!computed || value == Py_False, "you can only change requires_grad flags of leaf variables.");
    set_requires_grad(t, value == Py_True);
  });
}
// Nearly always a mistake, of which torch warns as well.
[[gnu::cold, gnu::noinline]] void warn_of_no_grad() {
  const char* text =
      "The .grad attribute of a Tensor that is not a leaf Tensor is being accessed. Its .grad attribute won't be "
      "populated during autograd.backward(). If you indeed want the .grad field to be populated for a non-leaf Tensor, "
      "use .retain_grad() on it; if you meant the leaf Tensor that it was computed from, access that one instead.";
  if (PyErr_WarnEx(PyExc_UserWarning, text, 1)) throw PythonError{};
}
PyObject* get_grad(PyObject* self, void*) {
  return guarded([&] {
    const Borrowed t(self);
    const Tensor grad = grad_of(t->impl());
    if (grad) return wrap(grad);
    if (t->impl()->meta && meta_of(t)->grad_fn && !meta_of(t)->retains_grad) warn_of_no_grad();
    return none();
  });
}
int set_grad(PyObject* self, PyObject* value, void*) {
  return guarded_int([&] {
    const Borrowed t(self);
    if (!value || value == Py_None) {
      return set_grad_of(t, {});
    }
    if (!is_tensor(value))
      fail(ErrorKind::Type, "assigned grad expected to be a Tensor or None but got grad of type ",
           Py_TYPE(value)->tp_name);
    const Tensor g = unwrap(value);
    check(g.impl() != t->impl(), "can't assign Variable as its own grad");
    check(g.dtype() == t->dtype(), "attempting to assign a gradient with dtype '", dtype_name(g.dtype()),
          "' to a tensor with dtype '", dtype_name(t->dtype()), "'. The gradient must match the tensor's dtype");
    check(same_shape(g, t), "attempting to assign a gradient of size '", g.shape(), "' to a tensor of size '",
          t->shape(), "'. Please ensure that the gradient and the tensor are the same size");
    set_grad_of(t, g);
  });
}
PyObject* get_grad_fn(PyObject* self, void*) {
  return guarded([&]() -> PyObject* {
    const Borrowed t(self);
    const Ref<Node> fn = grad_fn_of(t);
    if (!fn) return none();
    track(self);  // a hook on the node could lead back here
    return wrap_node(fn);
  });
}
PyObject* get_is_leaf(PyObject* self, void*) {
  return guarded([&] { return boolean(is_leaf(Borrowed(self))); });
}
PyObject* get_output_nr(PyObject* self, void*) {
  const auto* meta = static_cast<AutogradMeta*>(impl_of(self)->meta);
  return PyLong_FromUnsignedLong(meta ? meta->output_nr : 0);
}
PyObject* get_retains_grad(PyObject* self, void*) {
  const auto* meta = static_cast<AutogradMeta*>(impl_of(self)->meta);
  return boolean(meta && meta->retains_grad);
}
PyObject* get_version(PyObject* self, void*) {
  return guarded([&]() -> PyObject* {
    const Borrowed t(self);
    check(!(*t)->created_in.inference(), "Inference tensors do not track version counter.");
    return PyLong_FromUnsignedLong(t->version());
  });
}
PyObject* get_base(PyObject* self, void*) {
  const TensorImpl* t = impl_of(self);
  return t->base ? guarded([&] { return wrap(Tensor(t->base)); }) : none();
}
[[gnu::cold, gnu::noinline]] PyObject* overridden_attribute(const char* name, PyObject* self) {
  return overrides_off ? nullptr : override_attribute(name, self);
}
// .data: the same memory with neither history nor a shared version counter.
PyObject* get_data(PyObject* self, void*) {
  return guarded([&] {
    if (overrides_exist) [[unlikely]]
      if (PyObject* result = overridden_attribute("data", self)) return result;
    Tensor t = alias_of(Borrowed(self));
    count_versions_apart(t);
    return wrap(std::move(t));
  });
}
int set_data(PyObject* self, PyObject* value, void*) {
  return guarded_int([&] {
    check(value != nullptr, "Deleting tensor data is not allowed. Delete tensor instead!");
    check(is_tensor(value), ErrorKind::Type, "Variable data has to be a tensor, but got ", Py_TYPE(value)->tp_name);
    const Borrowed t(self);
    const Tensor from = unwrap(value);
    check(!requires_grad(*t) || is_floating(from.dtype()),
          "data set to a tensor that requires gradients must be floating point or complex dtype");
    check(is_meta(*t) == is_meta(from),
          "Attempted to call `variable.set_data(tensor)`, but `variable` and `tensor` have "
          "incompatible tensor type.");
    set_window(t, from);
  });
}
PyObject* get_T(PyObject* self, void*) {
  if (overrides_exist) [[unlikely]] {
    PyObject* result = guarded([&] { return overridden_attribute("T", self); });
    if (result || PyErr_Occurred()) return result;
  }
  static constexpr const char* kOtherDims =
      "The use of `x.T` on tensors of dimension other than 2 to reverse their shape is deprecated and it will throw an "
      "error in a future release. Consider `x.mT` to transpose batches of matrices or `x.permute(*torch.arange(x.ndim "
      "- 1, -1, -1))` to reverse the dimensions of a tensor.";
  static std::atomic<bool> warned = false;  // of vectors, which stay as they are
  const int ndim = impl_of(self)->shape.size();
  if (ndim == 2 || (ndim == 1 && warned)) [[likely]]
    return unary_slot<numpy_T, "T">(self);
  return guarded([&] {
    if (ndim == 0)
      warn("Tensor.T is deprecated on 0-D tensors. This function is the identity in these cases.");
    else if (ndim == 1)
      warn_once(warned, kOtherDims);
    else
      warn(kOtherDims);
    return checked(unary_slot<numpy_T, "T">(self));
  });
}
PyObject* get_mT(PyObject* self, void*) {
  return guarded([&] {
    if (overrides_exist) [[unlikely]]
      if (PyObject* result = overridden_attribute("mT", self)) return result;
    const Borrowed t(self);
    if (t->dim() == 0) {
      warn("Tensor.mT is deprecated on 0-D tensors. This function is the identity in these cases.");
      return Py_NewRef(self);
    }
    check(t->dim() >= 2, "tensor.mT is only supported on matrices or batches of matrices. Got ", t->dim(),
          "-D tensor.");
    return wrap(transpose(t, -2, -1));
  });
}
PyObject* get_mH(PyObject* self, void*) {
  return guarded([&] {
    const Borrowed t(self);
    check(t->dim() != 1, "tensor.mH is only supported on matrices or batches of matrices. Got 1-D tensor.");
    return wrap(adjoint(t));
  });
}
PyObject* get_H(PyObject* self, void*) {
  return guarded([&] {
    const Borrowed t(self);
    check(t->dim() == 0 || t->dim() == 2, "tensor.H is only supported on matrices (2-D tensors). Got ", t->dim(),
          "-D tensor.", t->dim() > 2 ? " For batches of matrices, consider using tensor.mH" : "");
    return wrap(adjoint(t));
  });
}
PyObject* get_real(PyObject* self, void*) { return Py_NewRef(self); }
PyObject* get_imag(PyObject*, void*) {
  return guarded([]() -> PyObject* { fail_imag(); });
}
PyObject* get_false(PyObject*, void*) { return boolean(false); }
PyObject* get_is_cpu(PyObject* self, void*) { return boolean(!is_meta(Borrowed(self))); }
PyObject* get_is_meta(PyObject* self, void*) { return boolean(is_meta(Borrowed(self))); }
PyObject* get_itemsize(PyObject* self, void*) { return PyLong_FromLongLong(item_size(impl_of(self)->dtype)); }
PyObject* get_nbytes(PyObject* self, void*) {
  return PyLong_FromLongLong(impl_of(self)->numel * item_size(impl_of(self)->dtype));
}
PyObject* get_layout(PyObject*, void*) { return Py_NewRef(strided_layout); }
PyObject* get_none(PyObject*, void*) { return none(); }

PyGetSetDef kAttributes[] = {{"shape", get_shape, nullptr, docs::shape, nullptr},
                             {"dtype", get_dtype, nullptr, docs::dtype, nullptr},
                             {"device", get_device, nullptr, docs::device, nullptr},
                             {"layout", get_layout, nullptr, docs::layout, nullptr},
                             {"ndim", get_ndim, nullptr, docs::ndim, nullptr},
                             {"requires_grad", get_requires_grad, set_requires_grad_attr, docs::requires_grad, nullptr},
                             {"grad", get_grad, set_grad, docs::grad, nullptr},
                             {"grad_fn", get_grad_fn, nullptr, docs::grad_fn, nullptr},
                             {"is_leaf", get_is_leaf, nullptr, docs::is_leaf, nullptr},
                             {"output_nr", get_output_nr, nullptr, docs::output_nr, nullptr},
                             {"retains_grad", get_retains_grad, nullptr, docs::retains_grad, nullptr},
                             {"_version", get_version, nullptr, docs::version, nullptr},
                             {"_base", get_base, nullptr, docs::base, nullptr},
                             {"data", get_data, set_data, docs::data, nullptr},
                             {"T", get_T, nullptr, docs::T, nullptr},
                             {"mT", get_mT, nullptr, docs::mT, nullptr},
                             {"H", get_H, nullptr, docs::H, nullptr},
                             {"mH", get_mH, nullptr, docs::mH, nullptr},
                             {"real", get_real, nullptr, docs::real, nullptr},
                             {"imag", get_imag, nullptr, docs::imag, nullptr},
                             {"itemsize", get_itemsize, nullptr, docs::itemsize, nullptr},
                             {"nbytes", get_nbytes, nullptr, docs::nbytes, nullptr},
                             {"is_cpu", get_is_cpu, nullptr, docs::is_cpu, nullptr},
                             {"is_cuda", get_false, nullptr, docs::is_cuda, nullptr},
                             {"is_sparse", get_false, nullptr, docs::is_sparse, nullptr},
                             {"is_quantized", get_false, nullptr, docs::is_quantized, nullptr},
                             {"is_meta", get_is_meta, nullptr, docs::is_meta, nullptr},
                             {"is_mps", get_false, nullptr, docs::is_mps, nullptr},
                             {"names", get_none, nullptr, docs::names, nullptr},
                             {"__dict__", get_dict, set_dict, nullptr, nullptr},
                             {nullptr, nullptr, nullptr, nullptr, nullptr}};

// ---- methods that speak Python

PyObject* nested_list(const Tensor& t, int dim, const char* p) {
  if (dim == t.dim()) return checked(wrap_scalar(p, t.dtype()));
  Owned list(checked(PyList_New(t.size(dim))));
  const int64_t step = t.stride(dim) * item_size(t.dtype());
  for (int64_t i = 0; i < t.size(dim); ++i) PyList_SET_ITEM(list.get(), i, nested_list(t, dim + 1, p + i * step));
  return list.release();
}

PyObject* method_tolist(PyObject* self, PyObject*) {
  return guarded([&] {
    const Tensor t = alias_of(Borrowed(self));  // the collector may run Python code: Note [Python in the middle]
    return nested_list(t, 0, t.host<char>());
  });
}
PyObject* method_dim(PyObject* self, PyObject*) { return get_ndim(self, nullptr); }
PyObject* method_numel(PyObject* self, PyObject*) { return PyLong_FromLongLong(impl_of(self)->numel); }
PyObject* method_element_size(PyObject* self, PyObject*) { return get_itemsize(self, nullptr); }
PyObject* method_storage_offset(PyObject* self, PyObject*) { return PyLong_FromLongLong(impl_of(self)->offset()); }
PyObject* method_data_ptr(PyObject* self, PyObject*) { return PyLong_FromSize_t(impl_of(self)->address()); }
// Of a sample under vmap, whether the batch is, with its own dims in front; a flag for C++ is false there.
bool lies_contiguous(const Tensor& t) { return t->batch ? physical(t).is_contiguous() : t.is_contiguous(); }
PyObject* method_is_contiguous(PyObject* self, PyObject* const* args, Py_ssize_t n, PyObject* names) {
  const Py_ssize_t given = n + (names ? PyTuple_GET_SIZE(names) : 0);
  if (given == 0 && !impl_of(self)->batch) return boolean(impl_of(self)->contiguous);
  return guarded([&] {
    if (given == 0) return boolean(lies_contiguous(Borrowed(self)));
    const bool by_name =
        n == 0 && given == 1 && PyUnicode_CompareWithASCIIString(PyTuple_GET_ITEM(names, 0), "memory_format") == 0;
    check(by_name, ErrorKind::Type, "is_contiguous() takes no argument but memory_format, by its name");
    check(Py_TYPE(args[0]) == memory_format_type, ErrorKind::Type,
          "is_contiguous(): argument 'memory_format' must be torch.memory_format, not ",
          args[0] == Py_None ? "NoneType" : Py_TYPE(args[0])->tp_name);
    const MemoryFormat format = to_memory_format(args[0]);
    if (format == MemoryFormat::Contiguous) return boolean(lies_contiguous(Borrowed(self)));
    return boolean(is_stored_in(Borrowed(self), format));
  });
}
PyObject* method_is_floating_point(PyObject* self, PyObject*) { return boolean(is_floating(impl_of(self)->dtype)); }
PyObject* method_is_complex(PyObject*, PyObject*) { return boolean(false); }
PyObject* method_is_inference(PyObject* self, PyObject*) { return boolean(impl_of(self)->created_in.inference()); }
PyObject* method_is_view(PyObject* self, PyObject*) { return boolean(static_cast<bool>(impl_of(self)->base)); }
PyObject* method_get_device(PyObject*, PyObject*) { return PyLong_FromLong(-1); }
PyObject* method_retain_grad(PyObject* self, PyObject*) {
  return guarded([&] {
    const Borrowed t(self);
    check(!requires_grad(t) || !in_transform(),
          "You are attempting to call Tensor.retain_grad() inside of a function being transformed by a functorch "
          "transform. This is unsupported: please use func.grad, func.vjp and their relatives there instead.");
    retain_grad(t);
    return none();
  });
}
PyObject* method_storage_nbytes(PyObject* self, PyObject*) {
  return PyLong_FromLongLong(impl_of(self)->storage->bytes);
}
PyObject* method_to_bytes(PyObject* self, PyObject*) {
  return guarded([&] {
    const NoRecordGuard off;
    const Tensor t = contiguous(Borrowed(self));
    return PyBytes_FromStringAndSize(t.host<char>(), t.numel() * item_size(t.dtype()));
  });
}

PyObject* method_as_subclass(PyObject* self, PyObject* cls) {
  return guarded([&] {
    check(PyType_Check(cls), ErrorKind::Type, "cls must be a type (got ", Py_TYPE(cls)->tp_name, ")");
    auto* type = reinterpret_cast<PyTypeObject*>(cls);
    check(PyType_IsSubtype(type, tensor_type), ErrorKind::Type,
          "Creating a Tensor subclass from a class that does not inherit from Tensor is not possible: ", type->tp_name,
          " is none");
    return wrap_as(type, alias(unwrap(self)));
  });
}

PyMethodDef kMethods[] = {
    {"as_subclass", method_as_subclass, METH_O, docs::as_subclass},
    {"tolist", method_tolist, METH_NOARGS, docs::tolist},
    {"item", tensor_item, METH_NOARGS, docs::item},
    {"dim", method_dim, METH_NOARGS, docs::dim},
    {"ndimension", method_dim, METH_NOARGS, docs::ndimension},
    {"numel", method_numel, METH_NOARGS, docs::numel},
    {"nelement", method_numel, METH_NOARGS, docs::nelement},
    {"element_size", method_element_size, METH_NOARGS, docs::element_size},
    {"storage_offset", method_storage_offset, METH_NOARGS, docs::storage_offset},
    {"data_ptr", method_data_ptr, METH_NOARGS, docs::data_ptr},
    {"is_contiguous", reinterpret_cast<PyCFunction>(reinterpret_cast<void*>(method_is_contiguous)),
     METH_FASTCALL | METH_KEYWORDS, docs::is_contiguous},
    {"is_floating_point", method_is_floating_point, METH_NOARGS, docs::is_floating_point},
    {"is_complex", method_is_complex, METH_NOARGS, docs::is_complex},
    {"is_inference", method_is_inference, METH_NOARGS, docs::is_inference},
    {"_is_view", method_is_view, METH_NOARGS, "_is_view()\n\nWhether it is a view that autograd tracks."},
    {"get_device", method_get_device, METH_NOARGS, docs::get_device},
    {"retain_grad", method_retain_grad, METH_NOARGS, docs::retain_grad},
    {"_storage_nbytes", method_storage_nbytes, METH_NOARGS,
     "_storage_nbytes()\n\nBytes of the memory behind it, shared or not."},
    {"_to_bytes", method_to_bytes, METH_NOARGS, "_to_bytes()\n\nThe elements in row-major order as bytes."},
    {nullptr, nullptr, 0, nullptr}};

PyMemberDef kMembers[] = {{"__weaklistoffset__", T_PYSSIZET, offsetof(PyTensor, weakrefs), READONLY, nullptr},
                          {"__dictoffset__", T_PYSSIZET, offsetof(PyTensor, dict), READONLY, nullptr},
                          {nullptr, 0, 0, 0, nullptr}};

}  // namespace

void add_tensor_type(const py::object& m) {
  static PyType_Slot slots[] = {
      {Py_tp_dealloc, reinterpret_cast<void*>(tensor_dealloc)},
      {Py_tp_new, reinterpret_cast<void*>(tensor_new)},
      {Py_tp_traverse, reinterpret_cast<void*>(tensor_traverse)},
      {Py_tp_clear, reinterpret_cast<void*>(tensor_clear)},
      {Py_tp_setattro, reinterpret_cast<void*>(tensor_setattro)},
      {Py_tp_repr, reinterpret_cast<void*>(tensor_repr)},
      {Py_tp_hash, reinterpret_cast<void*>(tensor_hash)},
      {Py_tp_richcompare, reinterpret_cast<void*>(tensor_richcompare)},
      {Py_tp_iter, reinterpret_cast<void*>(tensor_iter)},
      {Py_tp_getset, kAttributes},
      {Py_tp_methods, kMethods},
      {Py_tp_members, kMembers},
      {Py_tp_doc, const_cast<char*>(docs::tensor_class)},
      {Py_nb_add, reinterpret_cast<void*>(binary_slot<plus, "add">)},
      {Py_nb_subtract, reinterpret_cast<void*>(binary_slot<sub_plain, "sub">)},
      {Py_nb_multiply, reinterpret_cast<void*>(binary_slot<mul, "mul">)},
      {Py_nb_true_divide, reinterpret_cast<void*>(divide_slot)},
      {Py_nb_floor_divide, reinterpret_cast<void*>(binary_slot<floor_divide, "floor_divide">)},
      {Py_nb_remainder, reinterpret_cast<void*>(binary_slot<remainder, "remainder">)},
      {Py_nb_power, reinterpret_cast<void*>(power_slot)},
      {Py_nb_and, reinterpret_cast<void*>(binary_slot<bitwise_and, "bitwise_and">)},
      {Py_nb_or, reinterpret_cast<void*>(binary_slot<bitwise_or, "bitwise_or">)},
      {Py_nb_xor, reinterpret_cast<void*>(binary_slot<bitwise_xor, "bitwise_xor">)},
      {Py_nb_lshift, reinterpret_cast<void*>(binary_slot<bitwise_left_shift, "bitwise_left_shift">)},
      {Py_nb_rshift, reinterpret_cast<void*>(binary_slot<bitwise_right_shift, "bitwise_right_shift">)},
      {Py_nb_inplace_add, reinterpret_cast<void*>(inplace_slot<add_plain_, "add_">)},
      {Py_nb_inplace_subtract, reinterpret_cast<void*>(inplace_slot<sub_plain_, "sub_">)},
      {Py_nb_inplace_multiply, reinterpret_cast<void*>(inplace_slot<mul_, "mul_">)},
      {Py_nb_inplace_true_divide, reinterpret_cast<void*>(inplace_slot<div_, "div_">)},
      {Py_nb_inplace_floor_divide, reinterpret_cast<void*>(inplace_slot<floor_divide_, "floor_divide_">)},
      {Py_nb_inplace_remainder, reinterpret_cast<void*>(inplace_slot<remainder_, "remainder_">)},
      {Py_nb_inplace_power, reinterpret_cast<void*>(ipower_slot)},
      {Py_nb_inplace_and, reinterpret_cast<void*>(inplace_slot<bitwise_and_, "bitwise_and_">)},
      {Py_nb_inplace_or, reinterpret_cast<void*>(inplace_slot<bitwise_or_, "bitwise_or_">)},
      {Py_nb_inplace_xor, reinterpret_cast<void*>(inplace_slot<bitwise_xor_, "bitwise_xor_">)},
      {Py_nb_inplace_lshift, reinterpret_cast<void*>(inplace_slot<bitwise_left_shift_, "bitwise_left_shift_">)},
      {Py_nb_inplace_rshift, reinterpret_cast<void*>(inplace_slot<bitwise_right_shift_, "bitwise_right_shift_">)},
      {Py_nb_matrix_multiply, reinterpret_cast<void*>(matmul_slot)},
      {Py_nb_negative, reinterpret_cast<void*>(unary_slot<negative, "neg">)},
      {Py_nb_positive, reinterpret_cast<void*>(unary_slot<positive, "positive">)},
      {Py_nb_absolute, reinterpret_cast<void*>(unary_slot<abs, "abs">)},
      {Py_nb_invert, reinterpret_cast<void*>(unary_slot<inverted, "bitwise_not">)},
      {Py_nb_bool, reinterpret_cast<void*>(tensor_bool)},
      {Py_nb_float, reinterpret_cast<void*>(tensor_float)},
      {Py_nb_int, reinterpret_cast<void*>(tensor_int)},
      {Py_nb_index, reinterpret_cast<void*>(tensor_index)},
      {Py_mp_length, reinterpret_cast<void*>(tensor_len)},
      {Py_mp_subscript, reinterpret_cast<void*>(getitem_slot)},
      {Py_mp_ass_subscript, reinterpret_cast<void*>(setitem_slot)},
      {Py_sq_contains, reinterpret_cast<void*>(tensor_contains)},
      {Py_bf_getbuffer, reinterpret_cast<void*>(tensor_getbuffer)},
      {Py_bf_releasebuffer, reinterpret_cast<void*>(tensor_releasebuffer)},
      {0, nullptr}};
  static PyType_Spec spec = {"gradcore.Tensor", sizeof(PyTensor), 0,
                             Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC, slots};
  tensor_type = reinterpret_cast<PyTypeObject*>(PyType_FromModuleAndSpec(m.ptr(), &spec, nullptr));
  if (!tensor_type) throw py::error_already_set();
  tensor_type->tp_name = "Tensor";  // as it is called in Python's messages; __module__ is set already
  add_methods(tensor_type);
  m.attr("Tensor") = py::reinterpret_borrow<py::object>(reinterpret_cast<PyObject*>(tensor_type));
}

}  // namespace gradcore
