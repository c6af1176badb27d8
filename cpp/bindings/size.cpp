// The base of Size, with a tuple's operators: programs ask `x.shape[0]` all the time. Docstring and pickling of the
// class are Python's: gradcore/_types.py.
#include "bindings/define.h"

namespace gradcore {

namespace {

// An integer as a new reference.
Owned integer_of(PyObject* o, Py_ssize_t place) {
  if (PyLong_CheckExact(o)) return Owned(Py_NewRef(o));
  Owned number(PyIndex_Check(o) ? PyNumber_Index(o) : nullptr);
  if (number) return number;
  if (PyErr_Occurred() && !PyErr_ExceptionMatches(PyExc_TypeError)) throw PythonError{};
  PyErr_Clear();
  fail(ErrorKind::Type, "torch.Size() takes an iterable of 'int' (item ", place, " is '", Py_TYPE(o)->tp_name, "')");
}

// __index__ runs before there is a Size: the collector's lists would show one with holes to it.
Owned with_integers(PyObject* tuple) {
  const Py_ssize_t n = PyTuple_GET_SIZE(tuple);
  Py_ssize_t exact = 0;
  while (exact < n && PyLong_CheckExact(PyTuple_GET_ITEM(tuple, exact))) ++exact;
  if (exact == n) return Owned(Py_NewRef(tuple));
  const Owned list(checked(PyList_New(0)));
  for (Py_ssize_t i = 0; i < n; ++i)
    if (PyList_Append(list.get(), integer_of(PyTuple_GET_ITEM(tuple, i), i).get()) < 0) throw PythonError{};
  return Owned(checked(PyList_AsTuple(list.get())));
}

Owned size_of(PyTypeObject* type, PyObject* tuple) {
  const Owned integers = with_integers(tuple);
  const Py_ssize_t n = PyTuple_GET_SIZE(integers.get());
  Owned size(checked(type->tp_alloc(type, n)));
  for (Py_ssize_t i = 0; i < n; ++i) PyTuple_SET_ITEM(size.get(), i, Py_NewRef(PyTuple_GET_ITEM(integers.get(), i)));
  return size;
}
// Takes the reference.
PyObject* as_size(PyObject* tuple) {
  const Owned owned(checked(tuple));
  return size_of(size_type, owned.get()).release();
}

PyObject* make(PyTypeObject* type, PyObject* args, PyObject* kwargs) {
  return guarded([&] {
    static const char* names[] = {"", nullptr};
    PyObject* sizes = nullptr;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|O:Size", const_cast<char**>(names), &sizes)) throw PythonError{};
    const Owned tuple(checked(sizes ? PySequence_Tuple(sizes) : PyTuple_New(0)));
    return size_of(type, tuple.get()).release();
  });
}

PyObject* repr(PyObject* self) {
  return guarded([&] {
    std::string text = "torch.Size([";
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(self); ++i) {
      const Owned number(checked(PyObject_Str(PyTuple_GET_ITEM(self, i))));
      text += i ? ", " : "";
      text += utf8(number.get());
    }
    text += "])";
    return checked(PyUnicode_FromStringAndSize(text.data(), static_cast<Py_ssize_t>(text.size())));
  });
}

PyObject* subscript(PyObject* self, PyObject* key) {
  PyObject* const item = PyTuple_Type.tp_as_mapping->mp_subscript(self, key);
  if (!item || !PySlice_Check(key)) return item;
  return guarded([&] { return as_size(item); });
}

// tuple + Size is a Size, too.
PyObject* concatenate(PyObject* a, PyObject* b) {
  if (!PyTuple_Check(a)) Py_RETURN_NOTIMPLEMENTED;
  if (!PyTuple_Check(b) && !PyNumber_Check(b) && PyObject_HasAttrString(b, "__radd__")) Py_RETURN_NOTIMPLEMENTED;
  return guarded([&] {
    if (!PyTuple_Check(b))
      fail(ErrorKind::Type, "can only concatenate tuple (not ", Py_TYPE(b)->tp_name, ") to torch.Size");
    return as_size(PyTuple_Type.tp_as_sequence->sq_concat(a, b));
  });
}
PyObject* repeated(PyObject* self, Py_ssize_t times) {
  return guarded([&] { return as_size(PyTuple_Type.tp_as_sequence->sq_repeat(self, times)); });
}

PyObject* numel(PyObject* self, PyObject*) {
  return guarded([&] {
    Owned n(checked(PyLong_FromLong(1)));
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(self); ++i)
      n = Owned(checked(PyNumber_Multiply(n.get(), PyTuple_GET_ITEM(self, i))));
    return n.release();
  });
}

PyObject* reduce(PyObject* self, PyObject*) {
  return guarded([&] {
    const Owned plain(checked(PyTuple_GetSlice(self, 0, PyTuple_GET_SIZE(self))));
    return checked(Py_BuildValue("O(O)", Py_TYPE(self), plain.get()));
  });
}

PyMethodDef kMethods[] = {
    {"numel", numel, METH_NOARGS, "The number of elements of a tensor of this shape."},
    {"__reduce__", reduce, METH_NOARGS, nullptr},
    {nullptr, nullptr, 0, nullptr},
};

}  // namespace

void add_size(py::module_& m) {
  PyType_Slot slots[] = {{Py_tp_new, reinterpret_cast<void*>(make)},
                         {Py_tp_repr, reinterpret_cast<void*>(repr)},
                         {Py_mp_subscript, reinterpret_cast<void*>(subscript)},
                         {Py_nb_add, reinterpret_cast<void*>(concatenate)},
                         {Py_sq_repeat, reinterpret_cast<void*>(repeated)},
                         {Py_tp_methods, kMethods},
                         {0, nullptr}};
  PyType_Spec spec = {"gradcore._C._Size", 0, 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE, slots};
  const Owned bases(checked(PyTuple_Pack(1, &PyTuple_Type)));
  m.attr("_Size") = py::reinterpret_steal<py::object>(checked(PyType_FromSpecWithBases(&spec, bases.get())));
}

}  // namespace gradcore
