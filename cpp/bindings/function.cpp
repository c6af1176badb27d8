// Custom Functions: ops whose forward and backward are the user's Python. Start at function_apply().
//
// Note [A Function and its context]
// Every call of MyFn.apply makes a context (`ctx`, an instance of MyFnBackward) and a FunctionNode. The node owns the
// context; the context points back without owning and is what `result.grad_fn` shows. So the graph's life decides: when
// the last result goes, node, context and everything saved go with it. But a context that somebody kept shows what it
// showed before: the dying node leaves what it has to an heir, which the context owns and which does not own the
// context. Whoever wants that node gets it by own_node(), which turns the ownership around again.
#include "bindings/node.h"

#include <structmember.h>

#include "autograd/accumulate.h"
#include "autograd/forward.h"
#include "autograd/transforms.h"
#include "autograd/views.h"
#include "core/op_scope.h"
#include "tensor/batch.h"

namespace gradcore {

namespace {

class FunctionNode;

// The layout of _FunctionBase. The fields from to_save on are written by the methods of FunctionCtx in Python.
struct PyContext {
  PyNode base;
  PyObject* dict;
  PyObject* weakrefs;
  PyObject* to_save;
  PyObject* saved_for_forward;
  PyObject* non_differentiable;
  PyObject* dirty_tensors;
  PyObject* needs_input_grad;
  char materialize_grads;
  char materialize_non_diff_grads;
};
constexpr PyObject* PyContext::* kFields[] = {&PyContext::dict,
                                              &PyContext::to_save,
                                              &PyContext::saved_for_forward,
                                              &PyContext::non_differentiable,
                                              &PyContext::dirty_tensors,
                                              &PyContext::needs_input_grad};

PyTypeObject* context_type;

PyContext* context(PyObject* o) { return reinterpret_cast<PyContext*>(o); }

Owned attribute(PyObject* o, const char* name) {
  Owned value(PyObject_GetAttrString(o, name));
  if (!value) throw py::error_already_set();
  return value;
}
Owned called(PyObject* f, PyObject* args) {
  Owned result(in_python([&] { return PyObject_Call(f, args, nullptr); }));
  if (!result) throw py::error_already_set();
  return result;
}

class FunctionNode final : public Node {
 public:
  using Meta = TensorMeta;
  explicit FunctionNode(PyObject* ctx) : ctx_(Py_NewRef(ctx)) {
    name_ = Py_TYPE(ctx)->tp_name;
    pyobject = ctx;
    context(ctx)->base.node = this;
  }
  ~FunctionNode() override {
    const GilAcquire gil;
    if (!owns_context_) return;
    context(ctx_)->base.node = Py_REFCNT(ctx_) > 1 ? heir() : nullptr;
    Py_CLEAR(ctx_);
  }
  Ref<Node> own_node() override {
    if (std::exchange(owns_context_, true)) return Node::own_node();
    Py_INCREF(ctx_);
    return Ref<Node>::adopt(this);  // the context's own reference
  }
  bool is_owned_by_context() const { return !owns_context_; }

  const char* name() const override { return name_.c_str(); }
  bool runs_without_grads() const override { return true; }
  int traverse(int (*visit)(void* object, void* arg), void* arg) const override {
    return owns_context_ ? visit(ctx_, arg) : 0;
  }

  // Which arguments of forward were tensors, with what their gradients must fit.
  void set_inputs(std::span<const std::optional<Meta>> arguments, std::span<Edge> edges) {
    arguments_.assign(arguments.begin(), arguments.end());
    set_edges(edges);
    number();
  }
  struct Output {
    std::optional<Meta> meta;  // nothing for one that is no tensor
    bool materializes = true;  // backward gets zeros when no gradient came
  };
  void set_outputs(std::vector<Output> outputs) {
    outputs_ = std::move(outputs);
    output_count = static_cast<uint32_t>(outputs_.size());
  }
  std::optional<TensorMeta> output_meta(uint32_t nr) const override {
    return nr < outputs_.size() ? outputs_[nr].meta : std::nullopt;  // none while forward runs
  }
  SavedFields saved_fields() override { return {{"tensors", &saved_, true}}; }
  void save(std::vector<Saved> saved) { saved_ = std::move(saved); }
  void release_saved() override {
    released_ = true;  // first: what goes may run Python code
    for (Saved& s : saved_) s.reset();
  }
  Owned saved_tensors() {
    if (released_) fail_released(*this);
    Owned tuple(checked(PyTuple_New(static_cast<Py_ssize_t>(saved_.size()))));
    for (size_t i = 0; i < saved_.size(); ++i) {
      const Tensor t = saved_[i].unpack_for_user(this);
      PyTuple_SET_ITEM(tuple.get(), i, t ? wrap(t) : none());
    }
    return tuple;
  }

  void apply(std::span<Tensor> grads, std::span<Tensor> out) override {
    const GilAcquire gil;
    const Ref<Node> keep = Ref<Node>::share(this);
    Owned args(checked(PyTuple_New(static_cast<Py_ssize_t>(grads.size() + 1))));
    PyTuple_SET_ITEM(args.get(), 0, Py_NewRef(ctx_));
    for (size_t i = 0; i < grads.size(); ++i) {
      if (const Output& out = outputs_[i]; !grads[i] && out.meta && out.materializes)
        grads[i] = zeros(out.meta->shape, out.meta->dtype);
      PyTuple_SET_ITEM(args.get(), i + 1, grads[i] ? wrap(std::move(grads[i])) : none());
    }
    const Owned function = attribute((PyObject*)Py_TYPE(ctx_), "_backward");
    Owned result = called(function.get(), args.get());
    if (!PyTuple_Check(result.get())) result = Owned(checked(PyTuple_Pack(1, result.get())));
    take_gradients(result.get(), out);
  }

  // Where a method of the Function begins; put together only for an error.
  struct Place {
    PyObject* ctx;
    const char* method;
    std::string str() const {
      const Owned function = attribute((PyObject*)Py_TYPE(ctx), "_forward_cls");
      const Owned found(PyObject_GetAttrString(function.get(), method));
      if (found) return place_of(found.get());
      PyErr_Clear();
      return "";
    }
  };
  Place place(const char* method = "backward") const { return {ctx_, method}; }

 private:
  // What the context shows from now on: out of memory, nothing.
  FunctionNode* heir() noexcept {
    try {
      return new FunctionNode(std::move(*this));
    } catch (const Error&) {
      return nullptr;
    }
  }
  FunctionNode(FunctionNode&& dying)
      : Node(std::move(dying)),
        ctx_(dying.ctx_),
        owns_context_(false),
        name_(std::move(dying.name_)),
        arguments_(std::move(dying.arguments_)),
        outputs_(std::move(dying.outputs_)),
        saved_(std::move(dying.saved_)),
        released_(dying.released_) {}

  void take_gradients(PyObject* result, std::span<Tensor> out) {
    Py_ssize_t count = PyTuple_GET_SIZE(result);
    const auto expected = static_cast<Py_ssize_t>(arguments_.size());
    while (count > expected && PyTuple_GET_ITEM(result, count - 1) == Py_None)
      --count;  // as torch: trailing Nones are free
    check(count == expected, "function ", name_, " returned an incorrect number of gradients (expected ", expected,
          ", got ", count, ")", place());
    std::vector<Tensor> checked_grads;
    for (Py_ssize_t i = 0; i < count; ++i) {
      PyObject* value = PyTuple_GET_ITEM(result, i);
      if (!arguments_[i]) {
        check(value == Py_None, "function ", name_, " returned a gradient different than None at position ", i + 1,
              ", but the corresponding forward input was not a Variable", place());
        continue;
      }
      const auto nr = static_cast<int>(checked_grads.size());
      Tensor grad = tensor_or_none(value, nr);
      // As torch: the gradient of an input that needs none may have any shape.
      checked_grads.push_back(has_edge(nr) ? fitting(std::move(grad), *arguments_[i], nr) : std::move(grad));
    }
    for (size_t i = 0; i < out.size(); ++i)
      out[i] = std::move(checked_grads[i]);  // all: hooks see those nobody asked for too
  }

  Tensor tensor_or_none(PyObject* value, int i) const {
    if (value == Py_None) return {};
    if (!is_tensor(value))
      fail("expected Variable or None (got ", Py_TYPE(value)->tp_name, ") as gradient ", i + 1, " of function ", name_,
           place());
    return unwrap(value);
  }

  Tensor fitting(Tensor g, const Meta& meta, int i) const {
    if (!g.defined()) return g;
    if (g.shape() != meta.shape) {
      check(expandable_to(meta.shape, g.shape()), "Function ", name_, " returned an invalid gradient at index ", i,
            " - got ", g.shape(), " but expected shape compatible with ", meta.shape, place());
      g = sum_to(g, meta.shape);
    }
    return g.dtype() == meta.dtype ? g : cast(g, meta.dtype);
  }

  PyObject* ctx_;
  bool owns_context_ = true;
  std::string name_;
  std::vector<std::optional<Meta>> arguments_;
  std::vector<Output> outputs_;
  std::vector<Saved> saved_;
  bool released_ = false;
};

FunctionNode* node_of(PyObject* ctx) { return static_cast<FunctionNode*>(reinterpret_cast<PyNode*>(ctx)->node); }

// ---- one call

bool contains(PyObject* tuple, PyObject* o) {
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(tuple); ++i)
    if (PyTuple_GET_ITEM(tuple, i) == o) return true;
  return false;
}

// The tensors that a method of ctx was given, held: the program may set the attribute at any time. What is no tensor is
// refused in torch's words.
Owned tensors_in(PyObject* tuple, const char* method, bool none_too) {
  if (!tuple || tuple == Py_None) return Owned(checked(PyTuple_New(0)));
  check(PyTuple_Check(tuple), ErrorKind::Type, method, " attribute is expected to be a tuple but is ",
        Py_TYPE(tuple)->tp_name);
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(tuple); ++i) {
    PyObject* o = PyTuple_GET_ITEM(tuple, i);
    if (is_tensor(o) || (none_too && o == Py_None)) continue;
    fail(none_too ? ErrorKind::Type : ErrorKind::Runtime, method, " can only ", none_too ? "save" : "take",
         " variables, but argument ", static_cast<int64_t>(i), " is of type ", Py_TYPE(o)->tp_name);
  }
  return Owned(Py_NewRef(tuple));
}

class Call {
 public:
  Call(PyObject* cls, PyObject* forward_function, PyObject* args) : cls_(cls), args_(args) {
    const Owned backward_cls = attribute(cls, "_backward_cls");
    ctx_ = Owned(PyObject_CallNoArgs(backward_cls.get()));
    if (!ctx_) throw py::error_already_set();
    check(PyObject_TypeCheck(ctx_.get(), context_type), ErrorKind::Type, "_backward_cls made a ",
          Py_TYPE(ctx_.get())->tp_name, ", which is no context of a Function");
    node_ = Ref<Node>::adopt(new FunctionNode(ctx_.get()));
    collect_inputs();
    forward(forward_function);
  }

  PyObject* results() {
    const ForgetMarks at_the_end{c()};
    dirty_ = tensors_in(c()->dirty_tensors, "mark_dirty", false);
    non_differentiable_ = tensors_in(c()->non_differentiable, "mark_non_differentiable", false);
    const bool single = !PyTuple_Check(output_.get());
    Owned outputs = single ? Owned(checked(PyTuple_Pack(1, output_.get()))) : Owned(Py_NewRef(output_.get()));
    check_outputs(outputs.get());
    Owned wrapped = adopt(outputs.get());
    if (executable_) save(outputs.get());
    if (modes.forward) carry_tangents(wrapped.get());
    if (single) return Py_NewRef(PyTuple_GET_ITEM(wrapped.get(), 0));
    return wrapped.release();
  }

 private:
  PyContext* c() const { return context(ctx_.get()); }

  // What the methods of ctx noted. An exception leaves it no less, as a checkpoint's early stop does: the results,
  // which lead to the context, would keep each other alive.
  struct ForgetMarks {
    PyContext* c;
    ~ForgetMarks() {
      for (PyObject** field : {&c->saved_for_forward, &c->to_save, &c->non_differentiable, &c->dirty_tensors})
        Py_CLEAR(*field);
    }
  };
  FunctionNode& node() const { return static_cast<FunctionNode&>(const_cast<Node&>(*node_.get())); }

  void collect_inputs() {
    const Py_ssize_t n = PyTuple_GET_SIZE(args_);
    std::vector<std::optional<FunctionNode::Meta>> metas(static_cast<size_t>(n));
    std::vector<Edge> edges;
    Owned needs(checked(PyTuple_New(n)));
    for (Py_ssize_t i = 0; i < n; ++i) {
      PyObject* o = PyTuple_GET_ITEM(args_, i);
      const bool wanted = is_tensor(o) && requires_grad(impl_of(o));
      PyTuple_SET_ITEM(needs.get(), i, boolean(wanted));
      executable_ |= wanted && modes.grad;
      if (!is_tensor(o)) continue;
      const Borrowed t(o);
      metas[i] = FunctionNode::Meta{t->shape(), t->dtype()};
    }
    for (Py_ssize_t i = 0; executable_ && i < n; ++i)
      if (PyObject* o = PyTuple_GET_ITEM(args_, i); is_tensor(o)) edges.push_back(gradient_edge(Borrowed(o)));
    node().set_inputs(metas, edges);
    c()->needs_input_grad = needs.release();
  }

  void forward(PyObject* function) {
    const NoRecordGuard off;
    const ForwardSwitchedOff no_tangents;
    const LeaveTransforms left;
    const Owned setup = attribute(cls_, "setup_context");
    const Owned inherited = attribute((PyObject*)context_type, "setup_context");
    if (setup.get() == inherited.get()) {  // forward(ctx, *args)
      Owned with_ctx(checked(PyTuple_New(PyTuple_GET_SIZE(args_) + 1)));
      PyTuple_SET_ITEM(with_ctx.get(), 0, Py_NewRef(ctx_.get()));
      for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(args_); ++i)
        PyTuple_SET_ITEM(with_ctx.get(), i + 1, Py_NewRef(PyTuple_GET_ITEM(args_, i)));
      output_ = called(function, with_ctx.get());
      return;
    }
    output_ = called(function, args_);
    const Owned args(checked(PyTuple_Pack(3, ctx_.get(), args_, output_.get())));
    called(setup.get(), args.get());
  }

  // What the program is told when it asks; NoRecordGuard does the rest.
  class ForwardSwitchedOff {
   public:
    ~ForwardSwitchedOff() { set_forward_enabled(before_); }

   private:
    bool before_ = set_forward_enabled(false);
  };

  void check_outputs(PyObject* outputs) const {
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(dirty_.get()); ++i)
      check(contains(outputs, PyTuple_GET_ITEM(dirty_.get(), i)),
            "Some elements marked as dirty during the forward method were not "
            "returned as output. The inputs that are modified inplace must all be outputs of the Function.",
            node().place("forward"));
  }

  bool has_derivative(PyObject* o) const {
    return is_tensor(o) && is_floating(impl_of(o)->dtype) && !contains(non_differentiable_.get(), o);
  }
  bool differentiable(PyObject* o) const { return executable_ && has_derivative(o); }

  Owned adopt(PyObject* outputs) {
    const Py_ssize_t n = PyTuple_GET_SIZE(outputs);
    std::vector<FunctionNode::Output> metas;
    int count = 0;
    for (Py_ssize_t i = 0; i < n; ++i) count += differentiable(PyTuple_GET_ITEM(outputs, i));
    Owned wrapped(checked(PyTuple_New(n)));
    for (Py_ssize_t i = 0; i < n; ++i) {
      PyObject* o = PyTuple_GET_ITEM(outputs, i);
      if (!is_tensor(o)) {
        PyTuple_SET_ITEM(wrapped.get(), i, Py_NewRef(o));
        metas.emplace_back();
        continue;
      }
      const Tensor t = adopt_one(o, static_cast<uint32_t>(i), n, count);
      const bool materializes = c()->materialize_grads && (has_derivative(o) || c()->materialize_non_diff_grads);
      metas.push_back({FunctionNode::Meta{t.shape(), t.dtype()}, materializes});
      PyTuple_SET_ITEM(wrapped.get(), i, wrap(t));
      if (executable_) track_cycles(t);
    }
    node().set_outputs(std::move(metas));
    return wrapped;
  }

  // What an output becomes: torch's table of cases (an input handed back, written to, a view of something, a new
  // tensor).
  Tensor adopt_one(PyObject* o, uint32_t nr, Py_ssize_t outputs, int differentiable_outputs) {
    const Tensor t = unwrap(o);
    const bool is_input = contains(args_, o), dirty = contains(dirty_.get(), o);
    if (dirty) t.bump_version();  // as torch counts: once for the write and once for the mark
    const ViewKind kind = differentiable_outputs > 1 ? ViewKind::MultiOutput : ViewKind::Function;
    if (!differentiable(o)) {
      if (!requires_grad(t)) {
        const Tensor result = is_input && !dirty ? view_as_self(t) : t;
        if (result->base && !dirty) result->view_kind = kind;
        return result;
      }
      if (is_input) return detach(t);
      if (!t->base)
        detach_(t);
      else if (!dirty)
        t->view_kind = kind;
      return t;
    }
    if (dirty && !is_input) warn_of_mark();
    if (dirty) {
      check(!(is_leaf(t) && requires_grad(t)),
            "a leaf Variable that requires grad has been used in an in-place operation.");
      check_inplace(t, true);
      check(!t->base || outputs == 1,
            "If your Function modifies inplace an input that is a view of another Tensor, it cannot "
            "return more than one Tensor: the history of the base would be ambiguous.",
            node().place("forward"));
      if (t->meta) set_grad_of(t, {});  // as in torch: a retained gradient was that of the old value
      const ForwardGuard own_rule(0);   // carry_tangents() calls the user's
      finish_inplace_counted(t, node_, nr);
      return t;
    }
    const Tensor result = is_input ? view_as_self(t) : t;
    if (result->base) result->view_kind = kind;
    set_history(result, node_, nr);
    return result;
  }
  [[gnu::cold, gnu::noinline]] static void warn_of_mark() {
    const char* text =
        "ctx.mark_dirty() received a tensor that was not an input. Only input Tensors that have been mutated should be "
        "passed to ctx.mark_dirty().";
    if (PyErr_WarnEx(PyExc_UserWarning, text, 1)) throw PythonError{};
  }
  // In no_grad mode, as the forward was.
  static Tensor view_as_self(const Tensor& t) {
    const NoRecordGuard off;
    return make_view(t, t.shape(), t.strides());
  }

  void save(PyObject* outputs) {
    const Owned tuple = tensors_in(c()->to_save, "save_for_backward", true);
    std::vector<Saved> saved;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(tuple.get()); ++i) {
      PyObject* o = PyTuple_GET_ITEM(tuple.get(), i);
      if (o == Py_None) {
        saved.emplace_back();
        continue;
      }
      const std::optional<uint32_t> nr = own_output(outputs, o);
      saved.push_back(nr ? Saved::output(unwrap(o), *nr) : Saved(unwrap(o), true));
    }
    if (saved_hooks)
      for (Saved& one : saved) one.pack_unchanged(*saved_hooks, &node());
    node().save(std::move(saved));
  }
  // Which output of the node it is: that is saved without its history, which leads to the node. A view that was written
  // to has a history of its own, which leads here through its base's.
  std::optional<uint32_t> own_output(PyObject* outputs, PyObject* o) const {
    const Borrowed t(o);
    const AutogradMeta* meta = meta_of(*t);
    if (meta && meta->grad_fn.get() == node_.get()) return meta->output_nr;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(outputs); ++i)
      if (PyTuple_GET_ITEM(outputs, i) == o && contains(dirty_.get(), o) && differentiable(o))
        return static_cast<uint32_t>(i);
    return std::nullopt;
  }

  // What jvp is given for one argument.
  struct Given {
    PyObject* argument;  // of forward
    Tensor tangent;      // undefined for what is no tensor, and for None
    bool is_real;        // not zeros in the place of one that is missing
    uint32_t version;    // before jvp
  };

  // The user's jvp, once for each level in which an argument has a tangent; the others get zeros.
  void carry_tangents(PyObject* outputs) {
    forget_originals();  // the user's jvp has its own means
    // What was saved for backward alone, jvp does not see.
    if (!c()->saved_for_forward) c()->saved_for_forward = checked(PyTuple_New(0));
    for (int depth = 0; depth < modes.forward; ++depth) {
      std::vector<Given> given = given_tangents(depth);
      if (std::ranges::none_of(given, &Given::is_real)) continue;
      const ForwardGuard below(depth);
      Owned with_ctx(checked(PyTuple_New(static_cast<Py_ssize_t>(given.size() + 1))));
      PyTuple_SET_ITEM(with_ctx.get(), 0, Py_NewRef(ctx_.get()));
      for (size_t i = 0; i < given.size(); ++i)
        PyTuple_SET_ITEM(with_ctx.get(), i + 1, given[i].tangent ? wrap(given[i].tangent) : none());
      const Owned result = called(attribute(cls_, "jvp").get(), with_ctx.get());
      set_tangents(outputs, result.get(), given, depth);
    }
  }
  std::vector<Given> given_tangents(int depth) const {
    std::vector<Given> given;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(args_); ++i) {
      PyObject* o = PyTuple_GET_ITEM(args_, i);
      Tensor tangent = is_tensor(o) ? tangent_of(Borrowed(o), depth) : Tensor();
      const bool is_real = tangent.defined();
      const ForwardGuard below(depth);
      if (!is_real && is_tensor(o) && c()->materialize_grads && is_floating(impl_of(o)->dtype))
        tangent = zeros_like(unwrap(o));
      const uint32_t version = tangent ? tangent.version() : 0;
      given.push_back({o, std::move(tangent), is_real, version});
    }
    return given;
  }

  void set_tangents(PyObject* outputs, PyObject* result, std::span<const Given> given, int depth) {
    const bool tuple = PyTuple_Check(result);
    const Py_ssize_t expected = PyTuple_GET_SIZE(outputs), found = tuple ? PyTuple_GET_SIZE(result) : 1;
    check(found == expected, "Function's jvp returned an invalid number of forward gradients (expected ", expected,
          " but got ", found, ")", node().place("jvp"));
    for (Py_ssize_t i = 0; i < expected; ++i) {
      PyObject* value = tuple ? PyTuple_GET_ITEM(result, i) : result;
      PyObject* output = PyTuple_GET_ITEM(outputs, i);
      if (value == Py_None || !is_tensor(output)) continue;
      if (!is_tensor(value))
        fail("expected Variable or None (got ", Py_TYPE(value)->tp_name, ") for grad output ", i, ".",
             node().place("jvp"));
      check(has_derivative(output), "Function's jvp returned a gradient at position ", i,
            ", but  the corresponding forward output is not a differentiable Tensor. You should return None at that "
            "position instead.",
            node().place("jvp"));
      set_one_tangent(output, Borrowed(value), given, depth);
    }
  }

  void set_one_tangent(PyObject* output, const Tensor& tangent, std::span<const Given> given, int depth) {
    const Borrowed out(output);
    check(out->shape() == tangent.shape(),
          "Trying to set a forward gradient that has a different size than that of the original "
          "Tensor, this is not supported. Tensor is of size ",
          out->shape(), " while the given forward gradient is of size ", tangent.shape(), ".", node().place("jvp"));
    if (contains(dirty_.get(), output)) check_written(output, given);
    if (owns_tangents(out)) return set_tangent(out, depth, tangent);
    // A view's is the same window on its owner's, which is the argument that it is a view of.
    check(tangent->base != nullptr || contains(dirty_.get(), output),
          "A custom Function's forward is returning a view (or an input as-is) but the jvp is not returning a view.",
          node().place("jvp"));
    const auto source = std::ranges::find_if(given, [&](const Given& g) {
      return is_tensor(g.argument) && g.tangent && impl_of(g.argument)->storage == (*out)->storage;
    });
    if (source == given.end()) return;
    const Borrowed argument(source->argument);
    if (root(tangent) != root(source->tangent))
      fail("A custom Function is returning a view but the jvp is not returning a view of the ",
           owns_tangents(argument) ? "given grad input." : "same base as the given grad input.", node().place("jvp"));
    if (source->is_real) return follow_tangents(out, argument);
    make_meta(out).owns_tangents = true;
    set_tangent(out, depth, tangent);
  }
  static TensorImpl* root(const Tensor& t) { return t->base ? t->base.get() : t.impl(); }

  void check_written(PyObject* output, std::span<const Given> given) const {
    for (const Given& g : given)
      if (g.argument == output && g.tangent && g.tangent.version() == g.version)
        fail(
            "An inplace custom Function is not modifying the forward mode gradients inplace. If the forward is "
            "modifying an input inplace, then the jvp function must modify the corresponding gradient inplace.",
            node().place("jvp"));
  }

  PyObject* cls_;
  PyObject* args_;
  Ref<Node> node_;
  Owned ctx_, output_, dirty_, non_differentiable_;  // after the node, which outlives them
  bool executable_ = false;
};

// forward's keywords, and with setup_context its defaults, put in order by Python's own rules.
Owned bound_arguments(PyObject* cls, PyObject* const* args, Py_ssize_t count, PyObject* keywords) {
  Owned tuple(checked(PyTuple_New(count)));
  for (Py_ssize_t i = 0; i < count; ++i) PyTuple_SET_ITEM(tuple.get(), i, Py_NewRef(args[i]));
  const Owned bind = attribute(cls, "_bind");
  if (bind.get() == Py_None && !keywords) return tuple;
  const Owned kwargs(checked(PyDict_New()));
  for (Py_ssize_t i = 0; keywords && i < PyTuple_GET_SIZE(keywords); ++i)
    if (PyDict_SetItem(kwargs.get(), PyTuple_GET_ITEM(keywords, i), args[count + i])) throw PythonError{};
  const Owned full(checked(PyTuple_Pack(2, tuple.get(), kwargs.get())));
  return called(bind.get() != Py_None ? bind.get() : attribute(cls, "_bind_after_ctx").get(), full.get());
}

PyObject* function_apply(PyObject* cls, PyObject* const* args, Py_ssize_t count, PyObject* keywords) {
  return guarded([&] {
    const Owned all = bound_arguments(cls, args, count, keywords);
    if (batch_level) [[unlikely]] {
      const Owned packed(checked(PyTuple_Pack(1, all.get())));
      return called(attribute(cls, "_apply_in_vmap").get(), packed.get()).release();
    }
    if (in_differentiation() && attribute(cls, "_bind").get() == Py_None) [[unlikely]]
      return called(attribute(cls, "_refuse_without_setup").get(), Owned(PyTuple_New(0)).get()).release();
    return in_op(reinterpret_cast<PyTypeObject*>(cls)->tp_name,
                 [&] { return Call(cls, attribute(cls, "forward").get(), all.get()).results(); });
  });
}

// _call(forward, args): the call itself, with what takes the place of the class's forward.
PyObject* function_call(PyObject* cls, PyObject* arguments) {
  PyObject *forward, *args;
  if (!PyArg_ParseTuple(arguments, "OO!", &forward, &PyTuple_Type, &args)) return nullptr;
  return guarded([&] { return Call(cls, forward, args).results(); });
}

// A Function that has no setup_context of its own inherits this one, and its forward takes the context.
PyObject* no_setup_context(PyObject*, PyObject*, PyObject*) {
  PyErr_SetString(PyExc_NotImplementedError, "setup_context is not implemented.");
  return nullptr;
}

// ---- the type

PyObject* context_new(PyTypeObject* type, PyObject*, PyObject*) {
  PyObject* self = type->tp_alloc(type, 0);
  if (self) context(self)->materialize_grads = context(self)->materialize_non_diff_grads = 1;
  return self;
}

int context_traverse(PyObject* self, visitproc visit, void* arg) {
  Py_VISIT(Py_TYPE(self));
  for (const auto field : kFields) Py_VISIT(context(self)->*field);
  const FunctionNode* node = node_of(self);
  if (!node || !node->is_owned_by_context()) return 0;
  return node->traverse_all(reinterpret_cast<int (*)(void*, void*)>(visit), arg);
}
int context_clear(PyObject* self) {
  for (const auto field : kFields) Py_CLEAR(context(self)->*field);
  if (const FunctionNode* node = node_of(self); node && node->is_owned_by_context())
    Ref<Node>::adopt(std::exchange(context(self)->base.node, nullptr)).reset();
  return 0;
}
void context_dealloc(PyObject* self) {
  PyTypeObject* type = Py_TYPE(self);
  PyObject_GC_UnTrack(self);
  if (context(self)->weakrefs) PyObject_ClearWeakRefs(self);
  context_clear(self);
  type->tp_free(self);
  Py_DECREF(type);
}

PyObject* context_saved(PyObject* self, void*) {
  return guarded([&] {
    if (PyObject* forward = context(self)->saved_for_forward) return Py_NewRef(forward);  // within jvp
    if (!node_of(self)) return checked(PyTuple_New(0));
    const Ref<Node> node = live_node(self);
    return static_cast<FunctionNode&>(*node).saved_tensors().release();
  });
}

PyMethodDef kContextMethods[] = {
    {"apply", reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(function_apply)),
     METH_FASTCALL | METH_KEYWORDS | METH_CLASS,
     "apply(*args)\n\nRuns forward on the arguments and records the call, so that backward is used for its gradient."},
    {"_call", function_call, METH_VARARGS | METH_CLASS, nullptr},
    {"setup_context", reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(no_setup_context)),
     METH_VARARGS | METH_KEYWORDS | METH_STATIC,
     "setup_context(ctx, inputs, output)\n\nFills in the context when forward does not take it: both are given what "
     "forward got and returned."},
    {nullptr, nullptr, 0, nullptr}};
PyGetSetDef kContextAttributes[] = {{"saved_tensors", context_saved, nullptr,
                                     "What save_for_backward() kept, checked for having been modified.", nullptr},
                                    {"__dict__", PyObject_GenericGetDict, PyObject_GenericSetDict, nullptr, nullptr},
                                    {nullptr, nullptr, nullptr, nullptr, nullptr}};
PyMemberDef kContextMembers[] = {
    {"to_save", T_OBJECT, offsetof(PyContext, to_save), 0, nullptr},
    {"saved_for_forward", T_OBJECT, offsetof(PyContext, saved_for_forward), 0, nullptr},
    {"non_differentiable", T_OBJECT, offsetof(PyContext, non_differentiable), 0, nullptr},
    {"dirty_tensors", T_OBJECT, offsetof(PyContext, dirty_tensors), 0, nullptr},
    {"needs_input_grad", T_OBJECT, offsetof(PyContext, needs_input_grad), 0,
     "For each argument, whether it needs a gradient."},
    {"materialize_grads", T_BOOL, offsetof(PyContext, materialize_grads), 0, nullptr},
    {"_materialize_non_diff_grads", T_BOOL, offsetof(PyContext, materialize_non_diff_grads), 0, nullptr},
    {"__dictoffset__", T_PYSSIZET, offsetof(PyContext, dict), READONLY, nullptr},
    {"__weaklistoffset__", T_PYSSIZET, offsetof(PyContext, weakrefs), READONLY, nullptr},
    {nullptr, 0, 0, 0, nullptr}};

}  // namespace

void add_function(const py::object& m) {
  static PyType_Slot slots[] = {{Py_tp_new, reinterpret_cast<void*>(context_new)},
                                {Py_tp_dealloc, reinterpret_cast<void*>(context_dealloc)},
                                {Py_tp_traverse, reinterpret_cast<void*>(context_traverse)},
                                {Py_tp_clear, reinterpret_cast<void*>(context_clear)},
                                {Py_tp_methods, kContextMethods},
                                {Py_tp_getset, kContextAttributes},
                                {Py_tp_members, kContextMembers},
                                {Py_tp_doc, const_cast<char*>("What custom Functions and their contexts are made of.")},
                                {0, nullptr}};
  static PyType_Spec spec = {"gradcore._C._FunctionBase", sizeof(PyContext), 0,
                             Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC, slots};
  context_type =
      reinterpret_cast<PyTypeObject*>(PyType_FromModuleAndSpec(m.ptr(), &spec, reinterpret_cast<PyObject*>(node_type)));
  if (!context_type) throw py::error_already_set();
  m.attr("_FunctionBase") = py::reinterpret_borrow<py::object>(reinterpret_cast<PyObject*>(context_type));
}

}  // namespace gradcore
