#include "ops/factories.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "autograd/node.h"
#include "kernels/portable/range.h"
#include "ops/derived_core.h"
#include "ops/memory_format.h"
#include "ops/random.h"
#include "tensor/batch.h"
#include "tensor/door.h"

namespace gradcore::factories {

namespace {

Tensor finish(Tensor t, const Options& options) {
  if (!options.requires_grad) return t;
  check(is_floating(t.dtype()), "Only Tensors of floating point and complex dtype can require gradients");
  set_requires_grad(t, true);
  return t;
}

DType dtype_of(const Options& options) { return options.dtype.value_or(default_dtype()); }
DType dtype_like(const Tensor& t, const Options& options) { return options.dtype.value_or(t.dtype()); }

// The tensor whose memory order the result gets.
Tensor model(const Tensor& t, MemoryFormat format) {
  if (format == MemoryFormat::Preserve || is_stored_in(t, format)) return t;
  return empty_in(levels_of({&t}), t.shape(), t.dtype(), format);
}

// How many places of a matrix are at or below the diagonal that is `offset` right of its own, from -rows - 1 to cols.
__int128 count_lower(int64_t rows, int64_t cols, int64_t offset) {
  const __int128 begin = std::clamp<int64_t>(-offset, 0, rows), first = begin + offset + 1;
  const __int128 growing = std::clamp<__int128>(cols - first, 0, rows - begin);  // rows that have one more each
  return growing * first + growing * (growing - 1) / 2 + (rows - begin - growing) * cols;
}

enum class Triangle { Lower, Upper };
Tensor triangle_indices(Triangle side, int64_t rows, int64_t cols, int64_t offset, const Options& options) {
  check(rows >= 0, "row must be non-negative, got", rows);
  check(cols >= 0, "col must be non-negative, got", cols);
  const DType type = options.dtype.value_or(DType::Int64);
  if (is_floating(type) || type == DType::Bool)
    fail(ErrorKind::NotImplemented, "\"tril_indices\" not implemented for '", scalar_type_name(type), "'");
  const bool upper = side == Triangle::Upper;
  const int64_t at = std::clamp(offset, -rows, cols);
  const __int128 count =
      upper ? static_cast<__int128>(rows) * cols - count_lower(rows, cols, at - 1) : count_lower(rows, cols, at);
  check(count < __int128{1} << 59, "invalid size, possible overflow?");
  const int64_t n = static_cast<int64_t>(count);
  const Tensor out = gradcore::empty(Dims{2, n}, DType::Int64);
  if (n == 0) return finish(cast(out, type), options);
  const int64_t begin = upper ? 0 : std::max<int64_t>(0, -at), end = upper ? std::min(rows, cols - at) : rows;
  using Args = portable::TrianglePlacesArgs;
  launch(Kernel<Args>("triangle_indices", portable::triangle_places, {nullptr, n, begin, end, cols, at, upper})
             .writes(&Args::out, out.window()));
  return finish(cast(out, type), options);
}

// Where fresh random numbers go: `like` gives the order of the memory.
Tensor to_draw(const Dims& shape, DType dtype, const Tensor& like) {
  const Levels levels = levels_of_random_numbers();
  if (like && like.shape() == shape && levels.none() && !like->batch) return gradcore::empty_like(like, dtype);
  return empty_batched(levels, shape, dtype);
}
Tensor to_draw_like(const Tensor& t, const Options& options, MemoryFormat format) {
  return to_draw(t.shape(), dtype_like(t, options), model(t, format));
}
Tensor drawn_uniform(Tensor t, Generator* g) {
  const NoRecordGuard off;
  uniform_(t, 0, 1, g);
  return t.as_new();
}
Tensor drawn_normal(Tensor t, Generator* g, double mean = 0, double std = 1) {
  const NoRecordGuard off;
  normal_(t, mean, std, g);
  return t.as_new();
}
Tensor drawn_integers(int64_t low, int64_t high, Tensor t, Generator* g) {
  check(low < high, "random_ expects 'from' to be less than 'to', but got from=", low, " >= to=", high);
  random_(t, low, high, g);
  return t.as_new();
}

// With its end, where a whole number of steps leads there.
Tensor numbers_to(const Scalar& start, const Scalar& end, const Scalar& step, DType dtype) {
  check(!step.is_zero(), "step must be nonzero");
  const double first = start.to_double(), last = end.to_double(), by = step.to_double();
  check(std::isfinite(first) && std::isfinite(last), "unsupported range: ", first, " -> ", last);
  check((by > 0 && last >= first) || (by < 0 && last <= first),
        "upper bound and lower bound inconsistent with step sign");
  if (dtype == DType::Bool) fail(ErrorKind::NotImplemented, "\"range_cpu\" not implemented for 'Bool'");
  double count = std::floor((last - first) / by) + 1;
  if (!is_floating(dtype)) {
    check(step.to_int() != 0, ErrorKind::Value, "step must be nonzero");  // 0.5 as an integer
    const __int128 span = static_cast<__int128>(end.to_int()) - start.to_int();
    count = static_cast<double>(span / step.to_int() + 1);
  }
  check(count >= 0 && count < 0x1p60, "invalid size, possible overflow?");
  const int64_t n = static_cast<int64_t>(count);
  const Tensor out = gradcore::empty(Dims{n}, dtype);
  using Args = portable::ArangeArgs;
  launch(Kernel<Args>("range", portable::arange, {nullptr, n, start, step, dtype}).writes(&Args::out, out.window()));
  return out;
}

}  // namespace

Tensor zeros(const Dims& size, const Options& o) { return finish(gradcore::zeros(size, dtype_of(o)), o); }
Tensor ones(const Dims& size, const Options& o) { return finish(gradcore::ones(size, dtype_of(o)), o); }
Tensor empty(const Dims& size, const Options& o) { return finish(gradcore::empty(size, dtype_of(o)), o); }
Tensor empty_in(const Dims& size, MemoryFormat format, const Options& o) {
  return finish(gradcore::empty_in({}, size, dtype_of(o), format), o);
}
Tensor empty_permuted(const Dims& size, const Dims& layout, const Options& o) {
  const int n = size.size();
  check(n == layout.size(),
        "Number of dimensions in size does not match the length of the physical_layout; i.e. len(size) = ", n,
        " is not equal to len(physical_layout) = ", layout.size());
  Dims outer(n), seen(n, 0), strides(n);
  for (int i = 0; i < n; ++i) {
    const int64_t d = layout[i];
    check(d >= 0 && d < n, "Dimension out of range (expected to be between 0 and ", n - 1, ", but got ", d,
          " at index ", i, ").  NB: negative dims not currently supported; file an issue if you want it.");
    check(!std::exchange(seen[static_cast<int>(d)], 1), "Duplicate dim not allowed");
    outer[i] = size[static_cast<int>(d)];
  }
  const Dims steps = contiguous_strides(outer);
  for (int i = 0; i < n; ++i) strides[static_cast<int>(layout[i])] = steps[i];
  return empty_strided(size, strides, o);
}
Tensor empty_strided(const Dims& size, const Dims& stride, const Options& o) {
  return finish(gradcore::empty_strided(size, stride, dtype_of(o)), o);
}
Tensor full(const Dims& size, const Scalar& value, const Options& o) {
  return finish(gradcore::full(size, value, o.dtype.value_or(value.dtype(default_dtype()))), o);
}
Tensor scalar_tensor(const Scalar& value, const Options& o) {
  return finish(gradcore::full(Dims(), value, dtype_of(o)), o);
}
Tensor range(const Scalar& start, const Scalar& end, const Scalar& step, const Options& o) {
  return finish(numbers_to(start, end, step, dtype_of(o)), o);
}
Tensor arange(const Scalar& start, const Scalar& end, const Scalar& step, const Options& o) {
  return finish(gradcore::arange(start, end, step, o.dtype), o);
}
static Scalar end_of(const Operand& end, const char* op, const char* which) {
  if (!end.is_tensor()) return end.scalar;
  check(end.tensor->dim() == 0, op, " only supports 0-dimensional start and end tensors, but got ", which, " with ",
        end.tensor->dim(), " dimension(s).");
  return item(*end.tensor);
}
Tensor linspace(const Operand& start, const Operand& end, int64_t steps, const Options& o) {
  const Scalar first = end_of(start, "linspace", "start"), last = end_of(end, "linspace", "end");
  return finish(gradcore::linspace(first, last, steps, dtype_of(o)), o);
}
Tensor logspace(const Operand& start, const Operand& end, int64_t steps, double base, const Options& o) {
  const Scalar first = end_of(start, "logspace", "start"), last = end_of(end, "logspace", "end");
  return finish(gradcore::logspace(first, last, steps, base, dtype_of(o)), o);
}
Tensor eye(int64_t n, std::optional<int64_t> m, const Options& o) {
  return finish(gradcore::eye(n, m.value_or(n), dtype_of(o)), o);
}
Tensor tril_indices(int64_t rows, int64_t cols, int64_t offset, const Options& o) {
  return triangle_indices(Triangle::Lower, rows, cols, offset, o);
}
Tensor triu_indices(int64_t rows, int64_t cols, int64_t offset, const Options& o) {
  return triangle_indices(Triangle::Upper, rows, cols, offset, o);
}

Tensor full_like(const Tensor& t, const Scalar& value, const Options& o, MemoryFormat format) {
  return finish(gradcore::full_like(model(t, format), value, dtype_like(t, o)), o);
}
Tensor zeros_like(const Tensor& t, const Options& o, MemoryFormat format) { return full_like(t, 0, o, format); }
Tensor ones_like(const Tensor& t, const Options& o, MemoryFormat format) { return full_like(t, 1, o, format); }
Tensor empty_like(const Tensor& t, const Options& o, MemoryFormat format) {
  return finish(gradcore::empty_like(model(t, format), dtype_like(t, o)), o);
}

Tensor new_full(const Tensor& t, const Dims& size, const Scalar& value, const Options& o) {
  return finish(full_batched(levels_of({&t}), size, value, dtype_like(t, o)), o);
}
Tensor new_zeros(const Tensor& t, const Dims& size, const Options& o) { return new_full(t, size, 0, o); }
Tensor new_ones(const Tensor& t, const Dims& size, const Options& o) { return new_full(t, size, 1, o); }
Tensor new_empty_strided(const Tensor& t, const Dims& size, const Dims& stride, const Options& o) {
  return finish(empty_strided_batched(levels_of({&t}), size, stride, dtype_like(t, o)), o);
}
Tensor new_empty(const Tensor& t, const Dims& size, const Options& o) {
  return finish(empty_batched(levels_of({&t}), size, dtype_like(t, o)), o);
}

Tensor rand(const Dims& size, Generator* g, const Tensor& out, const Options& o) {
  return finish(drawn_uniform(to_draw(size, dtype_of(o), out), g), o);
}
Tensor randn(const Dims& size, Generator* g, const Tensor& out, const Options& o) {
  return finish(drawn_normal(to_draw(size, dtype_of(o), out), g), o);
}
Tensor normal(double mean, double std, const Dims& size, Generator* g, const Tensor& out, const Options& o) {
  return finish(drawn_normal(to_draw(size, dtype_of(o), out), g, mean, std), o);
}
Tensor randint(int64_t low, int64_t high, const Dims& size, Generator* g, const Tensor& out, const Options& o) {
  return finish(drawn_integers(low, high, to_draw(size, o.dtype.value_or(DType::Int64), out), g), o);
}
Tensor randperm(int64_t n, Generator* g, const Options& o) {
  return finish(gradcore::randperm(n, o.dtype.value_or(DType::Int64), g), o);
}
Tensor rand_like(const Tensor& t, Generator* g, const Options& o, MemoryFormat format) {
  return finish(drawn_uniform(to_draw_like(t, o, format), g), o);
}
Tensor randn_like(const Tensor& t, Generator* g, const Options& o, MemoryFormat format) {
  return finish(drawn_normal(to_draw_like(t, o, format), g), o);
}
Tensor randint_like(const Tensor& t, int64_t low, int64_t high, Generator* g, const Options& o, MemoryFormat format) {
  return finish(drawn_integers(low, high, to_draw_like(t, o, format), g), o);
}

}  // namespace gradcore::factories
