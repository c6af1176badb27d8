// The walk over an optimizer's groups and their parameters. Start at step_groups().
#include "bindings/optim.h"

namespace gradcore::optim {

namespace {

// Calls visit(parameter, gradient) for each parameter that has a gradient, and before the first of them start().
template <class Start, class Visit> void for_each_param(PyObject* params, Start&& start, Visit&& visit) {
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

void record_group(StepBatch& batch, PyObject* group, PyObject* params, PyObject* state) {
  for_each_param(
      params, [&] { batch.start_recorded_group(group); },
      [&](PyObject* p, const Tensor& grad) { batch.record(state, p, grad); });
}

// Parameters that overlap: each sees what the one before it wrote.
void step_one_by_one(const StepBatch& batch, PyObject* groups, PyObject* state) {
  for (Py_ssize_t i = 0; i < PyList_GET_SIZE(groups); ++i) {
    const Owned group = item_of(groups, i);
    if (batch.is_recorded(group.get())) continue;
    for_each_param(
        params_of(group.get()).get(), [] {},
        [&](PyObject* p, const Tensor& grad) {
          const std::unique_ptr<StepBatch> one = batch.make_empty();
          one->start_group(group.get(), 1);
          one->add(state, p, grad);
          one->run(true);
        });
  }
}

}  // namespace

void step_groups(StepBatch& all, PyObject* groups, PyObject* state) {
  check(PyList_Check(groups) && PyDict_Check(state), ErrorKind::Type,
        "an optimizer has a list of groups and a dict of states");
  for (Py_ssize_t i = 0; i < PyList_GET_SIZE(groups); ++i) {
    const Owned group = item_of(groups, i), params = params_of(group.get());
    if (all.is_recorded(group.get())) {
      record_group(all, group.get(), params.get(), state);
      continue;
    }
    for_each_param(
        params.get(), [&] { all.start_group(group.get(), PyList_GET_SIZE(params.get())); },
        [&](PyObject* p, const Tensor& grad) { all.add(state, p, grad); });
  }
  if (!all.overlaps()) return all.run(false);
  step_one_by_one(all, groups, state);
}

}  // namespace gradcore::optim
