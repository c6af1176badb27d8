// Two or three operands in, one out. vjp_a, vjp_b, vjp_c(g, operands..., y, parameters...) give the gradient of each.
#pragma once
#include "core/op_info.h"
#include "formulas/formula.h"

namespace gradcore::formulas {

using enum gradcore::ResultType;

struct Add {
  static constexpr OpInfo info{
      .name = "add", .node = "AddBackward0", .types = kAllTypes, .parameters = {"alpha"}, .fixed = 1};
  template <class V> static constexpr V fwd(V a, V b) { return a + b; }
  template <class V> static constexpr V vjp_a(V g, V, V, V) { return g; }
  template <class V> static constexpr V vjp_b(V g, V, V, V) { return g; }
};
struct AddScaled {
  static constexpr OpInfo info{.name = "add", .node = "AddBackward0", .types = kAllTypes, .parameters = {"alpha"}};
  template <class V> static constexpr V fwd(V a, V b, V alpha) { return a + alpha * b; }
  template <class V> static constexpr V vjp_a(V g, V, V, V, V) { return g; }
  template <class V> static constexpr V vjp_b(V g, V, V, V, V alpha) { return g * alpha; }
};
struct Sub {
  static constexpr OpInfo info{
      .name = "sub", .node = "SubBackward0", .types = kNumbers, .parameters = {"alpha"}, .fixed = 1};
  template <class V> static constexpr V fwd(V a, V b) { return a - b; }
  template <class V> static constexpr V vjp_a(V g, V, V, V) { return g; }
  template <class V> static constexpr V vjp_b(V g, V, V, V) { return -g; }
};
struct SubScaled {
  static constexpr OpInfo info{.name = "sub", .node = "SubBackward0", .types = kNumbers, .parameters = {"alpha"}};
  template <class V> static constexpr V fwd(V a, V b, V alpha) { return a - alpha * b; }
  template <class V> static constexpr V vjp_a(V g, V, V, V, V) { return g; }
  template <class V> static constexpr V vjp_b(V g, V, V, V, V alpha) { return -g * alpha; }
};
// A number minus a tensor.
struct Rsub {
  static constexpr OpInfo info{.name = "rsub",
                               .node = "RsubBackward1",
                               .types = kNumbers,
                               .bare_numbers = true,
                               .parameters = {"alpha"},
                               .fixed = 1};
  template <class V> static constexpr V fwd(V a, V b) { return b - a; }
  template <class V> static constexpr V vjp_a(V g, V, V, V) { return -g; }
  template <class V> static constexpr V vjp_b(V g, V, V, V) { return g; }
};
struct Mul {
  static constexpr OpInfo info{.name = "mul", .node = "MulBackward0", .types = kAllTypes};
  template <class V> static constexpr V fwd(V a, V b) { return a * b; }
  template <class V> static constexpr V vjp_a(V g, V, V b, V) { return g * b; }
  template <class V> static constexpr V vjp_b(V g, V a, V, V) { return g * a; }
};
struct Div {
  static constexpr OpInfo info{.name = "div", .node = "DivBackward0", .result = Float};
  template <class V> static constexpr V fwd(V a, V b) { return a / b; }
  template <class V> static constexpr V vjp_a(V g, V, V b, V) { return g / b; }
  template <class V> static constexpr V vjp_b(V g, V a, V b, V) { return -g * ((a / b) / b); }
};
struct FloorDivide {
  static constexpr OpInfo info{.name = "floor_divide", .types = kNumbers, .cost = 1.5};
  template <class V> static constexpr V fwd(V a, V b) { return floor_divide(a, b); }
};
// div(rounding_mode=...): the same numbers with torch's node, whose gradient is zero.
struct DivFloor {
  static constexpr OpInfo info{.name = "div", .node = "DivBackward1", .types = kNumbers, .cost = 1.5};
  template <class V> static constexpr V fwd(V a, V b) { return floor_divide(a, b); }
  template <class V> static constexpr V vjp_a(V g, V, V, V) { return zeros_of(g); }
  template <class V> static constexpr V vjp_b(V g, V, V, V) { return zeros_of(g); }
};
struct DivTrunc {
  static constexpr OpInfo info{.name = "div", .node = "DivBackward1", .types = kNumbers, .cost = 1.0};
  template <class V> static constexpr V fwd(V a, V b) { return trunc_divide(a, b); }
  template <class V> static constexpr V vjp_a(V g, V, V, V) { return zeros_of(g); }
  template <class V> static constexpr V vjp_b(V g, V, V, V) { return zeros_of(g); }
};
// The gradient of relu as an op of its own: that it does not change with y is part of the graph (a second backward
// gives zeros there, where a mask would end the graph).
struct ReluBackward {
  static constexpr OpInfo info{.name = "threshold_backward", .node = "ThresholdBackwardBackward0", .operands = {}};
  template <class V> static constexpr V fwd(V g, V y) { return relu_backward(g, y); }
  template <class V> static constexpr V vjp_a(V g, V, V y, V) { return relu_backward(g, y); }
  template <class V> static constexpr V vjp_b(V g, V, V, V) { return zeros_of(g); }
};
// Remainder has the divisor's sign (Python's %), fmod the dividend's (C's).
struct Remainder {
  static constexpr OpInfo info{.name = "remainder",
                               .node = "RemainderBackward0",
                               .types = kNumbers,
                               .node_of_tensor = "RemainderBackward1",
                               .bare_numbers = true,
                               .cost = 2.0};
  template <class V> static constexpr V fwd(V a, V b) { return remainder(a, b); }
  template <class V> static constexpr V vjp_a(V g, V, V, V) { return g; }
  template <class V> static constexpr V vjp_b(V g, V a, V b, V) { return -g * floor_divide(a, b); }
};
struct Fmod {
  static constexpr OpInfo info{.name = "fmod",
                               .node = "FmodBackward0",
                               .types = kNumbers,
                               .node_of_tensor = "FmodBackward1",
                               .bare_numbers = true,
                               .cost = 2.0};
  template <class V> static constexpr V fwd(V a, V b) { return fmod(a, b); }
  template <class V> static constexpr V vjp_a(V g, V, V, V) { return g; }
  template <class V> static constexpr V vjp_b(V g, V a, V b, V) { return -g * trunc_divide(a, b); }
};
struct Pow {
  static constexpr OpInfo info{
      .name = "pow", .node = "PowBackward1", .types = kNumbers, .operands = {"self", "exponent"}, .cost = 2.0};
  template <class V> static constexpr V fwd(V a, V b) { return pow(a, b); }
  template <class V> static constexpr V vjp_a(V g, V a, V b, V) {
    return select(eq(b, c<V>(0)), c<V>(0), g * (b * pow(a, b - c<V>(1))));
  }
  // 0**b has slope 0 in b for b >= 0, where log(0) would say -inf.
  template <class V> static constexpr V vjp_b(V g, V a, V b, V y) {
    return select(both(eq(a, c<V>(0)), ge(b, c<V>(0))), c<V>(0), g * (y * log(a)));
  }
};
// A number to the power of a tensor.
struct PowNumber : Pow {
  static constexpr OpInfo info{.name = "pow",
                               .node = "PowBackward2",
                               .types = kNumbers,
                               .bare_numbers = true,
                               .operands = {"self", "exponent"},
                               .cost = 2.0};
};
struct Atan2 {
  static constexpr OpInfo info{.name = "atan2", .node = "Atan2Backward0", .result = Float, .cost = 1.5};
  template <class V> static constexpr V fwd(V a, V b) { return atan2(a, b); }
  template <class V> static constexpr V vjp_a(V g, V a, V b, V) { return g * (b / (a * a + b * b)); }
  template <class V> static constexpr V vjp_b(V g, V a, V b, V) { return g * (-a / (a * a + b * b)); }
};
// A NaN on either side wins; equal operands share the gradient.
struct Maximum {
  static constexpr OpInfo info{.name = "maximum", .node = "MaximumBackward0", .types = kAllTypes};
  template <class V> static constexpr V fwd(V a, V b) { return select(either(gt(a, b), ne(a, a)), a, b); }
  template <class V> static constexpr V vjp_a(V g, V a, V b, V) {
    return select(eq(a, b), g * c<V>(0.5), select(lt(a, b), c<V>(0), g));
  }
  template <class V> static constexpr V vjp_b(V g, V a, V b, V) {
    return select(eq(a, b), g * c<V>(0.5), select(gt(a, b), c<V>(0), g));
  }
};
struct Minimum {
  static constexpr OpInfo info{.name = "minimum", .node = "MinimumBackward0", .types = kAllTypes};
  template <class V> static constexpr V fwd(V a, V b) { return select(either(lt(a, b), ne(a, a)), a, b); }
  template <class V> static constexpr V vjp_a(V g, V a, V b, V) {
    return select(eq(a, b), g * c<V>(0.5), select(gt(a, b), c<V>(0), g));
  }
  template <class V> static constexpr V vjp_b(V g, V a, V b, V) {
    return select(eq(a, b), g * c<V>(0.5), select(lt(a, b), c<V>(0), g));
  }
};
// clamp_min and clamp_max with a tensor as bound: at the bound the gradient is the operand's, a NaN has none.
struct ClampMinTensor : Maximum {
  static constexpr OpInfo info{
      .name = "clamp_min", .node = "ClampMinBackward1", .types = kAllTypes, .operands = {"self", "min"}};
  template <class V> static constexpr V vjp_a(V g, V a, V b, V) { return select(ge(a, b), g, c<V>(0)); }
  template <class V> static constexpr V vjp_b(V g, V a, V b, V) { return select(lt(a, b), g, c<V>(0)); }
};
struct ClampMaxTensor : Minimum {
  static constexpr OpInfo info{
      .name = "clamp_max", .node = "ClampMaxBackward1", .types = kAllTypes, .operands = {"self", "max"}};
  template <class V> static constexpr V vjp_a(V g, V a, V b, V) { return select(le(a, b), g, c<V>(0)); }
  template <class V> static constexpr V vjp_b(V g, V a, V b, V) { return select(gt(a, b), g, c<V>(0)); }
};
// clamp() with one bound goes by clamp()'s name.
struct ClampOnlyMinTensor : ClampMinTensor {
  static constexpr OpInfo info{
      .name = "clamp", .node = "ClampBackward0", .types = kAllTypes, .operands = {"self", "min"}};
};
struct ClampOnlyMaxTensor : ClampMaxTensor {
  static constexpr OpInfo info{
      .name = "clamp", .node = "ClampBackward0", .types = kAllTypes, .operands = {"self", "max"}};
};
struct Eq {
  static constexpr OpInfo info{
      .name = "eq", .result = Bool, .types = kAllTypes, .node_in_place = {"EqBackward0", "EqBackward1"}};
  template <class V> static constexpr auto fwd(V a, V b) { return eq(a, b); }
};
struct Ne {
  static constexpr OpInfo info{
      .name = "ne", .result = Bool, .types = kAllTypes, .node_in_place = {"NeBackward0", "NeBackward1"}};
  template <class V> static constexpr auto fwd(V a, V b) { return ne(a, b); }
};
struct Lt {
  static constexpr OpInfo info{
      .name = "lt", .result = Bool, .types = kAllTypes, .node_in_place = {"LtBackward0", "LtBackward1"}};
  template <class V> static constexpr auto fwd(V a, V b) { return lt(a, b); }
};
struct Le {
  static constexpr OpInfo info{
      .name = "le", .result = Bool, .types = kAllTypes, .node_in_place = {"LeBackward0", "LeBackward1"}};
  template <class V> static constexpr auto fwd(V a, V b) { return le(a, b); }
};
struct Gt {
  static constexpr OpInfo info{
      .name = "gt", .result = Bool, .types = kAllTypes, .node_in_place = {"GtBackward0", "GtBackward1"}};
  template <class V> static constexpr auto fwd(V a, V b) { return gt(a, b); }
};
struct Ge {
  static constexpr OpInfo info{
      .name = "ge", .result = Bool, .types = kAllTypes, .node_in_place = {"GeBackward0", "GeBackward1"}};
  template <class V> static constexpr auto fwd(V a, V b) { return ge(a, b); }
};
struct LogicalAnd {
  static constexpr OpInfo info{.name = "logical_and", .result = Bool, .types = kAllTypes};
  template <class V> static constexpr auto fwd(V a, V b) { return both(ne(a, c<V>(0)), ne(b, c<V>(0))); }
};
struct LogicalOr {
  static constexpr OpInfo info{.name = "logical_or", .result = Bool, .types = kAllTypes};
  template <class V> static constexpr auto fwd(V a, V b) { return either(ne(a, c<V>(0)), ne(b, c<V>(0))); }
};
struct LogicalXor {
  static constexpr OpInfo info{.name = "logical_xor", .result = Bool, .types = kAllTypes};
  template <class V> static constexpr auto fwd(V a, V b) { return differ(ne(a, c<V>(0)), ne(b, c<V>(0))); }
};
struct BitwiseAnd {
  static constexpr OpInfo info{.name = "bitwise_and", .types = kInts | kBools};
  template <class V> static constexpr V fwd(V a, V b) { return bitwise_and(a, b); }
};
struct BitwiseOr {
  static constexpr OpInfo info{.name = "bitwise_or", .types = kInts | kBools};
  template <class V> static constexpr V fwd(V a, V b) { return bitwise_or(a, b); }
};
struct BitwiseXor {
  static constexpr OpInfo info{.name = "bitwise_xor", .types = kInts | kBools};
  template <class V> static constexpr V fwd(V a, V b) { return bitwise_xor(a, b); }
};
struct LeftShift {
  static constexpr OpInfo info{.name = "bitwise_left_shift", .types = kInts};
  template <class V> static constexpr V fwd(V a, V b) { return shift_left(a, b); }
};
struct RightShift {
  static constexpr OpInfo info{.name = "bitwise_right_shift", .types = kInts};
  template <class V> static constexpr V fwd(V a, V b) { return shift_right(a, b); }
};

using BinaryOps = TypeList<Add, AddScaled, Sub, SubScaled, Rsub, Mul, Div, FloorDivide, DivFloor, DivTrunc,
                           ReluBackward, Remainder, Fmod, Pow, PowNumber, Atan2, Maximum, Minimum, ClampMinTensor,
                           ClampMaxTensor, ClampOnlyMinTensor, ClampOnlyMaxTensor, Eq, Ne, Lt, Le, Gt, Ge, LogicalAnd,
                           LogicalOr, LogicalXor, BitwiseAnd, BitwiseOr, BitwiseXor, LeftShift, RightShift>;

// Three operands.
struct Where {
  static constexpr OpInfo info{
      .name = "where", .node = "WhereBackward0", .types = kAllTypes, .mask = 0, .operands = {"condition"}};
  template <class M, class V> static constexpr V fwd(M m, V a, V b) { return select(m, a, b); }
  template <class V, class M> static constexpr V vjp_b(V g, M m, V, V, V) { return select(m, g, c<V>(0)); }
  template <class V, class M> static constexpr V vjp_c(V g, M m, V, V, V) { return select(m, c<V>(0), g); }
};
struct MaskedFill {
  static constexpr OpInfo info{.name = "masked_fill",
                               .node = "MaskedFillBackward0",
                               .types = kAllTypes,
                               .mask = 1,
                               .node_of_tensor = "MaskedFillBackward1",
                               .bare_numbers = true,
                               .dense = true,
                               .operands = {nullptr, "mask"}};
  template <class V, class M> static constexpr V fwd(V x, M m, V value) { return select(m, value, x); }
  template <class V, class M> static constexpr V vjp_a(V g, V, M m, V, V) { return select(m, c<V>(0), g); }
  template <class V, class M> static constexpr V vjp_c(V g, V, M m, V, V) { return select(m, g, c<V>(0)); }
};
struct Addcmul {
  static constexpr OpInfo info{.name = "addcmul",
                               .node = "AddcmulBackward0",
                               .types = kNumbers,
                               .operands = {nullptr, "tensor1", "tensor2"},
                               .parameters = {"value"}};
  template <class V> static constexpr V fwd(V x, V a, V b, V value) { return x + value * a * b; }
  template <class V> static constexpr V vjp_a(V g, V, V, V, V, V) { return g; }
  template <class V> static constexpr V vjp_b(V g, V, V, V b, V, V value) { return g * (b * value); }
  template <class V> static constexpr V vjp_c(V g, V, V a, V, V, V value) { return g * (a * value); }
};
struct Addcdiv {
  static constexpr OpInfo info{.name = "addcdiv",
                               .node = "AddcdivBackward0",
                               .types = kFloats,
                               .operands = {nullptr, "tensor1", "tensor2"},
                               .parameters = {"value"}};
  template <class V> static constexpr V fwd(V x, V a, V b, V value) { return x + value * a / b; }
  template <class V> static constexpr V vjp_a(V g, V, V, V, V, V) { return g; }
  template <class V> static constexpr V vjp_b(V g, V, V, V b, V, V value) { return g * (value / b); }
  template <class V> static constexpr V vjp_c(V g, V, V a, V b, V, V value) { return -g * (value * a / (b * b)); }
};
// Written from both ends, so that weight 1 gives exactly the end.
struct Lerp {
  static constexpr OpInfo info{.name = "lerp",
                               .node = "LerpBackward0",
                               .node_of_tensor = "LerpBackward1",
                               .bare_numbers = true,
                               .operands = {"self", "end", "weight"}};
  template <class V> static constexpr V fwd(V a, V b, V w) {
    return select(lt(abs(w), c<V>(0.5)), a + w * (b - a), b - (b - a) * (c<V>(1) - w));
  }
  template <class V> static constexpr V vjp_a(V g, V, V, V w, V) { return g * (c<V>(1) - w); }
  template <class V> static constexpr V vjp_b(V g, V, V, V w, V) { return g * w; }
  template <class V> static constexpr V vjp_c(V g, V a, V b, V, V) { return g * (b - a); }
};
// clamp with tensor bounds.
struct ClampTensor {
  static constexpr OpInfo info{
      .name = "clamp", .node = "ClampBackward0", .types = kNumbers, .operands = {"self", "min", "max"}};
  template <class V> static constexpr V fwd(V x, V lo, V hi) {
    const V y = select(either(lt(x, lo), ne(lo, lo)), lo, x);
    return select(either(gt(y, hi), ne(hi, hi)), hi, y);
  }
  template <class V> static constexpr V vjp_a(V g, V x, V lo, V hi, V) {
    return select(both(ge(x, lo), le(x, hi)), g, c<V>(0));
  }
  template <class V> static constexpr V vjp_b(V g, V x, V lo, V hi, V) {
    return select(both(lt(x, lo), lt(lo, hi)), g, c<V>(0));
  }
  template <class V> static constexpr V vjp_c(V g, V x, V lo, V hi, V) {
    return select(either(gt(x, hi), gt(lo, hi)), g, c<V>(0));
  }
};

using TernaryOps = TypeList<Where, MaskedFill, Addcmul, Addcdiv, Lerp, ClampTensor>;

}  // namespace gradcore::formulas
