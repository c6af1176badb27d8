// Norms of vectors and matrices.
#include <cmath>

#include "ops/linalg/matrices.h"

namespace gradcore::linalg {

namespace {

constexpr const char* kMatrixNorm = "linalg.matrix_norm";

std::string listed(const Dims& dims) {
  std::string text;
  for (int i = 0; i < dims.size(); ++i) text += str_cat(i ? ", " : "", dims[i]);
  return text;
}

[[noreturn]] void refuse_order(const Order& ord) {
  if (const auto* name = std::get_if<std::string_view>(&ord)) fail(kMatrixNorm, ": Order ", *name, " not supported.");
  fail(kMatrixNorm, ": Order ", std::get<double>(ord), " not supported.");
}

// The two dims of a matrix norm, in [0, ndim).
Dims matrix_dims(const Tensor& t, const Dims& dim) {
  need_matrix(t, kMatrixNorm);
  if (dim.size() != 2) fail(kMatrixNorm, ": dim must be a 2-tuple. Got ", listed(dim));
  const Dims d{wrap_dim(dim[0], t.dim()), wrap_dim(dim[1], t.dim())};
  if (d[0] == d[1]) fail(kMatrixNorm, ": dims must be different. Got (", dim[0], ", ", dim[1], ")");
  return d;
}

// The largest of numbers that are not negative: of none it is 0.
Tensor largest_of(const Tensor& t, int64_t dim, bool keepdim) {
  return t.size(wrap_dim(dim, t.dim())) ? amax(t, Dims{dim}, keepdim) : sum(t, Dims{dim}, keepdim);
}

// Sums of absolute values along one dim of a matrix; the largest or the smallest of them is the norm.
Tensor norm_by_sums(const Tensor& t, int64_t along, int64_t across, bool largest, bool keepdim) {
  const Tensor sums = gradcore::norm(t, 1, Dims{along}, keepdim, {});
  if (!keepdim && across > along) --across;
  return largest ? largest_of(sums, across, keepdim) : amin(sums, Dims{across}, keepdim);
}

Tensor with_dims_last(const Tensor& t, const Dims& d) {
  return d == Dims{t.dim() - 2, t.dim() - 1} ? t : movedim(t, d, Dims{-2, -1});
}
// One number for each matrix, with dims of one element in place of the matrix's where they are kept.
Tensor spread(const Tensor& numbers, const Dims& d, bool keepdim) {
  if (!keepdim) return numbers;
  return unsqueeze(unsqueeze(numbers, std::min(d[0], d[1])), std::max(d[0], d[1]));
}

}  // namespace

Tensor vector_norm(const Tensor& t, double ord, const MaybeDims& dim, bool keepdim, MaybeDType dtype) {
  // No dims are all dims.
  return gradcore::norm(t, ord, dim && dim->empty() ? MaybeDims() : dim, keepdim, dtype);
}

Tensor matrix_norm(const Tensor& a, const Order& ord, const Dims& dim, bool keepdim, MaybeDType dtype) {
  need_floating(a, kMatrixNorm, true);
  const Dims d = matrix_dims(a, dim);
  if (const auto* name = std::get_if<std::string_view>(&ord)) {
    if (*name == "fro") return gradcore::norm(a, 2, d, keepdim, dtype);
    if (*name != "nuc") refuse_order(ord);
    return spread(sum(svdvals(cast(with_dims_last(a, d), dtype.value_or(a.dtype())), {}), Dims{-1}), d, keepdim);
  }
  const double p = std::get<double>(ord), size = std::fabs(p);
  if (size != 1 && size != 2 && !std::isinf(size)) refuse_order(ord);
  const Tensor t = cast(a, dtype.value_or(a.dtype()));
  if (size == 2) {
    const Tensor s = svdvals(with_dims_last(t, d), {});
    return spread(p > 0 ? largest_of(s, -1, false) : amin(s, Dims{-1}, false), d, keepdim);
  }
  return size == 1 ? norm_by_sums(t, d[0], d[1], p > 0, keepdim) : norm_by_sums(t, d[1], d[0], p > 0, keepdim);
}

Tensor norm(const Tensor& a, const std::optional<Order>& ord, const MaybeDims& dim, bool keepdim, MaybeDType dtype) {
  if (ord && std::holds_alternative<std::string_view>(*ord)) {
    if (!dim && a.dim() != 2 && a.dim() != 1)
      fail("linalg.norm: If dim is not specified but ord is, the input must be 1D or 2D. Got ", a.dim(), "D.");
    return matrix_norm(a, *ord, dim.value_or(Dims{-2, -1}), keepdim, dtype);
  }
  const int n = a.dim();
  if (dim) {
    check(dim->size() == 1 || dim->size() == 2, "linalg.norm: If dim is specified, it must be of length 1 or 2. Got ",
          *dim);
  } else if (ord) {
    check(n == 1 || n == 2, "linalg.norm: If dim is not specified but ord is, the input must be 1D or 2D. Got ", n,
          "D.");
  }
  const bool of_matrices = ord && (dim ? dim->size() == 2 : n == 2);
  if (of_matrices) return matrix_norm(a, *ord, dim.value_or(Dims{0, 1}), keepdim, dtype);
  return vector_norm(a, ord ? std::get<double>(*ord) : 2, dim, keepdim, dtype);
}

}  // namespace gradcore::linalg
