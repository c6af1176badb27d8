#include "ops/factories.h"

#include "autograd/node.h"
#include "tensor/batch.h"

namespace gradcore::factories {

namespace {

Tensor finish(Tensor t, const Options& options) {
  if (options.requires_grad) set_requires_grad(t, true);
  return t;
}

DType dtype_of(const Options& options) { return options.dtype.value_or(default_dtype()); }
DType dtype_like(const Tensor& t, const Options& options) { return options.dtype.value_or(t.dtype()); }

// The tensor whose memory order the result gets.
Tensor model(const Tensor& t, MemoryFormat format) {
  const NoRecordGuard off;
  return format == MemoryFormat::Contiguous ? contiguous(t) : t;
}

Tensor triangle_indices(Tensor (*side)(const Tensor&, int64_t), int64_t rows, int64_t cols, int64_t offset,
                        const Options& options) {
  const Tensor at = nonzero(side(gradcore::ones(Dims{rows, cols}, DType::Bool), offset));
  const DType type = options.dtype.value_or(DType::Int64);
  if (is_floating(type) || type == DType::Bool)
    fail(ErrorKind::NotImplemented, "\"tril_indices\" not implemented for '", scalar_type_name(type), "'");
  return finish(cast(contiguous(t(at)), type), options);
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

}  // namespace

Tensor zeros(const Dims& size, const Options& o) { return finish(gradcore::zeros(size, dtype_of(o)), o); }
Tensor ones(const Dims& size, const Options& o) { return finish(gradcore::ones(size, dtype_of(o)), o); }
Tensor empty(const Dims& size, const Options& o) { return finish(gradcore::empty(size, dtype_of(o)), o); }
Tensor empty_strided(const Dims& size, const Dims& stride, const Options& o) {
  return finish(gradcore::empty_strided(size, stride, dtype_of(o)), o);
}
Tensor full(const Dims& size, const Scalar& value, const Options& o) {
  return finish(gradcore::full(size, value, o.dtype.value_or(value.dtype(default_dtype()))), o);
}
Tensor scalar_tensor(const Scalar& value, const Options& o) {
  return finish(gradcore::full(Dims(), value, dtype_of(o)), o);
}
Tensor arange(const Scalar& start, const Scalar& end, const Scalar& step, const Options& o) {
  return finish(gradcore::arange(start, end, step, o.dtype), o);
}
Tensor linspace(const Scalar& start, const Scalar& end, int64_t steps, const Options& o) {
  return finish(gradcore::linspace(start, end, steps, dtype_of(o)), o);
}
Tensor logspace(const Scalar& start, const Scalar& end, int64_t steps, double base, const Options& o) {
  return finish(gradcore::logspace(start, end, steps, base, dtype_of(o)), o);
}
Tensor eye(int64_t n, std::optional<int64_t> m, const Options& o) {
  return finish(gradcore::eye(n, m.value_or(n), dtype_of(o)), o);
}
Tensor tril_indices(int64_t rows, int64_t cols, int64_t offset, const Options& o) {
  return triangle_indices(tril, rows, cols, offset, o);
}
Tensor triu_indices(int64_t rows, int64_t cols, int64_t offset, const Options& o) {
  return triangle_indices(triu, rows, cols, offset, o);
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
Tensor rand_like(const Tensor& t, const Options& o, MemoryFormat format) {
  return finish(drawn_uniform(to_draw_like(t, o, format), nullptr), o);
}
Tensor randn_like(const Tensor& t, const Options& o, MemoryFormat format) {
  return finish(drawn_normal(to_draw_like(t, o, format), nullptr), o);
}
Tensor randint_like(const Tensor& t, int64_t low, int64_t high, const Options& o, MemoryFormat format) {
  return finish(drawn_integers(low, high, to_draw_like(t, o, format), nullptr), o);
}

}  // namespace gradcore::factories
