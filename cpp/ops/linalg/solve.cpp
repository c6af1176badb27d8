// Systems of linear equations and inverses, by LU factors; triangular systems.
#include "ops/linalg/lu.h"
#include "ops/rearrange.h"

namespace gradcore::linalg {

namespace {

// The derivatives here are Giles's (2008), 2.2.3 (inverses) and 2.2.4 (solutions).

// B as matrices: a batch of vectors has one dim less than A.
bool is_vectors(const Tensor& a, const Tensor& b) {
  return b.dim() == 1 || (a.dim() - 1 == b.dim() && b.shape() == batch_of(a, 1));
}

// The gradient of A, from that of B.
Tensor gradient_of_matrix(const Tensor& grad_b, const Tensor& x, bool left) {
  return neg(left ? matmul(grad_b, mT(x)) : matmul(mT(x), grad_b));
}

struct SolveVjp {
  static constexpr const char* kName = "LinalgSolveExBackward0";
  Saved a, lu, pivots, x;
  bool left, vectors;
  SavedFields fields() { return {{"A", &a}, {"LU", &lu}, {"left", left}, {"pivots", &pivots}, {"result", &x}}; }
  void vjp(Node& self, std::span<Tensor> g, std::span<Tensor> out) {
    const Tensor grad = vectors ? unsqueeze(g[0], -1) : g[0];
    // The factors know nothing of A's history.
    const Tensor b = is_recorded() ? solve(mT(a.unpack(&self)), grad, left)
                                   : lu_solve_raw(lu.unpack(&self), pivots.unpack(&self), grad, left, true);
    if (self.needs(1)) out[1] = vectors ? squeeze(b, Dims{-1}) : b;
    if (!self.needs(0)) return;
    const Tensor solution = x.unpack(&self);
    out[0] = gradient_of_matrix(b, vectors ? unsqueeze(solution, -1) : solution, left);
  }
  auto saves() { return std::tie(a, lu, pivots, x); }
};

struct InverseVjp {
  static constexpr const char* kName = "LinalgInvExBackward0";
  Saved inverse;
  SavedFields fields() { return {{"inverse", &inverse}}; }
  void vjp(Node& self, std::span<Tensor> g, std::span<Tensor> out) {
    const Tensor y = mT(inverse.unpack(&self));
    out[0] = neg(matmul(y, matmul(g[0], y)));
  }
  auto saves() { return std::tie(inverse); }
};

struct TriangularVjp {
  static constexpr const char* kName = "LinalgSolveTriangularBackward0";
  Saved a, x;
  bool upper, left, unit;
  SavedFields fields() {
    return {{"self", &a}, {"left", left}, {"result", &x}, {"unitriangular", unit}, {"upper", upper}};
  }
  void vjp(Node& self, std::span<Tensor> g, std::span<Tensor> out) {
    const Tensor b = solve_triangular(mT(a.unpack(&self)), g[0], !upper, left, unit);
    if (self.needs(1)) out[1] = b;
    if (!self.needs(0)) return;
    const Tensor whole = gradient_of_matrix(b, x.unpack(&self), left);
    out[0] = upper ? triu(whole, unit) : tril(whole, unit ? -1 : 0);
  }
  auto saves() { return std::tie(a, x); }
};

// torch's results for a batch of vectors are stored by columns too, as if they were matrices.
Tensor vectors_by_columns(const Tensor& x) {
  if (x.dim() < 3 || x->batch) return alias_of(squeeze(x, Dims{-1}));
  const Tensor out = empty_by_columns(batch_of(x, 3), x.size(x.dim() - 3), rows_of(x), x.dtype());
  copy_raw(out, squeeze(x, Dims{-1}));
  return out;
}

// X of A X = B, and a copy of A, as torch.triangular_solve gives both.
struct OldTriangularVjp {
  static constexpr const char* kName = "TriangularSolveBackward0";
  Saved b, a, x;
  bool upper, transpose, unit;
  SavedFields fields() {
    return {{"self", &b},           {"A", &a}, {"solution", &x}, {"upper", upper}, {"transpose", transpose},
            {"unitriangular", unit}};
  }
  void vjp(Node& self, std::span<Tensor> g, std::span<Tensor> out) {
    if (self.needs(1)) out[1] = g[1];
    if (!g[0]) return;
    const Tensor kept = a.unpack(&self), turned = transpose ? kept : mT(kept);
    const Tensor gb = solve_triangular(turned, g[0], upper == transpose, true, unit);
    if (self.needs(0)) out[0] = gb;
    if (!self.needs(1)) return;
    const Tensor of_turned = gradient_of_matrix(gb, x.unpack(&self), true);
    const Tensor whole = transpose ? mT(of_turned) : of_turned;
    const Tensor ga = upper ? triu(whole, unit) : tril(whole, unit ? -1 : 0);
    out[1] = g[1] ? add(ga, g[1]) : ga;
  }
  auto saves() { return std::tie(b, a, x); }
};

void check_sides(const Tensor& a, const Tensor& b, bool left, const char* op) {
  check(left ? columns_of(a) == rows_of(b) : rows_of(a) == columns_of(b), op,
        ": Incompatible shapes of A and B for the equation ", left ? "AX = B" : "XA = B", " (", rows_of(a), "x",
        columns_of(a), " and ", rows_of(b), "x", columns_of(b), ")");
}

// The solution and info.
std::array<Tensor, 2> solution(const Tensor& a, const Tensor& b, bool left, const char* op, bool raises) {
  need_floating(a, "linalg.solve");
  need_same_dtype(a, b, "linalg.solve");
  need_square(a, "linalg.solve");
  const bool vectors = is_vectors(a, b);
  if (vectors) check(left, "linalg.solve: Vector broadcasting of the left hand side is not supported for left=False.");
  Factors f;
  Tensor x;
  {
    const NoRecordGuard off;  // views are recorded below: Note [Python in the middle]
    Tensor matrix = alias_of(a), right = vectors ? unsqueeze(b, -1) : alias_of(b);
    need_matrix(right, "linalg.solve", "B");
    check_sides(matrix, right, left, "linalg.solve");
    f = lu_raw(matrix);
    if (raises)
      check_info(f.info, op, [](int32_t) { return "The solver failed because the input matrix is singular."; });
    broadcast_batches(matrix, right);
    f.lu = expand(f.lu, matrix.shape());
    f.pivots = expand(f.pivots, batch_of(matrix, 1));
    x = lu_solve_raw(f.lu, f.pivots, right, left, false);
    if (vectors) x = vectors_by_columns(x);
  }
  if (should_record(a, b)) {
    Tensor matrix = a, right = vectors ? unsqueeze(b, -1) : b;
    broadcast_batches(matrix, right);
    if (vectors) right = squeeze(right, Dims{-1});
    record(x, {&matrix, &right},
           SolveVjp{Saved(matrix), Saved(f.lu), Saved(f.pivots), Saved::output(x), left, vectors});
  }
  return {x, f.info};
}

std::array<Tensor, 2> inverse_and_info(const Tensor& a, const char* op, bool raises) {
  need_square(a, op);
  need_floating(a, op);
  const Factors f = lu_raw(a);
  if (raises)
    check_info(f.info, op, [](int32_t i) {
      return str_cat("The diagonal element ", i,
                     " is zero, the inversion could not be completed because the input matrix is singular.");
    });
  const Tensor y = lu_solve_raw(f.lu, f.pivots, Tensor(), true, false);
  if (should_record(a)) record(y, {&a}, InverseVjp{Saved::output(y)});
  return {y, f.info};
}

std::array<Tensor, 1> triangular_batch(const Tensor& a, const Tensor& b, bool upper, bool left, bool unit) {
  const Tensor x = empty_by_columns(batch_of(b), rows_of(b), columns_of(b), b.dtype());
  const Tensor from = with_one_step(a, 2), right = with_one_step(b, 2);
  const auto turned = [&](const Tensor& t) { return left ? t : mT(t); };  // X A = B is A' X' = B'
  const int64_t n = rows_of(a), k = left ? columns_of(b) : rows_of(b);
  using Args = TriangularArgs;
  MatrixKernel<Args> kernel("solve_triangular", kernels().linalg.triangular, b.dtype(), numel_of(batch_of(b)),
                            static_cast<double>(n) * static_cast<double>(n) * static_cast<double>(k) / 2);
  kernel.args.n = n;
  kernel.args.k = k;
  kernel.args.upper = upper == left;
  kernel.args.unit = unit;
  const Tensor ta = turned(from), tb = turned(right), tx = turned(x);
  launch(kernel.reads(&Args::a, ta).reads(&Args::b, tb).writes(&Args::x, tx));
  return {x};
}

}  // namespace

Tensor solve(const Tensor& a, const Tensor& b, bool left) {
  return solution(a, b, left, "torch.linalg.solve", true)[0];
}
Named solve_ex(const Tensor& a, const Tensor& b, bool left, bool check_errors) {
  const std::array<Tensor, 2> r = solution(a, b, left, "linalg.solve_ex", check_errors);
  return {{r[0], r[1]}};
}

Tensor inv(const Tensor& a) { return inverse_and_info(a, "linalg.inv", true)[0]; }
Named inv_ex(const Tensor& a, bool check_errors) {
  const std::array<Tensor, 2> r = inverse_and_info(a, "linalg.inv_ex", check_errors);
  return {{r[0], r[1]}};
}

Tensor solve_triangular(const Tensor& a, const Tensor& b, bool upper, bool left, bool unitriangular) {
  constexpr const char* kOp = "linalg.solve_triangular";
  need_floating(a, kOp);
  need_same_dtype(a, b, kOp);
  need_square(a, kOp);
  need_matrix(b, kOp, "B");
  check_sides(a, b, left, kOp);
  const auto compute = [&](const Tensor& p, const Tensor& r) {
    return triangular_batch(p, r, upper, left, unitriangular);
  };
  Tensor x;
  {
    const NoRecordGuard off;  // views are recorded below: Note [Python in the middle]
    Tensor matrix = alias_of(a), right = alias_of(b);
    broadcast_batches(matrix, right);
    x = with_batches(compute, matrix, right)[0];
  }
  if (should_record(a, b)) {
    Tensor matrix = a, right = b;
    broadcast_batches(matrix, right);
    record(x, {&matrix, &right}, TriangularVjp{Saved(matrix), Saved::output(x), upper, left, unitriangular});
  }
  return x;
}

Named triangular_solve(const Tensor& b_, const Tensor& a_, bool upper, bool transpose, bool unitriangular) {
  constexpr const char* kOp = "torch.triangular_solve";
  check(b_.dim() >= 2, kOp, ": Expected b to have at least 2 dimensions, but it has ", b_.dim(), " dimensions instead");
  check(a_.dim() >= 2, kOp, ": Expected A to have at least 2 dimensions, but it has ", a_.dim(), " dimensions instead");
  check(a_.dtype() == b_.dtype(), "Expected b and A to have the same dtype, but found b of type ",
        scalar_type_name(b_.dtype()), " and A of type ", scalar_type_name(a_.dtype()), " instead.");
  const int64_t n = rows_of(a_);
  check(n == columns_of(a_), "A must be batches of square matrices, but they are ", n, " by ", columns_of(a_),
        " matrices");
  check(n == rows_of(b_), "Incompatible matrix sizes for triangular_solve: each A matrix is ", n, " by ", n,
        " but each b matrix is ", rows_of(b_), " by ", columns_of(b_));
  need_floats_for("triangular_solve_cpu", a_);
  const auto copied = [](const Tensor& p) {
    const std::array<Tensor, 1> copy{empty_by_columns(batch_of(p), rows_of(p), columns_of(p), p.dtype())};
    copy_raw(copy[0], p);
    return copy;
  };
  std::array<Tensor, 2> out;
  {
    const NoRecordGuard off;  // views are recorded below: Note [Python in the middle]
    Tensor a = alias_of(a_), b = alias_of(b_);
    broadcast_batches(a, b);
    out = {solve_triangular(transpose ? mT(a) : a, b, upper != transpose, true, unitriangular),
           with_batches(copied, a)[0]};
  }
  if (should_record(a_, b_)) {
    Tensor a = a_, b = b_;
    broadcast_batches(a, b);
    OldTriangularVjp vjp{Saved(b), Saved(a), Saved::output(out[0], 0), upper, transpose, unitriangular};
    record_outputs(out, make_node({&b, &a}, std::move(vjp), 2));
  }
  return {{out[0], out[1]}};
}

}  // namespace gradcore::linalg
