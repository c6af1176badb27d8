// torch's _foreach_ functions. The table is at the end: a name, the call that it makes for each tensor, the
// forms it takes.
#include "ops/foreach.h"

#include "bindings/args.h"

namespace gradcore {

namespace {

// How the last argument of a form is given.
enum class Last { None, Number, Numbers, Tensor, Tensors };

// A form takes `lists` further lists of tensors, then its last argument, then perhaps alpha. With two lists
// (addcmul) the last is the factor, else one more operand.
template <int lists, Last last, bool alpha> ForeachArgs read(const Args& a) {
  ForeachArgs out;
  out.self = a.tensors(0);
  for (int i = 0; i < lists; ++i) out.in[i] = a.tensors(1 + i);
  constexpr int at = 1 + lists;
  Each& to = lists == 2 ? out.value : out.in[lists];
  if constexpr (last == Last::Number) to = a.scalar(at);
  if constexpr (last == Last::Numbers) to = a.scalars(at);
  if constexpr (last == Last::Tensors) to = a.tensors(at);
  if constexpr (last == Last::Tensor && lists == 2) to = packed_scalars(a.tensor(at), out.self.size());
  if constexpr (last == Last::Tensor && lists != 2) {
    const Tensor t = a.tensor(at);
    check(t.dim() == 0, "scalar tensor expected to be 0 dim but it has ", t.dim(), " dimensions and ", t.numel(),
          " elements.");
    // torch adds a tensor as the number that it holds, unless alpha scales it or it wants a gradient.
    const bool as_number = alpha && a.scalar(at + 1).to_double() == 1 && !should_record(t);
    to = as_number ? Each(a.scalar(at)) : Each(t);
  }
  if constexpr (alpha) out.value = a.scalar(at + 1);
  return out;
}

// Registers one form, fresh and in place. `params` is what follows the first list in the signature.
template <MakeCall make, int lists, Last last, bool alpha = false> void add_form(const char* name, const char* params) {
  const std::string signature =
      str_cat("(Tensor[] self", *params ? ", " : "", params, alpha ? ", *, Number alpha=1)" : ")");
  register_op(kFunction, str_cat("_foreach_", name, signature).c_str(),
              [](Args& a) -> PyObject* { return wrap_tuple(for_each_tensor(make, read<lists, last, alpha>(a))); });
  register_op(kFunction, str_cat("_foreach_", name, "_", signature).c_str(), [](Args& a) -> PyObject* {
    for_each_tensor_(make, read<lists, last, alpha>(a));
    return Py_NewRef(a.object(0));
  });
}

// The op of each tensor.
#define CALL(...) [](const ForeachItem& i) { return calls::__VA_ARGS__; }
constexpr MakeCall kAdd = CALL(add(i.self, i.in[0], i.value));
constexpr MakeCall kSub = CALL(sub(i.self, i.in[0], i.value));
constexpr MakeCall kMul = CALL(mul(i.self, i.in[0]));
constexpr MakeCall kDiv = CALL(div(i.self, i.in[0]));
constexpr MakeCall kPow = CALL(pow(i.self, i.in[0]));
constexpr MakeCall kMaximum = CALL(maximum(i.self, i.in[0]));
constexpr MakeCall kMinimum = CALL(minimum(i.self, i.in[0]));
constexpr MakeCall kClampMin = CALL(clamp_min(i.self, i.in[0]));
constexpr MakeCall kClampMax = CALL(clamp_max(i.self, i.in[0]));
constexpr MakeCall kAddcmul = CALL(addcmul(i.self, i.in[0], i.in[1], i.value));
constexpr MakeCall kAddcdiv = CALL(addcdiv(i.self, i.in[0], i.in[1], i.value));
constexpr MakeCall kLerp = CALL(lerp(i.self, *i.in[0].tensor, i.in[1]));
constexpr MakeCall kPowOfNumber = CALL(pow(i.in[0], i.self));
#undef CALL
template <ElementwiseCall (*call)(const Tensor&)> ElementwiseCall unary(const ForeachItem& i) { return call(i.self); }

// Where two forms fit a call, the one registered first is taken. Hence a tensor for all comes before a
// number, which a tensor without dims would pass for; and numbers before tensors, because torch takes an
// empty list for one of numbers.
template <MakeCall make, bool alpha = false>
void add_binary(const char* name, const char* number = "Number scalar", const char* numbers = "Number[] scalars",
                const char* tensors = "Tensor[] other") {
  add_form<make, 0, Last::Number>(name, number);
  add_form<make, 0, Last::Numbers>(name, numbers);
  add_form<make, 0, Last::Tensors, alpha>(name, tensors);
}

template <MakeCall make> void add_pointwise(const char* name) {
  add_form<make, 2, Last::Tensor>(name, "Tensor[] tensor1, Tensor[] tensor2, Tensor scalars");
  add_form<make, 2, Last::Number>(name, "Tensor[] tensor1, Tensor[] tensor2, Number value=1");
  add_form<make, 2, Last::Numbers>(name, "Tensor[] tensor1, Tensor[] tensor2, Number[] scalars");
}

void register_calls() {
#define UNARY(f) add_form<unary<calls::f>, 0, Last::None>(#f, "")
  UNARY(abs), UNARY(acos), UNARY(asin), UNARY(atan), UNARY(ceil), UNARY(cos), UNARY(cosh), UNARY(erf);
  UNARY(erfc), UNARY(exp), UNARY(expm1), UNARY(floor), UNARY(log), UNARY(log10), UNARY(log1p), UNARY(log2);
  UNARY(neg), UNARY(reciprocal), UNARY(round), UNARY(rsqrt), UNARY(sigmoid), UNARY(sign), UNARY(sin);
  UNARY(sinh), UNARY(sqrt), UNARY(tan), UNARY(tanh), UNARY(trunc);
#undef UNARY

  add_form<kAdd, 0, Last::Tensor, true>("add", "Tensor other");
  add_form<kMul, 0, Last::Tensor>("mul", "Tensor other");
  add_form<kDiv, 0, Last::Tensor>("div", "Tensor other");
  add_binary<kAdd, true>("add");
  add_binary<kSub, true>("sub");
  add_binary<kMul>("mul");
  add_binary<kDiv>("div");
  add_binary<kMaximum>("maximum");
  add_binary<kMinimum>("minimum");
  add_binary<kClampMin>("clamp_min");
  add_binary<kClampMax>("clamp_max");
  add_binary<kPow>("pow", "Number exponent", "Number[] exponent", "Tensor[] exponent");

  add_pointwise<kAddcmul>("addcmul");
  add_pointwise<kAddcdiv>("addcdiv");

  add_form<kLerp, 1, Last::Number>("lerp", "Tensor[] tensors1, Number weight");
  add_form<kLerp, 1, Last::Numbers>("lerp", "Tensor[] tensors1, Number[] weight");
  add_form<kLerp, 1, Last::Tensors>("lerp", "Tensor[] tensors1, Tensor[] weights");
}

}  // namespace

void register_foreach() {
  register_calls();
  register_op(kFunction, "_foreach_pow(Number self, Tensor[] exponent)", [](Args& a) -> PyObject* {
    return wrap_tuple(for_each_tensor(kPowOfNumber, {a.tensors(1), {a.scalar(0), {}}, {}}));
  });
  register_op(kFunction, "_foreach_norm(Tensor[] self, Number ord=2, dtype? dtype=None)", [](Args& a) -> PyObject* {
    return wrap_tuple(foreach_norm(a.tensors(0), a.scalar(1), a.maybe_dtype(2)));
  });
  register_op(kFunction, "_foreach_max(Tensor[] self)",
              [](Args& a) -> PyObject* { return wrap_tuple(foreach_max(a.tensors(0))); });
  register_op(kFunction, "_foreach_zero_(Tensor[] self)", [](Args& a) -> PyObject* {
    foreach_zero_(a.tensors(0));
    return Py_NewRef(a.object(0));
  });
  register_op(kFunction, "_foreach_copy_(Tensor[] self, Tensor[] src, bool non_blocking=False)",
              [](Args& a) -> PyObject* {
                foreach_copy_(a.tensors(0), a.tensors(1));
                return Py_NewRef(a.object(0));
              });
}

}  // namespace gradcore
