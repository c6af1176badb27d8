// Typed rows of the register. Start at op(): a row is a signature and a C++ function (or a lambda without captures,
// that only reorders or fills in arguments). How the arguments are converted follows from the function's parameter
// types, and what comes back from its return type; both are checked against the signature when the row is compiled.
//
// A call has three phases: arguments are converted, the function computes, the result is wrapped. Where the tensors are
// large, it computes without the GIL: Note [Away from the GIL] in gil.h.
#pragma once
#include <algorithm>
#include <utility>
#include <variant>

#include "bindings/casting.h"
#include "bindings/device.h"
#include "bindings/gil.h"
#include "ops/ops.h"

namespace gradcore {

// ---- how a parameter is read

// The tensor given as out=, undefined without one; for ops whose result depends on its memory order.
struct OutTensor {
  Tensor tensor;
};

// A tensor that the caller of the op keeps alive, without a count of our own.
class LentTensor {
 public:
  explicit LentTensor(PyObject* o) : t_(Ref<TensorImpl>::adopt(o ? impl_of(o) : nullptr)) {}
  ~LentTensor() {
    if (t_) t_.take().leak();
  }
  LentTensor(const LentTensor&) = delete;
  const Tensor& get() const { return t_; }
  Tensor& lent() { return t_; }
  int64_t work() const { return t_ ? t_.numel() : 0; }

 private:
  Tensor t_;
};

// One parameter of type P, read from position i of the arguments. takes(): which types of a signature fit P. width: how
// many arguments it stands for. work(): how many elements there are to compute on.
template <class P> struct Slot;

template <class T, auto read> struct ValueSlot {
  static constexpr int width = 1;
  ValueSlot(const Args& a, int i) : value_((a.*read)(i)) {}
  const T& get() const { return value_; }
  int64_t work() const { return 0; }

 private:
  T value_;
};
template <class T, auto read> struct MaybeSlot {
  static constexpr int width = 1;
  MaybeSlot(const Args& a, int i) {
    if (a.given(i)) value_ = (a.*read)(i);
  }
  const std::optional<T>& get() const { return value_; }
  int64_t work() const { return 0; }

 private:
  std::optional<T> value_;
};

// A value of a type that the signature calls `kind`, and the same with `?`.
#define GC_SLOT(T, kind, read)                                                                \
  template <> struct Slot<T> : ValueSlot<T, read> {                                           \
    using ValueSlot::ValueSlot;                                                               \
    static constexpr bool takes(const ParamText& p) { return p.type == kind && !p.optional; } \
  };                                                                                          \
  template <> struct Slot<std::optional<T>> : MaybeSlot<T, read> {                            \
    using MaybeSlot::MaybeSlot;                                                               \
    static constexpr bool takes(const ParamText& p) { return p.type == kind && p.optional; }  \
  }
GC_SLOT(int64_t, "int", &Args::integer);
GC_SLOT(double, "float", &Args::number);
GC_SLOT(bool, "bool", &Args::flag);
GC_SLOT(Scalar, "Number", &Args::scalar);
GC_SLOT(DType, "dtype", &Args::dtype);
GC_SLOT(std::string_view, "str", &Args::str);
GC_SLOT(Reduction, "Reduction", &Args::reduction);
#undef GC_SLOT

template <> struct Slot<Dims> : ValueSlot<Dims, &Args::dims> {
  using ValueSlot::ValueSlot;
  static constexpr bool takes(const ParamText& p) { return p.type.starts_with("int[") && !p.optional; }
};
template <> struct Slot<std::optional<Dims>> : MaybeSlot<Dims, &Args::dims> {
  using MaybeSlot::MaybeSlot;
  static constexpr bool takes(const ParamText& p) { return p.type.starts_with("int[") && p.optional; }
};
template <> struct Slot<std::vector<Scalar>> : ValueSlot<std::vector<Scalar>, &Args::scalars> {
  using ValueSlot::ValueSlot;
  static constexpr bool takes(const ParamText& p) { return p.type == "Number[]"; }
};
template <> struct Slot<Generator*> : ValueSlot<Generator*, &Args::generator> {
  using ValueSlot::ValueSlot;
  static constexpr bool takes(const ParamText& p) { return p.type == "Generator"; }
};
// Preserve where it is not given, or that that is left to the op.
template <> struct Slot<MemoryFormat> : ValueSlot<MemoryFormat, &Args::memory_format> {
  using ValueSlot::ValueSlot;
  static constexpr bool takes(const ParamText& p) { return p.type == "MemoryFormat"; }
};
template <> struct Slot<std::optional<MemoryFormat>> : MaybeSlot<MemoryFormat, &Args::memory_format> {
  using MaybeSlot::MaybeSlot;
  static constexpr bool takes(const ParamText& p) { return p.type == "MemoryFormat"; }
};
// For `None dim=None`: a form without the argument that other forms have.
struct NoneArg {};
template <> struct Slot<NoneArg> {
  static constexpr int width = 1;
  static constexpr bool takes(const ParamText& p) { return p.type == "None"; }
  Slot(const Args&, int) {}
  NoneArg get() const { return {}; }
  int64_t work() const { return 0; }
};
struct DeviceArg {
  bool given = false, is_meta = false;
};
template <> struct Slot<DeviceArg> {
  static constexpr int width = 1;
  static constexpr bool takes(const ParamText& p) { return p.type == "device"; }
  Slot(const Args& a, int i) {
    if (a.given(i)) device_ = {true, is_meta_device(a.object(i))};
  }
  const DeviceArg& get() const { return device_; }
  int64_t work() const { return 0; }

 private:
  DeviceArg device_;
};
// Of any type; whoever takes one may run Python code, and keeps the GIL.
template <> struct Slot<PyObject*> : ValueSlot<PyObject*, &Args::object> {
  using ValueSlot::ValueSlot;
  static constexpr bool takes(const ParamText&) { return true; }
};

template <> struct Slot<TensorOptions> {
  static constexpr int width = 4;  // dtype, layout, pin_memory, requires_grad
  static constexpr bool takes(const ParamText& p) { return p.type == "TensorOptions"; }
  Slot(const Args& a, int i) {
    if (a.given(i)) options_.dtype = a.dtype(i);
    a.check_layout(i + 1);
    options_.requires_grad = a.flag(i + 3);
  }
  const TensorOptions& get() const { return options_; }
  int64_t work() const { return 0; }

 private:
  TensorOptions options_;
};

// Undefined for None.
template <> struct Slot<Tensor> {
  static constexpr int width = 1;
  static constexpr bool takes(const ParamText& p) { return p.type == "Tensor"; }
  Slot(const Args& a, int i) : tensor_(a.given(i) ? a.object(i) : nullptr) {}
  const Tensor& get() const { return tensor_.get(); }
  int64_t work() const { return tensor_.work(); }
  void lend_to(Casts& casts) { casts.add(tensor_.lent()); }

 private:
  LentTensor tensor_;
};

template <> struct Slot<Operand> {
  static constexpr int width = 1;
  static constexpr bool takes(const ParamText& p) {
    return (p.type == "Operand" || p.type == "Tensor" || p.type == "Number") && !p.optional;
  }
  Slot(const Args& a, int i) : Slot(a.object(i)) {}
  explicit Slot(PyObject* o)
      : tensor_(gradcore::is_tensor(o) ? o : nullptr),
        operand_(tensor_.get() ? Operand(tensor_.get()) : Operand(to_scalar(o))) {}
  const Operand& get() const { return operand_; }
  int64_t work() const { return tensor_.work(); }
  void lend_to(Casts& casts) { casts.add(tensor_.lent()); }

 private:
  LentTensor tensor_;
  Operand operand_;
};
template <> struct Slot<std::optional<Operand>> {
  static constexpr int width = 1;
  static constexpr bool takes(const ParamText& p) { return p.type == "Operand" && p.optional; }
  Slot(const Args& a, int i) {
    if (!a.given(i)) return;
    held_.emplace(a, i);
    operand_ = held_->get();
  }
  const std::optional<Operand>& get() const { return operand_; }
  int64_t work() const { return held_ ? held_->work() : 0; }
  void lend_to(Casts& casts) {
    if (held_) held_->lend_to(casts);
  }

 private:
  std::optional<Slot<Operand>> held_;
  std::optional<Operand> operand_;
};

template <> struct Slot<std::vector<Tensor>> {
  static constexpr int width = 1;
  static constexpr bool takes(const ParamText& p) { return p.type == "Tensor[]" || p.type == "Tensor..."; }
  Slot(const Args& a, int i) : tensors_(a.tensors(i)) {}
  const std::vector<Tensor>& get() const { return tensors_; }
  int64_t work() const {
    int64_t n = 0;
    for (const Tensor& t : tensors_) n += t.numel();
    return n;
  }
  void lend_to(Casts& casts) { casts.add(tensors_); }

 private:
  std::vector<Tensor> tensors_;
};
template <> struct Slot<std::span<const Tensor>> : Slot<std::vector<Tensor>> {
  using Slot<std::vector<Tensor>>::Slot;
};

template <> struct Slot<OutTensor> {
  static constexpr int width = 0;
  Slot(const Args& a, int) {
    if (PyObject* o = a.out()) out_.tensor = unwrap(o);
  }
  const OutTensor& get() const { return out_; }
  int64_t work() const { return 0; }

 private:
  OutTensor out_;
};

// ---- how a result is given back

inline PyObject* to_python(const Args&, Tensor t) { return wrap(std::move(t)); }
inline PyObject* to_python(const Args&, std::vector<Tensor> t) { return wrap_tuple(std::move(t)); }
inline PyObject* to_python(const Args&, std::pair<Tensor, Tensor> t) {
  return wrap_tuple({std::move(t.first), std::move(t.second)});
}
// Rounds what was computed as float: Note [Computed as floats] in casting.h.
template <class R> void settle(const Casts& casts, R& r) {
  if constexpr (requires { casts.settle(r); }) casts.settle(r);
}
inline void settle(const Casts& casts, ValuesIndices& r) { casts.settle(r.values); }
inline void settle(const Casts& casts, Named& r) { casts.settle(r.parts); }
inline void settle(const Casts& casts, std::variant<Tensor, std::vector<Tensor>>& r) {
  std::visit([&](auto& v) { casts.settle(v); }, r);
}

// As torch.return_types has them.
PyObject* to_python(const Args& a, Named r);
inline PyObject* to_python(const Args& a, ValuesIndices r) {
  return to_python(a, Named{{std::move(r.values), std::move(r.indices)}});
}
inline PyObject* to_python(const Args&, bool v) { return boolean(v); }
inline PyObject* to_python(const Args&, std::variant<Tensor, std::vector<Tensor>> v) {
  if (v.index() == 0) return wrap(std::get<0>(std::move(v)));
  return wrap_tuple(std::get<1>(std::move(v)));
}
inline PyObject* to_python(const Args&, const Dims& shape) { return wrap_shape(shape); }
PyObject* to_python(const Args&, const std::vector<int64_t>& ints);
inline PyObject* to_python(const Args&, int64_t v) { return PyLong_FromLongLong(v); }
inline PyObject* to_python(const Args&, PyObject* o) { return o; }

template <class R> constexpr bool returns_as(std::string_view text) {
  if constexpr (std::is_void_v<R>) return text == "Tensor" || text == "Tensor[]" || text == "None";
  if constexpr (std::is_same_v<R, Tensor>) return text == "Tensor";
  if constexpr (std::is_same_v<R, std::vector<Tensor>>) return text == "Tensor[]";
  if constexpr (std::is_same_v<R, std::pair<Tensor, Tensor>>) return text == "(Tensor, Tensor)";
  if constexpr (std::is_same_v<R, ValuesIndices>) return text == "(Tensor values, Tensor indices)";
  if constexpr (std::is_same_v<R, Named>) return text.starts_with("(Tensor ");
  if constexpr (std::is_same_v<R, std::variant<Tensor, std::vector<Tensor>>>) return text == "Tensor | Tensor[]";
  if constexpr (std::is_same_v<R, Dims>) return text == "Size";
  if constexpr (std::is_same_v<R, std::vector<int64_t>>) return text == "int[]";
  if constexpr (std::is_same_v<R, bool>) return text == "bool";
  if constexpr (std::is_same_v<R, int64_t>) return text == "int";
  return std::is_same_v<R, PyObject*>;
}

// ---- the call

// A function as a type, which op() is given.
template <auto f> struct Fn {
  static constexpr auto function = f;
};
template <auto f> inline constexpr Fn<f> fn{};

// The pointer to a function that op() was given: of an Fn, or of a lambda without captures.
template <class F> struct PointerOf {
  static constexpr auto function = +F{};
};
template <auto f> struct PointerOf<Fn<f>> : Fn<f> {};

// Lets other threads run while it lives, if asked to.
class ComputePhase {
 public:
  explicit ComputePhase(bool release) {
    if (release) [[unlikely]]
      released_.emplace();
  }

 private:
  std::optional<GilRelease> released_;
};

template <int... n> constexpr int sum_of_first(size_t count) {
  constexpr int all[] = {n..., 0};
  int sum = 0;
  for (size_t i = 0; i < count; ++i) sum += all[i];
  return sum;
}

// Calls of functions of one type. The function itself stands in the row, so that all functions of a type share this
// code.
template <class Function> struct Typed;
template <class R, class... P> struct Typed<R (*)(P...)> {
  using Function = R (*)(P...);
  using Result = R;
  template <class T> using SlotOf = Slot<std::remove_cvref_t<T>>;

  // The slots of all parameters, each at its position.
  template <int at, class T> struct Placed : SlotOf<T> {
    explicit Placed(const Args& a) : SlotOf<T>(a, at) {}
  };
  template <class... S> struct Held : S... {
    explicit Held(const Args& a) : S(a)... {}
    R pass_to(const void* function) const {
      return (*static_cast<const Function*>(function))(static_cast<const S&>(*this).get()...);
    }
    void lend_to(Casts& casts) {
      const auto lend = [&]<class T>(T& slot) {
        if constexpr (requires { slot.lend_to(casts); }) slot.lend_to(casts);
      };
      (lend(static_cast<S&>(*this)), ...);
    }
    // Elements to compute on; above some, other threads may run.
    int64_t work() const { return (static_cast<const S&>(*this).work() + ... + 0); }
  };
  template <size_t... k>
  static Held<Placed<sum_of_first<SlotOf<P>::width...>(k), P>...> held_type(std::index_sequence<k...>);
  using Arguments = decltype(held_type(std::index_sequence_for<P...>{}));

  template <class S> static constexpr bool lends = requires(S& slot, Casts& casts) { slot.lend_to(casts); };
  static constexpr bool kTakesTensors = (lends<SlotOf<P>> || ... || false);

  static R compute(const Args& a, const Arguments& held) {
    const ComputePhase phase(leaves(a, held));
    return held.pass_to(a.row().function);
  }
  static PyObject* handle(Args& a) {
    Arguments held(a);
    if constexpr (kTakesTensors)
      if (a.may_cast()) return handle_with_casts(a, held);
    if constexpr (std::is_void_v<R>) {
      compute(a, held);
      return a.row().in_place ? Py_NewRef(a.object(0)) : none();
    } else {
      return to_python(a, compute(a, held));
    }
  }
  [[gnu::noinline]] static PyObject* handle_with_casts(Args& a, Arguments& held) {
    Casts casts;
    held.lend_to(casts);
    const bool any = casts.begin(a);
    if constexpr (std::is_void_v<R>) {
      compute(a, held);
      if (any) casts.write_back();
      return a.row().in_place ? Py_NewRef(a.object(0)) : none();
    } else {
      R result = compute(a, held);
      if (any) {
        casts.write_back();
        settle(casts, result);
      }
      return to_python(a, std::move(result));
    }
  }
  static bool write_into(Args& a, const Tensor& out) {
    const Arguments held(a);
    const ComputePhase phase(leaves(a, held));
    return elementwise_into(held.pass_to(a.row().call), out);
  }
  static bool leaves(const Args& a, const Arguments& held) {
    if constexpr ((std::is_same_v<P, PyObject*> || ...)) return false;
    return held.work() >= kReleaseWork && a.may_leave_gil();
  }

  static consteval void check_signature(std::string_view signature) {
    SignatureReader reader(signature);
    const auto takes_next = [&]<class T>(T*) {
      if constexpr (SlotOf<T>::width != 0) {
        ParamText p;
        do {
          if (!reader.next(p)) throw "the function takes more than the signature says";
        } while (is_special(p.name, p.keyword_only));
        if (!SlotOf<T>::takes(p)) throw "a parameter's type is not the signature's";
      }
    };
    (takes_next(static_cast<std::remove_cvref_t<P>*>(nullptr)), ...);
    for (ParamText p; reader.next(p);)
      if (!is_special(p.name, p.keyword_only)) throw "the signature says more than the function takes";
    if (!returns_as<R>(reader.returns())) throw "the function returns something else than the signature says";
  }
};
template <class Pointer> using TypedCall = Typed<std::remove_const_t<decltype(Pointer::function)>>;

// For a row's `into`: the same op as a call that has not run (calls:: in ops/pointwise.h), which out= can take at once.
struct Into {
  IntoHandler handler = nullptr;
  const void* call = nullptr;
};
template <auto call> inline constexpr Into into{TypedCall<Fn<call>>::write_into, &Fn<call>::function};

// ---- names made of parts, as static data

template <size_t n> struct Text {
  char chars[n];  // with the final zero
  consteval Text(const char (&s)[n]) { std::copy_n(s, n, chars); }
  constexpr std::string_view view() const { return {chars, n - 1}; }
};
template <Text... parts> struct JoinedText {
  char chars[(parts.view().size() + ... + 1)] = {};
  consteval JoinedText() {
    char* at = chars;
    ((at = std::copy_n(parts.chars, parts.view().size(), at)), ...);
  }
  constexpr std::string_view view() const { return {chars, sizeof chars - 1}; }
};
template <Text... parts> inline constexpr JoinedText<parts...> kJoined{};
template <Text... parts> constexpr std::string_view joined() { return kJoined<parts...>.view(); }

// A text while it is put together. (g++ 12 cannot destroy a short std::string in a constant expression.)
struct Draft {
  char chars[256] = {};
  size_t size = 0;
  constexpr void add(std::string_view s) {
    for (const char c : s) chars[size++] = c;
  }
  constexpr std::string_view view() const { return {chars, size}; }
};
template <class... Parts> constexpr Draft draft(const Parts&... parts) {
  Draft out;
  (out.add(parts), ...);
  return out;
}
// The draft that Maker::make() returns, as static data.
template <class Maker> struct StoredText {
  static constexpr size_t size = Maker::make().size;
  char chars[size + 1] = {};
  consteval StoredText() { std::copy_n(Maker::make().chars, size, chars); }
};
template <class Maker> inline constexpr StoredText<Maker> kStored{};
template <class Maker> constexpr std::string_view stored() { return {kStored<Maker>.chars, StoredText<Maker>::size}; }

// What a row says besides its signature and its function.
struct Forms {
  OpKind kind = kBoth;
  std::string_view also = {};  // further names, with spaces between
  Out out = Out::Converts;
  Into into = {};
  bool holds_gil = false;
  Halves halves = Halves::ByFamily;
  Autocast autocast = Autocast::None;
  const char* refuses_halves = nullptr;
  bool old = false;  // a form that torch says is deprecated
};

// Torch says it once, of the first that a program uses.
void warn_of_old_form(const OpRow& row);
template <Handler handler> PyObject* warned(Args& args) {
  warn_of_old_form(args.row());
  return handler(args);
}

template <class F> consteval OpRow op(std::string_view name, std::string_view signature, F, Forms forms = {}) {
  using Pointer = PointerOf<F>;
  using Call = TypedCall<Pointer>;
  Call::check_signature(signature);
  const bool in_place = std::is_void_v<typename Call::Result> && !signature.ends_with("-> None");
  return {.name = name,
          .signature = signature,
          .also = forms.also,
          .handler = forms.old ? warned<Call::handle> : Call::handle,
          .function = &Pointer::function,
          .into = forms.into.handler,
          .call = forms.into.call,
          .kind = forms.kind,
          .out = forms.out,
          .in_place = in_place,
          .holds_gil = forms.holds_gil,
          .halves = forms.halves,
          .autocast = forms.autocast,
          .refuses_halves = forms.refuses_halves};
}
template <class F> consteval OpRow op(std::string_view text, F f, Forms forms = {}) {
  const size_t paren = text.find('(');
  return op(text.substr(0, paren), text.substr(paren), f, forms);
}
// A view takes no time that others could use, and what makes a tensor another window waits for those who are away.
template <class F> consteval OpRow view_op(std::string_view text, F f, Forms forms = {}) {
  forms.holds_gil = true;
  if (forms.halves == Halves::ByFamily) forms.halves = Halves::Native;
  return op(text, f, forms);
}

// ---- the families, one file each

void register_elementwise();
void register_reduce();
void register_scan();
void register_order();
void register_matmul();
void register_activation();
void register_nn();
void register_recurrent();
void register_attention();
void register_convolution();
void register_pooling();
void register_norm();
void register_view();
void register_convert();
void register_join();
void register_index();
void register_create();
void register_random();
void register_foreach();
void register_shapes();
void register_complex();
void register_products();
void register_linalg();
void register_lapack();        // bindings/lapack.cpp
void register_echoes();        // register.cpp
void register_autograd_ops();  // bindings/autograd.cpp

}  // namespace gradcore
