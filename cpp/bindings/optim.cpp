// Optimizer steps as Python calls them: one call for all groups of an optimizer. Reads the groups' options, the parameters'
// gradients and their state dicts, makes missing state, and runs the rule over all of it. Start at Stepper::step.
#include <array>
#include <memory>

#include "autograd/accumulate.h"
#include "bindings/python.h"

#include "kernels/table.h"
#include "optim/adafactor.h"
#include "optim/recorded.h"
#include "optim/step.h"

namespace gradcore {

namespace {

// A dict key, made once.
PyObject* key(const char* name) { return checked(PyUnicode_InternFromString(name)); }

PyObject* find(PyObject* dict, PyObject* name) {
  PyObject* v = PyDict_GetItemWithError(dict, name);
  if (!v && PyErr_Occurred()) throw PythonError{};
  return v;
}
PyObject* required(PyObject* dict, PyObject* name) {
  if (PyObject* v = find(dict, name)) return v;
  PyErr_SetObject(PyExc_KeyError, name);
  throw PythonError{};
}
bool is_true(PyObject* o) {
  const int v = o ? PyObject_IsTrue(o) : 0;
  if (v < 0) throw PythonError{};
  return v;
}
double number_of(PyObject* o) {
  check(!is_tensor(o) || unwrap(o).numel() == 1, ErrorKind::Type, "an optimizer's option must be Number, not Tensor of several");
  const double v = PyFloat_AsDouble(o);
  if (v == -1 && PyErr_Occurred()) throw PythonError{};
  return v;
}
[[noreturn]] void fail_assertion(const char* text) {
  PyErr_SetString(PyExc_AssertionError, text);
  throw PythonError{};
}

// Collects the names of a rule's options as it reads them.
struct KeyCollector {
  std::vector<PyObject*> keys;
  template <class... Option>
  void operator()(const char* name, Option&...) {
    keys.push_back(key(name));
  }
};
template <class Rule>
const std::vector<PyObject*>& option_keys() {
  static const std::vector<PyObject*> keys = [] {
    KeyCollector collector;
    Rule().options(collector);
    return std::move(collector.keys);
  }();
  return keys;
}

// Reads a rule's options from a group.
class OptionReader {
 public:
  OptionReader(PyObject* group, const std::vector<PyObject*>& keys) : group_(group), next_(keys.data()) {}
  void operator()(const char*, double& v) { v = number_of(next()); }
  void operator()(const char*, bool& v) { v = is_true(next()); }
  void operator()(const char*, Sym& v) { v = sym_of(next()); }
  template <class S>
  void operator()(const char* name, S& a, S& b) {
    const Owned pair(Py_NewRef(next()));
    PyObject* p = pair.get();
    check(PyTuple_Check(p) || PyList_Check(p), ErrorKind::Type, "cannot unpack non-iterable ", Py_TYPE(p)->tp_name, " object: '", name,
          "' of a param group must be a pair of numbers");
    const Py_ssize_t n = PySequence_Fast_GET_SIZE(p);
    check(n <= 2, ErrorKind::Value, "too many values to unpack (expected 2): '", name, "' has ", n);
    check(n == 2, ErrorKind::Value, "not enough values to unpack (expected 2, got ", n, "): '", name, "'");
    read(item_of(p, 0).get(), a);
    read(item_of(p, 1).get(), b);
  }

 private:
  PyObject* next() { return required(group_, *next_++); }
  static void read(PyObject* o, double& v) { v = number_of(o); }
  static void read(PyObject* o, Sym& v) { v = sym_of(o); }
  static Sym sym_of(PyObject* o) {
    if (!is_tensor(o)) return Sym(number_of(o));
    const Tensor t = unwrap(o);
    return Sym(t.dim() ? view(t, Dims()) : t);
  }
  PyObject* group_;
  PyObject* const* next_;
};

template <class Names>
std::vector<PyObject*> intern_all(const Names& names) {
  std::vector<PyObject*> out;
  for (const char* name : names) out.push_back(key(name));
  return out;
}

// What a state tensor of one element holds.
struct Number {
  double value;
  bool single;
  bool operator==(const Number&) const = default;
};
Number number_in(const Tensor& t, const char* name) {
  check(t.numel() == 1 && is_floating(t.dtype()), "optimizer state '", name, "' must be a float tensor of one element");
  const bool single = t.dtype() == DType::Float32;
  return {single ? *t.data<float>() : *t.data<double>(), single};
}
void put_number(const Tensor& t, double value) {
  check(t.numel() == 1 && is_floating(t.dtype()), "optimizer state was replaced while the step ran");
  if (t.dtype() == DType::Float32)
    *t.data<float>() = static_cast<float>(value);
  else
    *t.data<double>() = value;
  t.bump_version();
}

// State that a step makes. It is entered into the dicts when nothing can fail any more. Options of a later group may run
// Python code that empties the dicts meanwhile: what stands in an entry is kept alive.
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
  void add(PyObject* dict, PyObject* name, const Tensor& t) { entries_.push_back({Owned(Py_NewRef(dict)), Owned(Py_NewRef(name)), Owned(wrap(t))}); }
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

Tensor state_tensor(PyObject* o) {
  check(is_tensor(o), ErrorKind::Type, "optimizer state must be a tensor, not ", Py_TYPE(o)->tp_name);
  return unwrap(o);
}

Tensor filled_like(const Tensor& param, double value) {
  const Untracked off;
  return full_like(detach(param), value, param.dtype());
}

Tensor gradient_of(PyObject* param) {
  check(is_tensor(param), ErrorKind::Type, "optimizer can only optimize Tensors, but one of the params is ",
        Py_TYPE(param)->tp_name);
  return grad_of(impl_of(param));
}

// Kept, as is whatever is read from a list or dict below: options may be objects whose __float__ changes them.
Owned params_of(PyObject* group) {
  static PyObject* const name = key("params");
  check(PyDict_Check(group), ErrorKind::Type, "param groups must be dicts");
  PyObject* params = required(group, name);
  check(PyList_Check(params), ErrorKind::Type, "param group's 'params' must be a list");
  return Owned(Py_NewRef(params));
}

bool flag(PyObject* group, PyObject* name) { return is_true(find(group, name)); }

// What follows is the same for every rule but for its type.

// The numbers that are remembered of a parameter: the step count first. SGD remembers none.
template <class Rule>
constexpr auto number_names() {
  if constexpr (requires { Rule::scalars; })
    return std::to_array(Rule::scalars);
  else
    return std::array<const char*, 0>();
}
template <class Rule>
constexpr size_t kNumbers = number_names<Rule>().size();
template <class Rule>
using Numbers = std::array<Number, kNumbers<Rule>>;

template <class Rule>
double first_number(const Rule& rule, int i) {
  if constexpr (requires { rule.start_scalar(i); })
    if (i > 0) return rule.start_scalar(i);
  return 0;
}
template <class Rule>
double first_element(const Rule& rule, int i) {
  if constexpr (requires { rule.start(i); })
    return rule.start(i);
  else
    return 0;
}

// What one parameter brings into its step.
template <class Rule>
struct Slots {
  std::array<Tensor, 2 + Rule::kArrays> arrays;  // parameter, gradient, state
  std::array<Tensor, kNumbers<Rule>> tensors;    // that hold the numbers
  Numbers<Rule> numbers;
  bool first = true;  // its state is new
};

// Finds the state of a parameter, or makes it. Raises KeyError for state that lacks an entry.
template <class Rule>
Slots<Rule> gather(const Rule& rule, PyObject* state, PyObject* param, const Tensor& grad, FreshState& fresh) {
  static const auto number_keys = intern_all(number_names<Rule>()), array_keys = intern_all(Rule::arrays);
  constexpr bool numbered = kNumbers<Rule> > 0;
  Slots<Rule> out;
  out.arrays[0] = unwrap(param);
  out.arrays[1] = grad;
  if constexpr (!numbered)
    if (!rule.keeps(0)) return out;  // then torch makes no dict either
  const Owned kept = fresh.dict_of(state, param);
  PyObject* dict = kept.get();
  if constexpr (numbered) out.first = PyDict_GET_SIZE(dict) == 0;
  for (size_t i = 0; i < kNumbers<Rule>; ++i) {
    Tensor& t = out.tensors[i];
    t = out.first ? scalar_tensor(first_number(rule, i), default_dtype()) : state_tensor(required(dict, number_keys[i]));
    if (out.first) fresh.add(dict, number_keys[i], t);
    out.numbers[i] = number_in(t, number_names<Rule>()[i]);
  }
  for (int i = 0; i < Rule::kArrays; ++i) {
    if ((Rule::kOptional >> i & 1) && !rule.keeps(i)) continue;
    Tensor& t = out.arrays[2 + i];
    if constexpr (!numbered) {
      PyObject* found = find(dict, array_keys[i]);
      out.first = !found || found == Py_None;
    }
    t = out.first ? filled_like(out.arrays[0], first_element(rule, i)) : state_tensor(required(dict, array_keys[i]));
    if (out.first) fresh.add(dict, array_keys[i], t);
  }
  return out;
}

// Counts the step and lets the rule work out its numbers. Afterwards `numbers` is what to remember.
template <class Rule>
void begin(Rule& rule, Numbers<Rule>& numbers, bool first) {
  if constexpr (kNumbers<Rule> == 0) {
    rule.begin(0, first);
  } else {
    numbers[0].value += 1;
    const bool single = default_dtype() == DType::Float32;
    [&]<size_t... I>(std::index_sequence<0, I...>) {
      formulas::Kept kept[] = {{numbers[0].value, single, single}, {numbers[I].value, numbers[I].single, single}...};
      rule.begin(numbers[0].value, first, kept[I]...);
      ((numbers[I].value = kept[I]), ...);
    }(std::make_index_sequence<kNumbers<Rule>>());
  }
}

template <class Rule>
Rule read_options(PyObject* group) {
  static PyObject *const capturable = key("capturable"), *const fused = key("fused");
  if (flag(group, capturable) && !flag(group, fused))
    fail_assertion("If capturable=True, params and state_steps must be on supported devices: those of graphs of kernels, "
                   "and the CPU is none.");
  Rule rule{};
  OptionReader reader(group, option_keys<Rule>());
  rule.options(reader);
  return rule;
}

// The parameters of a step, with what they need until it is done.
template <class Rule>
class Batch {
 public:
  void reserve(size_t n) {
    items_.reserve(n);
    remembered_.reserve(n * kNumbers<Rule>);
  }
  void start_group(PyObject* group) {
    group_ = read_options<Rule>(group);
    rule_ = nullptr;
  }
  void add(PyObject* state, PyObject* param, const Tensor& grad) {
    Slots<Rule> slots = gather(group_, state, param, grad, fresh_);
    // Parameters nearly always share their numbers with the one before.
    if (!rule_ || slots.numbers != before_ || slots.first != first_) start(slots);
    for (size_t i = 0; i < kNumbers<Rule>; ++i) remembered_.emplace_back(std::move(slots.tensors[i]), after_[i].value);
    items_.emplace_back(slots.arrays, kernels().optim[rule_index<Rule>], rule_);
  }
  bool overlaps() const { return overlap(items_); }
  void run(bool apart) {
    fresh_.enter();
    for (StepItem& item : items_) item.prepare(apart);
    {
      const GilRelease release;
      run_step(items_);
    }
    for (const StepItem& item : items_) item.finish();
    for (const auto& [tensor, number] : remembered_) put_number(tensor, number);
  }

 private:
  void start(const Slots<Rule>& slots) {
    rules_.push_back(std::make_unique<Rule>(group_));
    rule_ = rules_.back().get();
    before_ = after_ = slots.numbers;
    first_ = slots.first;
    begin(*rules_.back(), after_, first_);
  }

  std::vector<StepItem> items_;
  std::vector<std::pair<Tensor, double>> remembered_;
  std::vector<std::unique_ptr<Rule>> rules_;
  FreshState fresh_;
  Rule group_{};                // as its options say
  const Rule* rule_ = nullptr;  // as the numbers of the last parameter make it
  Numbers<Rule> before_{}, after_{};
  bool first_ = false;
};

template <template <class> class Rule>
class Stepper {
 public:
  Stepper(PyObject* groups, PyObject* state) : groups_(groups), state_(state) {
    check(PyList_Check(groups) && PyDict_Check(state), ErrorKind::Type, "an optimizer has a list of groups and a dict of states");
  }

  void step(bool grad_mode) const {
    const GradModeGuard mode(grad_mode);
    Batch<Rule<double>> all;
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(groups_); ++i) {
      const Owned group = item_of(groups_, i), params = params_of(group.get());
      if (is_differentiable(group.get())) {
        record(group.get(), params.get());
        continue;
      }
      all.reserve(PyList_GET_SIZE(params.get()));
      for_each_param(
          params.get(), [&] { all.start_group(group.get()); }, [&](PyObject* p, const Tensor& grad) { all.add(state_, p, grad); });
    }
    if (!all.overlaps()) return all.run(false);
    one_by_one();
  }

 private:
  static bool is_differentiable(PyObject* group) {
    static PyObject* const name = key("differentiable");
    return flag(group, name);
  }
  // Calls visit(parameter, gradient) for each parameter that has a gradient, and before the first of them start().
  template <class Start, class Visit>
  static void for_each_param(PyObject* params, Start&& start, Visit&& visit) {
    bool started = false;
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(params); ++i) {
      const Owned p = item_of(params, i);
      if (!gradient_of(p.get())) continue;
      if (!started) start();  // reads options, which may run Python code: the gradient is fetched after it
      started = true;
      if (const Tensor grad = gradient_of(p.get())) visit(p.get(), grad);
    }
  }
  // Parameters that overlap: each sees what the one before it wrote.
  void one_by_one() const {
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(groups_); ++i) {
      const Owned group = item_of(groups_, i);
      if (is_differentiable(group.get())) continue;
      for_each_param(
          params_of(group.get()).get(), [] {},
          [&](PyObject* p, const Tensor& grad) {
            Batch<Rule<double>> one;
            one.start_group(group.get());
            one.add(state_, p, grad);
            one.run(true);
          });
    }
  }
  void record(PyObject* group, PyObject* params) const {
    static PyObject* const foreach = key("foreach");
    if (kNumbers<Rule<Sym>> > 0 && flag(group, foreach)) fail_assertion("_foreach ops don't support autograd");
    Rule<Sym> options{};
    for_each_param(
        params, [&] { options = read_options<Rule<Sym>>(group); },
        [&](PyObject* p, const Tensor& grad) {
          FreshState fresh;
          Slots<Rule<Sym>> slots = gather(options, state_, p, grad, fresh);
          Rule<Sym> rule = options;
          begin(rule, slots.numbers, slots.first);
          RecordedStep<Rule>::run(rule, slots.arrays);
          fresh.enter();
          for (size_t i = 0; i < slots.numbers.size(); ++i) put_number(slots.tensors[i], slots.numbers[i].value);
        });
  }

  PyObject* groups_;
  PyObject* state_;
};

// step(groups, state, whether to record)
template <template <class> class Rule>
PyObject* step(PyObject*, PyObject* const* args, Py_ssize_t n) {
  return guarded([&] {
    check(n == 3, ErrorKind::Type, "an optimizer's step takes its groups, its state and whether it is recorded");
    Stepper<Rule>(args[0], args[1]).step(is_true(args[2]));
    return none();
  });
}

void zero_grad(PyObject* groups, bool set_to_none) {
  for (Py_ssize_t i = 0; i < PyList_GET_SIZE(groups); ++i) {
    const Owned params = params_of(item_of(groups, i).get());
    for (Py_ssize_t k = 0; k < PyList_GET_SIZE(params.get()); ++k) {
      const Owned p = item_of(params.get(), k);
      if (!is_tensor(p.get())) continue;
      Tensor grad = grad_of(impl_of(p.get()));
      if (!grad) continue;
      if (set_to_none) {
        set_grad_of(Borrowed(p.get()), {});
        continue;
      }
      if (requires_grad(grad)) set_grad_of(Borrowed(p.get()), grad = detach(grad));
      zero_(grad);
    }
  }
}

// A tuple of parameter, gradient, step count, and one or two tensors of state.
AdafactorItem adafactor_item(const py::handle& tuple) {
  check(PyTuple_Check(tuple.ptr()), ErrorKind::Type, "Adafactor's step takes tuples of tensors");
  const Py_ssize_t n = PyTuple_GET_SIZE(tuple.ptr());
  check(n == 4 || n == 5, ErrorKind::Value, "Adafactor's step takes tuples of 4 or 5 tensors");
  const auto tensor = [&](Py_ssize_t i) {
    PyObject* o = PyTuple_GET_ITEM(tuple.ptr(), i);
    if (o == Py_None) fail_assertion("row_var and col_var, or variance, should be defined in the state of a parameter");
    return state_tensor(o);
  };
  AdafactorItem item{tensor(0), tensor(1), tensor(2), tensor(3), n == 5 ? tensor(4) : Tensor()};
  check(is_floating(item.param.dtype()), "optimizers need floating point parameters, got ", dtype_name(item.param.dtype()));
  const Tensor& g = item.grad;
  const bool fits = n == 4 ? g.dim() < 2 && item.row.numel() == g.numel()
                           : g.dim() > 1 && item.row.numel() * g.size(g.dim() - 1) == g.numel() &&
                                 item.column.numel() * g.size(g.dim() - 2) == g.numel();
  check(fits, "Adafactor's state does not fit a gradient of shape ", g.shape());
  number_in(item.step, "step");
  return item;
}

void step_adafactor(const py::list& tuples, double lr, double beta2_decay, double eps1, double eps2, double d,
                    double weight_decay, bool maximize) {
  std::vector<AdafactorItem> items;
  for (const py::handle& tuple : tuples) items.push_back(adafactor_item(tuple));
  const GilRelease release;
  adafactor_step(items, {lr, beta2_decay, eps1, eps2, d, weight_decay, maximize});
}

}  // namespace

void add_optim(py::module_& m) {
#define GC_STEP(name, Rule) \
  {"_step_" #name, reinterpret_cast<PyCFunction>(reinterpret_cast<void*>(step<formulas::Rule>)), METH_FASTCALL, nullptr},
  static PyMethodDef steps[] = {GC_UPDATE_RULES(GC_STEP){}};
#undef GC_STEP
  if (PyModule_AddFunctions(m.ptr(), steps) < 0) throw py::error_already_set();
  m.def("_step_Adafactor", step_adafactor);
  m.def("_zero_grad", [](py::list groups, bool set_to_none) { zero_grad(groups.ptr(), set_to_none); });
}

}  // namespace gradcore
