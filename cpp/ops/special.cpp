#include "ops/special.h"

#include <cmath>

#include "ops/derived_core.h"
#include "ops/elementwise_op.h"
#include "ops/formula_functions.h"
#include "ops/ops.h"
#include "ops/record.h"

namespace gradcore {

// ---- the multivariate gamma function: the sum of lgamma(t - j / 2) for j < p, and a constant

namespace {

template <class F> Tensor sum_of_halves_down(const Tensor& t, int64_t p, F&& f) {
  Tensor total = f(t);
  for (int64_t j = 1; j < p; ++j) total = add(total, f(sub(t, Scalar(0.5 * static_cast<double>(j)))));
  return total;
}

// Nothing can stop the sum while it is made; so many terms take a second or two.
constexpr int64_t kMostDims = 1 << 20;

struct MvlgammaVjp {
  static constexpr const char* kName = "MvlgammaBackward0";
  Saved self;
  int64_t p;
  void vjp(Node& node, std::span<Tensor> g, std::span<Tensor> out) {
    out[0] = mul(g[0], sum_of_halves_down(self.unpack(&node), p, unary<formulas::Digamma>));
  }
  auto saves() { return std::tie(self); }
  SavedFields fields() { return {{"p", Scalar(p)}, {"self", &self}}; }
};

Tensor mvlgamma_values(const Tensor& t, int64_t p) {
  const NoRecordGuard off;
  const double pairs = static_cast<double>(p) * static_cast<double>(p - 1);
  const Tensor total = sum_of_halves_down(t, p, unary<formulas::Lgamma>);
  return p == 1 ? total : add(total, Scalar(0.25 * pairs * std::log(3.141592653589793)));
}

}  // namespace

Tensor mvlgamma(const Tensor& t, int64_t p) {
  check(t.dtype() != DType::Bool, "The input tensor may not be a boolean tensor.");
  check(p >= 1, "p has to be greater than or equal to 1");
  check(p <= kMostDims, "mvlgamma: p can be ", kMostDims, " at most, got ", p, ": it is the sum of p logarithms");
  Tensor out = mvlgamma_values(t, p);
  out.as_new();
  if (is_floating(t.dtype()) && should_record(t)) record(out, {&t}, MvlgammaVjp{Saved(t), p});
  return out;
}
void mvlgamma_(const Tensor& t, int64_t p) {
  check(is_floating(t.dtype()), "result type Float can't be cast to the desired output type ",
        scalar_type_name(t.dtype()));
  copy_(t, mvlgamma(clone(t), p));  // the clone is what the node saves
}

Tensor ndtr(const Tensor& t) { return mul(erfc(mul(t, Scalar(-0.7071067811865476))), Scalar(0.5)); }

// ---- powers in float64

static Operand in_double(const Operand& o, Tensor& holder) {
  if (!o.is_tensor()) return Scalar(o.scalar.to_double());
  holder = cast(*o.tensor, DType::Float64);
  return holder;
}
Tensor float_power(const Operand& a, const Operand& b) {
  Tensor base, exponent;
  return pow(in_double(a, base), in_double(b, exponent));
}
void float_power_(const Tensor& a, const Operand& b) {
  check(a.dtype() == DType::Float64, "the base given to float_power_ has dtype ", scalar_type_name(a.dtype()),
        " but the operation's result requires dtype Double");
  Tensor exponent;
  pow_(a, in_double(b, exponent));
}

// ---- mantissa and exponent

namespace {

struct FrexpVjp {
  static constexpr const char* kName = "FrexpBackward0";
  Saved exponent;
  void vjp(Node& node, std::span<Tensor> g, std::span<Tensor> out) {
    if (g[0]) out[0] = binary<formulas::Ldexp>(g[0], neg(exponent.unpack(&node)));
  }
  auto saves() { return std::tie(exponent); }
  SavedFields fields() { return {{"exponent", &exponent}}; }
};

}  // namespace

Named frexp(const Tensor& t) {
  check(is_floating(t.dtype()), "torch.frexp() only supports floating-point dtypes");
  const Tensor mantissa = unary<formulas::FrexpMantissa>(t);
  const Tensor exponent = cast(unary<formulas::FrexpExponent>(t), DType::Int32);
  if (should_record(t)) record(mantissa, {&t}, FrexpVjp{Saved(exponent)});
  return {{mantissa, exponent}};
}

bool is_nonzero(const Tensor& t) {
  if (t.numel() == 1) return !item(t).is_zero();
  fail("Boolean value of Tensor with ", t.numel() == 0 ? "no values" : "more than one value", " is ambiguous");
}

}  // namespace gradcore
