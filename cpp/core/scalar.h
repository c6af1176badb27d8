// Scalar: a Python bool, int or float on its way into a kernel, never a tensor.
#pragma once
#include <cmath>
#include <cstdint>

#include "core/dtype.h"
#include "core/error.h"

namespace gradcore {

class Scalar {
 public:
  constexpr Scalar() : kind_(Category::Int), i_(0) {}
  constexpr Scalar(bool v) : kind_(Category::Bool), i_(v) {}
  constexpr Scalar(int v) : kind_(Category::Int), i_(v) {}
  constexpr Scalar(int64_t v) : kind_(Category::Int), i_(v) {}
  constexpr Scalar(double v) : kind_(Category::Float), d_(v) {}

  constexpr Category kind() const { return kind_; }
  constexpr bool is_float() const { return kind_ == Category::Float; }
  constexpr double to_double() const { return is_float() ? d_ : static_cast<double>(i_); }
  constexpr bool is_zero() const { return is_float() ? d_ == 0 : i_ == 0; }
  // True is not: as a factor it is refused.
  constexpr bool is_one() const { return is_float() ? d_ == 1 : i_ == 1 && kind() != Category::Bool; }
  // A float outside int64's range, or a NaN, has no integer: the caller decides before it asks.
  int64_t to_int() const {
    if (!is_float()) return i_;
    check(d_ >= -0x1p63 && d_ < 0x1p63, "value cannot be converted to type int64_t without overflow");
    return static_cast<int64_t>(d_);
  }
  // The value as an element of T; integers wrap as a C cast does.
  template <class T> T to() const {
    if constexpr (std::is_same_v<T, bool>)
      return !is_zero();
    else if constexpr (is_floating_type<T>)
      return is_float() ? static_cast<T>(d_) : static_cast<T>(i_);
    else
      return static_cast<T>(to_int());
  }
  // The dtype this scalar has on its own, without a tensor to follow.
  DType dtype(DType default_float) const {
    return kind_ == Category::Float ? default_float : kind_ == Category::Int ? DType::Int64 : DType::Bool;
  }

 private:
  Category kind_;
  union {
    int64_t i_;
    double d_;
  };
};

}  // namespace gradcore
