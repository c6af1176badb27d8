#include "bindings/args.h"

#include "core/generator.h"

namespace gradcore {

double Args::number(int i) const {
  PyObject* o = object(i);
  if (PyFloat_CheckExact(o)) return PyFloat_AS_DOUBLE(o);
  const double v = PyFloat_AsDouble(o);
  if (v == -1 && PyErr_Occurred()) throw PythonError{};
  return v;
}

bool Args::flag(int i) const {
  PyObject* o = object(i);
  if (o == Py_True) return true;
  if (o == Py_False) return false;
  const int v = PyObject_IsTrue(o);
  if (v < 0) throw PythonError{};
  return v;
}

// The items of a list or tuple. What is done with one may run Python code, which may change the list.
template <class F> static void each_item(PyObject* list, F&& f) {
  for (Py_ssize_t k = 0; k < PySequence_Fast_GET_SIZE(list); ++k) f(item_of(list, k).get());
}

Dims Args::dims(int i) const {
  PyObject* o = object(i);
  Dims out;
  const auto element = [&](PyObject* item) {
    try {
      return to_int64(item);
    } catch (const Error& e) {
      fail(ErrorKind::Type, "a tuple of ints failed to unpack the object at pos ", out.size() + 1, " with error \"",
           e.what(), '"');
    }
  };
  if (PyTuple_Check(o) || PyList_Check(o)) {
    each_item(o, [&](PyObject* item) { out.push_back(element(item)); });
    return out;
  }
  const int64_t n = i == lone_ ? element(o) : to_int64(o);
  for (int times = signature_->params[i].ints; times > 0; --times) out.push_back(n);
  return out;
}

std::string_view Args::str(int i) const {
  Py_ssize_t size;
  const char* s = PyUnicode_AsUTF8AndSize(object(i), &size);
  if (!s) throw PythonError{};
  return {s, static_cast<size_t>(size)};
}

std::vector<Tensor> Args::tensors(int i) const {
  std::vector<Tensor> out;
  out.reserve(PySequence_Fast_GET_SIZE(object(i)));
  each_item(object(i), [&](PyObject* item) {
    check(is_tensor(item), ErrorKind::Type, "expected a tensor, got ", Py_TYPE(item)->tp_name,
          ": the list changed during the call");
    out.push_back(unwrap(item));
  });
  return out;
}

std::vector<Scalar> Args::scalars(int i) const {
  std::vector<Scalar> out;
  out.reserve(PySequence_Fast_GET_SIZE(object(i)));
  each_item(object(i), [&](PyObject* item) { out.push_back(to_scalar(item)); });
  return out;
}

Generator* Args::generator(int i) const { return given(i) ? py::handle(object(i)).cast<Generator*>() : nullptr; }

MemoryFormat Args::memory_format(int i) const {
  if (!given(i) || object(i) == preserve_format) return MemoryFormat::Preserve;
  return to_memory_format(object(i));
}

Reduction Args::reduction(int i) const {
  const std::string_view name = str(i);
  if (name == "none") return Reduction::None;
  if (name == "mean") return Reduction::Mean;
  check(name == "sum", ErrorKind::Value, name, " is not a valid value for reduction");
  return Reduction::Sum;
}

void Args::check_layout(int i) const {
  if (!given(i) || object(i) == strided_layout) return;
  fail(ErrorKind::NotImplemented, "gradcore has strided tensors only, not ",
       utf8(Owned(checked(PyObject_Repr(object(i)))).get()));
}

bool Args::may_leave_gil() const {
  if (row_->holds_gil) return false;
  if (!row_->in_place || !modes.grad) return !(row_->in_place && modes.forward);
  // A write that is recorded changes the tensor's history.
  for (size_t k = 0; k < signature_->params.size(); ++k) {
    PyObject* o = slots_[k];
    if (PyList_Check(o) || PyTuple_Check(o) || (is_tensor(o) && requires_grad(impl_of(o)))) return false;
  }
  return !modes.forward;
}

PyObject* Args::out() const {
  if (signature_->out < 0) return nullptr;
  PyObject* o = slots_[signature_->out];
  return o == Py_None ? nullptr : o;
}

}  // namespace gradcore
