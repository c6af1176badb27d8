// Ops of complex numbers. All tensors are real here: their conjugates are themselves.
#pragma once
#include "tensor/tensor.h"

namespace gradcore {

void conj_physical_(const Tensor& t);  // counts as a write and changes nothing
Tensor adjoint(const Tensor& t);
Tensor isreal(const Tensor& t);  // true everywhere
[[noreturn]] void fail_imag();

}  // namespace gradcore
