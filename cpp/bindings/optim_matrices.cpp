// The steps of the optimizers that take whole matrices, as Python calls them. Start at AdafactorBatch.
#include <array>
#include <cfloat>

#include "bindings/optim.h"
#include "optim/adafactor.h"
#include "optim/muon.h"

namespace gradcore {

namespace {

using namespace optim;

class AdafactorBatch final : public StepBatch {
 public:
  std::unique_ptr<StepBatch> make_empty() const override { return std::make_unique<AdafactorBatch>(); }
  void start_group(PyObject* group, Py_ssize_t count) override {
    items_.reserve(items_.size() + count);
    options_.push_back(std::make_unique<AdafactorOptions>(options_of<AdafactorOptions>(group)));
  }
  void add(PyObject* state, PyObject* param, const Tensor& grad) override {
    static PyObject* const step_key = key("step");
    AdafactorOptions& options = *options_.back();
    if (!options.eps1) options.eps1 = grad.dtype() == DType::Float32 ? FLT_EPSILON : DBL_EPSILON;
    const Owned dict = fresh_.dict_of(state, param);
    const bool first = PyDict_GET_SIZE(dict.get()) == 0;
    const Tensor step = entry(dict.get(), step_key, first, [] { return scalar_tensor(0.0, default_dtype()); });
    const std::array<Tensor, 2> means = means_of(dict.get(), grad, first);
    items_.emplace_back(unwrap(param), grad, std::span(means).first(means[1] ? 2 : 1), options, step);
  }
  bool overlaps() const override { return overlap(items_); }
  void run(bool apart) override {
    fresh_.enter();
    run_items(items_, apart, [](auto& items) { launch(AdafactorStep(items)); });
  }

 private:
  // What stands in the state of a parameter, or is made for it in its first step.
  template <class Make> Tensor entry(PyObject* dict, PyObject* name, bool first, Make&& make) {
    if (!first) return state_tensor(required(dict, name));
    const Tensor t = make();
    fresh_.add(dict, name, t);
    return t;
  }
  // The means of rows and of columns, or the whole variance.
  std::array<Tensor, 2> means_of(PyObject* dict, const Tensor& grad, bool first) {
    static PyObject* const names[] = {key("row_var"), key("col_var"), key("variance")};
    if (grad.dim() < 2) {
      if (!first) require_entry(dict, names[2]);
      return {entry(dict, names[2], first, [&] { return filled_like(grad, 0); }), Tensor()};
    }
    std::array<Tensor, 2> out;
    for (int i = 0; i < 2; ++i) {
      if (!first) require_entry(dict, names[i]);
      out[i] = entry(dict, names[i], first, [&] {
        Dims shape = grad.shape();
        shape[shape.size() - 1 - i] = 1;
        return zeros(shape, grad.dtype());
      });
    }
    return out;
  }
  static void require_entry(PyObject* dict, PyObject* name) {
    PyObject* found = find(dict, name);
    if (!found || found == Py_None)
      fail_assertion("row_var and col_var, or variance, should be defined in the state of a parameter");
  }

  std::vector<AdafactorItem> items_;
  std::vector<std::unique_ptr<AdafactorOptions>> options_;
  FreshState fresh_;
};

class MuonBatch final : public StepBatch {
 public:
  std::unique_ptr<StepBatch> make_empty() const override { return std::make_unique<MuonBatch>(); }
  void start_group(PyObject* group, Py_ssize_t count) override {
    items_.reserve(items_.size() + count);
    options_.push_back(std::make_unique<MuonOptions>(options_of<MuonOptions>(group)));
  }
  void add(PyObject* state, PyObject* param, const Tensor& grad) override {
    static PyObject* const name = key("momentum_buffer");
    const Owned dict = fresh_.dict_of(state, param);
    PyObject* found = find(dict.get(), name);
    const Tensor average = found ? state_tensor(found) : filled_like(grad, 0);
    if (!found) fresh_.add(dict.get(), name, average);
    items_.emplace_back(unwrap(param), grad, average, *options_.back());
  }
  bool overlaps() const override { return overlap(items_); }
  void run(bool apart) override {
    fresh_.enter();
    run_items(items_, apart, [](auto& items) { launch(MuonStep(items)); });
  }

 private:
  std::vector<MuonItem> items_;
  std::vector<std::unique_ptr<MuonOptions>> options_;
  FreshState fresh_;
};

// step(groups, state)
template <class Batch> PyObject* step(PyObject*, PyObject* const* args, Py_ssize_t n) {
  return guarded([&] {
    check(n == 2, ErrorKind::Type, "this optimizer's step takes its groups and its state");
    const GradModeGuard off(false);
    Batch batch;
    step_groups(batch, args[0], args[1]);
    return none();
  });
}

}  // namespace

void add_optim_matrices(const py::object& m) {
  static PyMethodDef steps[] = {named_step<"_step_Adafactor", "Optimizer.step#Adafactor.step", step<AdafactorBatch>>(),
                                named_step<"_step_Muon", "Optimizer.step#Muon.step", step<MuonBatch>>(),
                                {}};
  if (PyModule_AddFunctions(m.ptr(), steps) < 0) throw py::error_already_set();
}

}  // namespace gradcore
