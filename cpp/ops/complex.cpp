#include "ops/complex.h"

#include <numbers>

#include "ops/ops.h"
#include "ops/record.h"

namespace gradcore {

void conj_physical_(const Tensor& t) {
  check_inplace(t, needs_history(t));
  t.bump_version();
}

Tensor adjoint(const Tensor& t) {
  if (t.dim() == 0) return t;
  check(t.dim() > 1, "tensor.adjoint() is only supported on matrices or batches of matrices. Got ", t.dim(),
        "-D tensor.");
  return transpose(t, -2, -1);
}

namespace {

struct AngleVjp {
  static constexpr const char* kName = "AngleBackward0";
  void vjp(Node&, std::span<Tensor> g, std::span<Tensor> out) { out[0] = zeros_like(g[0]); }
};

}  // namespace

Tensor angle(const Tensor& t) {
  Tensor out;
  {
    const NoRecordGuard off;
    const Tensor x = is_floating(t.dtype()) ? t : cast(t, default_dtype());
    out = where(lt(x, Scalar(0)), Scalar(std::numbers::pi), where(isnan(x), x, Scalar(0.0)));
  }
  if (should_record(t)) record(out, {&t}, AngleVjp{});
  return out;
}

Tensor isreal(const Tensor& t) { return full_like(t, true, DType::Bool); }

void fail_imag() { fail("imag is not implemented for tensors with non-complex dtypes."); }

}  // namespace gradcore
