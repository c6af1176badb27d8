#include "bindings/signature.h"

#include <algorithm>

#include "core/generator.h"

namespace gradcore {

namespace {

struct TypeName {
  std::string_view name;
  ArgType type;
  uint8_t ints = 1;
};
constexpr TypeName kTypes[] = {{"Tensor", ArgType::Tensor},
                               {"Number", ArgType::Number},
                               {"Operand", ArgType::Operand},
                               {"int", ArgType::Int},
                               {"float", ArgType::Float},
                               {"bool", ArgType::Bool},
                               {"int[]", ArgType::Ints},
                               {"int[1]", ArgType::IntOrInts, 1},
                               {"int[2]", ArgType::IntOrInts, 2},
                               {"int[3]", ArgType::IntOrInts, 3},
                               {"Tensor[]", ArgType::Tensors},
                               {"Tensor...", ArgType::SpreadTensors},
                               {"Number[]", ArgType::Numbers},
                               {"dtype", ArgType::DType},
                               {"device", ArgType::Device},
                               {"str", ArgType::Str},
                               {"Generator", ArgType::Generator},
                               {"Layout", ArgType::Layout},
                               {"MemoryFormat", ArgType::MemoryFormat},
                               {"Reduction", ArgType::Reduction},
                               {"None", ArgType::None},
                               {"object", ArgType::Object}};

const TypeName& type_named(std::string_view s) {
  for (const TypeName& t : kTypes)
    if (t.name == s) return t;
  fail("unknown argument type ", s);
}

PyObject* default_value(std::string_view s) {
  if (s == "None") return Py_None;
  if (s == "True") return Py_True;
  if (s == "False") return Py_False;
  if (s.front() == '\'') return PyUnicode_FromStringAndSize(s.data() + 1, s.size() - 2);
  const std::string text(s);
  if (text.find_first_of(".einf") == std::string::npos) return PyLong_FromString(text.c_str(), nullptr, 10);
  return PyFloat_FromDouble(PyOS_string_to_double(text.c_str(), nullptr, nullptr));
}

// Sizes and indices may be tensors of one element, with dims too; numbers of dims and other plain ints may not. `n` is
// a size where there is no tensor, in eye() and randperm().
bool is_plain_int(std::string_view name, bool has_tensor) {
  constexpr std::string_view kPlain[] = {"dim",    "dim0",     "dim1", "dim2",  "axis",    "axis0",    "axis1",
                                         "offset", "decimals", "p",    "steps", "chunks",  "bins",     "start_dim",
                                         "r",      "N",        "step", "size",  "end_dim", "dimension"};
  return std::ranges::find(kPlain, name) != std::end(kPlain) || (name == "n" && has_tensor);
}

Param param_of(const ParamText& p) {
  const TypeName& type = type_named(p.type);
  Param out{};
  out.name = PyUnicode_FromStringAndSize(p.name.data(), static_cast<Py_ssize_t>(p.name.size()));
  PyUnicode_InternInPlace(&out.name);
  out.text = PyUnicode_AsUTF8(out.name);
  out.type = type.type;
  out.ints = type.ints;
  out.optional = p.optional;
  out.keyword_only = p.keyword_only;
  out.fallback = p.has_fallback ? default_value(p.fallback) : nullptr;
  return out;
}

bool is_index(PyObject* o) {
  return (PyLong_Check(o) && !PyBool_Check(o)) || (!PyBool_Check(o) && !is_tensor(o) && PyIndex_Check(o));
}

bool is_int_tensor(PyObject* o) { return is_tensor(o) && impl_of(o)->numel == 1 && is_integral(impl_of(o)->dtype); }

template <class F> bool is_list_of(PyObject* o, F&& is_item) {
  if (!PyTuple_Check(o) && !PyList_Check(o)) return false;
  for (Py_ssize_t i = 0, n = PySequence_Fast_GET_SIZE(o); i < n; ++i)
    if (!is_item(PySequence_Fast_GET_ITEM(o, i))) return false;
  return true;
}

}  // namespace

bool is_int(PyObject* o) { return is_index(o) || is_int_tensor(o); }

int first_no_int(PyObject* const* items, Py_ssize_t n) {
  for (int i = 0; i < n; ++i)
    if (!is_int(items[i]) && (i == 0 || !PyBool_Check(items[i]))) return i;
  return -1;
}
int first_no_int(PyObject* list) { return first_no_int(PySequence_Fast_ITEMS(list), PySequence_Fast_GET_SIZE(list)); }
static bool is_list_of_ints(PyObject* o) { return (PyTuple_Check(o) || PyList_Check(o)) && first_no_int(o) < 0; }

std::string full_text(std::string_view text) {
  constexpr std::string_view kShort = "TensorOptions options";
  std::string out(text);
  if (const size_t at = out.find(kShort); at != std::string::npos) out.replace(at, kShort.size(), kTensorOptions);
  return out;
}

Signature parse_signature(std::string_view text, bool is_method) {
  const std::string full = full_text(text);
  Signature out;
  out.text = full.substr(0, full.find(" -> "));
  SignatureReader reader(full);
  for (ParamText p; reader.next(p);) {
    out.params.push_back(param_of(p));
    out.params.back().position = static_cast<uint8_t>(out.params.size() - 1);
    if (!p.keyword_only) ++out.positional;
    if (!p.has_fallback) ++out.required;
  }
  const bool has_tensor = std::ranges::any_of(
      out.params, [](const Param& p) { return p.type == ArgType::Tensor && p.text != std::string_view("out"); });
  for (Param& p : out.params) p.without_dims = p.type == ArgType::Int && is_plain_int(p.text, has_tensor);
  std::ranges::stable_partition(out.params, [](const Param& p) { return !is_special(p.text, p.keyword_only); });
  for (int k = 0; k < static_cast<int>(out.params.size()); ++k) {
    const Param& p = out.params[k];
    const std::string_view name = p.text;
    if (name == "dtype") out.dtype = k;
    if (name == "out") out.out = k;
    if (name == "device" && p.keyword_only) out.device = k;
    if (!p.fallback) out.required_until = k + 1;
    out.fallbacks.push_back(p.fallback);
  }
  // x.squeeze(0, 1): of the ops that take a lone int, methods do it as well.
  const int first = is_method ? 1 : 0;
  if (out.positional == first + 1) {
    const Param& p = out.params[first];
    const bool always = p.type == ArgType::Ints || p.type == ArgType::SpreadTensors;
    if (always || (p.type == ArgType::IntOrInts && is_method && !p.optional)) out.spread = first;
  }
  if (is_method && out.out >= 0) {
    out.params[out.out].name = Py_None;  // no keyword is this one
    out.params[out.out].text = nullptr;
  }
  return out;
}

bool fits(const Param& p, PyObject* o) {
  if (o == Py_None) return p.optional || p.fallback == Py_None;
  switch (p.type) {
    case ArgType::Tensor: return is_tensor(o);
    case ArgType::Number:
    case ArgType::Float:
      return is_number(o) || (is_tensor(o) && impl_of(o)->shape.empty() && !requires_grad(impl_of(o)));
    case ArgType::Operand: return is_tensor(o) || is_number(o);
    case ArgType::Int: return is_int(o) && !(p.without_dims && is_tensor(o) && !impl_of(o)->shape.empty());
    case ArgType::Bool: return PyBool_Check(o) || Py_TYPE(o)->tp_name == std::string_view("numpy.bool");
    case ArgType::Ints: return is_list_of_ints(o);
    case ArgType::IntOrInts: return is_int(o) || is_list_of_ints(o);
    case ArgType::Tensors:
    case ArgType::SpreadTensors: return is_list_of(o, is_tensor);
    case ArgType::Numbers: return is_list_of(o, is_number);
    case ArgType::DType:
      return Py_TYPE(o) == dtype_type || o == (PyObject*)&PyFloat_Type || o == (PyObject*)&PyLong_Type ||
             o == (PyObject*)&PyBool_Type || o == (PyObject*)&PyComplex_Type;
    case ArgType::Device: return Py_TYPE(o) == device_type || PyUnicode_Check(o);
    case ArgType::Str: return PyUnicode_Check(o);
    case ArgType::Reduction: return PyUnicode_Check(o);
    case ArgType::Generator: return py::isinstance<Generator>(o);
    case ArgType::Layout: return Py_TYPE(o) == layout_type;
    case ArgType::MemoryFormat: return Py_TYPE(o) == memory_format_type;
    case ArgType::None: return false;
    case ArgType::Object: return true;
  }
  return false;
}

const char* type_text(ArgType t) {
  switch (t) {
    case ArgType::Tensor: return "Tensor";
    case ArgType::Number: return "Number";
    case ArgType::Operand: return "Tensor or Number";
    case ArgType::Int: return "int";
    case ArgType::Float: return "float";
    case ArgType::Bool: return "bool";
    case ArgType::Ints:
    case ArgType::IntOrInts: return "tuple of ints";
    case ArgType::Tensors:
    case ArgType::SpreadTensors: return "tuple of Tensors";
    case ArgType::Numbers: return "tuple of Numbers";
    case ArgType::DType: return "torch.dtype";
    case ArgType::Device: return "torch.device";
    case ArgType::Str: return "str";
    case ArgType::Reduction: return "str";
    case ArgType::Generator: return "torch.Generator";
    case ArgType::Layout: return "torch.layout";
    case ArgType::MemoryFormat: return "torch.memory_format";
    case ArgType::None: return "None";
    case ArgType::Object: return "object";
  }
  return "";
}

}  // namespace gradcore
