// Determinants, by LU factors.
#include <limits>

#include "ops/linalg/lu.h"

namespace gradcore::linalg {

namespace {

// det, or its sign and logarithm, from factors.
std::array<Tensor, 2> det_raw(const Factors& f, bool logarithm) {
  const auto compute = [&](const Tensor& lu, const Tensor& pivots) {
    const Dims batch = batch_of(lu);
    const Tensor from = with_one_step(lu, 2), swaps = with_one_step(pivots, 1);
    std::array<Tensor, 2> out{empty(batch, lu.dtype()), logarithm ? empty(batch, lu.dtype()) : Tensor()};
    using Args = LuDetArgs;
    MatrixKernel<Args> k("lu_det", kernels().linalg.lu_det, lu.dtype(), numel_of(batch),
                         static_cast<double>(rows_of(lu)));
    k.args.n = rows_of(lu);
    k.args.logarithm = logarithm;
    k.reads(&Args::lu, from).reads(&Args::pivots, swaps, 1).writes(&Args::det, out[0], 0);
    if (logarithm) k.writes(&Args::log, out[1], 0);
    launch(k);
    return out;
  };
  return with_batches(compute, f.lu, f.pivots);
}

// Numbers for a batch, as factors of its matrices.
Tensor as_matrices(const Tensor& numbers) { return unsqueeze(unsqueeze(numbers, -1), -1); }

// A^-T, from the factors unless it is recorded itself: they know nothing of A's history.
Tensor inverse_transposed(Node& self, const Saved& a, const Saved& lu, const Saved& pivots) {
  if (is_recorded()) return mT(inv(a.unpack(&self)));
  return lu_solve_raw(lu.unpack(&self), pivots.unpack(&self), Tensor(), true, true);
}

// The transposed adjugate, which is det(A) A^-T where that exists, from A = U S V': U diag(products of all other
// values) V' times det(U) det(V).
Tensor cofactors(const Tensor& a) {
  const Named f = svd(a, true, {});
  const Tensor &u = f.parts[0], &s = f.parts[1], &vh = f.parts[2];
  const int64_t n = rows_of(a);
  const Tensor others = where(eye(n, n, DType::Bool), Scalar(1.0), unsqueeze(s, -2));
  const Tensor products = mul(prod(others, -1), unsqueeze(mul(det(u), det(vh)), -1));
  return matmul(mul(u, unsqueeze(products, -2)), vh);
}

bool any_zero(const Tensor& numbers) {
  return *any(physical(eq(detach(numbers), Scalar(0.0))), {}, false).host<uint8_t>();
}

// Giles (2008), 2.2.6: g det(A) A^-T. (torch's gradient of a singular matrix is 0 unless it is recorded.)
struct DetVjp {
  static constexpr const char* kName = "LinalgDetBackward0";
  Saved a, lu, pivots, det;
  SavedFields fields() { return {{"A", &a}, {"LU", &lu}, {"pivots", &pivots}, {"result", &det}}; }
  void vjp(Node& self, std::span<Tensor> g, std::span<Tensor> out) {
    const Tensor d = det.unpack(&self);
    if (any_zero(d))
      out[0] = mul(as_matrices(g[0]), cofactors(a.unpack(&self)));
    else
      out[0] = mul(as_matrices(mul(g[0], d)), inverse_transposed(self, a, lu, pivots));
  }
  auto saves() { return std::tie(a, lu, pivots, det); }
};

// Of the logarithm; the sign is constant.
struct SlogdetVjp {
  static constexpr const char* kName = "LinalgSlogdetBackward0";
  Saved a, lu, pivots, sign;
  SavedFields fields() { return {{"A", &a}, {"LU", &lu}, {"pivots", &pivots}, {"sign", &sign}}; }
  void vjp(Node& self, std::span<Tensor> g, std::span<Tensor> out) {
    if (!g[1]) return;
    if (!is_recorded() && any_zero(sign.unpack(&self)))
      out[0] = of_singular(g[1], a.unpack(&self));
    else
      out[0] = mul(as_matrices(g[1]), inverse_transposed(self, a, lu, pivots));
  }
  // Where A is singular the solution of A' X = g I by the factors of A', as torch has it: infinite in the direction of
  // the zero, finite in others.
  static Tensor of_singular(const Tensor& g, const Tensor& a) {
    const Factors f = lu_raw(mT(a));
    const Tensor diagonal = expand(unsqueeze(g, -1), with(batch_of(a), {rows_of(a)}));
    return lu_solve_raw(f.lu, f.pivots, diagonal_matrix(diagonal), true, false);
  }
  auto saves() { return std::tie(a, lu, pivots, sign); }
};

std::array<Tensor, 2> sign_and_logarithm(const Tensor& a, const char* op) {
  need_square(a, op);
  need_floating(a, op);
  const Factors f = lu_raw(a);
  const std::array<Tensor, 2> out = det_raw(f, true);
  if (should_record(a))
    record_outputs(out, make_node({&a}, SlogdetVjp{Saved(a), Saved(f.lu), Saved(f.pivots), Saved::output(out[0])}, 2));
  return out;
}

}  // namespace

Tensor det(const Tensor& a) {
  need_square(a, "linalg.det");
  need_floating(a, "linalg.det");
  const Factors f = lu_raw(a);
  const Tensor out = det_raw(f, false)[0];
  if (should_record(a)) record(out, {&a}, DetVjp{Saved(a), Saved(f.lu), Saved(f.pivots), Saved::output(out)});
  return out;
}

Named slogdet(const Tensor& a) {
  const auto [sign, logarithm] = sign_and_logarithm(a, "linalg.slogdet");
  return {{sign, logarithm}};
}

Tensor logdet(const Tensor& a) {
  const auto [sign, logarithm] = sign_and_logarithm(a, "logdet");
  return where(eq(sign, Scalar(-1.0)), Scalar(std::numeric_limits<double>::quiet_NaN()), logarithm);
}

}  // namespace gradcore::linalg
