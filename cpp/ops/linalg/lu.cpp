#include "ops/linalg/lu.h"

namespace gradcore::linalg {

namespace {

double cube(int64_t n) { return static_cast<double>(n) * static_cast<double>(n) * static_cast<double>(n); }

}  // namespace

Factors lu_raw(const Tensor& a) {
  const auto compute = [](const Tensor& p) {
    const Dims batch = batch_of(p);
    const int64_t m = rows_of(p), n = columns_of(p);
    const Tensor from = with_one_step(p, 2);
    std::array<Tensor, 3> out{empty_by_columns(batch, m, n, p.dtype()),
                              empty(with(batch, {std::min(m, n)}), DType::Int32), empty(batch, DType::Int32)};
    using Args = LuArgs;
    MatrixKernel<Args> k("lu", kernels().linalg.lu, p.dtype(), numel_of(batch), cube(std::min(m, n)) / 3);
    k.args.m = m;
    k.args.n = n;
    launch(k.reads(&Args::a, from)
               .writes(&Args::lu, out[0])
               .writes(&Args::pivots, out[1], 1)
               .writes(&Args::info, out[2], 0));
    return out;
  };
  auto [lu, pivots, info] = with_batches(compute, a);
  return {std::move(lu), std::move(pivots), std::move(info)};
}

// X A = B is A' X' = B'.
static std::array<Tensor, 1> solve_batch(const Tensor& lu, const Tensor& pivots, const Tensor& b, bool left,
                                         bool adjoint) {
  const Dims batch = batch_of(lu);
  const int64_t n = rows_of(lu), k = !b ? n : left ? columns_of(b) : rows_of(b);
  // What hooks unpack may be anything.
  check(columns_of(lu) == n && pivots.dtype() == DType::Int32 && pivots.shape() == with(batch, {n}),
        "LU factors of shape ", lu.shape(), " with pivots of shape ", pivots.shape());
  check(!b || (b.dtype() == lu.dtype() && batch_of(b) == batch && (left ? rows_of(b) : columns_of(b)) == n),
        "LU factors of shape ", lu.shape(), " for a right-hand side of shape ", b ? b.shape() : Dims{});
  const Tensor columns = empty_by_columns(batch, n, k, lu.dtype());
  const Tensor f = with_one_step(lu, 2), p = with_one_step(pivots, 1);
  const Tensor right = b ? with_one_step(left ? b : mT(b), 2) : b;
  using Args = LuSolveArgs;
  MatrixKernel<Args> kernel("lu_solve", kernels().linalg.lu_solve, lu.dtype(), numel_of(batch),
                            static_cast<double>(n) * static_cast<double>(n) * static_cast<double>(k));
  kernel.args.n = n;
  kernel.args.k = k;
  kernel.args.adjoint = adjoint == left;
  kernel.reads(&Args::lu, f).reads(&Args::pivots, p, 1).writes(&Args::x, columns);
  if (b) kernel.reads(&Args::b, right);
  launch(kernel);
  return {left ? columns : alias_of(mT(columns))};
}

Tensor lu_solve_raw(const Tensor& lu, const Tensor& pivots, const Tensor& b, bool left, bool adjoint) {
  const auto compute = [&](const Tensor& f, const Tensor& p, const Tensor& r) {
    return solve_batch(f, p, r, left, adjoint);
  };
  return with_batches(compute, lu, pivots, b)[0];
}

}  // namespace gradcore::linalg
