// Products: powers of a matrix, its exponential, chains, and systems of tensors seen as matrices.
#include <cmath>

#include "ops/linalg/matrices.h"
#include "tensor/meta.h"

namespace gradcore::linalg {

namespace {

// r_13 of Padé's approximants, with exp(A) = r(A / 2^s)^(2^s) so that |A / 2^s| is at most kReach: Higham, "The Scaling
// and Squaring Method for the Matrix Exponential Revisited" (2005).
constexpr double kPade[] = {64764752532480000.,
                            32382376266240000.,
                            7771770303897600.,
                            1187353796428800.,
                            129060195264000.,
                            10559470521600.,
                            670442572800.,
                            33522128640.,
                            1323241920.,
                            40840800.,
                            960960.,
                            16380.,
                            182.,
                            1.};
constexpr double kReach = 5.371920351148152;

// How often each matrix is halved, as numbers that broadcast with the matrices.
Tensor halvings(const Tensor& a) {
  const Tensor size = amax(sum(abs(a), Dims{-2}, true), Dims{-1}, true);
  const Tensor times = clamp_min(ceil(log2(div(size, Scalar(kReach)))), Scalar(0.0));
  return where(isfinite(times), times, Scalar(0.0));
}

Tensor pade(const Tensor& a) {
  const Tensor one = eye(rows_of(a), rows_of(a), a.dtype());
  const Tensor a2 = matmul(a, a), a4 = matmul(a2, a2), a6 = matmul(a4, a2);
  // kPade[first] + kPade[first + 2] A^2 + ... of six or seven terms.
  const auto polynomial = [&](int first) {
    const auto term = [&](const Tensor& power, int i) { return mul(power, Scalar(kPade[first + 2 * i])); };
    const Tensor high = matmul(a6, add(add(term(a6, 6), term(a4, 5)), term(a2, 4)));
    return add(add(add(add(high, term(a6, 3)), term(a4, 2)), term(a2, 1)), term(one, 0));
  };
  const Tensor even = polynomial(0), odd = matmul(a, polynomial(1));
  return solve_ex(sub(even, odd), add(even, odd), true, false).parts[0];
}

Tensor exp_raw(const Tensor& a) {
  const NoRecordGuard off;
  if (a.numel() == 0 || is_meta(a)) return clone(a);
  const Tensor times = halvings(a);
  Tensor e = pade(mul(a, pow(Scalar(2.0), neg(times))));
  const Tensor most = cast(max(contiguous(physical(times))), DType::Int64);
  const int64_t steps = *most.host<int64_t>();
  for (int64_t i = 0; i < steps; ++i) e = where(gt(times, Scalar(static_cast<double>(i))), matmul(e, e), e);
  return contiguous(e);
}

// The upper right block of exp([A' g; 0 A']) (Mathias 1996).
struct ExpVjp {
  static constexpr const char* kName = "LinalgMatrixExpBackward0";
  Saved a;
  SavedFields fields() { return {{"self", &a}}; }
  void vjp(Node& self, std::span<Tensor> g, std::span<Tensor> out) {
    const Tensor at = mT(a.unpack(&self));
    const int64_t n = rows_of(at);
    const Tensor above = cat(std::array{at, g[0]}, -1), below = cat(std::array{zeros_like(at), at}, -1);
    out[0] = narrow(narrow(matrix_exp(cat(std::array{above, below}, -2)), -2, 0, n), -1, n, n);
  }
  auto saves() { return std::tie(a); }
};

// Where to cut a chain of matrices so that its products cost least: best[i][j] for those from i to j.
class Chain {
 public:
  explicit Chain(std::span<const Tensor> matrices) : matrices_(matrices), n_(static_cast<int>(matrices.size())) {
    cost_.assign(matrices.size() * matrices.size(), 0);
    cut_.assign(matrices.size() * matrices.size(), 0);
    for (int length = 1; length < n_; ++length)
      for (int i = 0; i + length < n_; ++i) choose(i, i + length);
  }
  Tensor product() const { return product(0, n_ - 1); }

 private:
  size_t place(int i, int j) const { return static_cast<size_t>(i) * static_cast<size_t>(n_) + static_cast<size_t>(j); }
  double rows(int i) const { return static_cast<double>(matrices_[static_cast<size_t>(i)].size(0)); }
  double columns(int i) const { return static_cast<double>(matrices_[static_cast<size_t>(i)].size(1)); }
  void choose(int i, int j) {
    cost_[place(i, j)] = HUGE_VAL;
    for (int k = i; k < j; ++k) {
      const double cost = cost_[place(i, k)] + cost_[place(k + 1, j)] + rows(i) * columns(k) * columns(j);
      if (cost >= cost_[place(i, j)]) continue;
      cost_[place(i, j)] = cost;
      cut_[place(i, j)] = k;
    }
  }
  Tensor product(int i, int j) const {
    if (i == j) return matrices_[static_cast<size_t>(i)];
    const int k = cut_[place(i, j)];
    return mm(product(i, k), product(k + 1, j));
  }

  std::span<const Tensor> matrices_;
  int n_;
  std::vector<double> cost_;
  std::vector<int> cut_;
};

}  // namespace

Tensor matrix_power(const Tensor& a, int64_t n) {
  need_square(a, "linalg.matrix_power");
  if (n == 0) {  // it counts as a function of A
    const Tensor one = clone(a, true);
    copy_(one, identity_like(a));
    return one.as_new();
  }
  if (n < 0) return matrix_power(inv(a), n == INT64_MIN ? INT64_MAX : -n);
  if (n == 1) return clone(a, true);
  Tensor power = a, product;
  for (; n > 0; n /= 2) {
    if (n % 2) product = product ? matmul(product, power) : power;
    if (n > 1) power = matmul(power, power);
  }
  return product;
}

Tensor matrix_exp(const Tensor& a) {
  need_square(a, "linalg.matrix_exp");
  need_floating(a, "linalg.matrix_exp", true);
  const Tensor e = exp_raw(a);
  if (should_record(a)) record(e.as_new(), {&a}, ExpVjp{Saved(a)});
  return e.as_new();
}

Tensor multi_dot(std::span<const Tensor> tensors) {
  const size_t n = tensors.size();
  check(n >= 2, "multi_dot(): expected at least 2 tensors but got ", n);
  const Tensor &first = tensors[0], &last = tensors[n - 1];
  check(first.dim() == 1 || first.dim() == 2, "multi_dot(): the first tensor must be 1D or 2D but got ", first.dim(),
        "D");
  check(last.dim() == 1 || last.dim() == 2, "multi_dot(): the last tensor must be 1D or 2D but got ", last.dim(), "D");
  std::vector<Tensor> matrices(tensors.begin(), tensors.end());
  if (first.dim() == 1) matrices[0] = unsqueeze(first, 0);
  if (last.dim() == 1) matrices[n - 1] = unsqueeze(last, -1);
  for (size_t i = 0; i < n; ++i) {
    check(matrices[i].dim() == 2, "multi_dot(): tensor ", i, " must be 2D but got ", matrices[i].dim(), "D");
    check(matrices[i].dtype() == first.dtype(), "multi_dot(): all tensors must have be the same dtype but tensor 0 is ",
          scalar_type_name(first.dtype()), " and tensor ", i, " ", scalar_type_name(matrices[i].dtype()));
    check(i == 0 || matrices[i - 1].size(1) == matrices[i].size(0), "multi_dot(): tensors ", i - 1, " and ", i,
          " with shapes ", tensors[i - 1 + (i == 0)].shape(), " and ", tensors[i].shape(), " cannot be multiplied");
  }
  Dims shape;
  if (first.dim() == 2) shape.push_back(first.size(0));
  if (last.dim() == 2) shape.push_back(last.size(1));
  const Tensor out = Chain(matrices).product();
  return n == 2 && out.shape() == shape ? out : view(out, shape);
}

Tensor vecdot(const Tensor& x, const Tensor& y, int64_t dim) {
  need_floating(x, "linalg.vecdot", true);
  check(x.dtype() == y.dtype(), "linalg.vecdot: Expected x and y to have the same dtype, but found x of type ",
        scalar_type_name(x.dtype()), " and y of type ", scalar_type_name(y.dtype()), " instead");
  return sum(mul(x, y), Dims{dim});
}

Tensor tensorinv(const Tensor& a, int64_t ind) {
  check(ind > 0, "Expected a strictly positive integer for 'ind', but got ", ind);
  const Dims& shape = a.shape();
  const auto at = static_cast<size_t>(std::min<int64_t>(ind, a.dim()));
  const int64_t before = numel_of(shape.span().first(at)), behind = numel_of(shape.span().subspan(at));
  check(before == behind,
        "Expected self to satisfy the requirement prod(self.shape[ind:]) == prod(self.shape[:ind]), but got ", behind,
        " != ", before);
  Dims turned;
  for (int64_t n : shape.span().subspan(at)) turned.push_back(n);
  for (int64_t n : shape.span().first(at)) turned.push_back(n);
  return reshape(inv(reshape(a, Dims{behind, behind})), turned);
}

Tensor tensorsolve(const Tensor& a_, const Tensor& b, const MaybeDims& dims) {
  Tensor a = a_;
  if (dims) {
    Dims last;
    for (int i = 0; i < dims->size(); ++i) last.push_back(a.dim() - dims->size() + i);
    a = movedim(a, *dims, last);
  }
  check(b.dim() <= a.dim(), "linalg.tensorsolve: B has more dims than A");
  const Dims shape(a.shape().span().subspan(static_cast<size_t>(b.dim())));
  const int64_t n = numel_of(shape);
  return reshape(solve(reshape(a, Dims{b.numel(), n}), flatten(b), true), shape);
}

Tensor vander(const Tensor& x, std::optional<int64_t> n) {
  check(x.dim() >= 1, "Expected dim of x must be at least 1.");
  const int64_t columns = n.value_or(x.size(x.dim() - 1));
  check(columns > 1, "N must be greater than 1.");
  check(x.dtype() != DType::Bool && !is_half(x.dtype()),
        "linalg.vander supports floating point, complex, and integer tensors, but got ", scalar_type_name(x.dtype()));
  const DType type = is_floating(x.dtype()) ? x.dtype() : DType::Int64;
  const Tensor t = unsqueeze(cast(x, type), -1);
  const Tensor powers = cumprod(expand(t, with(x.shape(), {columns - 1})), -1, {});
  return cat(std::array{ones(with(x.shape(), {1}), type), powers}, -1);
}

}  // namespace gradcore::linalg
