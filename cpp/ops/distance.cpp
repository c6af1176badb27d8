#include "ops/distance.h"

#include <algorithm>
#include <cmath>

#include "formulas/all.h"
#include "kernels/portable/distance.h"
#include "kernels/table.h"
#include "ops/batching.h"
#include "ops/derived_core.h"
#include "ops/formula_functions.h"
#include "ops/ops.h"
#include "ops/rearrange.h"
#include "ops/record.h"
#include "tensor/door.h"

namespace gradcore {

namespace {

// ---- the kernel: batches of matrices (batch, rows, size)

Tensor launched(const Tensor& x, const Tensor& y, const Tensor& out, double p, bool pairs) {
  Kernel<DistanceArgs> k("distance", kernels().distance[x.dtype()]);
  k.args.batch = x.size(0), k.args.rows = x.size(1), k.args.columns = y.size(1), k.args.size = x.size(2);
  k.args.p = p;
  k.args.pairs = pairs;
  k.reads(&DistanceArgs::a, x.window()).reads(&DistanceArgs::b, y.window());
  launch(k.writes(&DistanceArgs::out, out.window()));
  return out;
}
Tensor distances(const Tensor& a, const Tensor& b, double p) {
  const Tensor x = contiguous(a), y = contiguous(b);
  return launched(x, y, empty(Dims{x.size(0), x.size(1), y.size(1)}, x.dtype()), p, false);
}

// The gradient of `a`.
Tensor distances_backward(const Tensor& grad, const Tensor& a, const Tensor& b, const Tensor& distance, double p) {
  const Tensor g = contiguous(grad), x = contiguous(a), y = contiguous(b), d = contiguous(distance);
  const Tensor out = empty(x.shape(), x.dtype());
  using Args = portable::DistanceBackwardArgs;
  Kernel<Args> k("distance_backward", portable::distance_backward);
  k.args.batch = x.size(0);
  k.args.rows = x.size(1);
  k.args.columns = y.size(1);
  k.args.size = x.size(2);
  k.args.p = p;
  k.args.dtype = x.dtype();
  k.reads(&Args::grad, g.window()).reads(&Args::a, x.window()).reads(&Args::b, y.window());
  launch(k.reads(&Args::distance, d.window()).writes(&Args::out, out.window()));
  return out;
}

// ---- the node

// NaN stays, as in the kernel.
Tensor direction(const Tensor& difference) { return where(eq(difference, difference), sign(difference), difference); }

// The same gradient in differentiable ops, for gradients of gradients: it takes memory for each pair of rows.
Tensor recorded_backward(const Tensor& grad, const Tensor& a, const Tensor& b, const Tensor& distance, double p) {
  const Tensor difference = sub(unsqueeze(a, 2), unsqueeze(b, 1));  // (batch, rows, columns, size)
  const Tensor apart = eq(distance, Scalar(0));
  const Tensor y = unsqueeze(masked_fill(distance, apart, Scalar(1)), 3);
  const Tensor g = unsqueeze(masked_fill(grad, apart, Scalar(0)), 3);
  if (p == 0) return zeros_like(a);
  if (p == 1) return sum(mul(g, direction(difference)), Dims{2});
  if (p == 2) return sum(mul(difference, div(g, y)), Dims{2});
  const Tensor size = abs(difference);
  if (std::isinf(p)) return sum(mul(g, mul(direction(difference), eq(size, y))), Dims{2});
  const Tensor none = eq(difference, Scalar(0));
  const Tensor power = masked_fill(pow(masked_fill(size, none, Scalar(1)), Scalar(p - 1)), none, Scalar(0));
  return sum(mul(div(g, pow(y, Scalar(p - 1))), mul(sign(difference), power)), Dims{2});
}

// (batch..., rows, size) as (all batches, rows, size).
Tensor as_batch(const Tensor& t, const Dims& batch) {
  check(t.dim() >= 2, "cdist: an operand was changed while it was used");  // Note [Python in the middle]
  const int64_t rows = t.size(t.dim() - 2), size = t.size(t.dim() - 1);
  Dims whole = batch;
  whole.push_back(rows);
  whole.push_back(size);
  const Tensor wide = t.shape() == whole ? t : expand(t, whole);
  return reshape(wide, Dims{numel_of(batch), rows, size});
}
// The same shape, put back behind the dims of the batch.
Tensor out_of_batch(const Tensor& t, const Dims& batch) {
  Dims shape = batch;
  shape.push_back(t.size(1));
  shape.push_back(t.size(2));
  return reshape(t, shape);
}

struct CdistVjp {
  static constexpr const char* kName = "CdistBackward0";
  double p;
  Dims batch;
  Saved a, b, result;
  SavedFields fields() { return {{"p", p}, {"x1", &a}, {"x2", &b}, {"result", &result}}; }
  void vjp(Node& self, std::span<Tensor> g, std::span<Tensor> out) {
    const Tensor x = a.unpack(&self), y = b.unpack(&self), d = result.unpack(&self);
    const bool plain = !modes.tracking() && !any_batched(x, y, d, g[0]);
    const auto backward = plain ? distances_backward : recorded_backward;
    const auto gradient = [&](const Tensor& grad, const Tensor& own, const Tensor& other, const Tensor& distance) {
      const Tensor r =
          backward(as_batch(grad, batch), as_batch(own, batch), as_batch(other, batch), as_batch(distance, batch), p);
      return sum_to(out_of_batch(r, batch), own.shape());
    };
    if (self.needs(0)) out[0] = gradient(g[0], x, y, d);
    if (self.needs(1)) out[1] = gradient(transpose(g[0], -2, -1), y, x, transpose(d, -2, -1));
  }
  auto saves() { return std::tie(a, b, result); }
};

// Physical tensors with `levels` batch dims more.
Tensor distances_beneath(int levels, const Tensor& a, const Tensor& b, double p) {
  if (levels == 0) return distances(a, b, p);
  const auto front = static_cast<size_t>(levels) + 1;
  const Dims batch = broadcast_shapes(a.shape().span().first(front), b.shape().span().first(front));
  return out_of_batch(distances(as_batch(a, batch), as_batch(b, batch), p), batch);
}

Tensor recorded_distances(const Tensor& a, const Tensor& b, const Dims& batch, double p) {
  Tensor out;
  {
    const NoRecordGuard off;
    const auto compute = [&](int levels, const Tensor& x, const Tensor& y) {
      return distances_beneath(levels, x, y, p);
    };
    // A tensor of its own: reshape() may have made a view.
    out = alias_of(out_of_batch(batched_in_front(compute, as_batch(a, batch), as_batch(b, batch)), batch));
  }
  if (should_record(a, b)) record(out, {&a, &b}, CdistVjp{p, batch, Saved(a), Saved(b), Saved::output(out)});
  return out;
}

// ---- Euclidean distances from a product: |x - y|^2 = |x|^2 - 2 x.y + |y|^2

struct EuclideanVjp {
  static constexpr const char* kName = "EuclideanDistBackward0";
  Saved a, b, result;
  SavedFields fields() { return {{"x1", &a}, {"x2", &b}, {"result", &result}}; }
  void vjp(Node& self, std::span<Tensor> g, std::span<Tensor> out) {
    const Tensor x = a.unpack(&self), y = b.unpack(&self), d = result.unpack(&self);
    const Tensor apart = eq(d, Scalar(0));
    const Tensor ratio = masked_fill(div(g[0], masked_fill(d, apart, Scalar(1))), apart, Scalar(0));
    const auto gradient = [](const Tensor& r, const Tensor& own, const Tensor& other) {
      return sub(mul(own, sum(r, Dims{-1}, true)), matmul(r, other));
    };
    if (self.needs(0)) out[0] = gradient(ratio, x, y);
    if (self.needs(1)) out[1] = gradient(transpose(ratio, 1, 2), y, x);
  }
  auto saves() { return std::tie(a, b, result); }
};

Tensor distances_by_product(const Tensor& a, const Tensor& b) {
  Tensor out;
  {
    const NoRecordGuard off;
    const auto squares = [](const Tensor& t) { return sum(square(t), Dims{-1}, true); };
    const Tensor left[] = {mul(a, Scalar(-2)), squares(a), ones_like(squares(a))};
    const Tensor right[] = {b, ones_like(squares(b)), squares(b)};
    out = matmul(cat(left, 2), transpose(cat(right, 2), 1, 2));
    clamp_min_(out, Scalar(0));
    unary_<formulas::Sqrt>(out);
  }
  if (should_record(a, b)) record(out, {&a, &b}, EuclideanVjp{Saved(a), Saved(b), Saved::output(out)});
  return out;
}

// ---- arguments

void check_rows(const Tensor& t, const char* name) {
  check(is_floating(t.dtype()), "cdist only supports floating-point dtypes, ", name,
        " got: ", scalar_type_name(t.dtype()));
  check(t.dim() >= 2, "cdist only supports at least 2D tensors, ", name, " got: ", t.dim(), "D");
}

Dims batch_of(const Tensor& t) { return Dims(t.shape().span().first(static_cast<size_t>(t.dim() - 2))); }

}  // namespace

CdistMode cdist_mode(std::string_view name) {
  if (name == "use_mm_for_euclid_dist_if_necessary") return CdistMode::ProductIfMany;
  if (name == "use_mm_for_euclid_dist") return CdistMode::Product;
  check(name == "donot_use_mm_for_euclid_dist", ErrorKind::Value, name, " is not a valid value for compute_mode");
  return CdistMode::Exact;
}

Tensor cdist(const Tensor& a, const Tensor& b, double p, CdistMode mode) {
  check_rows(a, "X1");
  check_rows(b, "X2");
  const int64_t columns_a = a.size(a.dim() - 1), columns_b = b.size(b.dim() - 1);
  check(columns_a == columns_b, "X1 and X2 must have the same number of columns. X1: ", columns_a, " X2: ", columns_b);
  check(a.dtype() == b.dtype(), "expected scalar type ", scalar_type_name(a.dtype()), " but found ",
        scalar_type_name(b.dtype()));
  check(p >= 0, "cdist only supports non-negative p values");
  const Dims batch = broadcast_shapes(batch_of(a), batch_of(b));
  const bool many = a.size(a.dim() - 2) > 25 || b.size(b.dim() - 2) > 25;
  const bool by_product = p == 2 && columns_a > 0 && mode != CdistMode::Exact && (many || mode == CdistMode::Product);
  if (!by_product) return recorded_distances(a, b, batch, p);
  return out_of_batch(distances_by_product(as_batch(a, batch), as_batch(b, batch)), batch);
}

// The places of pairs in a matrix of all of them.
static Tensor places_of_pairs(int64_t n) {
  const NoRecordGuard off;
  return select(nonzero(reshape(triu(ones(Dims{n, n}, DType::Bool), 1), Dims{n * n})), 1, 0);
}

namespace {

struct PdistVjp {
  static constexpr const char* kName = "PdistBackward0";
  double p;
  Saved x, result;
  SavedFields fields() { return {{"p", p}, {"result", &result}, {"self", &x}}; }
  void vjp(Node& self, std::span<Tensor> g, std::span<Tensor> out) {
    const Tensor rows = x.unpack(&self), d = result.unpack(&self);
    const int64_t n = rows.size(0);
    const Tensor places = places_of_pairs(n);
    // Each pair of rows from both sides.
    const auto whole = [&](const Tensor& of_pairs) {
      const Tensor none = zeros(Dims{n * n}, of_pairs.dtype());
      const Tensor half = reshape(index_add(none, 0, places, of_pairs, Scalar(int64_t{1})), Dims{1, n, n});
      return add(half, transpose(half, 1, 2));
    };
    const auto backward = modes.tracking() || any_batched(rows, d, g[0]) ? recorded_backward : distances_backward;
    const Tensor all = unsqueeze(rows, 0);
    out[0] = squeeze(backward(whole(g[0]), all, all, whole(d), p), Dims{0});
  }
  auto saves() { return std::tie(x, result); }
};

}  // namespace

Tensor pdist(const Tensor& t, double p) {
  check(t.dim() == 2, "pdist only supports 2D tensors, got: ", t.dim(), "D");
  check(is_floating(t.dtype()), "pdist only supports floating-point dtypes");
  check(p >= 0, "pdist only supports non-negative p values");
  const int64_t n = t.size(0);
  if (any_batched(t))
    return index_select(reshape(recorded_distances(t, t, Dims(), p), Dims{n * n}), 0, places_of_pairs(n));
  Tensor out;
  {
    const NoRecordGuard off;
    const Tensor x = contiguous(unsqueeze(t, 0));
    out = launched(x, x, empty(Dims{n * std::max<int64_t>(n - 1, 0) / 2}, t.dtype()), p, true);
  }
  if (should_record(t)) record(out, {&t}, PdistVjp{p, Saved(t), Saved::output(out)});
  return out;
}

// As torch computes it: two unit vectors, not one quotient, which could overflow.
static Tensor unit_along(const Tensor& t, int64_t dim, double eps) {
  const Tensor size = norm(t, 2.0, Dims{dim}, true, {});
  if (!should_record(t)) return div(t, clamp_min(size, Scalar(eps)));
  const Tensor plain = detach(size);
  return div(t, add(size, sub(clamp_min(plain, Scalar(eps)), plain)));
}
Tensor cosine_similarity(const Tensor& a, const Tensor& b, int64_t dim, double eps) {
  const DType common = promote_types(a.dtype(), b.dtype());
  check(is_floating(common), "expected common dtype to be floating point, yet common dtype is ",
        scalar_type_name(common));
  const Dims shape = broadcast_shapes(a.shape(), b.shape());
  const auto whole = [&](const Tensor& t) {
    const Tensor x = t.dtype() == common ? t : cast(t, common);
    return x.shape() == shape ? x : expand(x, shape);
  };
  return sum(mul(unit_along(whole(a), dim, eps), unit_along(whole(b), dim, eps)), Dims{dim});
}

}  // namespace gradcore
