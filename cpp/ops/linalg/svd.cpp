// Singular values and vectors.
#include "ops/linalg/lapack.h"
#include "ops/linalg/matrices.h"

namespace gradcore::linalg {

namespace {

// U, S, Vh and info; without vectors U and Vh are undefined.
using Parts = std::array<Tensor, 4>;

Tensor skew(const Tensor& t) { return sub(t, mT(t)); }

// t / divisor, and 0 where the divisor is 0: Note [Divisors of zero].
Tensor over_or_zero(const Tensor& t, const Tensor& divisor) {
  return div(t, masked_fill(divisor, eq(divisor, Scalar(0.0)), Scalar(HUGE_VAL)));
}

// Giles (2008), 3.2, completed by what moves out of the spaces that U and V span. With P = skew(U' gU), Q = skew(V' gV)
// and E_ij = s_j^2 - s_i^2 it is
//   U (P / E S + S Q / E + diag(gS)) V' + (1 - U U') gU S^-1 V' + U S^-1 gV' (1 - V V'),
// where (P_ij s_j + Q_ij s_i) / E_ij is ((P + Q)_ij / (s_j - s_i) + (P - Q)_ij / (s_j + s_i)) / 2. Of equal singular
// values P + Q is 0 in what does not depend on the choice of their vectors, and the limit is the second quotient; of
// values 0 both are left out. Columns of full matrices that belong to no singular value have no gradient.
struct SvdVjp {
  static constexpr const char* kName = "LinalgSvdBackward0";
  bool full;
  Saved u, s, vh;
  SavedFields fields() { return {{"U", &u}, {"S", &s}, {"Vh", &vh}, {"full_matrices", full}}; }
  void vjp(Node& self, std::span<Tensor> g, std::span<Tensor> out) {
    const Tensor values = s.unpack(&self);
    const int64_t k = columns_of(values);
    const auto first = [&](const Tensor& t, int dim) { return full && t ? narrow(t, dim, 0, k) : t; };
    const Tensor left = first(u.unpack(&self), -1), right = first(vh.unpack(&self), -2);
    const Tensor gu = first(g[0], -1), gs = g[1], gvh = first(g[2], -2);
    const Tensor across = unsqueeze(values, -2), down = unsqueeze(values, -1);
    Tensor inner = gs ? diagonal_matrix(gs) : Tensor();
    if (gu || gvh) {
      const Tensor p = gu ? skew(matmul(mT(left), gu)) : Tensor();
      const Tensor q = gvh ? skew(matmul(right, mT(gvh))) : Tensor();
      const Tensor plus = p && q ? add(p, q) : p ? p : q, minus = p && q ? sub(p, q) : p ? p : neg(q);
      const Tensor turned =
          mul(add(over_or_zero(plus, sub(across, down)), over_or_zero(minus, add(across, down))), Scalar(0.5));
      inner = inner ? add(inner, turned) : turned;
    }
    Tensor grad = matmul(left, matmul(inner, right));
    if (gu && rows_of(left) > k) {
      const Tensor outside = sub(gu, matmul(left, matmul(mT(left), gu)));
      grad = add(grad, matmul(over_or_zero(outside, across), right));
    }
    if (gvh && columns_of(right) > k) {
      const Tensor outside = sub(gvh, matmul(matmul(gvh, mT(right)), right));
      grad = add(grad, matmul(left, over_or_zero(outside, down)));
    }
    out[0] = grad;
  }
  auto saves() { return std::tie(u, s, vh); }
};

void run_kernel(const Tensor& p, bool full, const Parts& out) {
  using Args = SvdArgs;
  const int64_t m = rows_of(p), n = columns_of(p), k = std::min(m, n);
  const Tensor from = with_one_step(p, 2);
  MatrixKernel<Args> kernel("svd", kernels().linalg.svd, p.dtype(), numel_of(batch_of(p)),
                            8 * static_cast<double>(std::max(m, n)) * static_cast<double>(k) * static_cast<double>(k));
  kernel.args.m = m;
  kernel.args.n = n;
  kernel.args.full = full;
  kernel.reads(&Args::a, from).writes(&Args::values, out[1], 1).writes(&Args::info, out[3], 0);
  if (out[0]) kernel.writes(&Args::u, out[0]).writes(&Args::vh, out[2]);
  launch(kernel);
}

// Note [Large matrices] in lapack.h.
void run_large(const Tensor& p, bool full, const Parts& out) {
  const Tensor from = clone(p, true);
  const bool vectors = out[0].defined();
  const Tensor u = vectors ? empty(out[0].shape(), p.dtype()) : Tensor();
  const Tensor vh = vectors ? empty(out[2].shape(), p.dtype()) : Tensor();
  std::vector<Access> windows{reads(from), writes(out[1]), writes(out[3])};
  if (vectors) windows.insert(windows.end(), {writes(u), writes(vh)});
  launch_host("large_svd", windows, [&](Opener open) {
    const int64_t batch = numel_of(batch_of(p));
    const int32_t info = large_svd({p.dtype(), batch, rows_of(p), columns_of(p), full, open(from),
                                    vectors ? open(u) : nullptr, open(out[1]), vectors ? open(vh) : nullptr});
    std::fill_n(open.operator()<int32_t>(out[3]), batch, info);
  });
  if (!vectors) return;
  copy_raw(out[0], u);
  copy_raw(out[2], vh);
}

Parts svd_raw(const Tensor& a, bool full, bool vectors) {
  const auto compute = [&](const Tensor& p) {
    const Dims batch = batch_of(p);
    const int64_t m = rows_of(p), n = columns_of(p), k = std::min(m, n);
    const auto matrices = [&](int64_t rows, int64_t columns) {
      return vectors ? empty_by_columns(batch, rows, columns, p.dtype()) : Tensor();
    };
    const Parts out{matrices(m, full ? m : k), empty(with(batch, {k}), p.dtype()), matrices(full ? n : k, n),
                    empty(batch, DType::Int32)};
    is_large(p.dtype(), m, n) && p.numel() > 0 ? run_large(p, full, out) : run_kernel(p, full, out);
    return out;
  };
  return with_batches(compute, a);
}

void check_driver(const std::optional<std::string_view>& driver) {
  check(!driver,
        "torch.linalg.svd: keyword argument `driver=` is only supported on CUDA inputs with cuSOLVER backend.");
}

Parts decompose(const Tensor& a, bool full, bool vectors) {
  constexpr const char* kOp = "linalg.svd";
  need_matrix(a, kOp);
  need_floating(a, kOp);
  const bool recorded = should_record(a);
  Parts r = svd_raw(a, full, vectors || recorded);
  check_info(r[3], kOp, [](int32_t code) {
    if (code < 0)
      return std::string("The algorithm failed to converge because the input matrix contained non-finite values.");
    return str_cat(
        "The algorithm failed to converge because the input matrix is ill-conditioned or has too many repeated "
        "singular values (error code: ",
        code, ").");
  });
  if (recorded) {
    SvdVjp vjp{full, Saved::output(r[0], 0), Saved::output(r[1], 1), Saved::output(r[2], 2)};
    record_outputs(std::span(r).first(3), make_node({&a}, std::move(vjp), 3));
  }
  return r;
}

}  // namespace

Named svd(const Tensor& a, bool full_matrices, const std::optional<std::string_view>& driver) {
  check_driver(driver);
  const Parts r = decompose(a, full_matrices, true);
  return {{r[0], r[1], r[2]}};
}
Tensor svdvals(const Tensor& a, const std::optional<std::string_view>& driver) {
  check_driver(driver);
  return decompose(a, false, false)[1];
}

// Its V is that of A = U S V'. Without vectors torch gives zeros for them.
Named legacy_svd(const Tensor& a, bool some, bool compute_uv) {
  if (compute_uv) {
    const Parts r = decompose(a, !some, true);
    return {{r[0], r[1], mT(r[2])}};
  }
  const Tensor s = decompose(a, false, false)[1];
  const auto none = [&](int64_t n) { return zeros(with(batch_of(a), {n, n}), a.dtype()); };
  return {{none(rows_of(a)), s, none(columns_of(a))}};
}

}  // namespace gradcore::linalg
