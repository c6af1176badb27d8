#include "ops/dropout.h"

#include "ops/derived.h"
#include "ops/ops.h"

namespace gradcore {

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

}  // namespace gradcore
