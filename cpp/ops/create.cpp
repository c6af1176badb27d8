// Tensors out of nothing: fills, ranges, the identity.
#include <cmath>
#include <cstring>

#include "core/parallel.h"
#include "ops/batching.h"
#include "ops/ops.h"

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
  check(n <= kMaxDims, "a tensor of ", n, " dimensions is more than the ", kMaxDims, " that ops support");
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

void zero_bytes(void* p, int64_t bytes) {
  constexpr int64_t kSpan = 1 << 20;
  if (bytes <= 2 * kSpan) {
    std::memset(p, 0, bytes);
    return;
  }
  parallel_blocks((bytes + kSpan - 1) / kSpan, [&](int64_t b) {
    const int64_t begin = b * kSpan, n = bytes - begin < kSpan ? bytes - begin : kSpan;
    std::memset(static_cast<char*>(p) + begin, 0, n);
  });
}

void fill_fresh(const Tensor& t, const Scalar& value) {
  if (t.numel() == 1 && t.dtype() == DType::Float32 && !t->batch) {  // what backward() begins with
    *t.data<float>() = value.to<float>();
    return;
  }
  const bool zero = value.is_zero() && !(value.is_float() && std::signbit(value.to_double()));
  if (zero)
    zero_bytes(t->data, t->storage->bytes);
  else
    fill_raw(t, value);
}

}  // namespace

Tensor full_batched(const Levels& levels, const Dims& shape, const Scalar& value, DType dtype) {
  check_fits(value, dtype);
  const Tensor t = empty_batched(levels, shape, dtype);
  fill_fresh(t, value);
  return t;
}
Tensor full(const Dims& shape, const Scalar& value, DType dtype) { return full_batched({}, shape, value, dtype); }
Tensor zeros(const Dims& shape, DType dtype) { return full(shape, 0, dtype); }
Tensor ones(const Dims& shape, DType dtype) { return full(shape, 1, dtype); }
Tensor empty_like(const Tensor& t, DType dtype) { return empty_in_order_of(t, dtype); }
Tensor full_like(const Tensor& t, const Scalar& value, DType dtype) {
  check_fits(value, dtype);
  const Tensor out = empty_in_order_of(t, dtype);
  fill_fresh(out, value);
  return out;
}
Tensor zeros_like(const Tensor& t) { return full_like(t, 0, t.dtype()); }
Tensor ones_like(const Tensor& t) { return full_like(t, 1, t.dtype()); }
Tensor scalar_tensor(const Scalar& value, DType dtype) {
  const Tensor t = empty(Dims(), dtype);
  visit_dtype(dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    *t.data<T>() = value.to<T>();
  });
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
  int64_t n;
  if (!any_float) {  // exact where a double is not
    const __int128 span = static_cast<__int128>(end.to_int()) - start.to_int();
    const __int128 s = step.to_int();
    n = static_cast<int64_t>((span + s - (s > 0 ? 1 : -1)) / s);
  } else {
    const double count = std::ceil((last - first) / by);
    check(count >= 0 && count < 0x1p60, "invalid size, possible overflow?");
    n = static_cast<int64_t>(count);
  }
  const Tensor out = empty(Dims{n}, t);
  visit_dtype(t, [&](auto tag) {
    using T = typename decltype(tag)::type;
    if constexpr (std::is_same_v<T, bool>) {
      fail(ErrorKind::NotImplemented, "\"arange_cpu\" not implemented for 'Bool'");
    } else if constexpr (std::is_floating_point_v<T>) {
      for (int64_t i = 0; i < n; ++i) out.data<T>()[i] = static_cast<T>(first + by * static_cast<double>(i));
    } else {
      const uint64_t a = static_cast<uint64_t>(start.to<int64_t>()), s = static_cast<uint64_t>(step.to<int64_t>());
      check(n == 0 || s != 0, ErrorKind::Value, "step must be nonzero");  // 0.5 as an integer
      for (int64_t i = 0; i < n; ++i) out.data<T>()[i] = static_cast<T>(a + s * static_cast<uint64_t>(i));
    }
  });
  return out;
}

// From both ends, so that the last element is exactly `end` and the values are symmetric.
Tensor linspace(const Scalar& start, const Scalar& end, int64_t steps, DType dtype) {
  check(steps >= 0, "number of steps must be non-negative");
  const Tensor out = empty(Dims{steps}, dtype);
  if (steps == 0) return out;
  visit_dtype(dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    if constexpr (std::is_same_v<T, bool>) {
      fail(ErrorKind::NotImplemented, "\"linspace_cpu\" not implemented for 'Bool'");
    } else {
      using Step = std::conditional_t<std::is_floating_point_v<T>, T, float>;
      const T a = start.to<T>(), b = end.to<T>();
      T* p = out.data<T>();
      if (steps == 1) {
        *p = a;
        return;
      }
      const Step step = (static_cast<Step>(b) - static_cast<Step>(a)) / static_cast<Step>(steps - 1);
      const int64_t half = steps / 2;
      for (int64_t i = 0; i < steps; ++i)
        p[i] = i < half ? static_cast<T>(a + step * static_cast<Step>(i))
                        : static_cast<T>(b - step * static_cast<Step>(steps - i - 1));
    }
  });
  return out;
}

Tensor logspace(const Scalar& start, const Scalar& end, int64_t steps, double base, DType dtype) {
  const Tensor powers = linspace(start, end, steps, DType::Float64);
  double* p = powers.data<double>();
  for (int64_t i = 0; i < steps; ++i) p[i] = std::pow(base, p[i]);
  return cast(powers, dtype);
}

Tensor eye(int64_t n, int64_t m, DType dtype) {
  check(n >= 0, "n must be greater or equal to 0, got ", n);
  check(m >= 0, "m must be greater or equal to 0, got ", m);
  const Tensor out = zeros(Dims{n, m}, dtype);
  visit_dtype(dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    for (int64_t i = 0; i < (n < m ? n : m); ++i) out.data<T>()[i * m + i] = static_cast<T>(1);
  });
  return out;
}

}  // namespace gradcore
