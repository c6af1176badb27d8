// Optimizer steps as Python calls them: one call for all groups of an optimizer. Reads the groups' options, the
// parameters' gradients and their state dicts, makes missing state, and runs the rule over all of it. Start at
// RuleBatch.
#include "bindings/optim.h"

#include <array>

#include "kernels/table.h"
#include "optim/recorded.h"
#include "optim/rule_step.h"

namespace gradcore {

namespace {

using namespace optim;

template <class Names> std::vector<PyObject*> intern_all(const Names& names) {
  std::vector<PyObject*> out;
  for (const char* name : names) out.push_back(key(name));
  return out;
}

// What follows is the same for every rule but for its type.

template <class Rule> double first_number(const Rule& rule, int i) {
  if constexpr (requires { rule.start_scalar(i); })
    if (i > 0) return rule.start_scalar(i);
  return 0;
}
template <class Rule> double first_element(const Rule& rule, int i) {
  if constexpr (requires { rule.start(i); })
    return rule.start(i);
  else
    return 0;
}

// What one parameter brings into its step.
template <class Rule> struct Slots {
  std::array<Tensor, 2 + Rule::kArrays> arrays;    // parameter, gradient, state
  std::array<Tensor, kNumberCount<Rule>> tensors;  // that hold the numbers
  bool first = true;                               // its state is new
};

// Of new numbers: torch's fused kernels have them in float32.
DType number_dtype(PyObject* group) {
  static PyObject* const fused = key("fused");
  return flag(group, fused) ? DType::Float32 : computed_in(default_dtype());
}

// Finds the state of a parameter, or makes it. Raises KeyError for state that lacks an entry.
template <class Rule>
Slots<Rule> gather(const Rule& rule, PyObject* group, PyObject* state, PyObject* param, const Tensor& grad,
                   FreshState& fresh) {
  static const auto number_keys = intern_all(number_names<Rule>()), array_keys = intern_all(Rule::arrays);
  constexpr bool numbered = kNumberCount<Rule> != 0;
  Slots<Rule> out;
  out.arrays[0] = unwrap(param);
  out.arrays[1] = grad;
  if constexpr (!numbered)
    if (!rule.needs(0)) return out;  // then torch makes no dict either
  const Owned kept = fresh.dict_of(state, param);
  PyObject* dict = kept.get();
  if constexpr (numbered) out.first = PyDict_GET_SIZE(dict) == 0;
  for (size_t i = 0; i < kNumberCount<Rule>; ++i) {
    Tensor& t = out.tensors[i];
    t = out.first ? scalar_tensor(first_number(rule, i), number_dtype(group))
                  : state_tensor(required(dict, number_keys[i]));
    if (out.first) fresh.add(dict, number_keys[i], t);
    check_state_number(t, number_names<Rule>()[i]);
  }
  for (int i = 0; i < Rule::kArrays; ++i) {
    if ((Rule::kOptional >> i & 1) && !rule.needs(i)) continue;
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

template <class Rule> Rule read_options(PyObject* group) {
  static PyObject *const capturable = key("capturable"), *const fused = key("fused");
  if (flag(group, capturable) && !flag(group, fused))
    fail_assertion(
        "If capturable=True, params and state_steps must be on supported devices: those of graphs of kernels, "
        "and the CPU is none.");
  return options_of<Rule>(group);
}

template <template <class> class Rule> class RuleBatch final : public StepBatch {
 public:
  using PlainRule = Rule<formulas::Hyperparameter>;

  std::unique_ptr<StepBatch> make_empty() const override { return std::make_unique<RuleBatch>(); }
  void start_group(PyObject* group, Py_ssize_t count) override {
    items_.reserve(items_.size() + count);
    options_.push_back(std::make_unique<PlainRule>(read_options<PlainRule>(group)));
    group_ = group;
  }
  void add(PyObject* state, PyObject* param, const Tensor& grad) override {
    Slots<PlainRule> slots = gather(*options_.back(), group_, state, param, grad, fresh_);
    items_.emplace_back(slots.arrays, std::move(slots.tensors), options_.back().get(), slots.first);
  }
  bool overlaps() const override { return overlap(items_); }
  void run(bool apart) override {
    fresh_.enter();
    run_items(items_, apart, [](auto& items) { launch(RuleStep<PlainRule>(items)); });
  }

  bool is_recorded(PyObject* group) const override {
    static PyObject* const differentiable = key("differentiable");
    return flag(group, differentiable);
  }
  void start_recorded_group(PyObject* group) override {
    static PyObject* const foreach = key("foreach");
    if (kNumberCount<PlainRule> != 0 && flag(group, foreach)) fail_assertion("_foreach ops don't support autograd");
    recorded_ = read_options<Rule<Sym>>(group);
    group_ = group;
  }
  void record(PyObject* state, PyObject* param, const Tensor& grad) override {
    FreshState fresh;
    Slots<Rule<Sym>> slots = gather(*recorded_, group_, state, param, grad, fresh);
    Rule<Sym> rule = *recorded_;
    constexpr auto names = number_names<Rule<Sym>>();
    Numbers<Rule<Sym>> numbers;
    for (size_t i = 0; i < names.size(); ++i) numbers[i] = number_in(slots.tensors[i], names[i]);
    begin(rule, numbers, slots.first);
    RecordedStep<Rule>::run(rule, slots.arrays);
    fresh.enter();
    for (size_t i = 0; i < names.size(); ++i) put_number(slots.tensors[i], names[i], numbers[i].value);
  }

 private:
  std::vector<RuleItem<PlainRule>> items_;
  std::vector<std::unique_ptr<PlainRule>> options_;  // of each group
  FreshState fresh_;
  std::optional<Rule<Sym>> recorded_;  // options of a group that is recorded
  PyObject* group_ = nullptr;          // only while its parameters are added
};

// step(groups, state, whether to record)
template <template <class> class Rule> PyObject* step(PyObject*, PyObject* const* args, Py_ssize_t n) {
  return guarded([&] {
    check(n == 3, ErrorKind::Type, "an optimizer's step takes its groups, its state and whether it is recorded");
    const GradModeGuard mode(is_true(args[2]));
    RuleBatch<Rule> batch;
    step_groups(batch, args[0], args[1]);
    return none();
  });
}

void zero_grad(PyObject* groups, bool set_to_none) {
  for (Py_ssize_t i = 0; i < PyList_GET_SIZE(groups); ++i) {
    const Owned params = params_of(item_of(groups, i).get());
    for (Py_ssize_t k = 0; k < PyList_GET_SIZE(params.get()); ++k) {
      const Owned p = item_of(params.get(), k);
      if (!is_tensor(p.get())) continue;
      const Tensor grad = grad_of(impl_of(p.get()));
      if (!grad) continue;
      if (set_to_none) {
        set_grad_of(Borrowed(p.get()), {});
        continue;
      }
      if (requires_grad(grad)) detach_(grad);
      zero_(grad);
    }
  }
}

PyObject* zero_grad_entry(PyObject*, PyObject* const* args, Py_ssize_t count) {
  return guarded([&] {
    check(count == 2 && PyList_Check(args[0]), ErrorKind::Type, "_zero_grad takes a list of groups and a bool");
    const int to_none = PyObject_IsTrue(args[1]);
    if (to_none < 0) throw py::error_already_set();
    zero_grad(args[0], to_none == 1);
    return none();
  });
}

}  // namespace

void add_optim(const py::object& m) {
#define GC_STEP(name, Rule) named_step<"_step_" #name, "Optimizer.step#" #name ".step", step<formulas::Rule>>(),
  static PyMethodDef steps[] = {
      GC_UPDATE_RULES(GC_STEP){"_zero_grad", reinterpret_cast<PyCFunction>(reinterpret_cast<void*>(zero_grad_entry)),
                               METH_FASTCALL, nullptr},
      {}};
#undef GC_STEP
  if (PyModule_AddFunctions(m.ptr(), steps) < 0) throw py::error_already_set();
}

}  // namespace gradcore
