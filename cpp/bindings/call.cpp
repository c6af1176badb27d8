#include "bindings/call.h"

#include <cstring>

#include "core/op_scope.h"

namespace gradcore {

namespace {

// NumPy's names for the same arguments.
const char* alias_of_keyword(std::string_view name) {
  if (name == "axis") return "dim";
  if (name == "keepdims") return "keepdim";
  if (name == "x" || name == "a" || name == "x1" || name == "self") return "input";
  if (name == "x2") return "other";
  return nullptr;
}

// The position of a keyword, -1 where there is none.
int find(const Signature& s, PyObject* name) {
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

// The commonest case at once.
inline bool fits_quickly(const Param& p, PyObject* o) {
  if ((p.type == ArgType::Tensor || p.type == ArgType::Operand) && Py_TYPE(o) == tensor_type) return true;
  return fits(p, o);
}

[[noreturn]] void raise_type_error(const std::string& text) {
  PyErr_SetString(PyExc_TypeError, text.c_str());
  throw PythonError{};
}

}  // namespace

inline PyObject* Call::invoke() {
  const Signature& s = *bound_.signature_;
  if (s.device >= 0 && bound_.slots_[s.device] != Py_None) check_device(bound_.slots_[s.device]);
  if (s.out < 0 || bound_.slots_[s.out] == Py_None) return checked(bound_.row_->handler(bound_));
  return invoke_out(bound_.slots_[s.out]);
}

// Positional arguments alone, none of them ints one by one.
inline Call::Fit Call::bind_simple(const Signature& s) {
  PyObject** slots = bound_.slots_;
  bound_.lone_ = -1;
  int k = 0;
  if (self_) slots[k++] = self_;
  const int given = k + static_cast<int>(nargs_), count = static_cast<int>(s.params.size());
  if (given < s.required) return Fit::Shape;
  Fit fit = Fit::Yes;
  for (const auto* arg = args_; k < given; ++k) {
    slots[k] = *arg++;
    if (!fits_quickly(s.params[k], slots[k])) fit = Fit::Type;
  }
  for (; k < count; ++k) slots[k] = s.params[k].fallback;
  return fit;
}

inline Call::Fit Call::bind(const Overload& o) {
  const Signature& s = o.signature();
  bound_.signature_ = &s;
  bound_.row_ = &o.row();
  if (!names_ && s.simple && nargs_ <= s.positional - (self_ ? 1 : 0)) [[likely]]
    return bind_simple(s);
  return bind_any(s, nullptr);
}

inline PyObject* Call::run() {
  const int count = static_cast<int>(op_.overloads.size());
  int first = 0;
  if (count > 1 && op_.remembered.nargs == nargs_ && op_.remembered.names == names_) first = op_.remembered.ruled_out;
  bool ruled_out = true;  // all overloads before this one, whatever the arguments are
  for (int i = first; i < count; ++i) {
    const Fit fit = bind(op_.overloads[i]);
    if (fit != Fit::Shape && ruled_out && i > first) remember(i);
    if (fit == Fit::Yes)
      return in_op(op_.name.c_str(), [&] { return invoke(); }, [&](auto&& report) { report_inputs(report); });
    ruled_out &= fit == Fit::Shape;
  }
  explain();
}

PyObject* call_op(const OpEntry& op, PyObject* self, PyObject* const* args, Py_ssize_t nargs, PyObject* names) {
  return guarded([&] { return Call(op, self, args, nargs, names).run(); });
}

void Call::remember(int ruled_out) const {
  Py_XINCREF(names_);
  Py_XDECREF(std::exchange(op_.remembered.names, names_));
  op_.remembered.nargs = nargs_;
  op_.remembered.ruled_out = ruled_out;
}

Call::Fit Call::bind_any(const Signature& s, std::string* why) {
  const int count = static_cast<int>(s.params.size());
  if (count > Args::kInline) {
    bound_.many_ = std::make_unique<PyObject*[]>(count);
    bound_.slots_ = bound_.many_.get();
  }
  PyObject** slots = bound_.slots_;
  Py_CLEAR(bound_.varargs_);
  int slot = 0;
  for (int k = 0; k < count; ++k) slots[k] = nullptr;
  if (self_) slots[slot++] = self_;
  // zeros(2, 3): the ints may come one by one where nothing else is positional.
  const bool may_spread = s.positional - slot == 1 && nargs_ > 0 && takes_ints_apart(s.params[slot]);
  const bool spread = may_spread && only_ints();
  bound_.lone_ = spread && nargs_ == 1 ? slot : -1;  // zeros(2) needs no tuple
  Py_ssize_t i = 0;
  if (spread && nargs_ > 1) {
    bound_.varargs_ = checked(PyTuple_New(nargs_));
    for (Py_ssize_t k = 0; k < nargs_; ++k) PyTuple_SET_ITEM(bound_.varargs_, k, Py_NewRef(args_[k]));
    slots[slot++] = bound_.varargs_;
    i = nargs_;
  }
  if (nargs_ - i > s.positional - slot) {
    const int takes = s.positional - (self_ ? 1 : 0);
    if (why)
      *why = str_cat(op_.name, "() takes ", takes, " positional argument", takes == 1 ? "" : "s", " but ", nargs_,
                     nargs_ == 1 ? " was" : " were", " given");
    return may_spread ? Fit::Type : Fit::Shape;
  }
  for (; i < nargs_; ++i) slots[slot++] = args_[i];
  if (names_ && !bind_keywords(s, why)) return may_spread ? Fit::Type : Fit::Shape;
  Fit fit = Fit::Yes;
  for (int k = 0; k < count; ++k) {
    const Param& p = s.params[k];
    if (!slots[k]) {
      if (!p.fallback) {
        if (why) *why = str_cat(op_.name, "() missing 1 required positional arguments: \"", p.text, "\"");
        return may_spread ? Fit::Type : Fit::Shape;
      }
      slots[k] = p.fallback;
      continue;
    }
    if (fit != Fit::Yes || k == bound_.lone_ || fits_quickly(p, slots[k])) continue;
    if (why)
      *why = str_cat(op_.name, "(): argument '", p.text, "' (position ", k + (self_ ? 0 : 1), ") must be ",
                     type_text(p.type), ", not ", Py_TYPE(slots[k])->tp_name);
    fit = Fit::Type;
    if (why) return fit;
  }
  return fit;
}

// x.squeeze(0, 1): of the ops that take a lone int, methods do it as well.
bool Call::takes_ints_apart(const Param& p) const {
  return p.type == ArgType::Ints || (p.type == ArgType::IntOrInts && !p.optional && self_ && nargs_ > 1);
}

bool Call::only_ints() const {
  for (Py_ssize_t k = 0; k < nargs_; ++k)
    if (!is_int(args_[k])) return false;
  return true;
}

bool Call::bind_keywords(const Signature& s, std::string* why) {
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

void Call::explain() {
  if (op_.overloads.size() == 1) {
    std::string why;
    bound_.signature_ = &op_.overloads[0].signature();
    bind_any(*bound_.signature_, &why);
    raise_type_error(why);
  }
  std::string got;
  for (Py_ssize_t i = 0; i < nargs_; ++i) got += str_cat(i ? ", " : "", Py_TYPE(args_[i])->tp_name);
  for (Py_ssize_t i = 0, n = names_ ? PyTuple_GET_SIZE(names_) : 0; i < n; ++i)
    got +=
        str_cat(got.empty() ? "" : ", ", utf8(PyTuple_GET_ITEM(names_, i)), "=", Py_TYPE(args_[nargs_ + i])->tp_name);
  std::string text =
      str_cat(op_.name, "() received an invalid combination of arguments - got (", got, "), but expected one of:");
  for (const Overload& o : op_.overloads) text += str_cat("\n * ", o.signature().text);
  raise_type_error(text);
}

}  // namespace gradcore
