// Elementwise ops of one, two and three operands.
#include <array>

#include "bindings/ops/register.h"
#include "formulas/all.h"
#include "formulas/traits.h"
#include "ops/derived.h"
#include "ops/formula_functions.h"
#include "ops/pointwise.h"
#include "ops/reduce.h"
#include "ops/special.h"

namespace gradcore {

namespace {

// ---- rows that follow from a formula

namespace from_formulas {

using namespace formulas;

// What a formula's rows say besides its name, where they say something else than most.
struct Face {
  std::string_view also = {};                           // further names, with spaces between
  std::string_view left = "Tensor", right = "Operand";  // what stands on either side of two
  std::string_view other = "other";                     // and the name of that
  Out out = Out::Converts;
  bool in_place = true;            // whether there is an in-place op
  bool number_left = false;        // whether a function takes a number on the left and a tensor on the right
  OpKind in_place_kind = kMethod;  // of two operands, where torch has it as a function too: kBoth
};
constexpr Face kPolynomial{.other = "n", .number_left = true};
template <class Op> constexpr Face face = IndexIn<Op, Polynomials>::value < 0 ? Face{} : kPolynomial;

// Formulas that are parts of ops, or whose ops have parameters: their rows stand below.
using OwnRows =
    TypeList<Add, AddScaled, Sub, SubScaled, Rsub, Div, PowScalar, PowZero, PowOne, PowTwo, PowThree, PowFour, PowHalf,
             PowMinusOne, PowMinusTwo, PowMinusHalf, PowOneAndHalf, Pow, PowNumber, DivFloor, DivTrunc, Isnan, Isinf,
             Isfinite, ClampMin, ClampMax, ClampOnlyMin, ClampOnlyMax, Clamp, ClampMinTensor, ClampMaxTensor,
             ClampOnlyMinTensor, ClampOnlyMaxTensor, ReluBackward, Heaviside, Nextafter, NextafterHalf, Isposinf,
             Isneginf, FrexpMantissa, FrexpExponent, Gelu, GeluTanh, Prelu, Hardsigmoid, Hardswish, Silu, Mish,
             LogSigmoid, Glu, MseLoss, BinaryCrossEntropy, BinaryCrossEntropyWithLogits, IsProbability>;

template <> constexpr Face face<Abs>{.also = "absolute", .out = Out::Exact};
template <> constexpr Face face<Neg>{.also = "negative", .out = Out::Exact};
template <> constexpr Face face<Sign>{.out = Out::Exact};
template <> constexpr Face face<Floor>{.out = Out::Exact};
template <> constexpr Face face<Ceil>{.out = Out::Exact};
template <> constexpr Face face<Round>{.out = Out::Exact};
template <> constexpr Face face<Frac>{.out = Out::Exact};
template <> constexpr Face face<Trunc>{.also = "fix", .out = Out::Exact};
template <> constexpr Face face<BitwiseNot>{.out = Out::Exact};
template <> constexpr Face face<Angle>{.in_place = false};
template <> constexpr Face face<Asin>{.also = "arcsin"};
template <> constexpr Face face<Acos>{.also = "arccos"};
template <> constexpr Face face<Atan>{.also = "arctan"};
template <> constexpr Face face<Asinh>{.also = "arcsinh"};
template <> constexpr Face face<Acosh>{.also = "arccosh"};
template <> constexpr Face face<Atanh>{.also = "arctanh"};
template <> constexpr Face face<Sgn>{.out = Out::Exact};
template <> constexpr Face face<Signbit>{.out = Out::Exact, .in_place = false};

template <> constexpr Face face<Mul>{.also = "multiply", .left = "Operand"};
template <> constexpr Face face<FloorDivide>{.left = "Operand"};
template <> constexpr Face face<BitwiseAnd>{.number_left = true};
template <> constexpr Face face<BitwiseOr>{.number_left = true};
template <> constexpr Face face<BitwiseXor>{.number_left = true};
template <> constexpr Face face<LeftShift>{.number_left = true};
template <> constexpr Face face<RightShift>{.number_left = true};
template <> constexpr Face face<Ne>{.also = "not_equal"};
template <> constexpr Face face<Lt>{.also = "less"};
template <> constexpr Face face<Le>{.also = "less_equal"};
template <> constexpr Face face<Gt>{.also = "greater"};
template <> constexpr Face face<Ge>{.also = "greater_equal"};
template <> constexpr Face face<Atan2>{.also = "arctan2", .right = "Tensor"};
template <> constexpr Face face<Hypot>{.right = "Tensor"};
template <> constexpr Face face<LogicalAnd>{.right = "Tensor"};
template <> constexpr Face face<LogicalOr>{.right = "Tensor"};
template <> constexpr Face face<LogicalXor>{.right = "Tensor"};
template <> constexpr Face face<Fmax>{.right = "Tensor", .in_place = false};
template <> constexpr Face face<Fmin>{.right = "Tensor", .in_place = false};
template <> constexpr Face face<Logaddexp>{.right = "Tensor", .in_place = false};
template <> constexpr Face face<Logaddexp2>{.right = "Tensor", .in_place = false};
template <> constexpr Face face<Gcd>{.right = "Tensor", .in_place_kind = kBoth};
template <> constexpr Face face<Lcm>{.right = "Tensor", .in_place_kind = kBoth};
template <> constexpr Face face<Ldexp>{.right = "Tensor", .in_place_kind = kBoth};
template <> constexpr Face face<Xlogy>{.number_left = true, .in_place_kind = kBoth};
template <> constexpr Face face<Xlog1py>{.number_left = true};
template <> constexpr Face face<Zeta>{.number_left = true};
template <> constexpr Face face<Igamma>{.right = "Tensor"};
template <> constexpr Face face<Igammac>{.right = "Tensor"};
template <> constexpr Face face<Maximum>{.also = "max", .right = "Tensor", .in_place = false};
template <> constexpr Face face<Minimum>{.also = "min", .right = "Tensor", .in_place = false};

// Each name with an underscore.
constexpr Draft in_place(std::string_view names) {
  Draft out;
  for (const char& c : names) out.add(c == ' ' ? std::string_view("_ ") : std::string_view(&c, 1));
  if (!names.empty()) out.add("_");
  return out;
}
template <class Op> struct InPlaceName {
  static constexpr Draft make() { return in_place(Op::info.name); }
};
template <class Op> struct InPlaceAlso {
  static constexpr Draft make() { return in_place(face<Op>.also); }
};
template <class Op> struct FreshSignature {
  static constexpr Draft make() {
    return draft("(", face<Op>.left, " input, ", face<Op>.right, " ", face<Op>.other,
                 ", *, Tensor? out=None) -> Tensor");
  }
};
template <class Op> struct NumberLeftSignature {
  static constexpr Draft make() {
    return draft("(Number input, Tensor ", face<Op>.other, ", *, Tensor? out=None) -> Tensor");
  }
};
template <class Op> struct InPlaceSignature {
  static constexpr Draft make() { return draft("(Tensor input, ", face<Op>.right, " other) -> Tensor"); }
};

// Those of the package `special` are functions alone, and _C keeps them under names that nobody imports by a star.
template <class Op> constexpr bool kIsSpecial = std::string_view(Op::info.name).starts_with("special_");
template <class Op> constexpr OpKind kKind = kIsSpecial<Op> ? kFunction : kBoth;
template <class Op> struct FreshName {
  static constexpr Draft make() { return draft(kIsSpecial<Op> ? "_" : "", std::string_view(Op::info.name)); }
};
template <class Op> consteval OpRow fresh_row() {
  if constexpr (Op::kArity == 1)
    return op(stored<FreshName<Op>>(), "(Tensor input, *, Tensor? out=None) -> Tensor", fn<unary<Op>>,
              {.kind = kKind<Op>, .also = face<Op>.also, .out = face<Op>.out, .into = into<unary_call<Op>>});
  else
    return op(stored<FreshName<Op>>(), stored<FreshSignature<Op>>(), fn<binary<Op>>,
              {.kind = kKind<Op>, .also = face<Op>.also, .out = face<Op>.out, .into = into<binary_call<Op>>});
}
template <class Op> consteval OpRow number_left_row() {
  return op(stored<FreshName<Op>>(), stored<NumberLeftSignature<Op>>(), fn<binary<Op>>,
            {.kind = kFunction, .also = face<Op>.also, .out = face<Op>.out});
}
template <class Op> consteval OpRow in_place_row() {
  if constexpr (Op::kArity == 1)
    return op(stored<InPlaceName<Op>>(), "(Tensor input) -> Tensor", fn<unary_<Op>>,
              {.also = stored<InPlaceAlso<Op>>()});
  else
    return op(stored<InPlaceName<Op>>(), stored<InPlaceSignature<Op>>(), fn<binary_<Op>>,
              {.kind = face<Op>.in_place_kind, .also = stored<InPlaceAlso<Op>>()});
}

template <class Op> constexpr bool kHasRows = Op::kArity < 3 && params_of<Op> == 0 && IndexIn<Op, OwnRows>::value < 0;
template <class Op> constexpr bool kHasInPlaceRow = face<Op>.in_place && !kIsSpecial<Op>;
template <class Op> constexpr bool kHasNumberLeftRow = Op::kArity == 2 && face<Op>.number_left;
template <class Op> constexpr int row_count() {
  return kHasRows<Op> ? 1 + kHasNumberLeftRow<Op> + kHasInPlaceRow<Op> : 0;
}
template <class Op> consteval void add_rows(OpRow*& to) {
  if constexpr (kHasRows<Op>) {
    *to++ = fresh_row<Op>();
    if constexpr (kHasNumberLeftRow<Op>) *to++ = number_left_row<Op>();
    if constexpr (kHasInPlaceRow<Op>) *to++ = in_place_row<Op>();
  }
}
template <class... Op> consteval auto rows_of(TypeList<Op...>) {
  std::array<OpRow, (row_count<Op>() + ... + 0)> rows{};
  OpRow* to = rows.data();
  (add_rows<Op>(to), ...);
  return rows;
}
template <class Group> constexpr auto kGroupRows = rows_of(Group{});
template <class... Group> void register_groups(TypeList<Group...>) {
  (register_rows(kGroupRows<Group>, Halves::Native), ...);
}

}  // namespace from_formulas

// ---- with parameters, or with forms of their own

using formulas::Logit;

constexpr OpRow kRows[] = {
    // A number on the left, where torch's function takes one.
    op("remainder(Number input, Tensor other) -> Tensor", fn<remainder>, {.kind = kFunction}),
    op("div(Operand input, Operand other, *, str? rounding_mode=None, Tensor? out=None) -> Tensor",
       [](const Operand& a, const Operand& b, const RoundingMode& mode) { return div(a, b, mode); },
       {.also = "divide true_divide"}),
    op("div_(Tensor input, Operand other, *, str? rounding_mode=None) -> Tensor",
       [](const Tensor& a, const Operand& b, const RoundingMode& mode) { div_(a, b, mode); },
       {.kind = kMethod, .also = "divide_ true_divide_"}),
    op("add(Operand input, Operand other, *, Number alpha=1, Tensor? out=None) -> Tensor", fn<add>,
       {.into = into<calls::add>}),
    op("add_(Tensor input, Operand other, *, Number alpha=1) -> Tensor", fn<add_>, {.kind = kMethod}),
    op("sub(Operand input, Operand other, *, Number alpha=1, Tensor? out=None) -> Tensor", fn<sub>,
       {.also = "subtract", .into = into<calls::sub>}),
    op("sub_(Tensor input, Operand other, *, Number alpha=1) -> Tensor", fn<sub_>,
       {.kind = kMethod, .also = "subtract_"}),
    op("rsub(Tensor input, Operand other, *, Number alpha=1) -> Tensor", fn<rsub>, {.kind = kFunction}),
    op("pow(Tensor input, Operand exponent, *, Tensor? out=None) -> Tensor", fn<pow>, {.into = into<calls::pow>}),
    op("pow(Number input, Tensor exponent, *, Tensor? out=None) -> Tensor", fn<pow>, {.kind = kFunction}),
    op("pow_(Tensor input, Operand exponent) -> Tensor", fn<pow_>, {.kind = kMethod}),
    op("square(Tensor input, *, Tensor? out=None) -> Tensor", fn<square>),
    op("square_(Tensor input) -> Tensor", fn<square_>),
    op("logit(Tensor input, float? eps=None, *, Tensor? out=None) -> Tensor", fn<with_params<Logit, MaybeNumber>>),
    op("logit_(Tensor input, float? eps=None) -> Tensor", fn<with_params_<Logit, MaybeNumber>>),
    op("polygamma(int n, Tensor input, *, Tensor? out=None) -> Tensor",
       [](int64_t n, const Tensor& t) { return polygamma(t, n); }, {.kind = kFunction}),
    op("polygamma(Tensor input, int n) -> Tensor", fn<polygamma>, {.kind = kMethod}),
    op("polygamma_(Tensor input, int n) -> Tensor", fn<polygamma_>, {.kind = kMethod}),
    op("mvlgamma(Tensor input, int p, *, Tensor? out=None) -> Tensor", fn<mvlgamma>),
    op("mvlgamma_(Tensor input, int p) -> Tensor", fn<mvlgamma_>, {.kind = kMethod}),
    op("nan_to_num(Tensor input, float? nan=None, float? posinf=None, float? neginf=None, *, Tensor? out=None) -> "
       "Tensor",
       fn<nan_to_num>, {.out = Out::Exact}),
    op("nan_to_num_(Tensor input, float? nan=None, float? posinf=None, float? neginf=None) -> Tensor", fn<nan_to_num_>),
    op("heaviside(Tensor input, Tensor values, *, Tensor? out=None) -> Tensor", fn<heaviside>, {.out = Out::Exact}),
    op("heaviside_(Tensor input, Tensor values) -> Tensor", fn<heaviside_>, {.kind = kMethod}),
    op("nextafter(Tensor input, Tensor other, *, Tensor? out=None) -> Tensor", fn<nextafter>),
    op("nextafter_(Tensor input, Tensor other) -> Tensor", fn<nextafter_>, {.kind = kMethod}),
    op("float_power(Tensor input, Operand exponent, *, Tensor? out=None) -> Tensor", fn<float_power>,
       {.out = Out::Exact}),
    op("float_power(Number input, Tensor exponent, *, Tensor? out=None) -> Tensor", fn<float_power>,
       {.kind = kFunction, .out = Out::Exact}),
    op("float_power_(Tensor input, Operand exponent) -> Tensor", fn<float_power_>, {.kind = kMethod}),
    op("frexp(Tensor input, *, Tensor[]? out=None) -> (Tensor mantissa, Tensor exponent)", fn<frexp>,
       {.out = Out::Exact}),
    op("_special_ndtr(Tensor input, *, Tensor? out=None) -> Tensor", fn<ndtr>, {.kind = kFunction}),
    op("is_nonzero(Tensor input) -> bool", fn<is_nonzero>),
    op("positive(Tensor input) -> Tensor", fn<positive>),
    op("round(Tensor input, *, int decimals, Tensor? out=None) -> Tensor", fn<round_to>,
       {.out = Out::Exact, .halves = Halves::AsFloats}),
    op("round_(Tensor input, *, int decimals) -> Tensor", fn<round_to_>, {.halves = Halves::AsFloats}),
    op("isnan(Tensor input) -> Tensor", fn<isnan>),
    op("isinf(Tensor input) -> Tensor", fn<isinf>),
    op("isfinite(Tensor input) -> Tensor", fn<isfinite>),
    op("isposinf(Tensor input, *, Tensor? out=None) -> Tensor", fn<isposinf>, {.out = Out::Exact}),
    op("isneginf(Tensor input, *, Tensor? out=None) -> Tensor", fn<isneginf>, {.out = Out::Exact}),
    op("clamp(Tensor input, Operand? min=None, Operand? max=None, *, Tensor? out=None) -> Tensor", fn<clamp>,
       {.also = "clip"}),
    op("clamp_(Tensor input, Operand? min=None, Operand? max=None) -> Tensor", fn<clamp_>, {.also = "clip_"}),
    op("clamp_min(Tensor input, Operand min, *, Tensor? out=None) -> Tensor", fn<clamp_min>),
    op("clamp_max(Tensor input, Operand max, *, Tensor? out=None) -> Tensor", fn<clamp_max>),
    op("clamp_min_(Tensor input, Operand min) -> Tensor", fn<clamp_min_>),
    op("clamp_max_(Tensor input, Operand max) -> Tensor", fn<clamp_max_>),
    op("isclose(Tensor input, Tensor other, float rtol=1e-05, float atol=1e-08, bool equal_nan=False) -> Tensor",
       fn<isclose>),
    op("allclose(Tensor input, Tensor other, float rtol=1e-05, float atol=1e-08, bool equal_nan=False) -> bool",
       fn<allclose>),
    op("equal(Tensor input, Tensor other) -> bool", fn<equal>),
    // ---- three operands
    op("where(Tensor condition, Operand input, Operand other, *, Tensor? out=None) -> Tensor", fn<where>,
       {.kind = kFunction, .out = Out::Exact}),
    op("where(Tensor input, Tensor condition, Operand other) -> Tensor",
       [](const Tensor& t, const Tensor& condition, const Operand& other) { return where(condition, t, other); },
       {.kind = kMethod}),
    op("where(Tensor condition) -> Tensor[]", fn<nonzero_by_dim>, {.kind = kFunction}),
    op("masked_fill(Tensor input, Tensor mask, Operand value) -> Tensor", fn<masked_fill>),
    op("masked_fill_(Tensor input, Tensor mask, Operand value) -> Tensor", fn<masked_fill_>, {.kind = kMethod}),
    op("lerp(Tensor input, Tensor end, Tensor weight, *, Tensor? out=None) -> Tensor",
       [](const Tensor& t, const Tensor& end, const Tensor& weight) { return lerp(t, end, weight); },
       {.out = Out::ExactOfDims}),
    op("lerp(Tensor input, Tensor end, Operand weight, *, Tensor? out=None) -> Tensor", fn<lerp>),
    op("lerp_(Tensor input, Tensor end, Operand weight) -> Tensor", fn<lerp_>, {.kind = kMethod}),
    op("addcmul(Tensor input, Tensor tensor1, Tensor tensor2, *, Number value=1, Tensor? out=None) -> Tensor",
       fn<addcmul>),
    op("addcmul_(Tensor input, Tensor tensor1, Tensor tensor2, *, Number value=1) -> Tensor", fn<addcmul_>,
       {.kind = kMethod}),
    op("addcdiv(Tensor input, Tensor tensor1, Tensor tensor2, *, Number value=1, Tensor? out=None) -> Tensor",
       fn<addcdiv>),
    op("addcdiv_(Tensor input, Tensor tensor1, Tensor tensor2, *, Number value=1) -> Tensor", fn<addcdiv_>,
       {.kind = kMethod}),
};

// ---- the factor in the middle, as old programs give it

template <auto f>
constexpr auto with_alpha =
    [](const Tensor& t, const Scalar& alpha, const Tensor& other) { return f(t, other, alpha); };
template <auto f>
constexpr auto alpha_behind =
    [](const Tensor& t, const Scalar& other, const Scalar& alpha) { return f(t, Operand(other), alpha); };
template <auto f>
constexpr auto with_value =
    [](const Tensor& t, const Scalar& value, const Tensor& a, const Tensor& b) { return f(t, a, b, value); };

constexpr OpRow kOldForms[] = {
    op("add(Tensor input, Number alpha, Tensor other) -> Tensor", with_alpha<add>, {.old = true}),
    op("add_(Tensor input, Number alpha, Tensor other) -> Tensor", with_alpha<add_>, {.kind = kMethod, .old = true}),
    op("sub(Tensor input, Number alpha, Tensor other) -> Tensor", with_alpha<sub>, {.old = true}),
    op("add(Tensor input, Number other, Number alpha) -> Tensor", alpha_behind<add>, {.old = true}),
    op("add_(Tensor input, Number other, Number alpha) -> Tensor", alpha_behind<add_>, {.kind = kMethod, .old = true}),
    op("sub(Tensor input, Number other, Number alpha) -> Tensor", alpha_behind<sub>, {.old = true}),
    op("subtract(Tensor input, Number other, Number alpha) -> Tensor", alpha_behind<sub>),
    op("sub_(Tensor input, Number other, Number alpha) -> Tensor", alpha_behind<sub_>, {.kind = kMethod, .old = true}),
    op("subtract_(Tensor input, Number other, Number alpha) -> Tensor", alpha_behind<sub_>, {.kind = kMethod}),
    op("rsub(Tensor input, Number other, Number alpha) -> Tensor", alpha_behind<rsub>, {.kind = kFunction}),
    op("sub_(Tensor input, Number alpha, Tensor other) -> Tensor", with_alpha<sub_>, {.kind = kMethod, .old = true}),
    op("addcmul(Tensor input, Number value, Tensor tensor1, Tensor tensor2) -> Tensor", with_value<addcmul>,
       {.old = true}),
    op("addcmul_(Tensor input, Number value, Tensor tensor1, Tensor tensor2) -> Tensor", with_value<addcmul_>,
       {.kind = kMethod, .old = true}),
    op("addcdiv(Tensor input, Number value, Tensor tensor1, Tensor tensor2) -> Tensor", with_value<addcdiv>,
       {.old = true}),
    op("addcdiv_(Tensor input, Number value, Tensor tensor1, Tensor tensor2) -> Tensor", with_value<addcdiv_>,
       {.kind = kMethod, .old = true}),
};

}  // namespace

void register_elementwise() {
  from_formulas::register_groups(formulas::Groups{});
  register_rows(kRows, Halves::Native);
  register_rows(kOldForms, Halves::Native);
}

}  // namespace gradcore
