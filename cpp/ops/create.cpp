// Tensors out of nothing: fills, ranges, the identity.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "kernels/portable/range.h"
#include "ops/batching.h"
#include "ops/ops.h"
#include "tensor/door.h"

namespace gradcore {

namespace {

// The memory order of `t` where it is dense, else the order that an op on `t` would give its result.
Tensor empty_in_order_of(const Tensor& t, DType dtype) {
  if (any_batched(t)) return batch_to_front({&t}, [&](auto p, int) { return empty_in_order_of(p[0], dtype); });
  if (t.is_contiguous()) return empty(t.shape(), dtype);
  if (is_dense(t)) return empty_strided(t.shape(), t.strides(), dtype);
  // A tensor with holes or repeats keeps only the order of its strides.
  int order[kMaxDims];
  const int n = t.dim();
  for (int i = 0; i < n; ++i) order[i] = i;
  for (int i = 1; i < n; ++i)
    for (int j = i; j > 0 && t.stride(order[j]) > t.stride(order[j - 1]) && t.stride(order[j - 1]) != 0; --j)
      std::swap(order[j], order[j - 1]);
  Dims strides(n);
  int64_t step = 1;
  for (int i = n - 1; i >= 0; --i) {
    strides[order[i]] = step;
    step *= t.size(order[i]) > 1 ? t.size(order[i]) : 1;
  }
  return empty_strided(t.shape(), strides, dtype);
}

// A number into the only element of a tensor.
class StoreNumber final : public Instruction {
 public:
  static constexpr bool kOwnsAll = true;
  StoreNumber(Window to, const Scalar& value) : to_(open(to)), item_(item_size(to.dtype())) {
    if (to.dtype() == DType::Float32)  // what backward() begins with
      set(value.to<float>());
    else
      visit_dtype(to.dtype(), [&](auto tag) { set(value.to<typename decltype(tag)::type>()); });
  }
  const char* name() const { return "store"; }
  bool fails() const { return false; }
  void run() const {
    if (item_ == 4)
      std::memcpy(to_, bytes_, 4);
    else
      std::memcpy(to_, bytes_, static_cast<size_t>(item_));
  }
  template <class F> void touches(F&& f) const { f(Touch{reinterpret_cast<uintptr_t>(to_), item_, item_, true}); }

 private:
  template <class T> void set(T v) { std::memcpy(bytes_, &v, sizeof v); }
  char* to_;
  int64_t item_;
  alignas(8) char bytes_[8];
};

void fill_fresh(const Tensor& t, const Scalar& value) {
  if (t.numel() == 1 && !t->batch) return launch(StoreNumber(t.window(), value));
  const bool zero = value.is_zero() && !(value.is_float() && std::signbit(value.to_double()));
  if (zero)
    launch(ZeroBytes::storage_of(t.window()));
  else
    fill_raw(t, value);
}

void check_fits_all(const Scalar& value, const Dims& shape, DType dtype) {
  numel_of(shape) == 1 ? check_fits_alone(value, dtype) : check_fits(value, dtype);
}

}  // namespace

Tensor full_batched(const Levels& levels, const Dims& shape, const Scalar& value, DType dtype) {
  check_fits_all(value, shape, dtype);
  const Tensor t = empty_batched(levels, shape, dtype);
  fill_fresh(t, value);
  return t;
}
Tensor full(const Dims& shape, const Scalar& value, DType dtype) { return full_batched({}, shape, value, dtype); }
Tensor zeros(const Dims& shape, DType dtype) { return full(shape, 0, dtype); }
Tensor ones(const Dims& shape, DType dtype) { return full(shape, 1, dtype); }
Tensor empty_like(const Tensor& t, DType dtype) { return empty_in_order_of(t, dtype); }
Tensor full_like(const Tensor& t, const Scalar& value, DType dtype) {
  check_fits_all(value, t.shape(), dtype);
  const Tensor out = empty_in_order_of(t, dtype);
  fill_fresh(out, value);
  return out;
}
Tensor zeros_like(const Tensor& t) { return full_like(t, 0, t.dtype()); }
Tensor ones_like(const Tensor& t) { return full_like(t, 1, t.dtype()); }
Tensor scalar_tensor(const Scalar& value, DType dtype) {
  const Tensor t = empty(Dims(), dtype);
  launch(StoreNumber(t.window(), value));
  return t;
}

Tensor arange(const Scalar& start, const Scalar& end, const Scalar& step, std::optional<DType> dtype) {
  const bool any_float = start.is_float() || end.is_float() || step.is_float();
  const DType t = dtype.value_or(any_float ? default_dtype() : DType::Int64);
  check(!step.is_zero(), "step must be nonzero");
  const double first = start.to_double(), last = end.to_double(), by = step.to_double();
  check(std::isfinite(first) && std::isfinite(last), "unsupported range: ", first, " -> ", last);
  check((by > 0 && last >= first) || (by < 0 && last <= first),
        "upper bound and lower bound inconsistent with step sign");
  if (t == DType::Bool) fail(ErrorKind::NotImplemented, "\"arange_cpu\" not implemented for 'Bool'");
  int64_t n;
  if (!any_float || t == DType::Int64) {  // exact where a double is not; int64 counts whole numbers, as in torch
    const __int128 span = static_cast<__int128>(end.to_int()) - start.to_int();
    const __int128 s = step.to_int();
    check(s != 0, ErrorKind::Value, "step must be nonzero");
    const __int128 count = (span + s - (s > 0 ? 1 : -1)) / s;
    check(count < int64_t{1} << 60, "invalid size, possible overflow?");
    n = static_cast<int64_t>(count);
  } else {
    const double count = std::ceil((last - first) / by);
    check(count >= 0 && count < 0x1p60, "invalid size, possible overflow?");
    n = static_cast<int64_t>(count);
  }
  if (!is_floating(t)) start.to_int(), step.to_int();  // raise where they do not fit
  const Tensor out = empty(Dims{n}, t);
  using Args = portable::ArangeArgs;
  launch(Kernel<Args>("arange", portable::arange, {nullptr, n, start, step, t}).writes(&Args::out, out.window()));
  return out;
}

Tensor linspace(const Scalar& start, const Scalar& end, int64_t steps, DType dtype) {
  check(steps >= 0, "number of steps must be non-negative");
  const Tensor out = empty(Dims{steps}, dtype);
  if (steps == 0) return out;
  if (dtype == DType::Bool) fail(ErrorKind::NotImplemented, "\"linspace_cpu\" not implemented for 'Bool'");
  if (!is_floating(dtype)) check_fits(start, dtype), check_fits(end, dtype);
  using Args = portable::LinspaceArgs;
  launch(Kernel<Args>("linspace", portable::linspace, {nullptr, steps, start, end, dtype})
             .writes(&Args::out, out.window()));
  return out;
}

Tensor logspace(const Scalar& start, const Scalar& end, int64_t steps, double base, DType dtype) {
  const Tensor powers = linspace(start, end, steps, DType::Float64);
  using Args = portable::RaiseArgs;
  launch(Kernel<Args>("raise_base", portable::raise_base, {nullptr, steps, base}).writes(&Args::data, powers.window()));
  return cast(powers, dtype);
}

Tensor eye(int64_t n, int64_t m, DType dtype) {
  check(n >= 0, "n must be greater or equal to 0, got ", n);
  check(m >= 0, "m must be greater or equal to 0, got ", m);
  const Tensor out = zeros(Dims{n, m}, dtype);
  using Args = portable::DiagonalArgs;
  launch(Kernel<Args>("eye", portable::set_diagonal, {nullptr, n, m, dtype}).writes(&Args::out, out.window()));
  return out;
}

}  // namespace gradcore
