// Elementwise ops of one, two and three operands.
#include "bindings/ops/register.h"
#include "ops/derived.h"

namespace gradcore {

namespace {

// ---- one operand: function and method, and both in place

struct UnaryFacts {
  std::string_view name, also = {}, also_in_place = {};
  Out out = Out::Exact;
};
constexpr UnaryFacts kUnaryFacts[] = {
    {"abs", "absolute", "absolute_"},
    {"neg", "negative", "negative_"},
    {"trunc", "fix", "fix_"},
    {"asin", "arcsin", "arcsin_", Out::Converts},
    {"acos", "arccos", "arccos_", Out::Converts},
    {"atan", "arctan", "arctan_", Out::Converts},
    {"sign"},
    {"floor"},
    {"ceil"},
    {"round"},
    {"bitwise_not"},
};
consteval UnaryFacts facts_of(std::string_view name) {
  for (const UnaryFacts& f : kUnaryFacts)
    if (f.name == name) return f;
  return {name, {}, {}, Out::Converts};
}

#define GC_UNARY_ROWS(f, Op)                                                                     \
  op(#f "(Tensor input, *, Tensor? out=None) -> Tensor", fn<f>,                                  \
     {.also = facts_of(#f).also, .out = facts_of(#f).out, .into = into<calls::f>}),              \
      op(#f "_(Tensor input) -> Tensor", fn<f##_>, {.also = facts_of(#f).also_in_place}),
constexpr OpRow kUnary[] = {GC_UNARY_OPS(GC_UNARY_ROWS)};
#undef GC_UNARY_ROWS

// ---- two operands

// left and right: Tensor, or Operand where torch takes a number as well.
#define GC_BINARY_ROWS(f, left, right, ...)                                                                       \
  op(#f "(" #left " input, " #right " other, *, Tensor? out=None) -> Tensor", fn<f>,                              \
     {.also = "" __VA_ARGS__, .into = into<calls::f>}),                                                           \
      op(#f "_(Tensor input, " #right " other) -> Tensor", fn<f##_>, {.kind = kMethod, .also = in_place("" __VA_ARGS__)})

consteval std::string_view in_place(std::string_view name) {
  constexpr std::pair<std::string_view, std::string_view> kNames[] = {
      {"multiply", "multiply_"}, {"arctan2", "arctan2_"}, {"not_equal", "not_equal_"}, {"greater", "greater_"},
      {"greater_equal", "greater_equal_"}, {"less", "less_"}, {"less_equal", "less_equal_"}};
  for (const auto& [plain, written] : kNames)
    if (plain == name) return written;
  return {};
}

constexpr OpRow kBinary[] = {
    GC_BINARY_ROWS(fmod, Tensor, Operand),
    GC_BINARY_ROWS(remainder, Tensor, Operand),
    GC_BINARY_ROWS(eq, Tensor, Operand),
    GC_BINARY_ROWS(ne, Tensor, Operand, "not_equal"),
    GC_BINARY_ROWS(lt, Tensor, Operand, "less"),
    GC_BINARY_ROWS(le, Tensor, Operand, "less_equal"),
    GC_BINARY_ROWS(gt, Tensor, Operand, "greater"),
    GC_BINARY_ROWS(ge, Tensor, Operand, "greater_equal"),
    GC_BINARY_ROWS(atan2, Tensor, Tensor, "arctan2"),
    GC_BINARY_ROWS(logical_and, Tensor, Tensor),
    GC_BINARY_ROWS(logical_or, Tensor, Tensor),
    GC_BINARY_ROWS(logical_xor, Tensor, Tensor),
    GC_BINARY_ROWS(mul, Operand, Operand, "multiply"),
    GC_BINARY_ROWS(floor_divide, Operand, Operand),
    GC_BINARY_ROWS(bitwise_and, Operand, Operand),
    GC_BINARY_ROWS(bitwise_or, Operand, Operand),
    GC_BINARY_ROWS(bitwise_xor, Operand, Operand),
    GC_BINARY_ROWS(bitwise_left_shift, Operand, Operand),
    GC_BINARY_ROWS(bitwise_right_shift, Operand, Operand),
    // Numbers on the left, where torch's functions take them.
    op("remainder(Number input, Tensor other) -> Tensor", fn<remainder>, {.kind = kFunction}),
    op("maximum(Tensor input, Tensor other, *, Tensor? out=None) -> Tensor", fn<maximum>, {.also = "max"}),
    op("minimum(Tensor input, Tensor other, *, Tensor? out=None) -> Tensor", fn<minimum>, {.also = "min"}),
};
#undef GC_BINARY_ROWS

// ---- with parameters, or with forms of their own

constexpr OpRow kRows[] = {
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
    op("positive(Tensor input) -> Tensor", fn<positive>),
    op("round(Tensor input, *, int decimals, Tensor? out=None) -> Tensor", fn<round_to>, {.out = Out::Exact}),
    op("round_(Tensor input, *, int decimals) -> Tensor", fn<round_to_>),
    op("isnan(Tensor input) -> Tensor", fn<isnan>),
    op("isinf(Tensor input) -> Tensor", fn<isinf>),
    op("isfinite(Tensor input) -> Tensor", fn<isfinite>),
    op("clamp(Tensor input, Operand? min=None, Operand? max=None, *, Tensor? out=None) -> Tensor", fn<clamp>,
       {.also = "clip"}),
    op("clamp_(Tensor input, Operand? min=None, Operand? max=None) -> Tensor", fn<clamp_>, {.also = "clip_"}),
    op("clamp_min(Tensor input, Operand min, *, Tensor? out=None) -> Tensor", fn<clamp_min>),
    op("clamp_max(Tensor input, Operand max, *, Tensor? out=None) -> Tensor", fn<clamp_max>),
    op("clamp_min_(Tensor input, Operand min) -> Tensor", fn<clamp_min_>, {.kind = kMethod}),
    op("clamp_max_(Tensor input, Operand max) -> Tensor", fn<clamp_max_>, {.kind = kMethod}),
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

template <auto f> constexpr auto with_alpha = [](const Tensor& t, const Scalar& alpha, const Tensor& other) {
  return f(t, other, alpha);
};
template <auto f>
constexpr auto with_value = [](const Tensor& t, const Scalar& value, const Tensor& a, const Tensor& b) {
  return f(t, a, b, value);
};

constexpr OpRow kOldForms[] = {
    op("add(Tensor input, Number alpha, Tensor other) -> Tensor", with_alpha<add>),
    op("add_(Tensor input, Number alpha, Tensor other) -> Tensor", with_alpha<add_>, {.kind = kMethod}),
    op("sub(Tensor input, Number alpha, Tensor other) -> Tensor", with_alpha<sub>),
    op("sub_(Tensor input, Number alpha, Tensor other) -> Tensor", with_alpha<sub_>, {.kind = kMethod}),
    op("addcmul(Tensor input, Number value, Tensor tensor1, Tensor tensor2) -> Tensor", with_value<addcmul>),
    op("addcmul_(Tensor input, Number value, Tensor tensor1, Tensor tensor2) -> Tensor", with_value<addcmul_>,
       {.kind = kMethod}),
    op("addcdiv(Tensor input, Number value, Tensor tensor1, Tensor tensor2) -> Tensor", with_value<addcdiv>),
    op("addcdiv_(Tensor input, Number value, Tensor tensor1, Tensor tensor2) -> Tensor", with_value<addcdiv_>,
       {.kind = kMethod}),
};

}  // namespace

void register_elementwise() {
  register_rows(kUnary);
  register_rows(kBinary);
  register_rows(kRows);
  register_rows(kOldForms);
}

}  // namespace gradcore
