#include "bindings/args.h"

#include "autograd/forward.h"
#include "autograd/views.h"
#include "core/generator.h"

#include <array>
#include <cstring>
#include <memory>
#include <unordered_map>

namespace gradcore {

namespace {

Signature parse_signature(std::string_view text);

// Its signature is parsed by the first call: a thousand of them would be half of the time that an import takes.
class Overload {
 public:
  Overload(std::string_view text, Handler handler, IntoHandler into, bool is_method)
      : handler(handler), into(into), text_(text), is_method_(is_method) {}
  const std::string& text() const { return text_; }
  const Signature& signature() const {
    if (!parsed_) [[unlikely]]
      parse();
    return *parsed_;
  }
  const Handler handler;
  const IntoHandler into;

 private:
  void parse() const;

  std::string text_;
  bool is_method_;
  mutable std::unique_ptr<const Signature> parsed_;
};

struct OpEntry {
  std::string name;
  uint8_t kinds = 0;
  std::vector<std::unique_ptr<Overload>> function, method;
  std::string function_doc, method_doc;
};

std::vector<std::unique_ptr<OpEntry>>& registry() {
  static auto* ops = new std::vector<std::unique_ptr<OpEntry>>;
  return *ops;
}

// ---- parsing a signature

std::string_view trim(std::string_view s) {
  while (!s.empty() && s.front() == ' ') s.remove_prefix(1);
  while (!s.empty() && s.back() == ' ') s.remove_suffix(1);
  return s;
}

ArgType arg_type(std::string_view s) {
  static constexpr std::pair<std::string_view, ArgType> kTypes[] = {
      {"Tensor", ArgType::Tensor},    {"Number", ArgType::Number},       {"Operand", ArgType::Operand},
      {"int", ArgType::Int},          {"float", ArgType::Float},         {"bool", ArgType::Bool},
      {"int[]", ArgType::Ints},       {"int[1]", ArgType::IntOrInts},    {"Tensor[]", ArgType::Tensors},
      {"Number[]", ArgType::Numbers}, {"dtype", ArgType::DType},         {"device", ArgType::Device},
      {"str", ArgType::Str},          {"Generator", ArgType::Generator}, {"object", ArgType::Object}};
  for (const auto& [name, type] : kTypes)
    if (name == s) return type;
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

Signature parse_signature(std::string_view text) {
  Signature out;
  out.text = text;
  std::string_view rest = text.substr(1, text.size() - 2);
  bool keyword_only = false;
  while (!rest.empty()) {
    const size_t comma = rest.find(',');
    std::string_view item = trim(rest.substr(0, comma));
    rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 1);
    if (item == "*") {
      keyword_only = true;
      continue;
    }
    Param p{};
    const size_t space = item.find(' ');
    std::string_view type = item.substr(0, space), name = trim(item.substr(space));
    if (type.back() == '?') {
      p.optional = true;
      type.remove_suffix(1);
    }
    if (const size_t eq = name.find('='); eq != std::string_view::npos) {
      p.fallback = default_value(trim(name.substr(eq + 1)));
      name = trim(name.substr(0, eq));
    }
    p.type = arg_type(type);
    p.name = PyUnicode_FromStringAndSize(name.data(), static_cast<Py_ssize_t>(name.size()));
    PyUnicode_InternInPlace(&p.name);
    p.text = PyUnicode_AsUTF8(p.name);
    p.keyword_only = keyword_only;
    if (name == "out") out.out = static_cast<int>(out.params.size());
    if (name == "device") out.device = static_cast<int>(out.params.size());
    out.params.push_back(p);
    if (!keyword_only) ++out.positional;
    if (!p.fallback) ++out.required;
  }
  check(out.params.size() <= kMaxParams, "too many parameters in ", text);
  return out;
}

void Overload::parse() const {
  Signature s = parse_signature(text_);
  if (is_method_ && s.out >= 0) {  // a method takes no out=
    s.params[s.out].name = Py_None;
    s.params[s.out].text = "";
  }
  parsed_ = std::make_unique<const Signature>(std::move(s));
}

// ---- matching a call

bool is_index(PyObject* o) {
  return (PyLong_Check(o) && !PyBool_Check(o)) || (!PyBool_Check(o) && !is_tensor(o) && PyIndex_Check(o));
}

bool is_int_tensor(PyObject* o) { return is_tensor(o) && impl_of(o)->numel == 1 && is_integral(impl_of(o)->dtype); }

bool is_dims(PyObject* o) {
  if (!PyTuple_Check(o) && !PyList_Check(o)) return false;
  const Py_ssize_t n = PySequence_Fast_GET_SIZE(o);
  for (Py_ssize_t i = 0; i < n; ++i) {
    PyObject* item = PySequence_Fast_GET_ITEM(o, i);
    if (!is_index(item) && !is_int_tensor(item)) return false;
  }
  return true;
}

template <class F> bool is_list_of(PyObject* o, F&& is_item) {
  if (!PyTuple_Check(o) && !PyList_Check(o)) return false;
  for (Py_ssize_t i = 0, n = PySequence_Fast_GET_SIZE(o); i < n; ++i)
    if (!is_item(PySequence_Fast_GET_ITEM(o, i))) return false;
  return true;
}

bool fits(const Param& p, PyObject* o) {
  if (o == Py_None) return p.optional || p.fallback == Py_None;
  switch (p.type) {
    case ArgType::Tensor: return is_tensor(o);
    case ArgType::Number:
      return is_number(o) || (is_tensor(o) && impl_of(o)->shape.empty() && !requires_grad(impl_of(o)));
    case ArgType::Operand: return is_tensor(o) || is_number(o);
    case ArgType::Int: return is_index(o) || is_int_tensor(o);
    case ArgType::Float: return is_number(o) || (is_tensor(o) && impl_of(o)->numel == 1);
    case ArgType::Bool: return PyBool_Check(o) || Py_TYPE(o)->tp_name == std::string_view("numpy.bool");
    case ArgType::Ints: return is_dims(o);
    case ArgType::IntOrInts: return is_dims(o) || is_index(o) || is_int_tensor(o);
    case ArgType::Tensors: return is_list_of(o, is_tensor);
    case ArgType::Numbers: return is_list_of(o, is_number);
    case ArgType::DType:
      return Py_TYPE(o) == dtype_type || o == (PyObject*)&PyFloat_Type || o == (PyObject*)&PyLong_Type ||
             o == (PyObject*)&PyBool_Type;
    case ArgType::Device: return Py_TYPE(o) == device_type || PyUnicode_Check(o);
    case ArgType::Str: return PyUnicode_Check(o);
    case ArgType::Generator: return py::isinstance<Generator>(o);
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
    case ArgType::Tensors: return "tuple of Tensors";
    case ArgType::Numbers: return "tuple of Numbers";
    case ArgType::DType: return "torch.dtype";
    case ArgType::Device: return "torch.device";
    case ArgType::Str: return "str";
    case ArgType::Generator: return "torch.Generator";
    case ArgType::Object: return "object";
  }
  return "";
}

// NumPy's names for the same arguments.
const char* alias_of_keyword(std::string_view name) {
  if (name == "axis") return "dim";
  if (name == "keepdims") return "keepdim";
  if (name == "x" || name == "a" || name == "x1" || name == "self") return "input";
  if (name == "x2") return "other";
  return nullptr;
}

[[noreturn]] void raise_type_error(const std::string& text) {
  PyErr_SetString(PyExc_TypeError, text.c_str());
  throw PythonError{};
}

}  // namespace

class Call {
 public:
  Call(const OpEntry& op, PyObject* self, PyObject* const* args, Py_ssize_t nargs, PyObject* names)
      : op_(op), self_(self), args_(args), nargs_(nargs), names_(names) {}

  PyObject* run(const std::vector<std::unique_ptr<Overload>>& overloads) {
    for (const auto& o : overloads) {
      if (!bind(o->signature(), nullptr)) continue;
      return invoke(*o);
    }
    explain(overloads);
  }

  ~Call() { Py_XDECREF(bound_.varargs_); }

 private:
  // Puts the arguments into the slots; on a mismatch returns false, with the reason in `why` if asked.
  bool bind(const Signature& s, std::string* why) {
    Py_CLEAR(bound_.varargs_);
    int slot = 0;
    Py_ssize_t i = 0;
    const int count = static_cast<int>(s.params.size());
    for (int k = 0; k < count; ++k) bound_.slots_[k] = nullptr;
    if (self_) bound_.slots_[slot++] = self_;
    // zeros(2, 3): the ints may come one by one where nothing else is positional.
    const bool spread = s.positional - slot == 1 && nargs_ > 0 && takes_ints_apart(s.params[slot]) && only_ints();
    bound_.lone_ = spread && nargs_ == 1 ? slot : -1;  // zeros(2) needs no tuple
    if (spread && nargs_ > 1) {
      bound_.varargs_ = checked(PyTuple_New(nargs_));
      for (Py_ssize_t k = 0; k < nargs_; ++k) PyTuple_SET_ITEM(bound_.varargs_, k, Py_NewRef(args_[k]));
      bound_.slots_[slot++] = bound_.varargs_;
      i = nargs_;
    }
    for (; i < nargs_; ++i, ++slot) {
      if (slot >= s.positional) {
        if (why)
          *why = str_cat(op_.name, "() takes ", s.positional - (self_ ? 1 : 0), " positional argument",
                         s.positional - (self_ ? 1 : 0) == 1 ? "" : "s", " but ", nargs_,
                         nargs_ == 1 ? " was" : " were", " given");
        return false;
      }
      bound_.slots_[slot] = args_[i];
    }
    if (names_ && !bind_keywords(s, why)) return false;
    for (int k = 0; k < count; ++k) {
      const Param& p = s.params[k];
      if (!bound_.slots_[k]) {
        if (!p.fallback) {
          if (why) *why = str_cat(op_.name, "() missing 1 required positional arguments: \"", p.text, "\"");
          return false;
        }
        bound_.slots_[k] = p.fallback;
        continue;
      }
      if (k == bound_.lone_ || fits(p, bound_.slots_[k])) continue;
      if (why)
        *why = str_cat(op_.name, "(): argument '", p.text, "' (position ", k + (self_ ? 0 : 1), ") must be ",
                       type_text(p.type), ", not ", Py_TYPE(bound_.slots_[k])->tp_name);
      return false;
    }
    return true;
  }

  // x.squeeze(0, 1): of the ops that take a lone int, methods do it as well.
  bool takes_ints_apart(const Param& p) const {
    return p.type == ArgType::Ints || (p.type == ArgType::IntOrInts && !p.optional && self_ && nargs_ > 1);
  }

  bool only_ints() const {
    for (Py_ssize_t k = 0; k < nargs_; ++k)
      if (!is_index(args_[k]) && !is_int_tensor(args_[k])) return false;
    return true;
  }

  bool bind_keywords(const Signature& s, std::string* why) {
    const Py_ssize_t n = PyTuple_GET_SIZE(names_);
    for (Py_ssize_t i = 0; i < n; ++i) {
      PyObject* name = PyTuple_GET_ITEM(names_, i);
      const int k = find(s, name);
      if (k < 0) {
        if (why) *why = str_cat(op_.name, "() got an unexpected keyword argument '", utf8(name), "'");
        return false;
      }
      if (bound_.slots_[k]) {
        if (why) *why = str_cat(op_.name, "() got multiple values for argument '", utf8(name), "'");
        return false;
      }
      bound_.slots_[k] = args_[nargs_ + i];
    }
    return true;
  }

  static int find(const Signature& s, PyObject* name) {
    const int count = static_cast<int>(s.params.size());
    for (int k = 0; k < count; ++k)
      if (s.params[k].name == name) return k;
    const char* text = PyUnicode_AsUTF8(name);
    if (!text) throw PythonError{};
    for (const char* t : {text, alias_of_keyword(text)}) {
      if (!t) continue;
      for (int k = 0; k < count; ++k)
        if (std::strcmp(s.params[k].text, t) == 0) return k;
    }
    return -1;
  }

  PyObject* invoke(const Overload& o) {
    const int out = o.signature().out, device = o.signature().device;
    if (device >= 0 && bound_.slots_[device] != Py_None) check_device(bound_.slots_[device]);
    if (out < 0 || bound_.slots_[out] == Py_None) return checked(o.handler(bound_));
    return invoke_out(o, bound_.slots_[out]);
  }

  // torch's accumulating ops and its factories compute in the type of out, and a dtype that is named must be that type.
  void compute_in(const Signature& s, DType type) {
    static constexpr std::string_view kAccumulating[] = {"cumsum", "cumprod", "sum", "prod"};
    const bool factory = s.device >= 0;
    if (!factory && std::ranges::find(kAccumulating, op_.name) == std::end(kAccumulating)) return;
    for (size_t k = 0; k < s.params.size(); ++k) {
      if (std::strcmp(s.params[k].text, "dtype") != 0) continue;
      const auto named = to_dtype(bound_.slots_[k]);
      if (named && *named != type)
        fail("Expected out tensor to have dtype ", scalar_type_name(*named), ", but got ", scalar_type_name(type),
             " instead: dtype does not match dtype of out parameter");
      bound_.slots_[k] = dtype_objects[index_of(type)];
    }
  }

  // out=: computes without recording, into the tensor given or beside it; then copies into the tensors given, resized
  // to fit, once all of them were found fit.
  PyObject* invoke_out(const Overload& o, PyObject* out) {
    if (is_tensor(out)) {
      const bool at_once = o.into && !(modes.forward && has_tangent(unwrap(out)));
      if (at_once && o.into(bound_, unwrap(out))) return Py_NewRef(out);
      compute_in(o.signature(), impl_of(out)->dtype);
      const Owned result(checked(o.handler(bound_)));
      check(is_tensor(result.get()), op_.name, "(): out= is only supported for ops with one result");
      check_out(unwrap(out), unwrap(result.get()), false);
      write_out(unwrap(out), unwrap(result.get()));
      return Py_NewRef(out);
    }
    const Owned targets(checked(PySequence_Tuple(out))), results(checked(o.handler(bound_)));
    const Py_ssize_t n = PyTuple_GET_SIZE(results.get());
    check(PyTuple_GET_SIZE(targets.get()) == n, ErrorKind::Type, "expected tuple of ", n, " elements but got ",
          PyTuple_GET_SIZE(targets.get()));
    for (const bool write : {false, true}) {
      for (Py_ssize_t i = 0; i < n; ++i) {
        const Tensor to = unwrap(PyTuple_GET_ITEM(targets.get(), i)), from = unwrap(PyTuple_GET_ITEM(results.get(), i));
        write ? write_out(to, from) : check_out(to, from, true);
      }
    }
    return checked(PyObject_CallOneArg(reinterpret_cast<PyObject*>(Py_TYPE(results.get())), targets.get()));
  }

  void check_out(const Tensor& target, const Tensor& value, bool exactly) const {
    if (modes.forward && (has_tangent(value) || has_tangent(target)))
      fail(ErrorKind::NotImplemented, "Trying to use forward AD with ", op_.name,
           "_out that does not support it because it is an out= function");
    // Comparisons and the like take tensors that require grad; what would be recorded is refused.
    if (modes.grad && (requires_grad(value.impl()) || (requires_grad(target) && value.dtype() != DType::Bool)))
      fail(op_.name,
           "(): functions with out=... arguments don't support automatic differentiation, but one of the "
           "arguments requires grad.");
    // torch lets most ops convert into out, but not these.
    static constexpr std::string_view kExact[] = {
        "abs",       "absolute",      "neg",     "negative",     "sign",       "floor",   "ceil",
        "round",     "trunc",         "fix",     "bitwise_not",  "mm",         "bmm",     "mv",
        "dot",       "addmm",         "matmul",  "index_select", "gather",     "scatter", "scatter_add",
        "index_add", "masked_select", "tril",    "triu",         "where",      "amax",    "amin",
        "argmax",    "argmin",        "softmax", "log_softmax",  "index_copy", "nonzero"};
    exactly |= std::ranges::find(kExact, op_.name) != std::end(kExact);
    if (exactly && value.dtype() != target.dtype())
      fail("Found dtype ", scalar_type_name(target.dtype()), " but expected ", scalar_type_name(value.dtype()));
    const bool joins = op_.name == "stack" || op_.name.starts_with("cat") || op_.name.starts_with("conc");
    check(can_cast(value.dtype(), target.dtype()), joins ? ErrorKind::Type : ErrorKind::Runtime, "result type ",
          scalar_type_name(value.dtype()), " can't be cast to the desired output type ",
          scalar_type_name(target.dtype()));
    check_writable(target, false, !same_shape(value, target));  // one of another shape gets fresh memory
  }

  static bool has_tangent(const Tensor& t) {
    const Ref<Tangents> tangents = tangents_of(t);
    return tangents && !tangents->entries.empty();
  }

  void write_out(const Tensor& target, const Tensor& value) const {
    const NoRecordGuard off;
    const bool fills = op_.name == "arange" || op_.name.ends_with("space");  // these keep the shape of out
    if (fills && value.numel() == target.numel()) {
      copy_raw(target, view(value, target.shape()));
    } else {
      if (!same_shape(value, target)) set_window(target, resized(target, value.shape()));
      copy_raw(target, value);
    }
    target.bump_version();
  }
  // The same memory where it is large enough: who else has a view of it sees what is written.
  static Tensor resized(const Tensor& t, const Dims& shape) {
    const char* end = static_cast<const char*>(t->storage->data) + t->storage->bytes;
    const int64_t room = (end - static_cast<const char*>(t->data)) / item_size(t.dtype());
    if (t->batch || room < checked_numel(shape)) return empty(shape, t.dtype());
    return make_window(t, shape, contiguous_strides(shape), t->data);
  }

  [[noreturn]] void explain(const std::vector<std::unique_ptr<Overload>>& overloads) {
    if (overloads.size() == 1) {
      std::string why;
      bind(overloads[0]->signature(), &why);
      raise_type_error(why);
    }
    std::string got;
    for (Py_ssize_t i = 0; i < nargs_; ++i) got += str_cat(i ? ", " : "", Py_TYPE(args_[i])->tp_name);
    for (Py_ssize_t i = 0, n = names_ ? PyTuple_GET_SIZE(names_) : 0; i < n; ++i)
      got +=
          str_cat(got.empty() ? "" : ", ", utf8(PyTuple_GET_ITEM(names_, i)), "=", Py_TYPE(args_[nargs_ + i])->tp_name);
    std::string text =
        str_cat(op_.name, "() received an invalid combination of arguments - got (", got, "), but expected one of:");
    for (const auto& o : overloads) text += str_cat("\n * ", o->text());
    raise_type_error(text);
  }

  const OpEntry& op_;
  PyObject* self_;
  PyObject* const* args_;
  Py_ssize_t nargs_;
  PyObject* names_;
  Args bound_;
};

// ---- accessors

int64_t Args::integer(int i) const { return to_int64(slots_[i]); }

double Args::number(int i) const {
  if (PyFloat_CheckExact(slots_[i])) return PyFloat_AS_DOUBLE(slots_[i]);
  const double v = PyFloat_AsDouble(slots_[i]);
  if (v == -1 && PyErr_Occurred()) throw PythonError{};
  return v;
}

bool Args::flag(int i) const {
  if (slots_[i] == Py_True) return true;
  if (slots_[i] == Py_False) return false;
  const int v = PyObject_IsTrue(slots_[i]);
  if (v < 0) throw PythonError{};
  return v;
}

// The items of a list or tuple. What is done with one may run Python code, which may change the list.
template <class F> static void each_item(PyObject* list, F&& f) {
  for (Py_ssize_t k = 0; k < PySequence_Fast_GET_SIZE(list); ++k) f(item_of(list, k).get());
}

Dims Args::dims(int i) const {
  PyObject* o = slots_[i];
  Dims out;
  const auto element = [&](PyObject* item) {
    try {
      return to_int64(item);
    } catch (const Error& e) {
      fail(ErrorKind::Type, "a tuple of ints failed to unpack the object at pos ", out.size() + 1, " with error \"",
           e.what(), '"');
    }
  };
  if (!PyTuple_Check(o) && !PyList_Check(o)) {
    out.push_back(i == lone_ ? element(o) : to_int64(o));
    return out;
  }
  each_item(o, [&](PyObject* item) { out.push_back(element(item)); });
  return out;
}

std::string Args::str(int i) const {
  const char* s = PyUnicode_AsUTF8(slots_[i]);
  if (!s) throw PythonError{};
  return s;
}

std::vector<Tensor> Args::tensors(int i) const {
  std::vector<Tensor> out;
  out.reserve(PySequence_Fast_GET_SIZE(slots_[i]));
  each_item(slots_[i], [&](PyObject* item) {
    check(is_tensor(item), ErrorKind::Type, "expected a tensor, got ", Py_TYPE(item)->tp_name,
          ": the list changed during the call");
    out.push_back(unwrap(item));
  });
  return out;
}

std::vector<Scalar> Args::scalars(int i) const {
  std::vector<Scalar> out;
  out.reserve(PySequence_Fast_GET_SIZE(slots_[i]));
  each_item(slots_[i], [&](PyObject* item) { out.push_back(to_scalar(item)); });
  return out;
}

OperandArg::OperandArg(const Args& a, int i) : given_(a.given(i)), operand_(Scalar(0)) {
  if (!given_) return;
  if (is_tensor(a.object(i))) {
    tensor_ = a.tensor(i);
    operand_ = Operand(tensor_);
  } else {
    operand_ = Operand(a.scalar(i));
  }
}

// ---- the register

namespace {

constexpr int kMaxOps = 408;

// The number comes last: an entry then only loads it and jumps.
[[gnu::noinline]] PyObject* call_method(PyObject* self, PyObject* const* args, Py_ssize_t nargs, PyObject* names,
                                        int n) {
  return guarded([&] {
    const OpEntry& op = *registry()[n];
    return Call(op, self, args, nargs, names).run(op.method);
  });
}
[[gnu::noinline]] PyObject* call_function(PyObject*, PyObject* const* args, Py_ssize_t nargs, PyObject* names, int n) {
  return guarded([&] {
    const OpEntry& op = *registry()[n];
    return Call(op, nullptr, args, nargs, names).run(op.function);
  });
}
// CPython gives a C function no place for data: each op has its own entry, which only says its number.
template <int N> PyObject* method_entry(PyObject* self, PyObject* const* args, Py_ssize_t nargs, PyObject* names) {
  return call_method(self, args, nargs, names, N);
}
template <int N> PyObject* function_entry(PyObject* self, PyObject* const* args, Py_ssize_t nargs, PyObject* names) {
  return call_function(self, args, nargs, names, N);
}

using Entry = PyObject* (*)(PyObject*, PyObject* const*, Py_ssize_t, PyObject*);
template <int... N> constexpr std::array<Entry, sizeof...(N)> method_entries(std::integer_sequence<int, N...>) {
  return {method_entry<N>...};
}
template <int... N> constexpr std::array<Entry, sizeof...(N)> function_entries(std::integer_sequence<int, N...>) {
  return {function_entry<N>...};
}
constexpr auto kMethodEntries = method_entries(std::make_integer_sequence<int, kMaxOps>{});
constexpr auto kFunctionEntries = function_entries(std::make_integer_sequence<int, kMaxOps>{});

OpEntry& entry(std::string_view name) {
  static auto* by_name = new std::unordered_map<std::string_view, OpEntry*>;
  if (const auto found = by_name->find(name); found != by_name->end()) return *found->second;
  check(registry().size() < kMaxOps, "the op register is full");
  registry().push_back(std::make_unique<OpEntry>());
  OpEntry& made = *registry().back();
  made.name = name;
  by_name->emplace(made.name, &made);
  return made;
}

std::string doc_of(const OpEntry& op, const std::vector<std::unique_ptr<Overload>>& overloads) {
  std::string doc;
  for (const auto& o : overloads) doc += str_cat(doc.empty() ? "" : "\n", op.name, o->text(), "\n");
  return doc + str_cat("\nWorks as torch's ", op.name, " does; see README for what differs.\n");
}

}  // namespace

void register_op(OpKind kind, const char* text, Handler handler, IntoHandler into) {
  const std::string_view s = text;
  const size_t paren = s.find('(');
  OpEntry& op = entry(s.substr(0, paren));
  op.kinds |= kind;
  if (kind & kFunction) op.function.push_back(std::make_unique<Overload>(s.substr(paren), handler, into, false));
  if (kind & kMethod) op.method.push_back(std::make_unique<Overload>(s.substr(paren), handler, into, true));
}

std::vector<PyMethodDef> op_methods() {
  std::vector<PyMethodDef> defs;
  for (size_t i = 0; i < registry().size(); ++i) {
    OpEntry& op = *registry()[i];
    if (op.method.empty()) continue;
    op.method_doc = doc_of(op, op.method);
    defs.push_back({op.name.c_str(), reinterpret_cast<PyCFunction>(reinterpret_cast<void*>(kMethodEntries[i])),
                    METH_FASTCALL | METH_KEYWORDS, op.method_doc.c_str()});
  }
  return defs;
}

void add_functions(const py::object& m) {
  static auto* defs = new std::vector<PyMethodDef>;
  defs->reserve(registry().size());
  for (size_t i = 0; i < registry().size(); ++i) {
    OpEntry& op = *registry()[i];
    if (op.function.empty()) continue;
    op.function_doc = doc_of(op, op.function);
    defs->push_back({op.name.c_str(), reinterpret_cast<PyCFunction>(reinterpret_cast<void*>(kFunctionEntries[i])),
                     METH_FASTCALL | METH_KEYWORDS, op.function_doc.c_str()});
    m.attr(op.name.c_str()) =
        py::reinterpret_steal<py::object>(PyCFunction_NewEx(&defs->back(), nullptr, m.attr("__name__").ptr()));
  }
}

py::list op_table() {
  py::list out;
  for (const auto& op : registry()) {
    py::list functions, methods;
    for (const auto& o : op->function) functions.append(o->signature().text);
    for (const auto& o : op->method) methods.append(o->signature().text);
    out.append(py::make_tuple(op->name, functions, methods));
  }
  return out;
}

}  // namespace gradcore
