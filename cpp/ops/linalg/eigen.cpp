// Eigenvalues and eigenvectors of symmetric matrices.
#include <limits>

#include "ops/linalg/lapack.h"
#include "ops/linalg/matrices.h"

namespace gradcore::linalg {

namespace {

// Giles (2008), 3.1: V (diag(gw) + (V' gV) / E) V', E_ij = w_j - w_i, without the diagonal of what is divided; as torch
// has it, its symmetric part, since both triangles are one.
struct EighVjp {
  static constexpr const char* kName = "LinalgEighBackward0";
  Saved values, vectors;
  SavedFields fields() { return {{"eigenvalues", &values}, {"eigenvectors", &vectors}}; }
  void vjp(Node& self, std::span<Tensor> g, std::span<Tensor> out) {
    const Tensor v = vectors.unpack(&self);
    if (!g[1]) {
      out[0] = matmul(mul(v, unsqueeze(g[0], -2)), mT(v));
      return;
    }
    const Tensor w = values.unpack(&self);
    const Tensor gaps = add(sub(unsqueeze(w, -2), unsqueeze(w, -1)), identity_like(v));
    const Tensor turning = matmul(mT(v), g[1]);
    Tensor inner = div(mul(sub(turning, mT(turning)), Scalar(0.5)), gaps);
    if (g[0]) inner = add(inner, diagonal_matrix(g[0]));
    out[0] = matmul(v, matmul(inner, mT(v)));
  }
  auto saves() { return std::tie(values, vectors); }
};

double cube(int64_t n) { return static_cast<double>(n) * static_cast<double>(n) * static_cast<double>(n); }

// Eigenvalues, eigenvectors (if wanted) and info.
using Parts = std::array<Tensor, 3>;

void run_kernel(const Tensor& p, bool upper, const Parts& out) {
  using Args = EighArgs;
  const int64_t n = rows_of(p);
  const Tensor from = with_one_step(p, 2);
  MatrixKernel<Args> k("eigh", kernels().linalg.eigh, p.dtype(), numel_of(batch_of(p)), 5 * cube(n));
  k.args.n = n;
  k.args.upper = upper;
  k.reads(&Args::a, from).writes(&Args::values, out[0], 1).writes(&Args::info, out[2], 0);
  if (out[1]) k.writes(&Args::vectors, out[1]);
  launch(k);
}

// Note [Large matrices] in lapack.h. The eigenvectors come by rows, as their transposes by columns.
void run_large(const Tensor& p, bool upper, const Parts& out) {
  const Tensor from = clone(p, true);
  const Tensor rows = out[1] ? empty(p.shape(), p.dtype()) : Tensor();
  std::vector<Access> windows{reads(from), writes(out[0]), writes(out[2])};
  if (rows) windows.push_back(writes(rows));
  launch_host("large_eigh", windows, [&](Opener open) {
    const int64_t n = rows_of(p), batch = numel_of(batch_of(p));
    const bool done = large_eigh({p.dtype(), batch, n, upper, open(from), open(out[0]), rows ? open(rows) : nullptr});
    std::fill_n(open.operator()<int32_t>(out[2]), batch, done ? 0 : 1);
  });
  if (rows) copy_raw(out[1], rows);
}

Parts eigh_raw(const Tensor& a, bool upper, bool vectors) {
  const auto compute = [&](const Tensor& p) {
    const Dims batch = batch_of(p);
    const int64_t n = rows_of(p);
    const Parts out{empty(with(batch, {n}), p.dtype()), vectors ? empty_by_columns(batch, n, n, p.dtype()) : Tensor(),
                    empty(batch, DType::Int32)};
    is_large(p.dtype(), n, n) && p.numel() > 0 ? run_large(p, upper, out) : run_kernel(p, upper, out);
    return out;
  };
  return with_batches(compute, a);
}

Parts eigen(const Tensor& a, std::string_view uplo, bool vectors) {
  constexpr const char* kOp = "linalg.eigh";
  need_square(a, kOp);
  need_floating(a, kOp);
  const bool upper = uplo == "U" || uplo == "u";
  if (!upper && uplo != "L" && uplo != "l") fail("Expected UPLO argument to be 'L' or 'U', but got ", uplo);
  const bool recorded = should_record(a);
  Parts r = eigh_raw(a, upper, vectors || recorded);
  check_info(r[2], kOp, [](int32_t code) {
    return str_cat(
        "The algorithm failed to converge because the input matrix is ill-conditioned or has too many repeated "
        "eigenvalues (error code: ",
        code, ").");
  });
  if (recorded) {
    const Ref<Node> node = make_node({&a}, EighVjp{Saved::output(r[0], 0), Saved::output(r[1], 1)}, 2);
    record_outputs(std::span(r).first(2), node);
  }
  return r;
}

}  // namespace

Named eigh(const Tensor& a, std::string_view uplo) {
  const Parts r = eigen(a, uplo, true);
  return {{r[0], r[1]}};
}
Tensor eigvalsh(const Tensor& a, std::string_view uplo) { return eigen(a, uplo, false)[0]; }

}  // namespace gradcore::linalg
