// LU factors as results, and what is solved with factors that a program keeps.
#include <array>

#include "ops/linalg/lu.h"
#include "ops/rearrange.h"

namespace gradcore::linalg {

namespace {

constexpr const char* kNoPivots = ": LU without pivoting is not implemented on the CPU";

// P of A = P L U: the identity with the exchanges of rows that the pivots tell, last first.
Tensor permutation_raw(const Tensor& pivots, int64_t m, DType dtype) {
  const auto compute = [&](const Tensor& p) {
    const Tensor swaps = contiguous(p);
    check(p.dim() >= 1, "pivots need a dim");
    const Dims batch = batch_of(p, 1);
    const std::array<Tensor, 1> out{zeros(with(batch, {m, m}), dtype)};
    const int64_t k = p.size(p.dim() - 1), count = numel_of(batch);
    check(p.dtype() == DType::Int32 && k <= m, "pivots of shape ", p.shape(), " for ", m,
          " rows");          // hooks unpack them
    if (m == 0) return out;  // a batch of empty matrices can be of any length
    launch_host("permutation", {reads(swaps), writes(out[0])}, [&](Opener open) {
      const int32_t* const all = open.operator()<int32_t>(swaps);
      std::vector<int64_t> order(static_cast<size_t>(m));
      for (int64_t b = 0; b < count; ++b) {
        for (int64_t i = 0; i < m; ++i) order[static_cast<size_t>(i)] = i;
        for (int64_t i = 0; i < k; ++i) {
          const int32_t other = all[b * k + i];
          check(other >= 1 && other <= m, "a pivot leads to row ", other, " of ", m);
          std::swap(order[static_cast<size_t>(i)], order[static_cast<size_t>(other - 1)]);
        }
        for (int64_t i = 0; i < m; ++i) {
          const int64_t at = (b * m + order[static_cast<size_t>(i)]) * m + i;
          if (dtype == DType::Float32)
            open.operator()<float>(out[0])[at] = 1;
          else
            open.operator()<double>(out[0])[at] = 1;
        }
      }
    });
    return out;
  };
  return with_batches(compute, pivots)[0].as_new();
}

// Refuses pivots that lead out of the matrix.
void check_pivots(const Tensor& pivots, int64_t rows, const char* message) {
  const Tensor all = contiguous(physical(pivots));
  const int32_t* const found = all.host<int32_t>();
  for (int64_t i = 0; i < all.numel(); ++i) check(found[i] >= 1 && found[i] <= rows, message);
}

Tensor lower_of(const Tensor& lu) {
  const int64_t k = std::min(rows_of(lu), columns_of(lu));
  return add(tril(narrow(lu, -1, 0, k), -1), eye(rows_of(lu), k, lu.dtype()));
}
Tensor upper_of(const Tensor& lu) { return triu(narrow(lu, -2, 0, std::min(rows_of(lu), columns_of(lu))), 0); }

// De Hoog, Anderssen and Lukas, "Differentiation of matrix functionals using triangular factorization" (2011). With
// L1 U1 the square parts: P L1^-T (tril(L' gL, -1) + triu(gU U')) U1^-T; what stands below or on the right of those
// gives its gradient to both first.
Tensor lu_gradient(const Tensor& p, const Tensor& l, const Tensor& u, const Tensor& gl_, const Tensor& gu_) {
  const int64_t m = rows_of(l), n = columns_of(u), k = columns_of(l);
  const Tensor l1 = narrow(l, -2, 0, k), u1 = narrow(u, -1, 0, k);
  const auto by_l = [&](const Tensor& t) { return solve_triangular(mT(l1), t, true, true, true); };
  const auto by_u = [&](const Tensor& t) { return solve_triangular(mT(u1), t, false, false, false); };
  Tensor gl = gl_ ? tril(narrow(gl_, -2, 0, k), -1) : Tensor(), gu = gu_ ? triu(narrow(gu_, -1, 0, k), 0) : Tensor();
  Tensor right, below;
  if (n > k && gu_) {
    right = by_l(narrow(gu_, -1, k, n - k));
    const Tensor more = tril(matmul(right, mT(narrow(u, -1, k, n - k))), -1);
    gl = gl ? sub(gl, more) : neg(more);
  }
  if (m > k && gl_) {
    below = by_u(narrow(gl_, -2, k, m - k));
    const Tensor more = triu(matmul(mT(narrow(l, -2, k, m - k)), below), 0);
    gu = gu ? sub(gu, more) : neg(more);
  }
  Tensor inner = gl ? tril(matmul(mT(l1), gl), -1) : Tensor();
  if (gu) {
    const Tensor upper = triu(matmul(gu, mT(u1)), 0);
    inner = inner ? add(inner, upper) : upper;
  }
  Tensor grad = by_l(by_u(inner));
  if (n > k) grad = cat(std::array{grad, right ? right : zeros_like(narrow(u, -1, k, n - k))}, -1);
  if (m > k) grad = cat(std::array{grad, below ? below : zeros_like(narrow(l, -2, k, m - k))}, -2);
  return matmul(p, grad);
}

struct LuFactorVjp {
  static constexpr const char* kName = "LinalgLuFactorExBackward0";
  Saved lu, pivots;
  SavedFields fields() { return {{"LU", &lu}, {"pivot", true}, {"pivots", &pivots}}; }
  void vjp(Node& self, std::span<Tensor> g, std::span<Tensor> out) {
    const Tensor f = lu.unpack(&self);
    const Tensor p = permutation_raw(pivots.unpack(&self), rows_of(f), f.dtype());
    const int64_t k = std::min(rows_of(f), columns_of(f));
    out[0] = lu_gradient(p, lower_of(f), upper_of(f), narrow(g[0], -1, 0, k), narrow(g[0], -2, 0, k));
  }
  auto saves() { return std::tie(lu, pivots); }
};

struct LuVjp {
  static constexpr const char* kName = "LinalgLuBackward0";
  Saved p, l, u;
  SavedFields fields() { return {{"P", &p}, {"L", &l}, {"U", &u}, {"pivot", true}}; }
  void vjp(Node& self, std::span<Tensor> g, std::span<Tensor> out) {
    out[0] = lu_gradient(p.unpack(&self), l.unpack(&self), u.unpack(&self), g[0], g[1]);
  }
  auto saves() { return std::tie(p, l, u); }
};

// Of L and U taken apart.
struct UnpackVjp {
  static constexpr const char* kName = "LuUnpackBackward0";
  int64_t m, n;
  void vjp(Node&, std::span<Tensor> g, std::span<Tensor> out) {
    const int64_t k = std::min(m, n);
    const auto widened = [](const Tensor& t, int64_t more, int dim) {
      if (more == 0) return t;
      Dims shape = t.shape();
      shape[t.dim() + dim] = more;
      return cat(std::array{t, zeros(shape, t.dtype())}, dim);
    };
    if (g[0]) out[0] = widened(tril(g[0], -1), n - k, -1);
    if (!g[1]) return;
    const Tensor upper = widened(triu(g[1], 0), m - k, -2);
    out[0] = out[0] ? add(out[0], upper) : upper;
  }
};

// X of A X = B with A = P L U: what comes to A goes on to its factors.
struct LuSolveVjp {
  static constexpr const char* kName = "LinalgLuSolveBackward0";
  Saved lu, pivots, x;
  bool left, adjoint;
  SavedFields fields() {
    return {{"LU", &lu}, {"adjoint", adjoint}, {"left", left}, {"pivots", &pivots}, {"result", &x}};
  }
  void vjp(Node& self, std::span<Tensor> g, std::span<Tensor> out) {
    const Tensor f = lu.unpack(&self), swaps = pivots.unpack(&self);
    const Tensor gb = lu_solve(f, swaps, g[0], left, !adjoint);
    if (self.needs(1)) out[1] = gb;
    if (!self.needs(0)) return;
    const Tensor solution = x.unpack(&self);
    Tensor ga = left ? matmul(gb, mT(solution)) : matmul(mT(solution), gb);
    if (adjoint) ga = mT(ga);
    const Tensor g_lu = neg(matmul(mT(permutation_raw(swaps, rows_of(f), f.dtype())), ga));  // of the product L U
    out[0] = add(tril(matmul(g_lu, mT(upper_of(f))), -1), triu(matmul(mT(lower_of(f)), g_lu), 0));
  }
  auto saves() { return std::tie(lu, pivots, x); }
};

struct CholeskySolveVjp {
  static constexpr const char* kName = "CholeskySolveBackward0";
  Saved l, x;
  bool upper;
  SavedFields fields() { return {{"input2", &l}, {"result", &x}, {"upper", upper}}; }
  void vjp(Node& self, std::span<Tensor> g, std::span<Tensor> out) {
    const Tensor factor = upper ? triu(l.unpack(&self), 0) : tril(l.unpack(&self), 0);
    const Tensor gb = cholesky_solve(g[0], factor, upper);
    if (self.needs(0)) out[0] = gb;
    if (!self.needs(1)) return;
    const Tensor ga = matmul(gb, mT(x.unpack(&self))), both = neg(add(ga, mT(ga)));
    out[1] = upper ? triu(matmul(factor, both), 0) : tril(matmul(both, factor), 0);
  }
  auto saves() { return std::tie(l, x); }
};

struct CholeskyInverseVjp {
  static constexpr const char* kName = "CholeskyInverseBackward0";
  Saved l, inverse;
  bool upper;
  SavedFields fields() { return {{"self", &l}, {"result", &inverse}, {"upper", upper}}; }
  void vjp(Node& self, std::span<Tensor> g, std::span<Tensor> out) {
    const Tensor factor = upper ? triu(l.unpack(&self), 0) : tril(l.unpack(&self), 0), y = inverse.unpack(&self);
    const Tensor ga = neg(matmul(y, matmul(add(g[0], mT(g[0])), y)));
    out[0] = upper ? triu(matmul(factor, ga), 0) : tril(matmul(ga, factor), 0);
  }
  auto saves() { return std::tie(l, inverse); }
};

// A = L L', or L' L where `upper`.
Tensor cholesky_solve_raw(const Tensor& b, const Tensor& l, bool upper) {
  const NoRecordGuard off;
  const Tensor lower = upper ? mT(l) : l;
  return solve_triangular(mT(lower), solve_triangular(lower, b, false, true, false), true, true, false);
}

Factors factored(const Tensor& a, bool pivot, const char* op, bool raises) {
  check(a.dim() >= 2, "torch.lu_factor: Expected tensor with 2 or more dimensions. Got size: ", a.shape(), " instead");
  need_floating(a, "torch.lu_factor");
  check(pivot, op, kNoPivots);
  const Factors f = lu_raw(a);
  int64_t place = 0;
  if (const int32_t bad = raises ? first_failure(f.info, place) : 0)
    fail("torch.linalg.lu_factor: ", a.dim() > 2 ? str_cat("(Batch element ", place, "): ") : "", "U[", bad, ",", bad,
         "] is zero and using it on lu_solve would result in a division by zero. If you still want to perform the "
         "factorization, consider calling linalg.lu(A, pivot) or linalg.lu_factor_ex(A, pivot)");
  if (should_record(a)) record(f.lu, {&a}, LuFactorVjp{Saved::output(f.lu), Saved(f.pivots)});
  return f;
}

}  // namespace

Named lu_factor(const Tensor& a, bool pivot) {
  const Factors f = factored(a, pivot, "linalg.lu_factor", true);
  return {{f.lu, f.pivots}};
}
Named lu_factor_ex(const Tensor& a, bool pivot, bool check_errors) {
  const Factors f = factored(a, pivot, "linalg.lu_factor", check_errors);
  return {{f.lu, f.pivots, f.info}};
}
std::vector<Tensor> legacy_lu(const Tensor& a, bool pivot, bool get_infos) {
  const Factors f = factored(a, pivot, "linalg.lu_factor", false);  // torch does not look at it here
  if (get_infos) return {f.lu, f.pivots, f.info};
  return {f.lu, f.pivots};
}

Named lu(const Tensor& a, bool pivot) {
  need_matrix(a, "linalg.lu");
  need_floating(a, "linalg.lu");
  check(pivot, "linalg.lu", kNoPivots);
  std::array<Tensor, 2> out;
  Tensor p;
  {
    const NoRecordGuard off;
    const Factors f = lu_raw(a);
    p = permutation_raw(f.pivots, rows_of(a), a.dtype());
    out = {lower_of(f.lu), upper_of(f.lu)};
  }
  if (should_record(a))
    record_outputs(out, make_node({&a}, LuVjp{Saved(p), Saved::output(out[0], 0), Saved::output(out[1], 1)}, 2));
  return {{p, out[0], out[1]}};
}

Named lu_unpack(const Tensor& lu, const Tensor& pivots, bool unpack_data, bool unpack_pivots) {
  check(
      pivots.dtype() == DType::Int32,
      "torch.lu_unpack: LU_pivots is expected to be a contiguous tensor of torch.int32 dtype.\nNote: this function is "
      "intended to be used with the output produced by torch.linalg.lu_factor");
  need_matrix(lu, "torch.lu_unpack", "LU_data");
  need_floating(lu, "torch.lu_unpack");
  const int64_t m = rows_of(lu), n = columns_of(lu);
  Tensor p = empty(Dims{0}, lu.dtype());
  if (unpack_pivots) {
    constexpr const char* kRange =
        "pivots passed to lu_unpack must be between 1 and LU.size(-2) inclusive.Did you properly pass the result of "
        "lu_factor?";
    check(pivots.dim() >= 1 && pivots.shape() == with(batch_of(lu), {std::min(m, n)}), kRange);
    check_pivots(pivots, m, kRange);
    const NoRecordGuard off;
    p = permutation_raw(pivots, m, lu.dtype());
  }
  if (!unpack_data) return {{p, empty(Dims{0}, lu.dtype()), empty(Dims{0}, lu.dtype())}};
  std::array<Tensor, 2> out;
  {
    const NoRecordGuard off;
    out = {lower_of(lu), upper_of(lu)};
  }
  if (should_record(lu)) record_outputs(out, make_node({&lu}, UnpackVjp{m, n}, 2));
  return {{p, out[0], out[1]}};
}

Tensor lu_solve(const Tensor& lu_, const Tensor& pivots_, const Tensor& b_, bool left, bool adjoint) {
  constexpr const char* kOp = "linalg.lu_solve";
  Tensor lu = lu_, pivots = pivots_, b = b_;
  need_floating(lu, kOp);
  need_same_dtype(lu, b, kOp);
  check(pivots.dtype() == DType::Int32, kOp, ": pivots should be a Tensor of scalar type torch.int32");
  need_square(lu, kOp, "LU");
  need_matrix(b, kOp, "B");
  const int64_t n = rows_of(lu), given = left ? rows_of(b) : columns_of(b);
  check(n == given, kOp, ": Incompatible shapes of A and B for the equation ", left ? "AX = B" : "XA = B", " (", n, "x",
        n, " and ", rows_of(b), "x", columns_of(b), ")");
  check(pivots.shape() == batch_of(lu, 1), kOp,
        ": Number of pivots per batch should be same as the dimension of the matrix");
  check_pivots(
      pivots, n,
      "Pivots given to lu_solve must all be smaller or equal to LU.size(-2). Did you properly pass the result of "
      "lu_factor?");
  broadcast_batches(lu, b);
  pivots = expand(pivots, batch_of(lu, 1));
  const Tensor x = lu_solve_raw(lu, pivots, b, left, adjoint);
  if (should_record(lu, b)) record(x, {&lu, &b}, LuSolveVjp{Saved(lu), Saved(pivots), Saved::output(x), left, adjoint});
  return x;
}

Tensor cholesky_solve(const Tensor& b_, const Tensor& l_, bool upper) {
  check(b_.dim() >= 2, "b should have at least 2 dimensions, but has ", b_.dim(), " dimensions instead");
  check(l_.dim() >= 2, "u should have at least 2 dimensions, but has ", l_.dim(), " dimensions instead");
  need_square(l_, "cholesky_solve");
  check(rows_of(l_) == rows_of(b_), "Incompatible matrix sizes for cholesky_solve: each A matrix is ", rows_of(l_),
        " by ", rows_of(l_), " but each b matrix is ", rows_of(b_), " by ", columns_of(b_));
  need_floating(l_, "cholesky_solve");
  need_same_dtype(l_, b_, "cholesky_solve");
  Tensor b = b_, l = l_;
  broadcast_batches(b, l);
  const Tensor x = cholesky_solve_raw(b, l, upper);
  if (should_record(b, l)) record(x, {&b, &l}, CholeskySolveVjp{Saved(l), Saved::output(x), upper});
  return x;
}

Tensor cholesky_inverse(const Tensor& l, bool upper) {
  constexpr const char* kOp = "cholesky_inverse";
  need_square(l, kOp);
  need_floating(l, kOp);
  const Tensor zero = eq(diagonal_of(l), Scalar(0.0));
  Tensor y;
  {
    const NoRecordGuard off;
    check(l.numel() == 0 || !*any(physical(zero), {}, false).host<uint8_t>(), ErrorKind::LinAlg, kOp,
          ": A diagonal element is zero, the inversion could not be completed because the input matrix is singular.");
    const Tensor ones = expand(identity_like(l), l.shape());
    y = cholesky_solve_raw(ones, l, upper);
  }
  if (should_record(l)) record(y, {&l}, CholeskyInverseVjp{Saved(l), Saved::output(y), upper});
  return y;
}

}  // namespace gradcore::linalg
