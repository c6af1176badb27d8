// What the steps of all optimizers share on their way from Python: options, state dicts, and the walk over groups.
// Start at step_groups().
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "autograd/accumulate.h"
#include "bindings/gil.h"
#include "core/op_scope.h"
#include "formulas/hyperparameter.h"
#include "ops/formula_ops.h"
#include "optim/step.h"

namespace gradcore::optim {

// A dict key, made once.
inline PyObject* key(const char* name) { return checked(PyUnicode_InternFromString(name)); }

inline PyObject* find(PyObject* dict, PyObject* name) {
  PyObject* v = PyDict_GetItemWithError(dict, name);
  if (!v && PyErr_Occurred()) throw PythonError{};
  return v;
}
inline PyObject* required(PyObject* dict, PyObject* name) {
  if (PyObject* v = find(dict, name)) return v;
  PyErr_SetObject(PyExc_KeyError, name);
  throw PythonError{};
}
inline bool is_true(PyObject* o) {
  const int v = o ? PyObject_IsTrue(o) : 0;
  if (v < 0) throw PythonError{};
  return v;
}
inline double number_of(PyObject* o) {
  check(!is_tensor(o) || unwrap(o).numel() == 1, ErrorKind::Type,
        "an optimizer's option must be Number, not Tensor of several");
  const double v = PyFloat_AsDouble(o);
  if (v == -1 && PyErr_Occurred()) throw PythonError{};
  return v;
}
[[noreturn]] inline void fail_assertion(const char* text) {
  PyErr_SetString(PyExc_AssertionError, text);
  throw PythonError{};
}

// The entry of a step in a module's table. A step is an op for whoever listens, under torch's name for it.
using StepFn = PyObject* (*)(PyObject*, PyObject* const*, Py_ssize_t);
template <OpName function, OpName op, StepFn step> PyMethodDef named_step() {
  const StepFn named = [](PyObject* self, PyObject* const* args, Py_ssize_t n) {
    return in_op(op.text, [&] { return step(self, args, n); });
  };
  return {function.text, reinterpret_cast<PyCFunction>(reinterpret_cast<void*>(named)), METH_FASTCALL, nullptr};
}

// Collects the names of options as it reads them.
struct KeyCollector {
  std::vector<PyObject*> keys;
  template <class... Hyperparameter> void operator()(const char* name, Hyperparameter&...) {
    keys.push_back(key(name));
  }
};
template <class Rule> const std::vector<PyObject*>& option_keys() {
  static const std::vector<PyObject*> keys = [] {
    KeyCollector collector;
    Rule().options(collector);
    return std::move(collector.keys);
  }();
  return keys;
}

// Reads options, of a rule for instance, from a group.
class OptionReader {
 public:
  OptionReader(PyObject* group, const std::vector<PyObject*>& keys) : group_(group), next_(keys.data()) {}
  void operator()(const char*, double& v) { v = number_of(next()); }
  void operator()(const char*, formulas::Hyperparameter& v) { v = option_of(next()); }
  void operator()(const char*, bool& v) { v = is_true(next()); }
  void operator()(const char*, int64_t& v) { v = to_int64(next()); }
  void operator()(const char*, Sym& v) { v = sym_of(next()); }
  // None is no text.
  void operator()(const char*, std::string& v) {
    PyObject* o = next();
    v = o == Py_None ? std::string() : utf8(Owned(checked(PyObject_Str(o))).get());
  }
  void operator()(const char* name, double& a, double& b, double& c) {
    const Owned three = sequence(name, "three numbers");
    check(PySequence_Fast_GET_SIZE(three.get()) == 3, ErrorKind::Value,
          "Coefficients must be a tuple of exactly 3 values");
    double* const to[] = {&a, &b, &c};
    for (int i = 0; i < 3; ++i) read(item_of(three.get(), i).get(), *to[i]);
  }
  template <class A, class B> void operator()(const char* name, A& a, B& b) {
    const Owned pair = sequence(name, "a pair of numbers");
    PyObject* p = pair.get();
    const Py_ssize_t n = PySequence_Fast_GET_SIZE(p);
    check(n <= 2, ErrorKind::Value, "too many values to unpack (expected 2): '", name, "' has ", n);
    check(n == 2, ErrorKind::Value, "not enough values to unpack (expected 2, got ", n, "): '", name, "'");
    read(item_of(p, 0).get(), a);
    read(item_of(p, 1).get(), b);
  }

 private:
  PyObject* next() { return required(group_, *next_++); }
  Owned sequence(const char* name, const char* of) {
    PyObject* o = next();
    check(PyTuple_Check(o) || PyList_Check(o), ErrorKind::Type, "cannot unpack non-iterable ", Py_TYPE(o)->tp_name,
          " object: '", name, "' of a param group must be ", of);
    return Owned(Py_NewRef(o));
  }
  void read(PyObject* o, formulas::Hyperparameter& v) { v = option_of(o); }
  static void read(PyObject* o, double& v) { v = number_of(o); }
  static void read(PyObject* o, std::optional<double>& v) {
    if (o != Py_None) v = number_of(o);
  }
  static void read(PyObject* o, Sym& v) { v = sym_of(o); }
  // torch's fused kernels take the value of a tensor alone.
  formulas::Hyperparameter option_of(PyObject* o) {
    static PyObject* const fused = key("fused");
    const Owned keep(Py_NewRef(o));  // its own __float__ may take it out of the group
    const double v = number_of(o);
    if (!is_tensor(o) || is_true(find(group_, fused))) return formulas::Hyperparameter(v);
    const DType found = unwrap(o).dtype();
    const bool wide = (is_floating(found) ? found : default_dtype()) == DType::Float64;
    return formulas::Hyperparameter(v, wide ? formulas::Hyperparameter::kDouble : formulas::Hyperparameter::kSingle);
  }
  static Sym sym_of(PyObject* o) {
    if (!is_tensor(o)) return Sym(number_of(o));
    const Tensor t = unwrap(o);
    return Sym(t.dim() ? view(t, Dims()) : t);
  }
  PyObject* group_;
  PyObject* const* next_;
};

template <class Rule> Rule options_of(PyObject* group) {
  Rule rule{};
  OptionReader reader(group, option_keys<Rule>());
  rule.options(reader);
  return rule;
}

// The step of a batch whose items have all that they need: only now does anything change.
template <class Item, class Step> void run_items(std::vector<Item>& items, bool apart, Step&& step) {
  for (Item& item : items) item.prepare(apart);
  {
    const GilRelease release;
    step(items);
  }
  const InheritOrigin here(current_origin());  // of every write; found once
  for (const Item& item : items) item.finish();
}

// The numbers of a step that is recorded, which no instruction does.
inline StateNumber number_in(const Tensor& t, const char* name) {
  check_state_number(t, name);
  const bool single = t.dtype() == DType::Float32;
  return {single ? *t.host<float>() : *t.host<double>(), single};
}
inline void put_number(const Tensor& t, const char* name, double value) {
  check_state_number(t, name);
  if (t.dtype() == DType::Float32)
    *t.host<float>() = static_cast<float>(value);
  else
    *t.host<double>() = value;
  t.bump_version();
}

// State that a step makes. It is entered into the dicts when nothing can fail any more. Options of a later group may
// run Python code that empties the dicts meanwhile: what stands in an entry is kept alive.
class FreshState {
 public:
  // The state dict of a parameter; a new one where there is none.
  Owned dict_of(PyObject* state, PyObject* param) {
    if (PyObject* d = find(state, param)) {
      check(PyDict_Check(d), ErrorKind::Type, "optimizer state of a parameter must be a dict");
      return Owned(Py_NewRef(d));
    }
    Owned fresh(checked(PyDict_New()));
    Owned d(Py_NewRef(fresh.get()));
    entries_.push_back({Owned(Py_NewRef(state)), Owned(Py_NewRef(param)), std::move(fresh)});
    return d;
  }
  void add(PyObject* dict, PyObject* name, const Tensor& t) {
    entries_.push_back({Owned(Py_NewRef(dict)), Owned(Py_NewRef(name)), Owned(wrap(t))});
  }
  void enter() const {
    for (const Entry& e : entries_)
      if (PyDict_SetItem(e.dict.get(), e.name.get(), e.value.get()) < 0) throw PythonError{};
  }

 private:
  struct Entry {
    Owned dict, name, value;
  };
  std::vector<Entry> entries_;
};

inline Tensor state_tensor(PyObject* o) {
  check(is_tensor(o), ErrorKind::Type, "optimizer state must be a tensor, not ", Py_TYPE(o)->tp_name);
  return unwrap(o);
}

inline Tensor filled_like(const Tensor& param, double value) {
  const NoRecordGuard off;
  return full_like(detach(param), value, param.dtype());
}

inline Tensor gradient_of(PyObject* param) {
  check(is_tensor(param), ErrorKind::Type, "optimizer can only optimize Tensors, but one of the params is ",
        Py_TYPE(param)->tp_name);
  return grad_of(impl_of(param));
}

// StateNumber, as is whatever is read from a list or dict below: options may be objects whose __float__ changes them.
inline Owned params_of(PyObject* group) {
  static PyObject* const name = key("params");
  check(PyDict_Check(group), ErrorKind::Type, "param groups must be dicts");
  PyObject* params = required(group, name);
  check(PyList_Check(params), ErrorKind::Type, "param group's 'params' must be a list");
  return Owned(Py_NewRef(params));
}

inline bool flag(PyObject* group, PyObject* name) { return is_true(find(group, name)); }

// The step of one optimizer: gathers parameters, with what they need until the step of all is done.
class StepBatch {
 public:
  virtual ~StepBatch() = default;
  virtual std::unique_ptr<StepBatch> make_empty() const = 0;  // another one, of the same optimizer
  // Reads the options of a group of `count` parameters.
  virtual void start_group(PyObject* group, Py_ssize_t count) = 0;
  // Finds the state of a parameter, or makes it; raises where something does not fit.
  virtual void add(PyObject* state, PyObject* param, const Tensor& grad) = 0;
  // Whether what one parameter writes is also memory of another one, or of its own gradient.
  virtual bool overlaps() const = 0;
  // The step of all; nothing has changed before. `apart`: their arrays may overlap.
  virtual void run(bool apart) = 0;

  // Groups whose step is itself recorded go parameter by parameter.
  virtual bool is_recorded(PyObject*) const { return false; }
  virtual void start_recorded_group(PyObject*) {}
  virtual void record(PyObject*, PyObject*, const Tensor&) {}
};

// One call for all groups of an optimizer, a list, and its dict of states.
void step_groups(StepBatch& all, PyObject* groups, PyObject* state);

}  // namespace gradcore::optim
