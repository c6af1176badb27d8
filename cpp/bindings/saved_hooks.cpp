// graph.saved_tensors_hooks: the user's functions that decide how tensors are kept for backward.
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

class PythonPacked final : public Packed {
 public:
  PythonPacked(Ref<PythonPair> pair, PyObject* object) : pair_(std::move(pair)), object_(object) {}
  ~PythonPacked() override {
    const GilAcquire gil;
    Py_CLEAR(object_);
  }
  Tensor unpack() override {
    const GilAcquire gil;
    const Owned result(PyObject_CallOneArg(pair_->unpack, object_));
    if (!result) throw py::error_already_set();
    if (!is_tensor(result.get()))
      fail(ErrorKind::Type, "Output of saved tensor unpack_hook expected to be a Tensor but got result of type ",
           Py_TYPE(result.get())->tp_name, place_of(pair_->unpack));
    return unwrap(result.get());
  }

 private:
  Ref<PythonPair> pair_;
  PyObject* object_;
};

class PythonHooks final : public SavedHooks {
 public:
  PythonHooks(py::handle pack, py::handle unpack) : pair_(Ref<PythonPair>::adopt(new PythonPair(pack, unpack))) {}
  Ref<Packed> pack(const Tensor& t) override {
    const GilAcquire gil;
    const Ref<PythonPair> pair = pair_;  // what is called may leave the block, and us with it
    const Owned argument(wrap(t));
    Owned object(PyObject_CallOneArg(pair->pack, argument.get()));
    if (!object) throw py::error_already_set();
    return Ref<Packed>::adopt(new PythonPacked(pair, object.release()));
  }
  SavedHooks* outer = nullptr;

 private:
  Ref<PythonPair> pair_;
};

thread_local std::optional<std::string> disabled;  // the message of disable_saved_tensors_hooks()

void check_callables(py::handle pack, py::handle unpack, const char* who) {
  for (const py::handle f : {pack, unpack})
    check(PyCallable_Check(f.ptr()), ErrorKind::Type, who, "() expects callables, not ", Py_TYPE(f.ptr())->tp_name);
}

void push(py::handle pack, py::handle unpack) {
  if (disabled) fail(*disabled);
  check_callables(pack, unpack, "saved_tensors_hooks");
  auto* hooks = new PythonHooks(pack, unpack);
  hooks->outer = std::exchange(saved_hooks, hooks);
}

void pop() {
  auto* hooks = static_cast<PythonHooks*>(saved_hooks);
  check(hooks != nullptr, "saved_tensors_hooks() was left without having been entered");
  saved_hooks = hooks->outer;
  delete hooks;
}

py::object set_disabled(const py::object& message) {
  if (!message.is_none() && saved_hooks) fail(message.cast<std::string>());
  const py::object before = disabled ? py::object(py::str(*disabled)) : py::object(py::none());
  disabled = message.is_none() ? std::nullopt : std::optional(message.cast<std::string>());
  return before;
}

}  // namespace

void pack_saved(Saved& saved, py::handle pack, py::handle unpack) {
  check_callables(pack, unpack, "register_hooks");
  PythonHooks hooks(pack, unpack);
  const GradModeGuard off(false);
  saved.pack(hooks);
}

void add_saved_hooks(py::module_& m) {
  m.def("_push_saved_hooks", &push);
  m.def("_pop_saved_hooks", &pop);
  m.def("_disable_saved_hooks", &set_disabled);
}

}  // namespace gradcore
