// Cholesky's factor of symmetric positive-definite matrices.
#include "ops/linalg/matrices.h"
#include "ops/rearrange.h"

namespace gradcore::linalg {

namespace {

// Giles, "Collected matrix derivative results for forward and reverse mode algorithmic differentiation" (2008), 2.2.5:
// of A = L L' it is L^-T P L^-1, where P is the symmetric matrix whose lower triangle is half of that of L' gL, its
// diagonal once.
struct CholeskyVjp {
  const char* node;
  bool upper;
  Saved factor;
  const char* name() const { return node; }
  SavedFields fields() { return {{node[0] == 'C' ? "result" : "L", &factor}, {"upper", upper}}; }
  void vjp(Node& self, std::span<Tensor> g, std::span<Tensor> out) {
    const Tensor kept = factor.unpack(&self);
    const Tensor l = upper ? mT(kept) : kept, grad = upper ? mT(g[0]) : g[0];
    const Tensor product = matmul(mT(l), grad);
    const Tensor p = mul(add(tril(product, 0), mT(tril(product, -1))), Scalar(0.5));
    out[0] = solve_triangular(l, solve_triangular(mT(l), p, true, true, false), false, false, false);
  }
  auto saves() { return std::tie(factor); }
};

// L (or L') and info.
std::array<Tensor, 2> factor_raw(const Tensor& a, bool upper) {
  return with_batches(
      [&](const Tensor& p) {
        const Dims batch = batch_of(p);
        const int64_t n = rows_of(p);
        const Tensor from = with_one_step(p, 2);
        std::array<Tensor, 2> out{empty_by_columns(batch, n, n, p.dtype()), empty(batch, DType::Int32)};
        using Args = CholeskyArgs;
        const double work = static_cast<double>(n) * static_cast<double>(n) * static_cast<double>(n) / 6;
        MatrixKernel<Args> k("cholesky", kernels().linalg.cholesky, p.dtype(), numel_of(batch), work);
        k.args.n = n;
        k.args.upper = upper;
        launch(k.reads(&Args::a, from).writes(&Args::out, out[0]).writes(&Args::info, out[1], 0));
        return out;
      },
      a);
}

// `op` is the name in messages; none where a failure is not raised.
std::array<Tensor, 2> factor(const Tensor& a, bool upper, const char* op, bool raises, const char* node) {
  need_square(a, op);
  need_floating(a, op);
  const std::array<Tensor, 2> r = factor_raw(a, upper);
  if (raises)
    check_info(r[1], op, [](int32_t order) {
      return str_cat(
          "The factorization could not be completed because the input is not positive-definite (the leading "
          "minor of order ",
          order, " is not positive-definite).");
    });
  if (should_record(a)) record(r[0], {&a}, CholeskyVjp{node, upper, Saved::output(r[0])});
  return r;
}

constexpr const char* kNode = "LinalgCholeskyExBackward0";

}  // namespace

Tensor cholesky(const Tensor& a, bool upper) { return factor(a, upper, "linalg.cholesky", true, kNode)[0]; }
Tensor legacy_cholesky(const Tensor& a, bool upper) {
  return factor(a, upper, "cholesky", true, "CholeskyBackward0")[0];
}
Named cholesky_ex(const Tensor& a, bool upper, bool check_errors) {
  const std::array<Tensor, 2> r = factor(a, upper, "linalg.cholesky_ex", check_errors, kNode);
  return {{r[0], r[1]}};
}

}  // namespace gradcore::linalg
