// Products of Householder's reflections H_i = 1 - tau_i v_i v_i', as qr and geqrf keep them: v_i below the diagonal of
// column i, where a one stands.
#include "ops/linalg/matrices.h"
#include "ops/rearrange.h"

namespace gradcore::linalg {

namespace {

// H_1 ... H_k = 1 - V T V' with the triangle T = (1 + D U)^-1 D, where D has tau on its diagonal and U is V' V above
// its own (Schreiber and Van Loan 1989). All recorded, so that derivatives of any order follow.
struct Compact {
  Tensor v, tau, u, t;

  Compact(const Tensor& h, const Tensor& tau_) : tau(tau_) {
    const int64_t k = tau.size(tau.dim() - 1);
    v = add(tril(narrow(h, -1, 0, k), -1), eye(rows_of(h), k, h.dtype()));
    u = triu(matmul(mT(v), v), 1);
    t = solve_triangular(rows_times_tau(u), diagonal_matrix(tau), true, true, true);
  }
  Tensor rows_times_tau(const Tensor& x) const { return mul(x, unsqueeze(tau, -1)); }

  struct Gradients {
    Tensor h, tau;
  };
  // Of v and t, as those of h (with its `columns`) and tau.
  Gradients of_inputs(const Tensor& gv, const Tensor& gt, int64_t columns) const {
    const Tensor gd = solve_triangular(mT(rows_times_tau(u)), gt, false, true, true);
    const Tensor gm = triu(neg(matmul(gd, mT(t))), 1);  // of D U
    const Tensor gu = rows_times_tau(gm);
    const Tensor gh = tril(add(gv, matmul(v, add(gu, mT(gu)))), -1);
    Dims rest = gh.shape();
    rest[gh.dim() - 1] = columns - columns_of(gh);
    return {cat(std::array{gh, zeros(rest, gh.dtype())}, -1), add(diagonal_of(gd), sum(mul(gm, u), Dims{-1}, false))};
  }
};

// Of C - V S V' C, where S is T, or its transpose for the transposed product. It is all made of ops.
struct Applied {
  Compact q;
  bool transposed;
  Tensor s() const { return transposed ? mT(q.t) : q.t; }
  Tensor of_operand(const Tensor& g) const { return sub(g, matmul(q.v, matmul(mT(s()), matmul(mT(q.v), g)))); }
  Compact::Gradients of_inputs(const Tensor& c, const Tensor& g, int64_t columns) const {
    const Tensor vc = matmul(mT(q.v), c), vg = matmul(mT(q.v), g);
    const Tensor gs = neg(matmul(vg, mT(vc)));
    const Tensor gv = neg(add(matmul(g, mT(matmul(s(), vc))), matmul(c, mT(matmul(mT(s()), vg)))));
    return q.of_inputs(gv, transposed ? mT(gs) : gs, columns);
  }
};

struct ProductVjp {
  static constexpr const char* kName = "LinalgHouseholderProductBackward0";
  Saved a, tau;
  SavedFields fields() { return {{"input", &a}, {"tau", &tau}}; }
  void vjp(Node& self, std::span<Tensor> g, std::span<Tensor> out) {
    const Tensor h = a.unpack(&self);
    if (h.numel() == 0 || tau.unpack(&self).numel() == 0) return;  // as torch: no gradient, rather than zeros
    const Applied product{Compact(h, tau.unpack(&self)), false};
    const auto [gh, g_tau] = product.of_inputs(eye(rows_of(h), columns_of(h), h.dtype()), g[0], columns_of(h));
    if (self.needs(0)) out[0] = gh;
    if (self.needs(1)) out[1] = g_tau;
  }
  auto saves() { return std::tie(a, tau); }
};

struct OrmqrVjp {
  static constexpr const char* kName = "OrmqrBackward0";
  Saved a, tau, other;
  bool left, transpose;
  SavedFields fields() {
    return {{"self", &a}, {"input2", &tau}, {"input3", &other}, {"left", left}, {"transpose", transpose}};
  }
  void vjp(Node& self, std::span<Tensor> g, std::span<Tensor> out) {
    const Tensor h = a.unpack(&self);
    const auto turned = [&](const Tensor& t) { return left ? t : mT(t); };  // C Q is the transpose of Q' C'
    const Applied product{Compact(h, tau.unpack(&self)), transpose == left};
    const Tensor grad = turned(g[0]);
    if (self.needs(2)) out[2] = turned(product.of_operand(grad));
    if (h.numel() == 0 || (!self.needs(0) && !self.needs(1))) return;
    const auto [gh, g_tau] = product.of_inputs(turned(other.unpack(&self)), grad, columns_of(h));
    if (self.needs(0)) out[0] = gh;
    if (self.needs(1)) out[1] = g_tau;
  }
  auto saves() { return std::tie(a, tau, other); }
};

double product(int64_t a, int64_t b, int64_t c) {
  return static_cast<double>(a) * static_cast<double>(b) * static_cast<double>(c);
}

std::array<Tensor, 1> form_raw(const Tensor& a, const Tensor& tau_) {
  const Dims batch = batch_of(a);
  const int64_t m = rows_of(a), n = columns_of(a), k = tau_.size(tau_.dim() - 1);
  const Tensor h = by_columns(a), tau = contiguous(tau_);
  const std::array<Tensor, 1> q{empty_by_columns(batch, m, n, a.dtype())};
  using Args = QrFormArgs;
  MatrixKernel<Args> kernel("qr_form", kernels().linalg.qr_form, a.dtype(), numel_of(batch), product(m, n, k));
  kernel.args.m = m;
  kernel.args.columns = n;
  kernel.args.k = k;
  launch(kernel.reads(&Args::h, h).reads(&Args::tau, tau, 1).writes(&Args::q, q[0]));
  return q;
}

std::array<Tensor, 1> apply_raw(const Tensor& a, const Tensor& tau_, const Tensor& c, bool left, bool transpose) {
  const Dims batch = batch_of(a);
  const int64_t m = rows_of(a), n = left ? columns_of(c) : rows_of(c), k = tau_.size(tau_.dim() - 1);
  const Tensor h = by_columns(a), tau = contiguous(tau_), from = with_one_step(c, 2);
  const std::array<Tensor, 1> x{empty_by_columns(batch, rows_of(c), columns_of(c), c.dtype())};
  const auto turned = [&](const Tensor& t) { return left ? t : mT(t); };
  const Tensor to = turned(x[0]), operand = turned(from);
  using Args = QrApplyArgs;
  MatrixKernel<Args> kernel("qr_apply", kernels().linalg.qr_apply, a.dtype(), numel_of(batch), product(m, n, 2 * k));
  kernel.args.m = m;
  kernel.args.n = n;
  kernel.args.k = k;
  kernel.args.transposed = transpose == left;
  launch(kernel.reads(&Args::h, h).reads(&Args::tau, tau, 1).reads(&Args::b, operand).writes(&Args::x, to));
  return x;
}

void need_batch(const Tensor& t, int inner, const Tensor& a, const char* name, const char* op) {
  check(batch_of(t, inner) == batch_of(a), op, ": Expected batch dimensions of ", name,
        " to be equal to input.shape[:-2], but got ", batch_of(t, inner));
}
void need_tau_for(const Tensor& a, const Tensor& tau, const char* op) {
  check(tau.dim() == a.dim() - 1, op,
        ": Expected tau to have one dimension less than input, but got tau.ndim equal to ", tau.dim(),
        " and input.ndim is equal to ", a.dim());
}

}  // namespace

Tensor householder_product(const Tensor& a, const Tensor& tau) {
  constexpr const char* kOp = "torch.linalg.householder_product";
  check(a.dim() >= 2, kOp, ": input must have at least 2 dimensions.");
  check(rows_of(a) >= columns_of(a), kOp, ": input.shape[-2] must be greater than or equal to input.shape[-1]");
  check(columns_of(a) >= tau.size(wrap_dim(-1, tau.dim(), false)), kOp,
        ": input.shape[-1] must be greater than or equal to tau.shape[-1]");
  need_tau_for(a, tau, kOp);
  need_batch(tau, 1, a, "tau", kOp);
  check(tau.dtype() == a.dtype(), kOp, ": tau dtype ", scalar_type_name(tau.dtype()), " does not match input dtype ",
        scalar_type_name(a.dtype()));
  need_floats_for("orgqr_cpu", a);
  const Tensor q = with_batches(form_raw, a, tau)[0];
  if (should_record(a, tau)) record(q, {&a, &tau}, ProductVjp{Saved(a), Saved(tau)});
  return q;
}

Tensor ormqr(const Tensor& a, const Tensor& tau, const Tensor& other, bool left, bool transpose) {
  constexpr const char* kOp = "torch.ormqr";
  check(a.dim() >= 2, kOp, ": input must have at least 2 dimensions.");
  check(other.dim() >= 2, kOp, ": other must have at least 2 dimensions.");
  const char* const side = left ? "-2" : "-1";
  const int64_t m = left ? rows_of(other) : columns_of(other), k = tau.size(wrap_dim(-1, tau.dim(), false));
  check(m >= k, kOp, ": other.shape[", side, "] must be greater than or equal to tau.shape[-1]");
  check(m == rows_of(a), kOp, ": other.shape[", side, "] must be equal to input.shape[-2]");
  check(k <= columns_of(a), kOp, ": tau.shape[-1] must be less than or equal to input.shape[-1]");
  check(k == std::min(m, columns_of(a)), kOp, ": tau.shape[-1] must be equal to min(other.shape[", side,
        "], input.shape[-1])");
  need_tau_for(a, tau, kOp);
  check(other.dim() == a.dim(), kOp,
        ": Expected other to have the same number of dimensions as input, but got "
        "other.ndim equal to ",
        other.dim(), " and input.ndim is equal to ", a.dim());
  need_batch(tau, 1, a, "tau", kOp);
  need_batch(other, 2, a, "other", kOp);
  check(tau.dtype() == a.dtype(), kOp, ": Expected input and tau to have the same dtype, but input has dtype ",
        scalar_type_name(a.dtype()), " and tau has dtype ", scalar_type_name(tau.dtype()));
  check(other.dtype() == a.dtype(), kOp, ": Expected input and other to have the same dtype, but input has dtype ",
        scalar_type_name(a.dtype()), " and other has dtype ", scalar_type_name(other.dtype()));
  need_floats_for("ormqr_cpu", a);
  const auto compute = [&](const Tensor& p, const Tensor& t, const Tensor& c) {
    return apply_raw(p, t, c, left, transpose);
  };
  const Tensor x = with_batches(compute, a, tau, other)[0];
  if (should_record(a, tau, other))
    record(x, {&a, &tau, &other}, OrmqrVjp{Saved(a), Saved(tau), Saved(other), left, transpose});
  return x;
}

}  // namespace gradcore::linalg
