#include "bindings/ops/register.h"

namespace gradcore {

PyObject* to_python(const Args& a, ValuesIndices r) {
  static PyObject* const types = py::module_::import("gradcore.return_types").release().ptr();
  const std::string name(a.row().name);
  const Owned type(checked(PyObject_GetAttrString(types, name.c_str())));
  const Owned both(wrap_tuple({std::move(r.values), std::move(r.indices)}));
  return checked(PyObject_CallOneArg(type.get(), both.get()));
}

PyObject* to_python(const Args&, const std::vector<int64_t>& ints) {
  Owned out(checked(PyTuple_New(static_cast<Py_ssize_t>(ints.size()))));
  for (size_t i = 0; i < ints.size(); ++i)
    PyTuple_SET_ITEM(out.get(), static_cast<Py_ssize_t>(i), checked(PyLong_FromLongLong(ints[i])));
  return out.release();
}

}  // namespace gradcore
