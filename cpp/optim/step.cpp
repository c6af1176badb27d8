#include "optim/step.h"

#include <algorithm>

#include "autograd/views.h"
#include "ops/copy.h"

namespace gradcore {

namespace {

constexpr int kGrad = 1;  // the one array that is only read

bool same_order(const Tensor& a, const Tensor& b) {
  return (a.is_contiguous() && b.is_contiguous()) || a.strides() == b.strides();
}

Extents::Extent extent_of(const Tensor& t, bool written) {
  int64_t span = t.numel() ? 1 : 0;
  for (int i = 0; span && i < t.dim(); ++i) span += (t.size(i) - 1) * t.stride(i);
  return {t.address(), t.address() + span * item_size(t.dtype()), written};
}

}  // namespace

void check_gradient_fits(const Tensor& p, const Tensor& g) {
  check(is_floating(p.dtype()), "optimizers need floating point parameters, got ", dtype_name(p.dtype()));
  check(g.dtype() == p.dtype() && same_shape(g, p), "a parameter of shape ", p.shape(), " and dtype ",
        dtype_name(p.dtype()), " has a gradient of shape ", g.shape(), " and dtype ", dtype_name(g.dtype()));
  check(!p->batch && !g->batch, "vmap: an optimizer's step is not supported on Tensors that are being vmapped over");
  check_writable(p, false);
}

void check_state_fits(const Tensor& t, const Tensor& p, const Dims& shape) {
  check(t.dtype() == p.dtype() && t.shape() == shape && !t->batch, "optimizer state of shape ", t.shape(),
        " and dtype ", dtype_name(t.dtype()), " does not fit a parameter of shape ", p.shape(), " and dtype ",
        dtype_name(p.dtype()));
  check_writable(t, false);
}

StepItem::StepItem(std::span<Tensor> arrays, const RuleKernels& kernels)
    : n(arrays[0].numel()), count_(static_cast<int>(arrays.size())), dtype_(arrays[0].dtype()) {
  std::ranges::move(arrays, arrays_);
  check_fit();
  unsigned present = 0;
  for (int i = kGrad + 1; i < count_; ++i) present |= arrays_[i] ? 1u << (i - 2) : 0u;
  kernel_ = kernels[computed_in(dtype_)].by_present[present];
}

void StepItem::check_fit() const {
  const Tensor& p = arrays_[0];
  check(p.numel() == n && p.dtype() == dtype_, "a parameter's data was replaced while the step ran");
  check_gradient_fits(p, arrays_[kGrad]);
  for (int i = kGrad + 1; i < count_; ++i)
    if (arrays_[i]) check_state_fits(arrays_[i], p, p.shape());
}

void StepItem::prepare(bool apart) {
  check_fit();
  const Tensor& p = arrays_[0];
  const DType computed = computed_in(dtype_);  // halves step as floats, and are rounded once
  // The order of a dense parameter is everybody's order.
  const bool dense = p.is_contiguous() || is_dense(p);
  for (int i = 0; i < count_; ++i) {
    const Tensor& t = arrays_[i];
    memory_[i] = t.window();
    if (!t || (!apart && dense && same_order(t, p) && computed == dtype_)) continue;
    const Tensor own = dense ? empty_strided(p.shape(), p.strides(), computed) : empty(p.shape(), computed);
    copy_raw(own, t);
    memory_[i] = own.window();
    copies_.emplace_back(i == kGrad ? Tensor() : t, own);
  }
}

void StepItem::run(int64_t begin, int64_t end) const {
  const int64_t offset = begin * item_size(computed_in(dtype_));
  void* at[2 + kMaxStateArrays];
  for (int i = 0; i < count_; ++i) at[i] = memory_[i] ? open(memory_[i]) + offset : nullptr;
  kernel_(rule_, at, end - begin);
}

void StepItem::finish() const {
  for (const auto& [original, own] : copies_)
    if (original && same_shape(original, own) && original.dtype() == dtype_) copy_raw(original, own);
  for (int i = 0; i < count_; ++i)
    if (i != kGrad && arrays_[i]) arrays_[i].bump_version();
}

uint32_t Extents::new_mark() {
  static uint32_t mark = 0;  // under the GIL
  return ++mark;
}

void Extents::add(std::span<const Tensor> arrays) {
  for (size_t i = 0; i < arrays.size(); ++i)
    if (const Tensor& t = arrays[i]; t && t.numel()) found_.push_back(extent_of(t, i != kGrad));
}

bool Extents::overlap() {
  std::sort(found_.begin(), found_.end(), [](const Extent& a, const Extent& b) { return a.first < b.first; });
  uintptr_t read = 0, written = 0;  // ends of what came before
  for (const Extent& e : found_) {
    if (e.first < written || (e.written && e.first < read)) return true;
    read = std::max(read, e.last);
    if (e.written) written = std::max(written, e.last);
  }
  return false;
}

void check_state_number(const Tensor& t, const char* name) {
  check(t.numel() == 1 && is_floating(t.dtype()) && !is_half(t.dtype()) && !t->batch, "optimizer state '", name,
        "' must be a tensor of one element, of float32 or float64");
}

StateNumber StepInstruction::read_number(const Tensor& t) {
  const char* at = open(t.window());
  const bool single = t.dtype() == DType::Float32;
  return {single ? *reinterpret_cast<const float*>(at) : *reinterpret_cast<const double*>(at), single};
}

void StepInstruction::write_number(const Tensor& t, double value) {
  char* at = open(t.window());
  if (t.dtype() == DType::Float32)
    *reinterpret_cast<float*>(at) = static_cast<float>(value);
  else
    *reinterpret_cast<double*>(at) = value;
}

}  // namespace gradcore
