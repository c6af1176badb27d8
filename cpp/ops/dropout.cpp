#include "ops/dropout.h"

#include "ops/derived_core.h"
#include "ops/ops.h"
#include "ops/random.h"
#include "ops/record.h"

namespace gradcore {

namespace {

struct NativeDropoutVjp {
  static constexpr const char* kName = "NativeDropoutBackward0";
  Saved mask;
  double scale;
  auto saves() { return std::tie(mask); }
  SavedFields fields() { return {{"result1", &mask}}; }
  void vjp(Node& self, std::span<Tensor> g, std::span<Tensor> out) {
    out[0] = mul(mul(g[0], mask.unpack(&self)), Scalar(scale));
  }
};

}  // namespace

Tensor dropout(const Tensor& x, double p) {
  check(p >= 0 && p <= 1, "dropout probability has to be between 0 and 1, but got ", p);
  if (p == 0 || x.numel() == 0) return x;
  if (p == 1) return mul(x, zeros_like(x));
  Tensor mask;
  {
    const NoRecordGuard off;
    const Tensor uniform = empty_like(x, DType::Float64);
    uniform_(uniform, 0, 1);
    mask = div(to(lt(uniform, Scalar(1 - p)), x.dtype()), Scalar(1 - p));
  }
  return mul(x, mask);
}

std::pair<Tensor, Tensor> native_dropout(const Tensor& x, double p, std::optional<bool> train) {
  check(p >= 0 && p <= 1, "dropout probability has to be between 0 and 1, but got ", p);
  const bool drops = train.value_or(true) && p > 0 && x.numel() > 0;
  check(!drops || is_floating(x.dtype()), "result type Float can't be cast to the desired output type ",
        scalar_type_name(x.dtype()));
  const double scale = !drops ? 1 : p == 1 ? 0 : 1 / (1 - p);
  Tensor out, mask;
  {
    const NoRecordGuard off;
    mask = empty_like(x, DType::Bool);
    if (drops)
      bernoulli_(mask, 1 - p);
    else
      fill_(mask, Scalar(true));
    mask = mask.as_new();
    out = drops ? mul(mul(x, mask), Scalar(scale)) : clone(x);
  }
  if (should_record(x)) record(out, {&x}, NativeDropoutVjp{Saved(mask), scale});
  return {out, mask};
}

}  // namespace gradcore
