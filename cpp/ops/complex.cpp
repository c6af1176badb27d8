#include "ops/complex.h"

#include "ops/ops.h"
#include "ops/record.h"

namespace gradcore {

void conj_physical_(const Tensor& t) {
  check_inplace(t, needs_history(t), true);  // nothing is written: elements may share memory
  t.bump_version();
}

Tensor adjoint(const Tensor& t) {
  if (t.dim() == 0) return t;
  check(t.dim() > 1, "tensor.adjoint() is only supported on matrices or batches of matrices. Got ", t.dim(),
        "-D tensor.");
  return transpose(t, -2, -1);
}

Tensor isreal(const Tensor& t) { return full_like(t, true, DType::Bool); }

void fail_imag() { fail("imag is not implemented for tensors with non-complex dtypes."); }

}  // namespace gradcore
