// Factors of symmetric matrices that need not be positive-definite, and what is solved with them. As in torch they have
// no derivative.
#include "ops/derived_core.h"
#include "ops/linalg/matrices.h"

namespace gradcore::linalg {

namespace {

template <class Name> struct NoVjp {
  static constexpr const char* kName = "NotImplemented";
  void vjp(Node&, std::span<Tensor>, std::span<Tensor>) {
    fail(ErrorKind::NotImplemented, "the derivative for '", Name::kText, "' is not implemented.");
  }
};
struct FactorName {
  static constexpr const char* kText = "linalg.ldl_factor";
};
struct SolveName {
  static constexpr const char* kText = "linalg.ldl_solve";
};

double cube(int64_t n) { return static_cast<double>(n) * static_cast<double>(n) * static_cast<double>(n); }

// LD, pivots and info.
std::array<Tensor, 3> factor_raw(const Tensor& p) {
  const Dims batch = batch_of(p);
  const int64_t n = rows_of(p);
  const Tensor from = with_one_step(p, 2);
  std::array<Tensor, 3> out{empty_by_columns(batch, n, n, p.dtype()), empty(with(batch, {n}), DType::Int32),
                            empty(batch, DType::Int32)};
  using Args = LdlArgs;
  MatrixKernel<Args> k("ldl", kernels().linalg.ldl, p.dtype(), numel_of(batch), cube(n) / 6);
  k.args.n = n;
  k.reads(&Args::a, from).writes(&Args::ld, out[0]).writes(&Args::pivots, out[1], 1).writes(&Args::info, out[2], 0);
  launch(k);
  return out;
}

std::array<Tensor, 1> solve_raw(const Tensor& ld, const Tensor& pivots, const Tensor& b) {
  const Dims batch = batch_of(b);
  const int64_t n = rows_of(ld), columns = columns_of(b);
  const Tensor factors = by_columns(ld), swaps = contiguous(pivots), right = with_one_step(b, 2);
  const std::array<Tensor, 1> x{empty_by_columns(batch, n, columns, b.dtype())};
  using Args = LdlSolveArgs;
  MatrixKernel<Args> k("ldl_solve", kernels().linalg.ldl_solve, b.dtype(), numel_of(batch),
                       static_cast<double>(n) * static_cast<double>(n) * static_cast<double>(columns));
  k.args.n = n;
  k.args.k = columns;
  launch(k.reads(&Args::ld, factors).reads(&Args::pivots, swaps, 1).reads(&Args::b, right).writes(&Args::x, x[0]));
  return x;
}

std::array<Tensor, 3> factored(const Tensor& a, const char* op, bool raises) {
  need_square(a, "torch.linalg.ldl_factor_ex");
  check(is_floating(a.dtype()),
        "torch.linalg.ldl_factor_ex: Expected a floating point or complex tensor as input. Got ",
        scalar_type_name(a.dtype()));
  need_floats_for("ldl_factor_kernel_cpu", a);
  const std::array<Tensor, 3> out = with_batches(factor_raw, a);
  if (raises)
    check_info(out[2], op, [](int32_t i) {
      return str_cat("the block of D that begins at row ", i, " is zero or no number: the matrix is singular.");
    });
  if (should_record(a)) record(out[0], {&a}, NoVjp<FactorName>{});
  return out;
}

// Pivots that lead out of the matrix are refused.
void check_pivots(const Tensor& pivots, int64_t n) {
  const Tensor all = contiguous(physical(pivots));
  const int32_t* const found = all.host<int32_t>();
  for (int64_t i = 0; i < all.numel(); ++i)
    check(found[i] != 0 && found[i] <= n && found[i] >= -n,
          "Pivots given to ldl_solve must all satisfy |pivot| <= LD.size(-2). Did you properly pass the result of "
          "ldl_factor?");
}

}  // namespace

Named ldl_factor(const Tensor& a, bool) {
  const auto [ld, pivots, info] = factored(a, "torch.linalg.ldl_factor", true);
  return {{ld, pivots}};
}
Named ldl_factor_ex(const Tensor& a, bool, bool check_errors) {
  const auto [ld, pivots, info] = factored(a, "torch.linalg.ldl_factor_ex", check_errors);
  return {{ld, pivots, info}};
}

Tensor ldl_solve(const Tensor& ld_, const Tensor& pivots_, const Tensor& b_, bool) {
  constexpr const char* kOp = "torch.linalg.ldl_solve";
  need_square(ld_, kOp);
  check(is_floating(ld_.dtype()), kOp, ": Expected a floating point or complex tensor as input. Got ",
        scalar_type_name(ld_.dtype()));
  need_matrix(b_, kOp, "B");
  const int64_t n = rows_of(ld_);
  check(n == rows_of(b_), "Incompatible matrix sizes for torch.linalg.ldl_solve: each A matrix is ", n, " by ", n,
        " but each b matrix is ", rows_of(b_), " by ", columns_of(b_));
  check(pivots_.shape() == batch_of(ld_, 1), kOp,
        ": Expected LD.shape[:-1] and pivots.shape to be the same, but got pivots with shape ", pivots_.shape(),
        " instead");
  check(is_integral(pivots_.dtype()), kOp, ": Expected pivots to be integers. Got ", scalar_type_name(pivots_.dtype()));
  check(ld_.dtype() == b_.dtype(), "Expected b and A to have the same dtype, but found b of type ",
        scalar_type_name(b_.dtype()), " and A of type ", scalar_type_name(ld_.dtype()), " instead.");
  need_floats_for("ldl_solve_kernel_cpu", ld_);
  Tensor x;
  {
    const NoRecordGuard off;
    const Tensor numbers = to(pivots_, DType::Int32);
    check_pivots(numbers, n);
    Tensor ld = alias_of(ld_), b = alias_of(b_);
    broadcast_batches(ld, b);
    x = with_batches(solve_raw, ld, expand(numbers, batch_of(ld, 1)), b)[0];
  }
  if (should_record(ld_, b_)) record(x, {&ld_, &b_}, NoVjp<SolveName>{});
  return x;
}

}  // namespace gradcore::linalg
