// The small types: dtype, default dtype, and the hooks for Size and device (written in Python).
#include "bindings/args.h"
#include "bindings/define.h"
#include "bindings/docs.h"
#include "bindings/dtype_names.h"
#include "tensor/meta.h"

namespace gradcore {

PyTypeObject* dtype_type;
PyTypeObject* layout_type;
PyTypeObject* memory_format_type;
PyObject* strided_layout;
PyObject* contiguous_format;
PyObject* preserve_format;
static PyObject *channels_last, *channels_last_3d;
PyObject* dtype_objects[kDTypeCount];
PyObject* linalg_error;

namespace {

struct DTypeObject {
  int number;  // all_dtypes()
  const DTypeFacts& facts() const { return facts_of(number); }
};

// One for each of all_dtypes(), for the process's life: equal ones are the same.
std::vector<PyObject*> every_dtype_object;
py::handle object_of(int number) { return every_dtype_object[static_cast<size_t>(number)]; }

int number_of_object(py::handle h) {
  check(Py_TYPE(h.ptr()) == dtype_type, ErrorKind::Type, "expected a torch.dtype, not ", Py_TYPE(h.ptr())->tp_name);
  return h.cast<const DTypeObject&>().number;
}
DType dtype_of_object(py::handle h) {
  const int number = number_of_object(h);
  if (!has_tensors(number)) fail_name_alone(facts_of(number).name);
  return static_cast<DType>(number);
}

// Of two tensors, numbers or one of each.
int number_of_result(const py::handle (&both)[2]) {
  Tensor keep[2];
  Operand in[2] = {Scalar(0), Scalar(0)};
  bool is_complex = false;
  for (int i = 0; i < 2; ++i) {
    PyObject* o = both[i].ptr();
    if (is_tensor(o)) {
      keep[i] = unwrap(o);
      in[i] = Operand(keep[i]);
    } else if (PyComplex_Check(o)) {
      is_complex = true;
      in[i] = Operand(Scalar(false));
    } else {
      in[i] = Operand(to_scalar(o));
    }
  }
  const DType real = result_type(in);
  if (!is_complex) return index_of(real);
  return complex_of(index_of(is_floating(real) ? real : default_dtype()));
}

}  // namespace

std::optional<DType> to_dtype(PyObject* o) {
  for (int i = 0; i < kDTypeCount; ++i)
    if (o == dtype_objects[i]) return static_cast<DType>(i);
  if (o == reinterpret_cast<PyObject*>(&PyFloat_Type)) return DType::Float64;
  if (o == reinterpret_cast<PyObject*>(&PyLong_Type)) return DType::Int64;
  if (o == reinterpret_cast<PyObject*>(&PyBool_Type)) return DType::Bool;
  if (o == reinterpret_cast<PyObject*>(&PyComplex_Type)) fail_name_alone("complex128");
  if (Py_TYPE(o) == dtype_type) return dtype_of_object(o);
  return std::nullopt;
}

MemoryFormat to_memory_format(PyObject* o) {
  if (o == preserve_format) return MemoryFormat::Preserve;
  if (o == contiguous_format) return MemoryFormat::Contiguous;
  if (o == channels_last) return MemoryFormat::ChannelsLast;
  check(o == channels_last_3d, ErrorKind::Type, "memory_format must be one of those that have names, not ",
        Py_TYPE(o)->tp_name);
  return MemoryFormat::ChannelsLast3d;
}

// In torch its name has the underscore too.
static void add_linalg_error(const py::module_& m) {
  linalg_error = checked(PyErr_NewExceptionWithDoc(
      "gradcore._C._LinAlgError",
      "Raised where a matrix has not what an algorithm needs: it is singular, or not positive-definite.",
      PyExc_RuntimeError, nullptr));
  m.attr("_LinAlgError") = py::handle(linalg_error);
}

void add_types(py::module_& m) {
  add_linalg_error(m);
  py::class_<DTypeObject> cls(m, "dtype", docs::dtype_class);
  cls.def("__repr__", [](const DTypeObject& d) { return str_cat("torch.", d.facts().name); })
      .def("__reduce__", [](const DTypeObject& d) { return d.facts().name; })
      .def("to_complex", [](const DTypeObject& d) { return object_of(complex_of(d.number)); })
      .def("to_real", [](const DTypeObject& d) { return object_of(real_of(d.number)); })
      .def_property_readonly("is_floating_point",
                             [](const DTypeObject& d) {
                               return d.facts().kind == DTypeKind::Float || d.facts().kind == DTypeKind::Float8;
                             })
      .def_property_readonly("is_complex", [](const DTypeObject& d) { return d.facts().kind == DTypeKind::Complex; })
      .def_property_readonly("is_signed",
                             [](const DTypeObject& d) {
                               check(d.facts().kind != DTypeKind::Quantized,
                                     "isSignedType not supported for quantized types");
                               return d.facts().is_signed;
                             })
      .def_property_readonly("itemsize", [](const DTypeObject& d) { return d.facts().size; })
      .def_property_readonly("_name", [](const DTypeObject& d) { return d.facts().name; });
  cls.attr("__module__") = "gradcore";
  forbid_new(cls);
  dtype_type = reinterpret_cast<PyTypeObject*>(cls.ptr());
  for (const DTypeFacts& row : all_dtypes()) {
    const int number = static_cast<int>(every_dtype_object.size());
    every_dtype_object.push_back(py::cast(DTypeObject{number}).release().ptr());
    m.attr(row.name) = object_of(number);
    if (has_tensors(number)) dtype_objects[number] = object_of(number).ptr();
  }
  m.def(
      "_dtypes",
      [] {
        py::list rows;
        for (const DTypeInfo& row : kDTypes)
          rows.append(py::make_tuple(py::handle(dtype_objects[index_of(row.dtype)]), row.name, row.scalar_name));
        return rows;
      },
      "Each dtype that tensors have with its name and torch's name of the scalar type (Float, Long ...).");
  static PyMethodDef functions[] = {
      {"get_default_dtype", [](PyObject*, PyObject*) { return Py_NewRef(dtype_objects[index_of(default_dtype())]); },
       METH_NOARGS, docs::get_default_dtype},
      {nullptr, nullptr, 0, nullptr},
  };
  if (PyModule_AddFunctions(m.ptr(), functions) < 0) throw PythonError{};
  m.def(
      "set_default_dtype",
      [](py::handle d) {
        const DType t = dtype_of_object(d);
        check(is_floating(t), ErrorKind::Type, "only floating-point types are supported as the default type");
        set_default_dtype(t);
      },
      py::arg("d"), docs::set_default_dtype);
  m.def(
      "promote_types",
      [](py::handle a, py::handle b) { return object_of(promoted(number_of_object(a), number_of_object(b))); },
      py::arg("type1"), py::arg("type2"), docs::promote_types);
  m.def(
      "can_cast", [](py::handle from, py::handle to) { return may_cast(number_of_object(from), number_of_object(to)); },
      py::arg("from_"), py::arg("to"), docs::can_cast);
  m.def(
      "result_type", [](py::handle a, py::handle b) { return object_of(number_of_result({a, b})); }, py::arg("tensor"),
      py::arg("other"), docs::result_type);
  // The Python side hands over the types it defines.
  m.def("_enter_device", &meta::enter);  // `with device(...):`, whether that is "meta"
  m.def("_leave_device", &meta::leave);
  m.def("_set_default_device", &meta::set_default);
  m.def("_makes_meta", &meta::is_default);  // of factories that are not told where
  m.def("_set_python_types", [](py::type size, py::object cpu, py::object strided, py::object contiguous,
                                py::object preserve, py::object last, py::object last_3d) {
    check(!size_type, "the types were set before");
    device_type = reinterpret_cast<PyTypeObject*>(Py_NewRef(Py_TYPE(cpu.ptr())));
    layout_type = reinterpret_cast<PyTypeObject*>(Py_NewRef(Py_TYPE(strided.ptr())));
    memory_format_type = reinterpret_cast<PyTypeObject*>(Py_NewRef(Py_TYPE(contiguous.ptr())));
    size_type = reinterpret_cast<PyTypeObject*>(size.release().ptr());
    device_cpu = cpu.release().ptr();
    strided_layout = strided.release().ptr();
    contiguous_format = contiguous.release().ptr();
    preserve_format = preserve.release().ptr();
    channels_last = last.release().ptr();
    channels_last_3d = last_3d.release().ptr();
  });
}

}  // namespace gradcore
