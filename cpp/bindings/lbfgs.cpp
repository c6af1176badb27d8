// L-BFGS's step and its line search as Python calls them. Start at step_lbfgs().
#include "optim/lbfgs.h"

#include "bindings/node.h"
#include "bindings/optim.h"
#include "optim/line_search.h"

namespace gradcore {

namespace {

using namespace optim;

// A vector over all parameters, from a state dict: loading one may have changed its dtype.
Tensor vector_of(PyObject* o, int64_t n, DType dtype) {
  const Tensor t = state_tensor(o);
  check(t.dim() == 1 && t.numel() == n && is_floating(t.dtype()), "optimizer state of shape ", t.shape(), " and dtype ",
        dtype_name(t.dtype()), " does not fit parameters of ", n, " elements");
  return contiguous(cast(detach(t), dtype));
}

template <class T, class Read> std::vector<T> list_of(PyObject* o, Read&& read) {
  check(PyList_Check(o), ErrorKind::Type, "optimizer state must be a list, not ", Py_TYPE(o)->tp_name);
  const Owned list(Py_NewRef(o));
  std::vector<T> out;
  for (Py_ssize_t i = 0; i < PyList_GET_SIZE(o); ++i) out.push_back(read(item_of(o, i).get()));
  return out;
}

int64_t count_in(PyObject* dict, const char* name) {
  PyObject* found = find(dict, Owned(key(name)).get());
  return found ? to_int64(found) : 0;
}

// torch keeps None where no weight was computed yet.
std::optional<double> weight_of(PyObject* o) { return o == Py_None ? std::nullopt : std::optional(number_of(o)); }
PyObject* new_weight(const std::optional<double>& w) { return w ? PyFloat_FromDouble(*w) : Py_NewRef(Py_None); }

LbfgsState read_state(PyObject* dict, int64_t n, DType dtype) {
  const auto entry = [&](const char* name) { return Owned(Py_NewRef(required(dict, Owned(key(name)).get()))); };
  const auto number = [&](const char* name) { return number_of(entry(name).get()); };
  const auto vector = [&](PyObject* o) { return vector_of(o, n, dtype); };
  LbfgsState s;
  s.func_evals = count_in(dict, "func_evals");
  s.n_iter = count_in(dict, "n_iter");
  if (s.n_iter == 0) return s;
  s.d = vector(entry("d").get());
  s.prev_flat_grad = vector(entry("prev_flat_grad").get());
  s.t = number("t");
  s.h_diag = number("H_diag");
  s.prev_loss = number("prev_loss");
  s.old_dirs = list_of<Tensor>(entry("old_dirs").get(), vector);
  s.old_stps = list_of<Tensor>(entry("old_stps").get(), vector);
  s.ro = list_of<double>(entry("ro").get(), number_of);
  if (PyObject* al = find(dict, Owned(key("al")).get())) s.al = list_of<std::optional<double>>(al, weight_of);
  check(s.old_dirs.size() == s.ro.size() && s.old_stps.size() == s.ro.size(),
        "optimizer state 'old_dirs', 'old_stps' and 'ro' must be of one length");
  return s;
}

template <class T, class Make> Owned new_list(const std::vector<T>& items, Make&& make) {
  Owned list(checked(PyList_New(static_cast<Py_ssize_t>(items.size()))));
  for (size_t i = 0; i < items.size(); ++i)
    PyList_SET_ITEM(list.get(), static_cast<Py_ssize_t>(i), checked(make(items[i])));
  return list;
}

void write_state(const LbfgsState& s, PyObject* dict) {
  const auto put = [&](const char* name, Owned value) {
    if (PyDict_SetItem(dict, Owned(key(name)).get(), Owned(checked(value.release())).get()) < 0) throw PythonError{};
  };
  put("func_evals", Owned(PyLong_FromLongLong(s.func_evals)));
  put("n_iter", Owned(PyLong_FromLongLong(s.n_iter)));
  if (s.n_iter == 0) return;
  put("d", Owned(wrap(s.d)));
  put("t", Owned(PyFloat_FromDouble(s.t)));
  put("old_dirs", new_list(s.old_dirs, wrap));
  put("old_stps", new_list(s.old_stps, wrap));
  put("ro", new_list(s.ro, PyFloat_FromDouble));
  if (!s.al.empty()) put("al", new_list(s.al, new_weight));
  put("H_diag", Owned(PyFloat_FromDouble(s.h_diag)));
  put("prev_flat_grad", Owned(wrap(s.prev_flat_grad)));
  put("prev_loss", Owned(PyFloat_FromDouble(s.prev_loss)));
}

// step(group, state, closure): the loss of the first evaluation
PyObject* step_lbfgs(PyObject*, PyObject* const* args, Py_ssize_t n) {
  return guarded([&] {
    check(n == 3 && PyDict_Check(args[0]) && PyDict_Check(args[1]), ErrorKind::Type,
          "LBFGS's step takes its group, its state and a closure");
    const GradModeGuard off(false);
    const auto options = options_of<LbfgsOptions>(args[0]);
    const Owned list = params_of(args[0]);
    std::vector<Tensor> params;
    int64_t size = 0;
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(list.get()); ++i) {
      const Owned p = item_of(list.get(), i);
      gradient_of(p.get());  // raises for what is no tensor
      params.push_back(unwrap(p.get()));
      size += params.back().numel();
    }
    check(!params.empty(), ErrorKind::Index, "list index out of range: LBFGS has no parameters");

    // It is of all parameters, but torch keeps it with the first.
    FreshState fresh;
    const Owned dict = fresh.dict_of(args[1], item_of(list.get(), 0).get());
    LbfgsState state = read_state(dict.get(), size, flat_dtype(params));
    Owned first_loss;
    const auto closure = [&] {
      const GilAcquire gil;
      Owned loss;
      {
        const GradModeGuard on(true);
        loss = Owned(checked(in_python([&] { return PyObject_CallNoArgs(args[2]); })));
      }
      const GradModeGuard off(false);  // or float() would warn of the history that it leaves behind
      const Owned number(checked(PyNumber_Float(loss.get())));
      if (!first_loss) first_loss = std::move(loss);
      return PyFloat_AS_DOUBLE(number.get());
    };
    {
      const GilRelease release;
      lbfgs_step(params, options, state, closure);
    }
    write_state(state, dict.get());
    fresh.enter();
    return first_loss.release();
  });
}

// look(t): a tuple of loss, gradient and slope
LinePoint look_at(PyObject* look, double t) {
  const Owned at(checked(PyFloat_FromDouble(t)));
  const Owned found(checked(in_python([&] { return PyObject_CallOneArg(look, at.get()); })));
  check(PyTuple_Check(found.get()) && PyTuple_GET_SIZE(found.get()) == 3, ErrorKind::Type,
        "a line search needs loss, gradient and slope of each point");
  const auto item = [&](Py_ssize_t i) { return PyTuple_GET_ITEM(found.get(), i); };
  const Tensor grad = state_tensor(item(1));
  return {t, number_of(item(0)), grad, number_of(item(2))};
}

// strong_wolfe(look, t, loss, gradient, slope, longest, c1, c2, least_bracket, trials): loss, gradient, t, evaluations
PyObject* search_line(PyObject*, PyObject* const* args, Py_ssize_t n) {
  return guarded([&] {
    check(n == 10, ErrorKind::Type, "a line search takes ten arguments");
    const auto number = [&](int i) { return number_of(args[i]); };
    const LinePoint origin{0, number(2), state_tensor(args[3]), number(4)};
    const WolfeOptions options{number(6), number(7), number(8), number(9)};
    const auto look = [&](double t) { return look_at(args[0], t); };
    int64_t evaluations = 0;
    const LinePoint p = strong_wolfe(look, origin, number(1), number(5), options, evaluations);
    return Py_BuildValue("dNdL", p.loss, checked(wrap(p.grad)), p.t, static_cast<long long>(evaluations));
  });
}

// cubic_minimum(t, loss, slope, t, loss, slope, least, most)
PyObject* interpolate(PyObject*, PyObject* const* args, Py_ssize_t n) {
  return guarded([&] {
    check(n == 8, ErrorKind::Type, "a cubic interpolation takes eight numbers");
    const auto number = [&](int i) { return number_of(args[i]); };
    const auto point = [&](int i) { return LinePoint{number(i), number(i + 1), {}, number(i + 2)}; };
    return PyFloat_FromDouble(cubic_minimum(point(0), point(3), number(6), number(7)));
  });
}

PyMethodDef method(const char* name, StepFn f) {
  return {name, reinterpret_cast<PyCFunction>(reinterpret_cast<void*>(f)), METH_FASTCALL, nullptr};
}

}  // namespace

void add_lbfgs(const py::object& m) {
  static PyMethodDef steps[] = {named_step<"_step_LBFGS", "Optimizer.step#LBFGS.step", step_lbfgs>(),
                                method("_strong_wolfe", search_line),
                                method("_cubic_minimum", interpolate),
                                {}};
  if (PyModule_AddFunctions(m.ptr(), steps) < 0) throw py::error_already_set();
}

}  // namespace gradcore
