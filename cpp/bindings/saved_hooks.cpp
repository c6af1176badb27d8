// graph.saved_tensors_hooks: the user's functions that decide how tensors are kept for backward.
#include "bindings/define.h"
#include "bindings/node.h"

namespace gradcore {

namespace {

// A pair of functions; the packed tensors share it.
struct PythonPair final : RefCounted {
  PyObject *pack, *unpack;
  PythonPair(py::handle p, py::handle u) : pack(p.inc_ref().ptr()), unpack(u.inc_ref().ptr()) {}
  ~PythonPair() {
    const GilAcquire gil;
    Py_CLEAR(pack);
    Py_CLEAR(unpack);
  }
  static void destroy(PythonPair* p) { delete p; }
};

// What a tensor was when it was saved.
struct Form {
  explicit Form(const Tensor& t) : shape(t.shape()), dtype(t.dtype()), levels(levels_of({&t})) {}
  Dims shape;
  DType dtype;
  Levels levels;
};

class PythonPacked final : public Packed {
 public:
  PythonPacked(Ref<PythonPair> pair, PyObject* object, Form of)
      : pair_(std::move(pair)), object_(object), of_(std::move(of)) {}
  ~PythonPacked() override {
    const GilAcquire gil;
    Py_CLEAR(object_);
  }
  Tensor unpack() override {
    const GilAcquire gil;
    const Owned result(in_python([&] { return PyObject_CallOneArg(pair_->unpack, object_); }));
    if (!result) throw py::error_already_set();
    if (!is_tensor(result.get()))
      fail(ErrorKind::Type, "Output of saved tensor unpack_hook expected to be a Tensor but got result of type ",
           Py_TYPE(result.get())->tp_name, place_of(pair_->unpack));
    return fitting(unwrap(result.get()));
  }

 private:
  // Backward reads it by the shape and dtype that it was saved with, and in the vmaps that it was saved in. What comes
  // back in a vmap was computed from tensors of it, and is in it already.
  Tensor fitting(const Tensor& t) const {
    if (t->batch) return fitting(t, of_.shape);
    Dims shown = of_.levels.sizes;
    for (int64_t size : of_.shape) shown.push_back(size);
    return hide(fitting(t, shown), of_.levels);
  }
  Tensor fitting(const Tensor& t, const Dims& shape) const {
    if (t.shape() == shape && t.dtype() == of_.dtype) return t;
    const NoRecordGuard off;
    const Tensor same_type = t.dtype() == of_.dtype ? t : cast(t, of_.dtype);
    if (t.shape() == shape) return same_type;
    check(expandable_to(t.shape(), shape), "saved tensor unpack_hook returned a tensor of shape ", t.shape(),
          " for one of shape ", shape, ": The size of the two must match", Place{pair_->unpack});
    return expand(same_type, shape);
  }
  struct Place {
    PyObject* function;
    std::string str() const { return place_of(function); }
  };

  Ref<PythonPair> pair_;
  PyObject* object_;
  Form of_;
};

// A pair that is in force, and what it stands on. The thread holds the innermost; so may who wants to return to it.
class PythonHooks final : public SavedHooks, public RefCounted {
 public:
  PythonHooks(py::handle pack, py::handle unpack, Ref<PythonHooks> outer)
      : outer_(std::move(outer)), pair_(Ref<PythonPair>::adopt(new PythonPair(pack, unpack))) {}
  static void destroy(PythonHooks* p) { delete p; }
  Ref<Packed> pack(const Tensor& t) override {
    const GilAcquire gil;
    const GradModeGuard off(false);
    const Ref<PythonPair> pair = pair_;  // what is called may leave the block, and us with it
    const Form of(t);
    const OutsideOfBatchLevels outside;
    const Owned argument(wrap(shown(t)));
    Owned object(in_python([&] { return PyObject_CallOneArg(pair->pack, argument.get()); }));
    if (!object) throw py::error_already_set();
    return Ref<Packed>::adopt(new PythonPacked(pair, object.release(), of));
  }
  const Ref<PythonHooks>& outer() const { return outer_; }

 private:
  // The hook is outside of all vmaps, as in torch: it sees the samples together.
  static Tensor shown(const Tensor& t) {
    if (!t->batch) return t;
    const Tensor all = physical(t);
    set_requires_grad(all, requires_grad(t));
    return all;
  }

  Ref<PythonHooks> outer_;
  Ref<PythonPair> pair_;
};

Ref<PythonHooks> innermost() {
  auto* hooks = static_cast<PythonHooks*>(saved_hooks);
  return hooks ? Ref<PythonHooks>::share(hooks) : Ref<PythonHooks>();
}
// The thread's own reference is the raw pointer's.
void make_innermost(Ref<PythonHooks> hooks) {
  auto* before = static_cast<PythonHooks*>(std::exchange(saved_hooks, hooks.leak()));
  if (before) Ref<PythonHooks>::adopt(before).reset();
}

// The message of disable_saved_tensors_hooks(); on the heap, as the loader has little room for threads' own data.
thread_local std::unique_ptr<std::string> disabled;

void check_callables(py::handle pack, py::handle unpack, const char* who) {
  for (const py::handle f : {pack, unpack})
    check(PyCallable_Check(f.ptr()), ErrorKind::Type, who, "() expects callables, not ", Py_TYPE(f.ptr())->tp_name);
}

void push(py::handle pack, py::handle unpack) {
  if (disabled) fail(*disabled);
  check_callables(pack, unpack, "saved_tensors_hooks");
  make_innermost(Ref<PythonHooks>::adopt(new PythonHooks(pack, unpack, innermost())));
}

void pop() {
  const Ref<PythonHooks> hooks = innermost();
  check(static_cast<bool>(hooks), "saved_tensors_hooks() was left without having been entered");
  make_innermost(hooks->outer());
}

void set_disabled(const py::object& message) {
  if (!message.is_none() && saved_hooks) fail(message.cast<std::string>());
  disabled = message.is_none() ? nullptr : std::make_unique<std::string>(message.cast<std::string>());
}

}  // namespace

KeepSavedHooks::KeepSavedHooks() : hooks_(saved_hooks ? innermost().leak() : nullptr) {}
KeepSavedHooks::~KeepSavedHooks() {
  if (hooks_ == saved_hooks && !hooks_) return;
  make_innermost(Ref<PythonHooks>::adopt(static_cast<PythonHooks*>(hooks_)));
}

void pack_saved(Saved& saved, py::handle pack, py::handle unpack) {
  check_callables(pack, unpack, "register_hooks");
  const auto hooks = Ref<PythonHooks>::adopt(new PythonHooks(pack, unpack, {}));
  saved.pack(*hooks);
}

void add_saved_hooks(py::module_& m) {
  m.def("_push_saved_hooks", &push);
  m.def("_pop_saved_hooks", &pop);
  m.def("_disable_saved_hooks", &set_disabled);
  m.def("_saved_hooks_disabled", [] { return disabled ? py::object(py::str(*disabled)) : py::object(py::none()); });
}

}  // namespace gradcore
