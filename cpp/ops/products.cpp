#include "ops/products.h"

#include <algorithm>
#include <vector>

#include "kernels/portable/cross.h"
#include "ops/batching.h"
#include "ops/einsum.h"
#include "ops/ops.h"
#include "ops/rearrange.h"
#include "ops/record.h"
#include "tensor/door.h"

namespace gradcore {

Tensor kron(const Tensor& a, const Tensor& b) {
  const int n = std::max(a.dim(), b.dim());
  Dims of_a, of_b, shape;  // dims of both in turn, each with one element where the other moves
  for (int i = 0; i < n; ++i) {
    const int d = i - (n - a.dim()), e = i - (n - b.dim());
    const int64_t rows = d < 0 ? 1 : a.size(d), columns = e < 0 ? 1 : b.size(e);
    of_a.push_back(rows);
    of_a.push_back(1);
    of_b.push_back(1);
    of_b.push_back(columns);
    shape.push_back(checked_numel(Dims{rows, columns}));
  }
  return reshape(mul(reshape(a, of_a), reshape(b, of_b)), shape);
}

Tensor inner(const Tensor& a, const Tensor& b) {
  if (a.dim() == 0 || b.dim() == 0) return mul(a, b);
  check(a.size(a.dim() - 1) == b.size(b.dim() - 1),
        "inner() the last dimension must match on both input tensors but got shapes ", a.shape(), " and ", b.shape());
  return tensordot(a, b, Dims{-1}, Dims{-1});
}

// ---- cross

namespace {

struct CrossVjp {
  static constexpr const char* kName = "LinalgCrossBackward0";
  int64_t dim;  // from the end
  Dims shape_a, shape_b;
  Saved a, b;
  SavedFields fields() { return {{"self", &a}, {"other", &b}, {"dim", dim + shape_a.size()}}; }
  void vjp(Node& self, std::span<Tensor> g, std::span<Tensor> out) {
    if (self.needs(0)) out[0] = sum_to(linalg_cross(b.unpack(&self), g[0], dim), shape_a);
    if (self.needs(1)) out[1] = sum_to(linalg_cross(g[0], a.unpack(&self), dim), shape_b);
  }
  auto saves() { return std::tie(a, b); }
};

// Element i is a[i + 1] b[i + 2] - a[i + 2] b[i + 1], counted round.
Tensor cross_by_ops(const Tensor& a, const Tensor& b, int d) {
  const auto turned = [&](const Tensor& t, int64_t by) { return roll(t, Dims{-by}, Dims{d}); };
  return sub(mul(turned(a, 1), turned(b, 2)), mul(turned(a, 2), turned(b, 1)));
}
Tensor cross_by_kernel(const Tensor& a, const Tensor& b, int d) {
  const Dims shape = broadcast_shapes(a.shape(), b.shape());
  const auto whole = [&](const Tensor& t) { return contiguous(t.shape() == shape ? t : expand(t, shape)); };
  const Tensor x = whole(a), y = whole(b), out = empty(shape, a.dtype());
  using Args = portable::CrossArgs;
  Kernel<Args> k("cross", portable::cross);
  k.args.outer = k.args.inner = 1;
  for (int i = 0; i < shape.size(); ++i) (i < d ? k.args.outer : k.args.inner) *= i == d ? 1 : shape[i];
  k.args.dtype = a.dtype();
  launch(k.reads(&Args::a, x.window()).reads(&Args::b, y.window()).writes(&Args::out, out.window()));
  return out;
}

}  // namespace

Tensor linalg_cross(const Tensor& a, const Tensor& b, int64_t dim) {
  check(a.dim() == b.dim(), "linalg.cross: inputs must have the same number of dimensions.");
  const int d = wrap_dim(dim, a.dim(), false);
  if (a.size(d) != 3 || b.size(d) != 3)
    fail("linalg.cross: inputs dimension ", dim, " must have length 3. Got ", a.size(d), " and ", b.size(d));
  check(a.dtype() == b.dtype(), "expected scalar type ", scalar_type_name(a.dtype()), " but found ",
        scalar_type_name(b.dtype()));
  Tensor out;
  {
    const NoRecordGuard off;
    const bool has_kernel = a.dtype() == DType::Float32 || a.dtype() == DType::Float64;
    out = has_kernel && !any_batched(a, b) ? cross_by_kernel(a, b, d) : cross_by_ops(a, b, d);
  }
  if (should_record(a, b)) {
    const bool needs_a = should_record(b), needs_b = should_record(a);
    record(out, {&a, &b},
           CrossVjp{d - a.dim(), a.shape(), b.shape(), needs_a ? Saved(a) : Saved(), needs_b ? Saved(b) : Saved()});
  }
  return out;
}

Tensor cross(const Tensor& a, const Tensor& b, std::optional<int64_t> dim) {
  if (dim) return linalg_cross(a, b, *dim);
  for (int d = 0; d < a.dim(); ++d)
    if (a.size(d) == 3) return linalg_cross(a, b, d);
  fail("no dimension of size 3 in input");
}

// ---- chains of matrices

namespace {

// The cheapest way to multiply matrices first to last, and where the last product cuts them.
class ChainOrder {
 public:
  explicit ChainOrder(std::span<const Tensor> matrices) : n_(matrices.size()), cut_(n_ * n_, 0) {
    std::vector<double> size{static_cast<double>(matrices[0].size(0))}, cost(n_ * n_, 0);
    for (const Tensor& m : matrices) size.push_back(static_cast<double>(m.size(1)));
    for (size_t length = 2; length <= n_; ++length)
      for (size_t first = 0; first + length <= n_; ++first) {
        const size_t last = first + length - 1;
        double& least = cost[first * n_ + last];
        for (size_t k = first; k < last; ++k) {
          const double product = size[first] * size[k + 1] * size[last + 1];
          const double whole = cost[first * n_ + k] + cost[(k + 1) * n_ + last] + product;
          if (k > first && whole >= least) continue;
          least = whole;
          cut_[first * n_ + last] = k;
        }
      }
  }
  Tensor multiply(std::span<const Tensor> matrices, size_t first, size_t last) const {
    if (first == last) return matrices[first];
    const size_t k = cut_[first * n_ + last];
    return mm(multiply(matrices, first, k), multiply(matrices, k + 1, last));
  }

 private:
  size_t n_;
  std::vector<size_t> cut_;
};

}  // namespace

Tensor chain_matmul(std::span<const Tensor> matrices) {
  check(!matrices.empty(), "chain_matmul(): Expected one or more matrices");
  for (const Tensor& m : matrices) check(m.dim() == 2, "Tensor dimension is ", m.dim(), ", expected 2 instead.");
  for (size_t i = 0; i + 1 < matrices.size(); ++i) {
    const Tensor &a = matrices[i], &b = matrices[i + 1];
    check(a.size(1) == b.size(0), "multi_dot(): tensors ", i, " and ", i + 1, " with shapes ", a.shape(), " and ",
          b.shape(), " cannot be multiplied");
  }
  if (matrices.size() == 1) return clone(matrices[0]);
  return ChainOrder(matrices).multiply(matrices, 0, matrices.size() - 1);
}

Tensor dist(const Tensor& a, const Tensor& b, double p) { return norm(sub(a, b), p, {}, false, {}); }

}  // namespace gradcore
