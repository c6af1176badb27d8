// QR factors, by Householder's reflections.
#include "ops/linalg/matrices.h"
#include "ops/rearrange.h"

namespace gradcore::linalg {

namespace {

enum class Mode : uint8_t { Reduced, Complete, R };
Mode mode_of(std::string_view name) {
  if (name == "reduced") return Mode::Reduced;
  if (name == "complete") return Mode::Complete;
  if (name == "r") return Mode::R;
  fail("qr received unrecognized mode '", name, "' but expected one of 'reduced' (default), 'r', or 'complete'");
}

double product(int64_t a, int64_t b, int64_t c) {
  return static_cast<double>(a) * static_cast<double>(b) * static_cast<double>(c);
}

// The symmetric matrix with the lower triangle of `t`.
Tensor symmetric(const Tensor& t) { return add(tril(t, 0), mT(tril(t, -1))); }

// Seeger, Hetzel, Dai, Meissner, Lawrence, "Auto-Differentiating Linear Algebra" (2017), of A = Q R with as many rows
// as columns or more: (gQ + Q S) R^-T, where S is the symmetric matrix with the lower triangle of R gR' - gQ' Q.
Tensor tall_gradient(const Tensor& q, const Tensor& r, const Tensor& gq, const Tensor& gr) {
  Tensor inner;
  if (gr) inner = matmul(r, mT(gr));
  if (gq) inner = inner ? sub(inner, matmul(mT(gq), q)) : neg(matmul(mT(gq), q));
  Tensor sum = matmul(q, symmetric(inner));
  if (gq) sum = add(sum, gq);
  return solve_triangular(mT(r), sum, false, false, false);
}

// Of [X Y] = Q [U V]: Y = Q V gives a part of its gradient to Q, the rest is that of X.
Tensor wide_gradient(const Tensor& q, const Tensor& r, const Tensor& gq, const Tensor& gr) {
  const int64_t m = rows_of(r), rest = columns_of(r) - m;
  const Tensor u = narrow(r, -1, 0, m);
  if (!gr) {
    const Tensor x = tall_gradient(q, u, gq, gr);
    return cat(std::array{x, mul(narrow(matmul(q, narrow(r, -1, m, rest)), -1, 0, rest), Scalar(0.0))}, -1);
  }
  const Tensor v = narrow(r, -1, m, rest), gv = narrow(gr, -1, m, rest), y = matmul(q, v);
  const Tensor through_y = matmul(y, mT(gv));
  const Tensor x = tall_gradient(q, u, gq ? add(gq, through_y) : through_y, narrow(gr, -1, 0, m));
  return cat(std::array{x, matmul(q, gv)}, -1);
}

struct QrVjp {
  static constexpr const char* kName = "LinalgQrBackward0";
  Mode mode;
  Saved q, r;
  SavedFields fields() { return {{"Q", &q}, {"R", &r}}; }
  void vjp(Node& self, std::span<Tensor> g, std::span<Tensor> out) {
    const Tensor orthogonal = q.unpack(&self), triangle = r.unpack(&self);
    check(mode != Mode::R,
          "The derivative of linalg.qr depends on Q, which is not computed when mode='r'. Please use linalg.qr(A, "
          "mode='reduced') if you are going to differentiate through linalg.qr.");
    const int64_t m = rows_of(orthogonal), n = columns_of(triangle);
    check(mode != Mode::Complete || m <= n,
          "The QR decomposition is not differentiable when mode='complete' and nrows > ncols.");
    out[0] = m >= n ? tall_gradient(orthogonal, triangle, g[0], g[1]) : wide_gradient(orthogonal, triangle, g[0], g[1]);
  }
  auto saves() { return std::tie(q, r); }
};

struct GeqrfVjp {
  static constexpr const char* kName = "NotImplemented";
  void vjp(Node&, std::span<Tensor>, std::span<Tensor>) {
    fail(ErrorKind::NotImplemented, "the derivative for 'geqrf' is not implemented.");
  }
};

// Reflections below the diagonal of h, their tau, and what is left above it as R.
std::array<Tensor, 3> factor_raw(const Tensor& p, int64_t r_rows) {
  const Dims batch = batch_of(p);
  const int64_t m = rows_of(p), n = columns_of(p), k = std::min(m, n);
  const Tensor from = with_one_step(p, 2);
  std::array<Tensor, 3> out{empty_by_columns(batch, m, n, p.dtype()), empty(with(batch, {k}), p.dtype()),
                            r_rows >= 0 ? empty_by_columns(batch, r_rows, n, p.dtype()) : Tensor()};
  using Args = QrArgs;
  MatrixKernel<Args> kernel("qr", kernels().linalg.qr_factor, p.dtype(), numel_of(batch), product(m, n, k));
  kernel.args.m = m;
  kernel.args.n = n;
  kernel.args.r_rows = r_rows;
  kernel.reads(&Args::a, from).writes(&Args::h, out[0]).writes(&Args::tau, out[1], 1);
  if (out[2]) kernel.writes(&Args::r, out[2]);
  launch(kernel);
  return out;
}

// The product of reflections, `columns` of it.
Tensor form_raw(const Tensor& h, const Tensor& tau, int64_t columns) {
  const Dims batch = batch_of(h);
  const int64_t m = rows_of(h), k = tau.size(tau.dim() - 1);
  const Tensor q = empty_by_columns(batch, m, columns, h.dtype());
  using Args = QrFormArgs;
  MatrixKernel<Args> kernel("qr_form", kernels().linalg.qr_form, h.dtype(), numel_of(batch), product(m, columns, k));
  kernel.args.m = m;
  kernel.args.columns = columns;
  kernel.args.k = k;
  launch(kernel.reads(&Args::h, h).reads(&Args::tau, tau, 1).writes(&Args::q, q));
  return q;
}

std::array<Tensor, 2> qr_raw(const Tensor& a, Mode mode) {
  const auto compute = [&](const Tensor& p) -> std::array<Tensor, 2> {
    const int64_t m = rows_of(p), k = std::min(m, columns_of(p));
    const auto [h, tau, r] = factor_raw(p, mode == Mode::Complete ? m : k);
    // torch gives an empty tensor for a Q that is not computed, of one dim, whatever the batch.
    return {mode == Mode::R ? empty(Dims{0}, p.dtype()) : form_raw(h, tau, mode == Mode::Complete ? m : k), r};
  };
  if (mode != Mode::R || !a->batch) return with_batches(compute, a);
  const auto r_only = [&](const Tensor& p) { return std::array{compute(p)[1]}; };
  return {empty(Dims{0}, a.dtype()), with_batches(r_only, a)[0]};
}

}  // namespace

Named qr(const Tensor& a, std::string_view mode_name) {
  constexpr const char* kOp = "linalg.qr";
  need_matrix(a, kOp);
  need_floating(a, kOp);
  const Mode mode = mode_of(mode_name);
  std::array<Tensor, 2> out = qr_raw(a, mode);
  if (should_record(a))
    record_outputs(out, make_node({&a}, QrVjp{mode, Saved::output(out[0], 0), Saved::output(out[1], 1)}, 2));
  return {{out[0], out[1]}};
}
Named legacy_qr(const Tensor& a, bool some) { return qr(a, some ? "reduced" : "complete"); }

Named geqrf(const Tensor& a) {
  need_matrix(a, "torch.geqrf", "input");
  need_floating(a, "torch.geqrf");
  const auto r = with_batches([](const Tensor& p) { return factor_raw(p, -1); }, a);
  if (should_record(a)) record_outputs(std::span(r).first(2), make_node({&a}, GeqrfVjp{}, 2));
  return {{r[0], r[1]}};
}

}  // namespace gradcore::linalg
