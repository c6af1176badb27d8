#include "optim/row_major.h"

#include "ops/copy.h"

namespace gradcore {

void RowMajorItem::add_gradient(const Tensor& param, const Tensor& grad) {
  dtype_ = param.dtype();
  arrays_[kParam] = param;
  arrays_[kGrad] = grad;
  shapes_[kParam] = param.shape();
  count_ = kState;
  check_gradient_fits(param, grad);
}

void RowMajorItem::add_state(const Tensor& t, const Dims& shape) {
  check_state_fits(t, arrays_[kParam], shape);
  shapes_[count_] = shape;
  arrays_[count_++] = t;
}

void RowMajorItem::prepare(bool apart) {
  const Tensor& p = arrays_[kParam];
  check(p.shape() == shapes_[kParam] && p.dtype() == dtype_, "a parameter's data was replaced while the step ran");
  check_gradient_fits(p, arrays_[kGrad]);
  for (int i = kState; i < count_; ++i) check_state_fits(arrays_[i], p, shapes_[i]);
  for (int i = 0; i < count_; ++i) {
    const Tensor& t = arrays_[i];
    memory_[i] = t.window();
    if (t.is_contiguous() && !apart && dtype() == dtype_) continue;
    copies_[i] = empty(t.shape(), dtype());
    copy_raw(copies_[i], t);
    memory_[i] = copies_[i].window();
  }
}

void RowMajorItem::finish() const {
  for (int i = 0; i < count_; ++i) {
    if (i == kGrad) continue;
    const Tensor &t = arrays_[i], &own = copies_[i];
    if (own && t.shape() == own.shape() && t.dtype() == dtype_) copy_raw(t, own);
    t.bump_version();
  }
}

}  // namespace gradcore
