// The steps of the optimizers that take whole matrices, as Python calls them. Start at MuonBatch.
#include "bindings/optim.h"
#include "optim/muon.h"

namespace gradcore {

namespace {

using namespace optim;

class MuonBatch {
 public:
  static bool takes(PyObject*) { return true; }
  void reserve(size_t n) { items_.reserve(n); }
  void start_group(PyObject* group) {
    options_.push_back(std::make_unique<MuonOptions>(options_of<MuonOptions>(group)));
  }
  void add(PyObject* state, PyObject* param, const Tensor& grad) {
    static PyObject* const name = key("momentum_buffer");
    const Owned dict = fresh_.dict_of(state, param);
    PyObject* found = find(dict.get(), name);
    const Tensor average = found ? state_tensor(found) : filled_like(grad, 0);
    if (!found) fresh_.add(dict.get(), name, average);
    items_.emplace_back(unwrap(param), grad, average, *options_.back());
  }
  bool overlaps() const { return overlap(items_); }
  void run(bool apart) {
    fresh_.enter();
    for (MuonItem& item : items_) item.prepare(apart);
    {
      const GilRelease release;
      muon_step(items_);
    }
    for (const MuonItem& item : items_) item.finish();
  }

 private:
  std::vector<MuonItem> items_;
  std::vector<std::unique_ptr<MuonOptions>> options_;
  FreshState fresh_;
};

// step(groups, state)
template <class Batch>
PyObject* step(PyObject*, PyObject* const* args, Py_ssize_t n) {
  return guarded([&] {
    check(n == 2, ErrorKind::Type, "this optimizer's step takes its groups and its state");
    const GradModeGuard off(false);
    Stepper<Batch>(args[0], args[1]).step([](PyObject*, PyObject*) {});
    return none();
  });
}

}  // namespace

void add_optim_matrices(py::module_& m) {
  const auto function = [](auto* f) { return reinterpret_cast<PyCFunction>(reinterpret_cast<void*>(f)); };
  static PyMethodDef steps[] = {{"_step_Muon", function(step<MuonBatch>), METH_FASTCALL, nullptr}, {}};
  if (PyModule_AddFunctions(m.ptr(), steps) < 0) throw py::error_already_set();
}

}  // namespace gradcore
