#include "ops/derived.h"

#include "autograd/transforms.h"
#include "autograd/views.h"
#include "ops/batching.h"
#include "ops/linalg.h"
#include "ops/pointwise.h"
#include "ops/rearrange.h"
#include "ops/reduce.h"
#include "ops/shapes.h"
#include "tensor/meta.h"

namespace gradcore {

namespace {

bool is_true(const Tensor& t) { return *t.host<uint8_t>() != 0; }

void check_rounding_mode(const RoundingMode& mode) {
  if (!mode || *mode == "floor" || *mode == "trunc") return;
  fail("div expected rounding_mode to be one of None, 'trunc', or 'floor' but found '", *mode, "'");
}

// torch takes no other dtype in place, but lets integers wrap in their own.
void cumulate_(Tensor (*op)(const Tensor&, int64_t, MaybeDType), const Tensor& t, int64_t dim, MaybeDType dtype) {
  const DType type = dtype.value_or(t.dtype());
  if (type != t.dtype())
    fail("Bad in-place call: input tensor dtype ", scalar_type_name(t.dtype()), " and output tensor dtype ",
         scalar_type_name(type), " should match");
  copy_(t, op(clone(t), dim, type));
}

}  // namespace

Tensor div(const Operand& a, const Operand& b, const RoundingMode& mode) {
  check_rounding_mode(mode);
  if (!mode) return div(a, b);
  return *mode == "floor" ? div_floor(a, b) : div_trunc(a, b);
}
void div_(const Tensor& a, const Operand& b, const RoundingMode& mode) {
  check_rounding_mode(mode);
  if (!mode) return div_(a, b);
  *mode == "floor" ? div_floor_(a, b) : div_trunc_(a, b);
}
// torch multiplies a number with the reciprocal, and so has MulBackward0 for it.
Tensor divided_by(const Operand& a, const Operand& b) {
  return a.is_tensor() ? div(a, b) : mul(reciprocal(*b.tensor), a);
}
Tensor rsub(const Tensor& a, const Operand& b, const Scalar& alpha) { return sub(b, a, alpha); }
Tensor positive(const Tensor& t) {
  check(t.dtype() != DType::Bool, "The `+` operator, on a bool tensor is not supported.");
  return t;
}
Tensor negative(const Tensor& t) {
  check(t.dtype() != DType::Bool,
        "Negation, the `-` operator, on a bool tensor is not supported. If you are trying to invert "
        "a mask, use the `~` or `logical_not()` operator instead.");
  return neg(t);
}
Tensor inverted(const Tensor& t) {
  check(!is_floating(t.dtype()), ErrorKind::Type,
        "~ (operator.invert) is only implemented on integer and Boolean-type tensors");
  return bitwise_not(t);
}
void round_to_(const Tensor& t, int64_t decimals) { copy_(t, round_to(clone(t), decimals)); }
void clamp_min_(const Tensor& t, const Operand& lo) { clamp_(t, lo, {}); }
void clamp_max_(const Tensor& t, const Operand& hi) { clamp_(t, {}, hi); }

bool allclose(const Tensor& a, const Tensor& b, double rtol, double atol, bool equal_nan) {
  return is_true(all(isclose(a, b, rtol, atol, equal_nan), {}, false));
}
bool equal(const Tensor& a, const Tensor& b) {
  if (!same_shape(a, b)) return false;
  const NoRecordGuard off;
  return is_true(all(eq(a, b), {}, false));
}
void check_item(const Tensor& t) {
  if (any_batched(t))
    fail(
        "vmap: It looks like you're calling .item() on a Tensor. We don't support vmap over calling .item() on a "
        "Tensor, please try to rewrite what you're doing with other operations.");
  check(t.numel() == 1, "a Tensor with ", t.numel(), " elements cannot be converted to Scalar");
}
Scalar item(const Tensor& t) {
  check_item(t);
  return visit_dtype(t.dtype(), [&](auto tag) -> Scalar {
    using T = typename decltype(tag)::type;
    if constexpr (is_floating_type<T>)
      return static_cast<double>(*t.host<T>());
    else if constexpr (std::is_same_v<T, bool>)
      return *t.host<T>();
    else
      return static_cast<int64_t>(*t.host<T>());
  });
}
bool contains(const Tensor& t, const Operand& value) { return is_true(any(eq(t, value), {}, false)); }

Tensor nanmean(const Tensor& t, const MaybeDims& dim, bool keepdim, MaybeDType dtype) {
  check(is_floating(t.dtype()), "nanmean(): expected input to have floating point or complex dtype but got ",
        scalar_type_name(t.dtype()));
  return div(nansum(t, dim, keepdim, dtype), sum(logical_not(isnan(t)), dim, keepdim));
}
TwoTensors var_mean(const Tensor& t, const MaybeDims& dim, double correction, bool keepdim) {
  Tensor spread = var_within("var_mean", t, dim, correction, keepdim);
  return {std::move(spread), mean(t, dim, keepdim)};
}
TwoTensors std_mean(const Tensor& t, const MaybeDims& dim, double correction, bool keepdim) {
  Tensor spread = std_within("std_mean", t, dim, correction, keepdim);
  return {std::move(spread), mean(t, dim, keepdim)};
}
Tensor norm(const Tensor& t, std::string_view p, const MaybeDims& dim, bool keepdim, MaybeDType dtype) {
  if (p == "nuc") {
    Dims all;
    for (int d = 0; d < t.dim(); ++d) all.push_back(d);
    return linalg::matrix_norm(t, p, dim.value_or(all), keepdim, dtype);
  }
  check(p == "fro", "norm(): p must be a number, 'fro' or 'nuc', not '", p, "'");
  return norm(t, 2, dim, keepdim, dtype);
}

Tensor norm_except_dim(const Tensor& t, int64_t pow, int64_t dim) {
  const double p = static_cast<double>(pow);
  if (dim == -1) return norm(t, p, {}, false, {});
  const int d = wrap_dim(dim, t.dim());
  Dims others;
  for (int i = 0; i < t.dim(); ++i)
    if (i != d) others.push_back(i);
  if (!others.empty()) return norm(t, p, others, true, {});
  return p != 0 && is_floating(t.dtype()) ? abs(t) : norm(unsqueeze(t, 1), p, Dims{1}, false, {});
}

namespace {

// The elements of the dims in `reduced` as integers of the same bits, in one dim behind the others.
Tensor bits_in_last_dim(const Tensor& t, const std::vector<bool>& reduced) {
  Dims order, shape;
  int64_t n = 1;
  for (int d = 0; d < t.dim(); ++d) {
    if (reduced[static_cast<size_t>(d)]) continue;
    order.push_back(d);
    shape.push_back(t.size(d));
  }
  for (int d = 0; d < t.dim(); ++d) {
    if (!reduced[static_cast<size_t>(d)]) continue;
    order.push_back(d);
    n *= t.size(d);
  }
  shape.push_back(n);
  const DType wide = is_floating(t.dtype())       ? DType::Float64
                     : t.dtype() == DType::UInt64 ? DType::UInt64
                                                  : DType::Int64;
  return view_dtype(reshape(permute(cast(t, wide), order), shape), DType::Int64);
}

}  // namespace

Tensor hash_tensor(const Tensor& t, const MaybeDims& dim, bool keepdim, int64_t mode) {
  check(mode == 0, "Unknown hash_tensor mode: ", mode);
  const bool all = !dim || dim->empty();
  check(
      !all || t.numel() > 0,
      "hash_tensor: Expected reduction dim to be specified for input.numel() == 0. Specify the reduction dim with the "
      "'dim' argument.");
  const NoRecordGuard off;
  std::vector<bool> reduced(static_cast<size_t>(t.dim()), all);
  if (!all)
    for (const int64_t d : *dim)
      if (t.dim()) reduced[static_cast<size_t>(wrap_dim(d, t.dim()))] = true;
  for (int d = 0; d < t.dim(); ++d)
    check(!reduced[static_cast<size_t>(d)] || t.size(d) != 0, ErrorKind::Index, "hash_tensor: Expected reduction dim ",
          d, " to have non-zero size.");
  Tensor bits = bits_in_last_dim(t, reduced);
  const int last = bits.dim() - 1;
  for (int64_t n = bits.size(last); n > 1; n = bits.size(last)) {  // the second half into the first
    const int64_t rest = n / 2;
    const Tensor first = narrow(bits, -1, 0, n - rest), second = narrow(bits, -1, n - rest, rest);
    const Tensor folded = bitwise_xor(narrow(first, -1, 0, rest), second);
    const Tensor parts[] = {folded, narrow(first, -1, rest, n - 2 * rest)};
    bits = cat(parts, -1);
  }
  Dims shape;
  for (int d = 0; d < t.dim(); ++d)
    if (!reduced[static_cast<size_t>(d)])
      shape.push_back(t.size(d));
    else if (keepdim)
      shape.push_back(1);
  return view_dtype(reshape(bits, shape), DType::UInt64);
}

void cumsum_(const Tensor& t, int64_t dim, MaybeDType dtype) { cumulate_(cumsum, t, dim, dtype); }
void cumprod_(const Tensor& t, int64_t dim, MaybeDType dtype) { cumulate_(cumprod, t, dim, dtype); }
void tril_(const Tensor& t, int64_t diagonal) { copy_(t, tril(clone(t), diagonal)); }
void triu_(const Tensor& t, int64_t diagonal) { copy_(t, triu(clone(t), diagonal)); }

Tensor ravel(const Tensor& t) { return view(contiguous(t), Dims{-1}); }
Tensor tile(const Tensor& t, const Dims& dims) {
  Dims repeats = dims;
  while (repeats.size() < t.dim()) repeats.insert(0, 1);
  return repeat(t, repeats);
}

namespace {

// Each of the tensors as `prepare` makes it.
template <class F> std::vector<Tensor> prepared(const char* op, std::span<const Tensor> tensors, F&& prepare) {
  check(!tensors.empty(), op, " expects a non-empty TensorList");
  std::vector<Tensor> out;
  out.reserve(tensors.size());
  for (const Tensor& t : tensors) out.push_back(prepare(t));
  return out;
}

Tensor as_columns(const Tensor& t) { return t.dim() >= 2 ? t : reshape(t, Dims{t.numel(), 1}); }

}  // namespace

Tensor hstack(std::span<const Tensor> tensors) {
  const std::vector<Tensor> rows = prepared("hstack", tensors, [](const Tensor& t) { return atleast_1d(t); });
  return cat(rows, rows[0].dim() == 1 ? 0 : 1);
}
Tensor vstack(std::span<const Tensor> tensors) {
  return cat(prepared("vstack", tensors, [](const Tensor& t) { return atleast_2d(t); }), 0);
}
Tensor dstack(std::span<const Tensor> tensors) {
  return cat(prepared("dstack", tensors, [](const Tensor& t) { return atleast_3d(t); }), 2);
}
Tensor column_stack(std::span<const Tensor> tensors) { return cat(prepared("column_stack", tensors, as_columns), 1); }

std::vector<Tensor> nonzero_by_dim(const Tensor& t) { return unbind(nonzero(t.dim() ? t : unsqueeze(t, 0)), 1); }
std::variant<Tensor, std::vector<Tensor>> nonzero(const Tensor& t, bool as_tuple) {
  if (as_tuple) return nonzero_by_dim(t);
  return nonzero(t);
}

Tensor argwhere(const Tensor& t) {
  if (any_batched(t)) return sample_by_sample("argwhere", {&t, 1}, [](auto s) { return nonzero(s[0]); });
  return nonzero(t);
}
Tensor nonzero_static(const Tensor& t, int64_t size, int64_t value) {
  check(size >= 0, "nonzero_static: 'size' must be an non-negative integer");
  if (any_batched(t)) {
    const auto of_sample = [&](std::span<const Tensor> s) { return nonzero_static(s[0], size, value); };
    return sample_by_sample("nonzero_static", {&t, 1}, of_sample);
  }
  const Tensor places = nonzero(t), out = full(Dims{size, t.dim()}, Scalar(value), DType::Int64);
  const int64_t n = std::min(size, places.size(0));
  copy_raw(narrow(out, 0, 0, n), narrow(places, 0, 0, n));
  return out;
}
Tensor sum_to_size(const Tensor& t, const Dims& shape) {
  check(broadcastable_to(shape, t.shape()), "size {", shape, "} is not expandable to size {", t.shape(), "}.");
  return sum_to(t, shape);
}

Tensor to(const Tensor& t, MaybeDType dtype, bool copy) {
  if (dtype && *dtype != t.dtype()) return cast(t, *dtype);
  return copy ? clone(t) : t;
}
void copy_(const Tensor& to, const Operand& from) {
  if (from.is_tensor()) return copy_(to, *from.tensor);
  copy_(to, scalar_tensor(from.scalar, from.scalar.dtype(default_dtype())));
}
void requires_grad_(const Tensor& t, bool on) {
  check(!in_transform(),
        "You are attempting to call Tensor.requires_grad_() (or perhaps using torch.autograd.functional.* APIs) inside "
        "of a function being transformed by a functorch transform. This is unsupported: please use func.grad, func.vjp "
        "and their relatives there instead.");
  check(!on || is_floating(t.dtype()), "only Tensors of floating point dtype can require gradients");
  set_requires_grad(t, on);
}
void detach_from_graph_(const Tensor& t) {
  refuse_captured(t);
  detach_(t);
}

void t_(const Tensor& x) { become_view(x, t(x)); }
void transpose_(const Tensor& t, int64_t a, int64_t b) { become_view(t, transpose(t, a, b)); }
void squeeze_(const Tensor& t) { become_view(t, squeeze(t)); }
void squeeze_(const Tensor& t, const Dims& dims) { become_view(t, squeeze(t, dims)); }
void unsqueeze_(const Tensor& t, int64_t dim) { become_view(t, unsqueeze(t, dim)); }
void as_strided_(const Tensor& t, const Dims& shape, const Dims& strides, std::optional<int64_t> offset) {
  become_view(t, as_strided(t, shape, strides, offset));
}
void set_(const Tensor& t) {
  const meta::Scope as_before(is_meta(t));
  set_(t, empty(Dims{0}, t.dtype()));
}

}  // namespace gradcore
