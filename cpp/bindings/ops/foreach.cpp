// torch's _foreach_ functions. The table is at the end: a name, the call that it makes for each tensor, the forms it
// takes.
#include "ops/foreach.h"

#include "bindings/ops/register.h"

namespace gradcore {

namespace {

using Numbers = std::vector<Scalar>;

// ---- forms: what stands beside the first list

ForeachArgs alone(const Tensors& self) { return {self, {}, {}}; }
template <class T> ForeachArgs with(const Tensors& self, const T& other) { return {self, {Each(other)}, {}}; }
ForeachArgs with_one(const Tensors& self, const Tensor& other) { return {self, {one_for_all(other)}, {}}; }
ForeachArgs with_one_scaled(const Tensors& self, const Tensor& other, const Scalar& alpha) {
  return {self, {one_for_all(other, alpha)}, Each(alpha)};
}
ForeachArgs with_scaled(const Tensors& self, const Tensors& other, const Scalar& alpha) {
  return {self, {Each(other)}, Each(alpha)};
}
template <class T> ForeachArgs between(const Tensors& self, const Tensors& end, const T& weight) {
  return {self, {Each(end), Each(weight)}, {}};
}
template <class T> ForeachArgs with_product(const Tensors& self, const Tensors& a, const Tensors& b, const T& factor) {
  return {self, {Each(a), Each(b)}, Each(factor)};
}
ForeachArgs with_product_packed(const Tensors& self, const Tensors& a, const Tensors& b, const Tensor& factors) {
  return {self, {Each(a), Each(b)}, Each(packed_scalars(factors, self.size()))};
}

// The functions of a form for one op.
template <MakeCall make, auto form> struct Functions;
template <MakeCall make, class... P, ForeachArgs (*form)(P...)> struct Functions<make, form> {
  static Tensors fresh(P... p) { return for_each_tensor(make, form(p...)); }
  static void in_place(P... p) { for_each_tensor_(make, form(p...)); }
};

// A form, fresh and in place. `params` is what follows the first list in the signature, with a comma.
template <Text name, MakeCall make, auto form, Text params>
constexpr OpRow kForm[] = {
    op(joined<"_foreach_", name>(), joined<"(Tensor[] self", params, ") -> Tensor[]">(),
       fn<Functions<make, form>::fresh>, {.kind = kFunction}),
    op(joined<"_foreach_", name, "_">(), joined<"(Tensor[] self", params, ") -> Tensor[]">(),
       fn<Functions<make, form>::in_place>, {.kind = kFunction}),
};
template <Text name, MakeCall make, auto form, Text params> void add_form() {
  register_rows(kForm<name, make, form, params>, Halves::Native);
}

// ---- the op of each tensor

#define GC_CALL(...) [](const ForeachItem& i) { return calls::__VA_ARGS__; }
constexpr MakeCall kAdd = GC_CALL(add(i.self, i.in[0], i.value));
constexpr MakeCall kSub = GC_CALL(sub(i.self, i.in[0], i.value));
constexpr MakeCall kMul = GC_CALL(mul(i.self, i.in[0]));
constexpr MakeCall kDiv = GC_CALL(div(i.self, i.in[0]));
constexpr MakeCall kPow = GC_CALL(pow(i.self, i.in[0]));
constexpr MakeCall kMaximum = GC_CALL(maximum(i.self, i.in[0]));
constexpr MakeCall kMinimum = GC_CALL(minimum(i.self, i.in[0]));
constexpr MakeCall kClampMin = GC_CALL(clamp_min(i.self, i.in[0]));
constexpr MakeCall kClampMax = GC_CALL(clamp_max(i.self, i.in[0]));
constexpr MakeCall kAddcmul = GC_CALL(addcmul(i.self, i.in[0], i.in[1], i.value));
constexpr MakeCall kAddcdiv = GC_CALL(addcdiv(i.self, i.in[0], i.in[1], i.value));
constexpr MakeCall kLerp = GC_CALL(lerp(i.self, *i.in[0].tensor, i.in[1]));
constexpr MakeCall kPowOfNumber = GC_CALL(pow(i.in[0], i.self));
#undef GC_CALL
template <ElementwiseCall (*call)(const Tensor&)> ElementwiseCall unary(const ForeachItem& i) { return call(i.self); }

template <Text name, ElementwiseCall (*call)(const Tensor&)> void add_unary() {
  add_form<name, unary<call>, alone, "">();
}

// Where two forms fit a call, the one registered first is taken. Hence a tensor for all comes before a number, which a
// tensor without dims would pass for; and numbers before tensors, because torch takes an empty list for one of numbers.
template <Text name, MakeCall make> void add_binary() {
  add_form<name, make, with<Scalar>, ", Number scalar">();
  add_form<name, make, with<Numbers>, ", Number[] scalars">();
  add_form<name, make, with<Tensors>, ", Tensor[] other">();
}
template <Text name, MakeCall make> void add_scaled() {
  add_form<name, make, with<Scalar>, ", Number scalar">();
  add_form<name, make, with<Numbers>, ", Number[] scalars">();
  add_form<name, make, with_scaled, ", Tensor[] other, *, Number alpha=1">();
}
template <Text name, MakeCall make> void add_pointwise() {
  add_form<name, make, with_product_packed, ", Tensor[] tensor1, Tensor[] tensor2, Tensor scalars">();
  add_form<name, make, with_product<Scalar>, ", Tensor[] tensor1, Tensor[] tensor2, Number value=1">();
  add_form<name, make, with_product<Numbers>, ", Tensor[] tensor1, Tensor[] tensor2, Number[] scalars">();
}

constexpr OpRow kOthers[] = {
    op("_foreach_pow(Number self, Tensor[] exponent) -> Tensor[]",
       [](const Scalar& base, const Tensors& exponent) {
         return for_each_tensor(kPowOfNumber, {exponent, {Each(base), {}}, {}});
       },
       {.kind = kFunction}),
    op("_foreach_norm(Tensor[] self, Number ord=2, dtype? dtype=None) -> Tensor[]", fn<foreach_norm>,
       {.kind = kFunction}),
    op("_foreach_max(Tensor[] self) -> Tensor[]", fn<foreach_max>, {.kind = kFunction}),
    op("_foreach_zero_(Tensor[] self) -> Tensor[]", fn<foreach_zero_>, {.kind = kFunction}),
    op("_foreach_copy_(Tensor[] self, Tensor[] src, bool non_blocking=False) -> Tensor[]",
       [](const Tensors& to, const Tensors& from, bool) { foreach_copy_(to, from); }, {.kind = kFunction}),
};

}  // namespace

void register_foreach() {
#define GC_UNARY(f) add_unary<#f, calls::f>()
  GC_UNARY(abs), GC_UNARY(acos), GC_UNARY(asin), GC_UNARY(atan), GC_UNARY(ceil), GC_UNARY(cos), GC_UNARY(cosh);
  GC_UNARY(erf), GC_UNARY(erfc), GC_UNARY(exp), GC_UNARY(expm1), GC_UNARY(floor), GC_UNARY(log), GC_UNARY(log10);
  GC_UNARY(log1p), GC_UNARY(log2), GC_UNARY(neg), GC_UNARY(reciprocal), GC_UNARY(round), GC_UNARY(rsqrt);
  GC_UNARY(sigmoid), GC_UNARY(sign), GC_UNARY(sin), GC_UNARY(sinh), GC_UNARY(sqrt), GC_UNARY(tan), GC_UNARY(tanh);
  GC_UNARY(trunc);
#undef GC_UNARY

  add_form<"add", kAdd, with_one_scaled, ", Tensor other, *, Number alpha=1">();
  add_form<"mul", kMul, with_one, ", Tensor other">();
  add_form<"div", kDiv, with_one, ", Tensor other">();
  add_scaled<"add", kAdd>();
  add_scaled<"sub", kSub>();
  add_binary<"mul", kMul>();
  add_binary<"div", kDiv>();
  add_binary<"maximum", kMaximum>();
  add_binary<"minimum", kMinimum>();
  add_binary<"clamp_min", kClampMin>();
  add_binary<"clamp_max", kClampMax>();
  add_form<"pow", kPow, with<Scalar>, ", Number exponent">();
  add_form<"pow", kPow, with<Numbers>, ", Number[] exponent">();
  add_form<"pow", kPow, with<Tensors>, ", Tensor[] exponent">();
  add_pointwise<"addcmul", kAddcmul>();
  add_pointwise<"addcdiv", kAddcdiv>();
  add_form<"lerp", kLerp, between<Scalar>, ", Tensor[] tensors1, Number weight">();
  add_form<"lerp", kLerp, between<Numbers>, ", Tensor[] tensors1, Number[] weight">();
  add_form<"lerp", kLerp, between<Tensors>, ", Tensor[] tensors1, Tensor[] weights">();
  register_rows(kOthers, Halves::Native);
}

}  // namespace gradcore
