// What the steps of all optimizers share on their way from Python: options, state dicts, and the walk over groups.
// Start at Stepper::step.
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

// One call for all groups of an optimizer. A Batch gathers parameters, with what they need until their step is done:
//   takes(group)               whether the group's step is not recorded
//   start_group(group)         reads its options
//   add(state, param, grad)    finds the state of a parameter, or makes it; raises where something does not fit
//   overlaps()                 whether what one parameter writes is also memory of another one, or of its own gradient
//   run(apart)                 the step of all; `apart`: their arrays may overlap. Nothing has changed before
template <class Batch> class Stepper {
 public:
  Stepper(PyObject* groups, PyObject* state) : groups_(groups), state_(state) {
    check(PyList_Check(groups) && PyDict_Check(state), ErrorKind::Type,
          "an optimizer has a list of groups and a dict of states");
  }

  // Groups that Batch does not take go to `other(group, params)`.
  template <class Other> void step(Other&& other) const {
    Batch all;
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(groups_); ++i) {
      const Owned group = item_of(groups_, i), params = params_of(group.get());
      if (!Batch::takes(group.get())) {
        other(group.get(), params.get());
        continue;
      }
      all.reserve(PyList_GET_SIZE(params.get()));
      for_each_param(
          params.get(), [&] { all.start_group(group.get()); },
          [&](PyObject* p, const Tensor& grad) { all.add(state_, p, grad); });
    }
    if (!all.overlaps()) return all.run(false);
    one_by_one();
  }

  PyObject* state() const { return state_; }

  // Calls visit(parameter, gradient) for each parameter that has a gradient, and before the first of them start().
  template <class Start, class Visit> static void for_each_param(PyObject* params, Start&& start, Visit&& visit) {
    bool started = false;
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(params); ++i) {
      const Owned p = item_of(params, i);
      Tensor grad = gradient_of(p.get());
      if (!grad) continue;
      if (!std::exchange(started, true)) {
        start();  // reads options, which may run Python code: the gradient may be another one
        grad = gradient_of(p.get());
      }
      if (grad) visit(p.get(), grad);
    }
  }

 private:
  // Parameters that overlap: each sees what the one before it wrote.
  void one_by_one() const {
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(groups_); ++i) {
      const Owned group = item_of(groups_, i);
      if (!Batch::takes(group.get())) continue;
      for_each_param(
          params_of(group.get()).get(), [] {},
          [&](PyObject* p, const Tensor& grad) {
            Batch one;
            one.start_group(group.get());
            one.add(state_, p, grad);
            one.run(true);
          });
    }
  }

  PyObject* groups_;
  PyObject* state_;
};

}  // namespace gradcore::optim
