// Elementwise ops that are more than their formula: alpha, exponents, bounds, masks, and the checks that torch makes.
#include <cmath>
#include <limits>

#include "core/warning.h"
#include "ops/elementwise_op.h"
#include "ops/formula_functions.h"
#include "ops/indexing.h"
#include "ops/ops.h"
#include "ops/pointwise.h"
#include "ops/record.h"

namespace gradcore {

namespace {

// alpha must be a number of the result's kind.
void check_alpha(const Scalar& alpha, DType result) {
  check(!(alpha.kind() == Category::Bool && result != DType::Bool),
        "Boolean alpha only supported for Boolean results.");
  check(!(alpha.is_float() && !is_floating(result)),
        "For integral input tensors, argument alpha must not be a floating point number.");
  if (is_integral(result) && result != DType::Bool) check_fits(alpha, result);
}

// What is added is -alpha times the other, so that this must fit: of the lowest number's size there is no other one.
void check_negative_alpha(const Scalar& alpha, DType result) {
  const bool is_int = !alpha.is_float() && alpha.kind() != Category::Bool;
  check_alpha(is_int ? Scalar(static_cast<int64_t>(0 - static_cast<uint64_t>(alpha.to_int()))) : alpha, result);
}

void refuse_bool_sub(const Operand& a, const Operand& b) {
  const auto is_bool = [](const Operand& o) {
    return o.is_tensor() ? o.tensor->dtype() == DType::Bool : o.scalar.kind() == Category::Bool;
  };
  if (is_bool(a) && is_bool(b))
    fail(
        "Subtraction, the `-` operator, with two bool tensors is not supported. Use the `^` or `logical_xor()` "
        "operator instead.");
  if (is_bool(a) || is_bool(b))
    fail(
        "Subtraction, the `-` operator, with a bool tensor is not supported. If you are trying to invert a mask, use "
        "the `~` or `logical_not()` operator instead.");
}

// The type in which a call computes, where it is not its first operand's own.
std::optional<DType> raised(const Tensor& t, DType type) {
  return type == t.dtype() ? std::nullopt : std::optional(type);
}

const ElementwiseOp& pow_op(DType base, const Scalar& e) {
  const double v = e.to_double();
  if (v == 0) return op_of<formulas::PowZero>;
  if (v == 1) return op_of<formulas::PowOne>;
  if (v == 2) return op_of<formulas::PowTwo>;
  if (v == 3) return op_of<formulas::PowThree>;
  if (v == 4) return op_of<formulas::PowFour>;
  if (!is_floating(base)) return op_of<formulas::PowScalar>;
  if (v == 0.5) return op_of<formulas::PowHalf>;
  if (v == -1) return op_of<formulas::PowMinusOne>;
  if (v == -2) return op_of<formulas::PowMinusTwo>;
  if (v == -0.5) return op_of<formulas::PowMinusHalf>;
  if (v == 1.5) return op_of<formulas::PowOneAndHalf>;
  return op_of<formulas::PowScalar>;
}

void refuse_negative_integer_power(const Operand& a, const Scalar& e) {
  const bool integer_base = a.is_tensor() ? !is_floating(a.tensor->dtype()) : !a.scalar.is_float();
  if (integer_base && !e.is_float() && e.to_int() < 0) fail("Integers to negative integer powers are not allowed.");
}

}  // namespace

namespace calls {

ElementwiseCall add(const Operand& a, const Operand& b, const Scalar& alpha) {
  if (alpha.is_one()) return {&op_of<formulas::Add>, {a, b}, {}, {}};
  const Operand in[] = {a, b};
  check_alpha(alpha, result_type(in));
  return {&op_of<formulas::AddScaled>, {a, b}, {alpha}, {}};
}

ElementwiseCall sub(const Operand& a, const Operand& b, const Scalar& alpha) {
  refuse_bool_sub(a, b);
  if (alpha.is_one() && !a.is_tensor()) return {&op_of<formulas::Rsub>, {b, a}, {}, {}};
  if (alpha.is_one()) return {&op_of<formulas::Sub>, {a, b}, {}, {}};
  const Operand in[] = {a, b};
  check_negative_alpha(alpha, result_type(in));
  return {&op_of<formulas::SubScaled>, {a, b}, {alpha}, {}};
}

// A number as exponent is a parameter of the formula, and takes part in the type.
ElementwiseCall pow(const Operand& a, const Operand& b) {
  if (!a.is_tensor()) return {&op_of<formulas::PowNumber>, {a, b}, {}, {}};
  if (b.is_tensor()) return {&op_of<formulas::Pow>, {a, b}, {}, {}};
  refuse_negative_integer_power(a, b.scalar);
  const Operand in[] = {a, b};
  const DType t = result_type(in);
  // Of bools, x ** e is x or not e.
  if (t == DType::Bool) return {&op_of<formulas::LogicalOr>, {a, Scalar(b.scalar.is_zero())}, {}, {}};
  if (!is_floating(t)) check_fits(b.scalar, t);
  return {&pow_op(t, b.scalar), {a}, {b.scalar}, raised(*a.tensor, t)};
}

ElementwiseCall addcmul(const Operand& t, const Operand& a, const Operand& b, const Scalar& value) {
  const Operand in[] = {t, a, b};
  const DType result = result_type(in);
  if (is_integral(result) && result != DType::Bool && !value.is_float()) check_fits(value, result);
  return {&op_of<formulas::Addcmul>, {t, a, b}, {value}, {}};
}

ElementwiseCall addcdiv(const Operand& t, const Operand& a, const Operand& b, const Scalar& value) {
  const Operand in[] = {a, b};
  check(is_floating(result_type(in)),
        "Integer division with addcdiv is no longer supported, and in a future release "
        "addcdiv will perform a true division of tensor1 and tensor2.");
  return {&op_of<formulas::Addcdiv>, {t, a, b}, {value}, {}};
}

ElementwiseCall lerp(const Tensor& a, const Tensor& b, const Operand& w) {
  check(a.dtype() == b.dtype(), "expected dtype ", scalar_type_name(a.dtype()), " for `end` but got dtype ",
        scalar_type_name(b.dtype()));
  if (w.is_tensor() && (w.tensor->dim() > 0 || a.dim() == 0))
    check(a.dtype() == w.tensor->dtype(), "expected dtype ", scalar_type_name(a.dtype()),
          " for `weight` but got dtype ", scalar_type_name(w.tensor->dtype()));
  if (!is_floating(a.dtype()))
    fail(ErrorKind::NotImplemented, "\"lerp\" not implemented for '", scalar_type_name(a.dtype()), "'");
  return {&op_of<formulas::Lerp>, {a, b, w}, {}, {}};
}

// Number bounds are parameters of the formula, and take part in the type.
ElementwiseCall clamp(const Tensor& t, const Bound& lo, const Bound& hi) {
  check(lo || hi, "torch.clamp: At least one of 'min' or 'max' must not be None");
  if ((lo && lo->is_tensor()) || (hi && hi->is_tensor())) {
    if (!hi) return {&op_of<formulas::ClampOnlyMinTensor>, {t, *lo}, {}, {}};
    if (!lo) return {&op_of<formulas::ClampOnlyMaxTensor>, {t, *hi}, {}, {}};
    return {&op_of<formulas::ClampTensor>, {t, *lo, *hi}, {}, {}};
  }
  const Operand in[] = {t, lo ? *lo : Operand(t), hi ? *hi : Operand(t)};
  const DType result = result_type(in);
  if (lo) check_fits(lo->scalar, result);
  if (hi) check_fits(hi->scalar, result);
  const auto type = raised(t, result);
  if (!hi) return {&op_of<formulas::ClampOnlyMin>, {t}, {lo->scalar}, type};
  if (!lo) return {&op_of<formulas::ClampOnlyMax>, {t}, {hi->scalar}, type};
  return {&op_of<formulas::Clamp>, {t}, {lo->scalar, hi->scalar}, type};
}
ElementwiseCall clamp_min(const Tensor& t, const Operand& lo) {
  ElementwiseCall c = calls::clamp(t, lo, {});
  c.op = lo.is_tensor() ? &op_of<formulas::ClampMinTensor> : &op_of<formulas::ClampMin>;
  return c;
}
ElementwiseCall clamp_max(const Tensor& t, const Operand& hi) {
  ElementwiseCall c = calls::clamp(t, {}, hi);
  c.op = hi.is_tensor() ? &op_of<formulas::ClampMaxTensor> : &op_of<formulas::ClampMax>;
  return c;
}

}  // namespace calls

void add_(const Tensor& a, const Operand& b, const Scalar& alpha) { elementwise_(calls::add(a, b, alpha), a); }
Tensor sub(const Operand& a, const Operand& b, const Scalar& alpha) { return elementwise(calls::sub(a, b, alpha)); }
void sub_(const Tensor& a, const Operand& b, const Scalar& alpha) { elementwise_(calls::sub(a, b, alpha), a); }
// Of wide unsigned integers, as in torch, the powers that need no arithmetic: 1 ** t, t ** 0, t ** 1. Undefined for
// others.
static Tensor trivial_power(const Operand& a, const Operand& b) {
  if (a.is_tensor() == b.is_tensor()) return {};
  const Tensor& t = a.is_tensor() ? *a.tensor : *b.tensor;
  const Scalar& number = a.is_tensor() ? b.scalar : a.scalar;
  if (!is_wide_unsigned(t.dtype()) || number.is_float()) return {};
  if (number.is_one() && a.is_tensor()) return clone(t);
  return (a.is_tensor() ? number.is_zero() : number.is_one()) ? full_like(t, Scalar(1), t.dtype()) : Tensor();
}

Tensor pow(const Operand& a, const Operand& b) {
  if (Tensor power = trivial_power(a, b)) return power;
  if (a.is_tensor() && !b.is_tensor() && b.scalar.to_double() == 2)
    if (Tensor square = square_of_norm(*a.tensor)) return square;
  return elementwise(calls::pow(a, b));
}
void pow_(const Tensor& a, const Operand& b) {
  if (const Tensor power = trivial_power(a, b)) return copy_(a, power);
  elementwise_(calls::pow(a, b), a);
}
Tensor square(const Tensor& t) { return pow(t, Scalar(2)); }
void square_(const Tensor& t) { pow_(t, Scalar(2)); }

static Scalar check_order(int64_t n) {
  check(n >= 0, "polygamma(n, x) does not support negative n.");
  return n;
}
Tensor polygamma(const Tensor& t, int64_t n) { return with_params<formulas::Polygamma>(t, check_order(n)); }
void polygamma_(const Tensor& t, int64_t n) { with_params_<formulas::Polygamma>(t, check_order(n)); }

Tensor isnan(const Tensor& t) { return elementwise(op_of<formulas::Isnan>, {{Operand(t)}}); }
struct RoundToVjp {
  static constexpr const char* kName = "RoundBackward1";
  void vjp(Node&, std::span<Tensor> g, std::span<Tensor> out) { out[0] = zeros_like(g[0]); }
};
static Tensor rounded(const Tensor& t, int64_t decimals) {
  if (decimals == 0) return round(t);
  const Scalar unit = std::pow(10.0, std::fabs(static_cast<double>(decimals)));
  return decimals > 0 ? div(round(mul(t, unit)), unit) : mul(round(div(t, unit)), unit);
}
Tensor round_to(const Tensor& t, int64_t decimals) {
  if (decimals != 0 && !is_floating(t.dtype()))
    fail(ErrorKind::NotImplemented, "\"round\" to decimals not implemented for '", scalar_type_name(t.dtype()), "'");
  Tensor out;
  {
    const NoRecordGuard off;
    out = rounded(t, decimals);
  }
  if (is_floating(t.dtype()) && should_record(t)) record(out, {&t}, RoundToVjp{});
  return out;
}
// Integers are always finite.
Tensor isposinf(const Tensor& t) {
  if (!is_floating(t.dtype())) return full_like(t, false, DType::Bool);
  return elementwise(op_of<formulas::Isposinf>, {{Operand(t)}});
}
Tensor isneginf(const Tensor& t) {
  if (!is_floating(t.dtype())) return full_like(t, false, DType::Bool);
  return elementwise(op_of<formulas::Isneginf>, {{Operand(t)}});
}
Tensor isinf(const Tensor& t) {
  if (!is_floating(t.dtype())) return full_like(t, false, DType::Bool);
  return elementwise(op_of<formulas::Isinf>, {{Operand(t)}});
}
Tensor isfinite(const Tensor& t) {
  if (!is_floating(t.dtype())) return full_like(t, true, DType::Bool);
  return elementwise(op_of<formulas::Isfinite>, {{Operand(t)}});
}

// Infinities that are not named become the largest numbers.
static ElementwiseCall nan_to_num_call(const Tensor& t, const MaybeNumber& nan, const MaybeNumber& positive,
                                       const MaybeNumber& negative) {
  static constexpr FloatingRow<double> kLargest =
      by_floating<double>([]<class T>(TypeTag<T>) { return static_cast<double>(std::numeric_limits<T>::max()); });
  const double largest = kLargest[t.dtype()];
  return {
      &op_of<formulas::NanToNum>, {t}, {nan.value_or(0), positive.value_or(largest), negative.value_or(-largest)}, {}};
}
Tensor nan_to_num(const Tensor& t, const MaybeNumber& nan, const MaybeNumber& positive, const MaybeNumber& negative) {
  if (!is_floating(t.dtype())) return clone(t);
  return elementwise(nan_to_num_call(t, nan, positive, negative));
}
void nan_to_num_(const Tensor& t, const MaybeNumber& nan, const MaybeNumber& positive, const MaybeNumber& negative) {
  if (!is_floating(t.dtype())) return copy_(t, t);  // which counts as a write
  elementwise_(nan_to_num_call(t, nan, positive, negative), t);
}

static ElementwiseCall heaviside_call(const Tensor& t, const Tensor& values) {
  check(t.dtype() == values.dtype(), "heaviside is not yet implemented for tensors with different dtypes.");
  return {&op_of<formulas::Heaviside>, {t, values}, {}, {}};
}
Tensor heaviside(const Tensor& t, const Tensor& values) { return elementwise(heaviside_call(t, values)); }
void heaviside_(const Tensor& t, const Tensor& values) { elementwise_(heaviside_call(t, values), t); }

static ElementwiseCall nextafter_call(const Tensor& a, const Tensor& b) {
  const Operand in[] = {a, b};
  const DType type = result_type(in);
  if (type == DType::Float16) return {&op_of<formulas::NextafterHalf>, {a, b}, {0x1p-10, 0x1p-14}, {}};
  if (type == DType::BFloat16) return {&op_of<formulas::NextafterHalf>, {a, b}, {0x1p-7, 0x1p-126}, {}};
  return {&op_of<formulas::Nextafter>, {a, b}, {}, {}};
}
Tensor nextafter(const Tensor& a, const Tensor& b) { return elementwise(nextafter_call(a, b)); }
void nextafter_(const Tensor& a, const Tensor& b) { elementwise_(nextafter_call(a, b), a); }

Tensor where(const Tensor& condition, const Operand& a, const Operand& b) {
  if (condition.dtype() != DType::Bool && condition.dtype() != DType::UInt8)
    fail("where expected condition to be a boolean tensor, but got a tensor with dtype ",
         scalar_type_name(condition.dtype()));
  if (condition.dtype() == DType::UInt8) {
    static std::atomic<bool> warned = false;
    warn_once(
        warned,
        "where received a uint8 condition tensor. This behavior is deprecated and will be removed in a future version. "
        "Use a boolean condition instead.");
  }
  const Operand values[] = {a, b};
  for (const Operand& v : values)
    if (!v.is_tensor()) check_fits_alone(v.scalar, result_type(values));
  return elementwise(op_of<formulas::Where>, {{Operand(condition), a, b}});
}

// The value takes the tensor's type; a number is cut to it.
static void check_fill(const Tensor& t, const Tensor& mask, const Operand& value) {
  check(mask.dtype() == DType::Bool, "masked_fill only supports boolean masks, but got mask with dtype ",
        dtype_name(mask.dtype()));
  check(!value.is_tensor() || value.tensor->dim() == 0,
        "masked_fill only supports a 0-dimensional value tensor, but got tensor with ",
        value.is_tensor() ? value.tensor->dim() : 0, " dimension(s).");
  if (!value.is_tensor()) check_fits(value.scalar, t.dtype());
}
static Scalar fill_number(const Scalar& s, DType dtype) {
  if (dtype == DType::Bool) return !s.is_zero();
  return is_floating(dtype) ? s : Scalar(s.to_int());
}
// f(operand of t's type)
template <class F> static auto with_fill_operand(const Tensor& t, const Tensor& mask, const Operand& value, F&& f) {
  check_fill(t, mask, value);
  if (!value.is_tensor()) return f(Operand(fill_number(value.scalar, t.dtype())));
  const Tensor converted = cast(*value.tensor, t.dtype());
  return f(Operand(converted));
}
Tensor masked_fill(const Tensor& t, const Tensor& mask, const Operand& value) {
  return with_fill_operand(t, mask, value, [&](const Operand& v) {
    return elementwise(op_of<formulas::MaskedFill>, {{Operand(t), Operand(mask), v}});
  });
}
// Elements that share memory are written one after another, as an elementwise loop does not.
static void fill_expanded(const Tensor& t, const Tensor& mask, const Operand& value) {
  check_fill(t, mask, value);
  const Tensor number = value.is_tensor() ? cast(*value.tensor, t.dtype())
                                          : scalar_tensor(fill_number(value.scalar, t.dtype()), t.dtype());
  masked_put_expanded(t, mask.shape() == t.shape() ? mask : expand(mask, t.shape()), number);
}
void masked_fill_(const Tensor& t, const Tensor& mask, const Operand& value) {
  if (overlaps_itself(t)) [[unlikely]]
    return fill_expanded(t, mask, value);
  with_fill_operand(t, mask, value, [&](const Operand& v) {
    elementwise_(op_of<formulas::MaskedFill>, t, {{Operand(t), Operand(mask), v}});
  });
}

Tensor addcmul(const Tensor& t, const Operand& a, const Operand& b, const Scalar& value) {
  return elementwise(calls::addcmul(t, a, b, value));
}
void addcmul_(const Tensor& t, const Operand& a, const Operand& b, const Scalar& value) {
  elementwise_(calls::addcmul(t, a, b, value), t);
}
Tensor addcdiv(const Tensor& t, const Operand& a, const Operand& b, const Scalar& value) {
  return elementwise(calls::addcdiv(t, a, b, value));
}
void addcdiv_(const Tensor& t, const Operand& a, const Operand& b, const Scalar& value) {
  elementwise_(calls::addcdiv(t, a, b, value), t);
}
Tensor lerp(const Tensor& a, const Tensor& b, const Operand& weight) { return elementwise(calls::lerp(a, b, weight)); }
void lerp_(const Tensor& a, const Tensor& b, const Operand& weight) { elementwise_(calls::lerp(a, b, weight), a); }
Tensor clamp(const Tensor& t, const Bound& lo, const Bound& hi) { return elementwise(calls::clamp(t, lo, hi)); }
void clamp_(const Tensor& t, const Bound& lo, const Bound& hi) { elementwise_(calls::clamp(t, lo, hi), t); }
Tensor clamp_min(const Tensor& t, const Operand& lo) { return elementwise(calls::clamp_min(t, lo)); }
Tensor clamp_max(const Tensor& t, const Operand& hi) { return elementwise(calls::clamp_max(t, hi)); }

}  // namespace gradcore
