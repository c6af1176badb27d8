#include "bindings/call.h"
#include "bindings/device.h"

#include <algorithm>
#include <cstring>

#include "bindings/torch_function.h"
#include "core/op_scope.h"

namespace gradcore {

namespace {

// Other names that programs give to an argument: NumPy's, and those by which torch's parser knows what its
// documentation calls otherwise.
struct KeywordAlias {
  std::string_view given, meant;
};
constexpr KeywordAlias kAliases[] = {
    {"axis", "dim"}, {"keepdims", "keepdim"}, {"x", "input"},
    {"a", "input"},  {"x1", "input"},         {"self", "input"},
    {"x2", "other"}, {"input", "A"},          {"other", "B"},
    {"b", "B"},      {"input2", "L"},         {"test_element", "test_elements"},
};

// The position of a keyword, -1 where there is none.
int find(const Signature& s, PyObject* name) {
  const int count = static_cast<int>(s.params.size());
  for (int k = 0; k < count; ++k)
    if (s.params[k].name == name) return k;
  Py_ssize_t size;
  const char* utf8_name = PyUnicode_AsUTF8AndSize(name, &size);
  if (!utf8_name) throw PythonError{};
  const std::string_view text(utf8_name, static_cast<size_t>(size));
  const auto position_of = [&](std::string_view known) {
    for (int k = 0; k < count; ++k)
      if (s.params[k].text && known == s.params[k].text) return k;
    return -1;
  };
  int found = position_of(text);
  for (const KeywordAlias& alias : kAliases)
    if (found < 0 && alias.given == text) found = position_of(alias.meant);
  return found;
}

// The commonest case at once.
inline bool fits_quickly(const Param& p, PyObject* o) {
  if ((p.type == ArgType::Tensor || p.type == ArgType::Operand) && Py_TYPE(o) == tensor_type) return true;
  return fits(p, o);
}

// Calls f on a tensor, or on those of a list or tuple.
template <class F> void visit_tensors(PyObject* o, F&& f) {
  if (!o) return;
  if (is_tensor(o)) return f(Borrowed(o));
  if (!PyList_Check(o) && !PyTuple_Check(o)) return;
  for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(o); ++i)
    if (PyObject* item = PySequence_Fast_GET_ITEM(o, i); is_tensor(item)) f(Borrowed(item));
}

[[noreturn]] void raise_type_error(const std::string& text) {
  PyErr_SetString(PyExc_TypeError, text.c_str());
  throw PythonError{};
}

}  // namespace

inline PyObject* Call::invoke() {
  const Signature& s = *bound_.signature_;
  const bool near_meta = meta::used.load(std::memory_order_relaxed);
  if (s.device >= 0 && (bound_.slots_[s.device] != Py_None || near_meta)) [[unlikely]]
    return invoke_placed(bound_.slots_[s.device]);
  if (near_meta) [[unlikely]]
    return invoke_near_meta();
  return invoke_here();
}

template <class F> void Call::for_each_tensor(F&& f) const {
  for (size_t k = 0; k < bound_.signature_->params.size(); ++k) visit_tensors(bound_.slots_[k], f);
}

// What is made from meta tensors is meta, also where no instruction said so, as of tensors without elements.
PyObject* Call::invoke_near_meta() {
  bool any_meta = false;
  for_each_tensor([&](const Tensor& t) { any_meta = any_meta || is_meta(t); });
  PyObject* result = invoke_here();
  if (!any_meta) return result;
  visit_tensors(result, [&](const Tensor& made) {
    bool known = is_meta(made);
    for_each_tensor([&](const Tensor& t) { known = known || t->storage == made->storage; });
    if (!known) meta::add(made->storage->address(), made->storage->bytes);
  });
  return result;
}

// What makes a tensor: where it is told to, where its first argument is, or where the program has said that all are
// made.
PyObject* Call::invoke_placed(PyObject* device) {
  PyObject* like = bound_.slots_[0];
  const bool on_meta = device != Py_None         ? is_meta_device(device)
                       : like && is_tensor(like) ? is_meta(Borrowed(like))
                                                 : meta::is_default();
  const meta::Scope scope(on_meta);
  return invoke_here();
}

inline PyObject* Call::invoke_here() {
  const Signature& s = *bound_.signature_;
  if (s.out < 0 || bound_.slots_[s.out] == Py_None) return checked(bound_.row_->handler(bound_));
  return invoke_out(bound_.slots_[s.out]);
}

inline Call::Fit Call::bind_positional(const Signature& s, PyObject** slots) {
  const int first = self_ ? 1 : 0;
  if (nargs_ > s.positional - first) return Fit::Shape;
  Fit fit = Fit::Yes;
  for (int i = 0; i < static_cast<int>(nargs_); ++i) {
    slots[first + i] = args_[i];
    if (!fits_quickly(s.params[first + i], args_[i])) fit = Fit::Type;
  }
  return fit;
}

// zeros(2, 3), meshgrid(x, y): ints and tensors may come one by one where nothing else is positional.
Call::Fit Call::bind_spread(const Signature& s, PyObject** slots) {
  if (!may_spread(s)) return bind_positional(s, slots) == Fit::Yes ? Fit::Yes : Fit::Type;
  if (nargs_ == 1 && s.params[s.spread].type != ArgType::SpreadTensors) {  // zeros(2) needs no tuple
    bound_.lone_ = s.spread;
    slots[s.spread] = args_[0];
    return Fit::Yes;
  }
  Py_CLEAR(bound_.varargs_);
  bound_.varargs_ = checked(PyTuple_New(nargs_));
  for (Py_ssize_t k = 0; k < nargs_; ++k) PyTuple_SET_ITEM(bound_.varargs_, k, Py_NewRef(args_[k]));
  slots[s.spread] = bound_.varargs_;
  return Fit::Yes;
}

// meshgrid(): none came.
PyObject* Call::bind_no_tensors() {
  Py_XSETREF(bound_.varargs_, checked(PyTuple_New(0)));
  return bound_.varargs_;
}

Call::Fit Call::bind_keywords(const Signature& s, PyObject** slots, int given) {
  Fit fit = Fit::Yes;
  const Py_ssize_t n = PyTuple_GET_SIZE(names_);
  for (Py_ssize_t i = 0; i < n; ++i) {
    const int k = find(s, PyTuple_GET_ITEM(names_, i));
    if (k < given || slots[k] != s.fallbacks[k]) return Fit::Shape;  // unknown, or given before
    slots[k] = args_[nargs_ + i];
    if (!fits_quickly(s.params[k], slots[k])) fit = Fit::Type;
  }
  return fit;
}

inline Call::Fit Call::bind(const Overload& o) {
  const Signature& s = o.signature();
  const size_t count = s.fallbacks.size();
  bound_.signature_ = &s;
  bound_.row_ = &o.row();
  bound_.as_floats_ = o.computes_halves_as_floats();
  bound_.lone_ = -1;
  if (count > Signature::kFewParams) [[unlikely]] {
    bound_.many_ = std::make_unique<PyObject*[]>(count);
    bound_.slots_ = bound_.many_.get();
  }
  PyObject** slots = bound_.slots_;
  for (size_t k = 0; k < count; ++k) slots[k] = s.fallbacks[k];
  if (self_) slots[0] = self_;
  const bool spreads = s.spread >= 0 && nargs_ > 0 && (s.params[s.spread].type != ArgType::IntOrInts || nargs_ > 1);
  Fit fit = spreads ? bind_spread(s, slots) : bind_positional(s, slots);
  if (names_ && fit != Fit::Shape) {
    const int given = (self_ ? 1 : 0) + (spreads ? 1 : static_cast<int>(nargs_));
    const Fit named = bind_keywords(s, slots, given);
    if (named != Fit::Yes) fit = named;
  }
  for (int k = 0; k < s.required_until; ++k) {
    if (slots[k]) continue;
    if (s.params[k].type == ArgType::SpreadTensors)
      slots[k] = bind_no_tensors();
    else
      fit = Fit::Shape;
  }
  return spreads && fit == Fit::Shape ? Fit::Type : fit;  // whether ints come one by one depends on the arguments
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
  return nullptr;
}

namespace {

// Calls that classes of the arguments may answer, and those that fit no overload.
[[gnu::cold, gnu::noinline]] PyObject* overridden(PyObject* self, PyObject* const* args, Py_ssize_t n,
                                                  PyObject* names) {
  return overrides_off ? nullptr : call_override(self, args, n, names);
}
inline PyObject* run_or_explain(Call&& call, PyObject* self, PyObject* const* args, Py_ssize_t n, PyObject* names) {
  if (PyObject* result = call.run()) [[likely]]
    return result;
  if (PyObject* result = overridden(self, args, n, names)) return result;
  call.explain();
}

}  // namespace

PyObject* call_function(PyObject* self, PyObject* const* args, size_t nargsf, PyObject* names) {
  const Py_ssize_t n = PyVectorcall_NARGS(nargsf);
  return guarded([&] {
    if (overrides_exist) [[unlikely]]
      if (PyObject* result = overridden(self, args, n, names)) return result;
    return run_or_explain(Call(op_of(self), nullptr, args, n, names), self, args, n, names);
  });
}

PyObject* call_method(PyObject* self, PyObject* const* args, size_t nargsf, PyObject* names) {
  const Py_ssize_t nargs = PyVectorcall_NARGS(nargsf);
  if (nargs == 0) [[unlikely]]
    return PyErr_Format(PyExc_TypeError, "unbound method Tensor.%s() needs an argument", op_of(self).name.c_str());
  if (!is_tensor(args[0])) [[unlikely]]
    return refuse_receiver(self, args[0]);
  return guarded([&] {
    if (overrides_exist) [[unlikely]]
      if (PyObject* result = overridden(self, args, nargs, names)) return result;
    return run_or_explain(Call(op_of(self), args[0], args + 1, nargs - 1, names), self, args, nargs, names);
  });
}

PyObject* refuse_receiver(PyObject* self, PyObject* receiver) {
  return PyErr_Format(PyExc_TypeError, "descriptor '%s' for 'gradcore.Tensor' objects doesn't apply to a '%s' object",
                      op_of(self).name.c_str(), Py_TYPE(receiver)->tp_name);
}

void Call::remember(int ruled_out) const {
  Py_XINCREF(names_);
  Py_XDECREF(std::exchange(op_.remembered.names, names_));
  op_.remembered.nargs = nargs_;
  op_.remembered.ruled_out = ruled_out;
}

// Whether each argument may be an item of the parameter that takes several.
bool Call::may_spread(const Signature& s) const {
  if (s.params[s.spread].type != ArgType::SpreadTensors) return first_no_int(args_, nargs_) < 0;
  return std::all_of(args_, args_ + nargs_, is_tensor);
}

// The place in a list or tuple where the first element stands that is no tensor.
static int first_without_tensor(PyObject* list) {
  if (!PyList_Check(list) && !PyTuple_Check(list)) return -1;
  for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(list); ++i)
    if (!is_tensor(PySequence_Fast_GET_ITEM(list, i))) return static_cast<int>(i);
  return -1;
}

// What is wrong with an argument that should be ints, where some of its items are; empty where that is not the fault.
static std::string fault_among_ints(const Param& p, PyObject* const* items, Py_ssize_t n, int position) {
  const int wrong = first_no_int(items, n);
  if (wrong < 0) return "";
  const char* type = Py_TYPE(items[wrong])->tp_name;
  if (wrong > 0)
    return str_cat("argument '", p.text, "' failed to unpack the object at pos ", wrong + 1,
                   " with error \"type must be tuple of ints,but got ", type, '"');
  return str_cat("argument '", p.text, "' (position ", position, ") must be tuple of ints, but found element of type ",
                 type, " at pos 0");
}

static bool is_ints(const Param& p) { return p.type == ArgType::Ints || p.type == ArgType::IntOrInts; }

// The first fault of a call that this overload does not fit.
std::string Call::why_not(const Overload& o) {
  const Signature& s = o.signature();
  const int first = self_ ? 1 : 0, takes = s.positional - first;
  std::vector<PyObject*> given(s.params.size());
  const bool takes_ints = s.spread >= 0 && s.params[s.spread].type == ArgType::Ints;
  if (takes_ints && nargs_ > 1 && first_no_int(args_, nargs_) > 0)
    return str_cat(op_.shown(), "(): ", fault_among_ints(s.params[s.spread], args_, nargs_, 1));
  const bool spread = s.spread >= 0 && nargs_ > 0 && may_spread(s);
  if (spread) given[s.spread] = nargs_ == 1 ? Py_None : args_[0];
  if (!spread && nargs_ > takes)
    return str_cat(op_.shown(), "() takes ", takes, " positional argument", takes == 1 ? "" : "s", " but ", nargs_,
                   nargs_ == 1 ? " was" : " were", " given");
  for (Py_ssize_t i = 0; !spread && i < nargs_; ++i) given[first + i] = args_[i];
  if (self_) given[0] = self_;
  for (Py_ssize_t i = 0, n = names_ ? PyTuple_GET_SIZE(names_) : 0; i < n; ++i) {
    PyObject* name = PyTuple_GET_ITEM(names_, i);
    const int k = find(s, name);
    if (k < 0) return str_cat(op_.shown(), "() got an unexpected keyword argument '", utf8(name), "'");
    if (given[k]) return str_cat(op_.shown(), "() got multiple values for argument '", utf8(name), "'");
    given[k] = args_[nargs_ + i];
  }
  for (const Param& p : s.params) {
    const int k = static_cast<int>(&p - s.params.data());
    if (!given[k] && !p.fallback)
      return str_cat(op_.shown(), "() missing 1 required positional arguments: \"", p.text, "\"");
    if (!given[k] || (spread && k == s.spread) || fits(p, given[k])) continue;
    const int wrong = p.type == ArgType::Tensors ? first_without_tensor(given[k]) : -1;
    if (wrong >= 0)
      return str_cat("expected Tensor as element ", wrong, " in argument ", p.position, ", but got ",
                     Py_TYPE(PySequence_Fast_GET_ITEM(given[k], wrong))->tp_name);
    const int position = p.position + (self_ ? 0 : 1);
    if (is_ints(p) && (PyTuple_Check(given[k]) || PyList_Check(given[k])))
      return str_cat(
          op_.shown(),
          "(): ", fault_among_ints(p, PySequence_Fast_ITEMS(given[k]), PySequence_Fast_GET_SIZE(given[k]), position));
    return str_cat(op_.shown(), "(): argument '", p.text, "' (position ", position, ") must be ", type_text(p.type),
                   ", not ", Py_TYPE(given[k])->tp_name);
  }
  return str_cat(op_.shown(), "() cannot be called like this");
}

void Call::explain() {
  if (std::any_of(args_, args_ + nargs_, [](PyObject* o) { return PyComplex_Check(o); }))
    fail(ErrorKind::NotImplemented, op_.name, "() got a complex number, and gradcore has no complex tensors");
  if (op_.overloads.size() == 1) raise_type_error(why_not(op_.overloads[0]));
  std::string got;
  for (Py_ssize_t i = 0; i < nargs_; ++i) got += str_cat(i ? ", " : "", Py_TYPE(args_[i])->tp_name);
  for (Py_ssize_t i = 0, n = names_ ? PyTuple_GET_SIZE(names_) : 0; i < n; ++i)
    got +=
        str_cat(got.empty() ? "" : ", ", utf8(PyTuple_GET_ITEM(names_, i)), "=", Py_TYPE(args_[nargs_ + i])->tp_name);
  std::string text =
      str_cat(op_.shown(), "() received an invalid combination of arguments - got (", got, "), but expected one of:");
  for (const Overload& o : op_.overloads) text += str_cat("\n * ", o.signature().text);
  raise_type_error(text);
}

}  // namespace gradcore
