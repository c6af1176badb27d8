// Optimizer steps as Python calls them: one call for a parameter group. Reads the group's options, the parameters'
// gradients and their state dicts, makes missing state, and runs the kernel over all of it. Start at Group.
#include "bindings/python.h"

#include "autograd/views.h"
#include "optim/adam.h"
#include "optim/sgd.h"

namespace gradcore {

namespace {

// A dict key, made once.
PyObject* key(const char* name) { return PyUnicode_InternFromString(name); }

class Group {
 public:
  Group(PyObject* group, PyObject* state) : group_(group), state_(state) {
    params_ = option(params_key());
    check(PyList_Check(params_), ErrorKind::Type, "param group's 'params' must be a list");
  }
  PyObject* params() const { return params_; }
  PyObject* option(PyObject* name) const {
    PyObject* v = PyDict_GetItemWithError(group_, name);
    if (!v) {
      if (!PyErr_Occurred()) PyErr_SetObject(PyExc_KeyError, name);
      throw PythonError{};
    }
    return v;
  }
  double number(PyObject* name) const {
    const double v = PyFloat_AsDouble(option(name));
    if (v == -1 && PyErr_Occurred()) throw PythonError{};
    return v;
  }
  bool flag(PyObject* name) const {
    const int v = PyObject_IsTrue(option(name));
    if (v < 0) throw PythonError{};
    return v;
  }
  // The state dict of a parameter; a new one is entered when there is none.
  PyObject* state_of(PyObject* param) const {
    if (PyObject* d = PyDict_GetItemWithError(state_, param)) {
      check(PyDict_Check(d), ErrorKind::Type, "optimizer state of a parameter must be a dict");
      return d;
    }
    if (PyErr_Occurred()) throw PythonError{};
    const Owned fresh(checked(PyDict_New()));
    if (PyDict_SetItem(state_, param, fresh.get()) < 0) throw PythonError{};
    return fresh.get();  // the dict keeps it
  }

 private:
  static PyObject* params_key() {
    static PyObject* k = key("params");
    return k;
  }
  PyObject* group_;
  PyObject* state_;
  PyObject* params_;
};

// A state tensor by name; undefined where there is none (or None).
Tensor state_tensor(PyObject* dict, PyObject* name) {
  PyObject* o = PyDict_GetItemWithError(dict, name);
  if (!o && PyErr_Occurred()) throw PythonError{};
  if (!o || o == Py_None) return {};
  check(is_tensor(o), ErrorKind::Type, "optimizer state must be a tensor, not ", Py_TYPE(o)->tp_name);
  return unwrap(o);
}
void put_state(PyObject* dict, PyObject* name, const Tensor& t) {
  const Owned o(wrap(t));
  if (PyDict_SetItem(dict, name, o.get()) < 0) throw PythonError{};
}

// A parameter that takes part in this step, with the work that its layout needs: kernels run over dense memory of one
// order, so a tensor that is not like that is copied in and, if it is written, copied back.
class Stepped {
 public:
  Tensor param, grad;

  Stepped(const Tensor& p, const Tensor& g) : param(p), original_(p) {
    check(is_floating(p.dtype()), "optimizers need floating point parameters, got ", dtype_name(p.dtype()));
    check(g.dtype() == p.dtype() && same_shape(g, p), "a parameter of shape ", p.shape(), " and dtype ", dtype_name(p.dtype()),
          " has a gradient of shape ", g.shape(), " and dtype ", dtype_name(g.dtype()));
    check_inplace(p, false);
    if (!is_dense(p)) param = in_order_of_param(p, true);
    grad = in_order_of_param(g, false);
  }
  // The state in the parameter's order; what is written is copied back by finish().
  Tensor state(const Tensor& s) {
    if (!s) return s;
    check(s.dtype() == param.dtype() && same_shape(s, param), "optimizer state of shape ", s.shape(), " and dtype ",
          dtype_name(s.dtype()), " does not fit a parameter of shape ", param.shape(), " and dtype ", dtype_name(param.dtype()));
    const Tensor t = in_order_of_param(s, false);
    if (!t.is_same(s)) back_.push_back({s, t});
    return t;
  }
  void finish() {
    if (!param.is_same(original_)) copy_raw(original_, param);
    for (const auto& [to, from] : back_) copy_raw(to, from);
    original_.bump_version();
  }

 private:
  Tensor in_order_of_param(const Tensor& t, bool always) const {
    if (!always && t.strides() == param.strides()) return t;
    const Tensor copy = always ? empty(t.shape(), t.dtype()) : empty_strided(t.shape(), param.strides(), t.dtype());
    copy_raw(copy, t);
    return copy;
  }
  Tensor original_;
  std::vector<std::pair<Tensor, Tensor>> back_;
};

Tensor fresh_state(const Tensor& param) {
  const GradModeGuard off(false);
  return zeros_like(detach(param));
}

// Calls visit(parameter, gradient, state dict) for each parameter that has a gradient.
template <class F>
void for_each_param(const Group& group, F&& visit) {
  PyObject* params = group.params();
  for (Py_ssize_t i = 0; i < PyList_GET_SIZE(params); ++i) {
    PyObject* p = PyList_GET_ITEM(params, i);
    check(is_tensor(p), ErrorKind::Type, "optimizer can only optimize Tensors, but one of the params is ", Py_TYPE(p)->tp_name);
    const auto* meta = static_cast<AutogradMeta*>(impl_of(p)->meta);
    if (!meta || !meta->grad) continue;
    visit(unwrap(p), meta->grad, group.state_of(p));
  }
}

void sgd(const Group& group) {
  static PyObject *const lr = key("lr"), *const momentum = key("momentum"), *const dampening = key("dampening"),
                  *const decay = key("weight_decay"), *const nesterov = key("nesterov"), *const maximize = key("maximize"),
                  *const buffer_name = key("momentum_buffer");
  const SgdStep options{group.number(lr), group.number(momentum), group.number(dampening), group.number(decay),
                        group.flag(nesterov), group.flag(maximize), false};
  std::vector<Stepped> stepped;
  std::vector<SgdItem> items;
  stepped.reserve(PyList_GET_SIZE(group.params()));
  for_each_param(group, [&](const Tensor& p, const Tensor& g, PyObject* state) {
    Stepped& s = stepped.emplace_back(p, g);
    SgdItem item{s.param, s.grad, {}, false, p.numel()};
    if (options.momentum != 0) {
      Tensor buffer = state_tensor(state, buffer_name);
      item.first = !buffer;
      if (item.first) put_state(state, buffer_name, buffer = fresh_state(p));
      item.buffer = s.state(buffer);
    }
    items.push_back(std::move(item));
  });
  {
    const GilRelease release;
    sgd_step(items, options);
  }
  for (Stepped& s : stepped) s.finish();
}

void adam(const Group& group, bool decoupled) {
  static PyObject *const lr = key("lr"), *const betas = key("betas"), *const eps = key("eps"), *const decay = key("weight_decay"),
                  *const amsgrad = key("amsgrad"), *const maximize = key("maximize"), *const step_name = key("step"),
                  *const m_name = key("exp_avg"), *const v_name = key("exp_avg_sq"), *const max_name = key("max_exp_avg_sq");
  PyObject* pair = group.option(betas);
  check((PyTuple_Check(pair) || PyList_Check(pair)) && PySequence_Fast_GET_SIZE(pair) == 2, ErrorKind::Type,
        "betas must be a pair of numbers");
  const auto beta = [&](int i) {
    const double v = PyFloat_AsDouble(PySequence_Fast_GET_ITEM(pair, i));
    if (v == -1 && PyErr_Occurred()) throw PythonError{};
    return v;
  };
  const AdamOptions options{group.number(lr), beta(0), beta(1), group.number(eps), group.number(decay), decoupled,
                            group.flag(maximize)};
  const bool with_max = group.flag(amsgrad);
  std::vector<Stepped> stepped;
  std::vector<AdamItem> items;
  std::vector<Tensor> steps;
  stepped.reserve(PyList_GET_SIZE(group.params()));
  for_each_param(group, [&](const Tensor& p, const Tensor& g, PyObject* state) {
    Stepped& s = stepped.emplace_back(p, g);
    Tensor step = state_tensor(state, step_name), m = state_tensor(state, m_name), v = state_tensor(state, v_name);
    Tensor v_max = with_max ? state_tensor(state, max_name) : Tensor();
    if (!step) put_state(state, step_name, step = scalar_tensor(0.0, DType::Float32));
    if (!m) put_state(state, m_name, m = fresh_state(p));
    if (!v) put_state(state, v_name, v = fresh_state(p));
    if (with_max && !v_max) put_state(state, max_name, v_max = fresh_state(p));
    check(step.numel() == 1 && is_floating(step.dtype()), "optimizer state 'step' must be a float tensor of one element");
    const double t = 1 + (step.dtype() == DType::Float32 ? *step.data<float>() : *step.data<double>());
    steps.push_back(step);
    items.push_back({s.param, s.grad, s.state(m), s.state(v), s.state(v_max), t, p.numel()});
  });
  {
    const GilRelease release;
    adam_step(items, options);
  }
  for (size_t i = 0; i < stepped.size(); ++i) {
    stepped[i].finish();
    fill_raw(steps[i], items[i].step);
  }
}

void zero_grad(PyObject* groups, bool set_to_none) {
  static PyObject* const params_name = key("params");
  for (Py_ssize_t i = 0; i < PyList_GET_SIZE(groups); ++i) {
    PyObject* params = PyDict_GetItemWithError(PyList_GET_ITEM(groups, i), params_name);
    check(params && PyList_Check(params), ErrorKind::Type, "a param group must have a list of 'params'");
    for (Py_ssize_t k = 0; k < PyList_GET_SIZE(params); ++k) {
      PyObject* p = PyList_GET_ITEM(params, k);
      if (!is_tensor(p)) continue;
      auto* meta = static_cast<AutogradMeta*>(impl_of(p)->meta);
      if (!meta || !meta->grad) continue;
      if (set_to_none) {
        meta->grad.reset();
        continue;
      }
      if (requires_grad(meta->grad)) meta->grad = detach(meta->grad);
      zero_(meta->grad);
    }
  }
}

}  // namespace

void add_optim(py::module_& m) {
  m.def("_sgd_step", [](py::dict group, py::dict state) { sgd(Group(group.ptr(), state.ptr())); });
  m.def("_adam_step",
        [](py::dict group, py::dict state, bool decoupled) { adam(Group(group.ptr(), state.ptr()), decoupled); });
  m.def("_zero_grad", [](py::list groups, bool set_to_none) { zero_grad(groups.ptr(), set_to_none); });
}

}  // namespace gradcore
