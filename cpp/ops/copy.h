// Copies, fills and conversions.
#pragma once
#include "ops/elementwise.h"

namespace gradcore {

// A fresh tensor, whose node has the name of the one that made `t`.
Tensor rounded(const Tensor& t, DType dtype);
Tensor cast(const Tensor& t, DType dtype);               // recorded; `t` itself when nothing changes
Tensor clone(const Tensor& t, bool contiguous = false);  // keeps the memory order unless told otherwise
Tensor contiguous(const Tensor& t);
void copy_(const Tensor& to, const Tensor& from);        // broadcasts and converts; recorded
void check_copy_(const Tensor& to, const Tensor& from);  // raises what copy_ would raise
void copy_raw(const Tensor& to, const Tensor& from);     // the same without tape, version or checks
void check_fits(const Scalar& v, DType dtype);           // refuses a number that `dtype` cannot hold
// The same of a number that makes a tensor of one element, as torch assigns it: a half becomes infinite.
void check_fits_alone(const Scalar& v, DType dtype);
void fill_(const Tensor& t, const Operand& value);
void fill_raw(const Tensor& t, const Scalar& value);
void zero_(const Tensor& t);
void fill_diagonal_(const Tensor& t, const Scalar& value, bool wrap);

}  // namespace gradcore
