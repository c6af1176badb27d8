// The small types: dtype, default dtype, and the hooks for Size and device (written in Python).
#include "bindings/define.h"

namespace gradcore {

PyTypeObject* dtype_type;
PyTypeObject* layout_type;
PyTypeObject* memory_format_type;
PyObject* strided_layout;
PyObject* contiguous_format;
PyObject* preserve_format;
PyObject* dtype_objects[kDTypeCount];

namespace {

struct DTypeObject {
  DType value;
};

DType dtype_of_object(py::handle h) {
  check(Py_TYPE(h.ptr()) == dtype_type, ErrorKind::Type, "expected a torch.dtype, not ", Py_TYPE(h.ptr())->tp_name);
  return h.cast<const DTypeObject&>().value;
}

}  // namespace

std::optional<DType> to_dtype(PyObject* o) {
  for (int i = 0; i < kDTypeCount; ++i)
    if (o == dtype_objects[i]) return static_cast<DType>(i);
  if (o == reinterpret_cast<PyObject*>(&PyFloat_Type)) return DType::Float64;
  if (o == reinterpret_cast<PyObject*>(&PyLong_Type)) return DType::Int64;
  if (o == reinterpret_cast<PyObject*>(&PyBool_Type)) return DType::Bool;
  if (Py_TYPE(o) == dtype_type) return dtype_of_object(o);
  return std::nullopt;
}

void add_types(py::module_& m) {
  py::class_<DTypeObject> cls(m, "dtype", "The element type of a tensor: gradcore.float32 and so on.");
  cls.def("__repr__", [](const DTypeObject& d) { return str_cat("torch.", dtype_name(d.value)); })
      .def("__hash__", [](const DTypeObject& d) { return index_of(d.value) + 1; })
      .def("__eq__", [](const DTypeObject& d,
                        py::object o) { return Py_TYPE(o.ptr()) == dtype_type && dtype_of_object(o) == d.value; })
      .def("__reduce__", [](const DTypeObject& d) { return dtype_name(d.value); })
      .def_property_readonly("is_floating_point", [](const DTypeObject& d) { return is_floating(d.value); })
      .def_property_readonly("is_complex", [](const DTypeObject&) { return false; })
      .def_property_readonly("is_signed", [](const DTypeObject& d) { return info_of(d.value).is_signed; })
      .def_property_readonly("itemsize", [](const DTypeObject& d) { return item_size(d.value); })
      .def_property_readonly("_name", [](const DTypeObject& d) { return dtype_name(d.value); });
  cls.attr("__module__") = "gradcore";
  forbid_new(cls);
  dtype_type = reinterpret_cast<PyTypeObject*>(cls.ptr());
  for (int i = 0; i < kDTypeCount; ++i) {
    dtype_objects[i] = py::cast(DTypeObject{static_cast<DType>(i)}).release().ptr();
    m.attr(kDTypes[i].name) = py::handle(dtype_objects[i]);
  }
  m.def(
      "_dtypes",
      [] {
        py::list rows;
        for (const DTypeInfo& row : kDTypes)
          rows.append(py::make_tuple(py::handle(dtype_objects[index_of(row.dtype)]), row.name, row.scalar_name));
        return rows;
      },
      "Each dtype with its name and torch's name of the scalar type (Float, Long ...).");
  m.def(
      "get_default_dtype", [] { return py::handle(dtype_objects[index_of(default_dtype())]); },
      "The dtype of floats that come without one.");
  m.def(
      "set_default_dtype",
      [](py::handle d) {
        const DType t = dtype_of_object(d);
        check(is_floating(t), ErrorKind::Type, "only floating-point types are supported as the default type");
        set_default_dtype(t);
      },
      py::arg("d"), "Sets the dtype of floats that come without one: float32 or float64.");
  m.def("promote_types", [](py::handle a, py::handle b) {
    return py::handle(dtype_objects[index_of(promote_types(dtype_of_object(a), dtype_of_object(b)))]);
  });
  m.def("can_cast",
        [](py::handle from, py::handle to) { return can_cast(dtype_of_object(from), dtype_of_object(to)); });
  m.def("result_type", [](py::handle a, py::handle b) {
    Tensor keep[2];
    Operand in[2] = {Scalar(0), Scalar(0)};
    py::handle both[2] = {a, b};
    for (int i = 0; i < 2; ++i) {
      if (is_tensor(both[i].ptr())) {
        keep[i] = unwrap(both[i].ptr());
        in[i] = Operand(keep[i]);
      } else {
        in[i] = Operand(to_scalar(both[i].ptr()));
      }
    }
    return py::handle(dtype_objects[index_of(result_type(in))]);
  });
  // The Python side hands over the types it defines.
  m.def("_set_python_types",
        [](py::type size, py::object cpu, py::object strided, py::object contiguous, py::object preserve) {
          check(!size_type, "the types were set before");
          device_type = reinterpret_cast<PyTypeObject*>(Py_NewRef(Py_TYPE(cpu.ptr())));
          layout_type = reinterpret_cast<PyTypeObject*>(Py_NewRef(Py_TYPE(strided.ptr())));
          memory_format_type = reinterpret_cast<PyTypeObject*>(Py_NewRef(Py_TYPE(contiguous.ptr())));
          size_type = reinterpret_cast<PyTypeObject*>(size.release().ptr());
          device_cpu = cpu.release().ptr();
          strided_layout = strided.release().ptr();
          contiguous_format = contiguous.release().ptr();
          preserve_format = preserve.release().ptr();
        });
}

}  // namespace gradcore
