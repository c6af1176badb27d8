// Dense linear algebra as baseline code sees it: the arguments of its kernels, and their table. Each kernel works
// through a range of the matrices of a batch. Results are stored by columns, as LAPACK has them.
#pragma once
#include <cstdint>

#include "core/dtype.h"

namespace gradcore {

// Matrices of one shape: element (i, j) of matrix b is data[b * each + i * row + j * col]. Of vectors and numbers,
// `row` and `col` say nothing.
struct Matrices {
  void* data;
  int64_t each, row, col;
};

// A = L L' of a symmetric matrix (n x n), of which one triangle is read. L takes the place of the lower triangle, or L'
// that of the upper one; the other holds zeros. info (int32): 0, or the order of the first leading minor that is not
// positive.
struct CholeskyArgs {
  int64_t n;
  bool upper;
  Matrices a, out, info;
};

// A = P L U with pivots by rows (m x n): L without its ones and U together. pivots (int32, min(m, n)): at step i row i
// changed places with row pivots[i] - 1. info (int32): 0, or the number of the first pivot that is zero.
struct LuArgs {
  int64_t m, n;
  Matrices a, lu, pivots, info;
};

// A X = B (k right sides), or A' X = B, with the factors that LuArgs made. b without data stands for the identity.
// Along the rows or the columns of x elements lie side by side.
struct LuSolveArgs {
  int64_t n, k;
  bool adjoint;
  Matrices lu, pivots, b, x;
};

// The determinant of such factors: det itself, or its sign and log |det|.
struct LuDetArgs {
  int64_t n;
  bool logarithm;
  Matrices lu, pivots, det, log;
};

// A X = B with a triangle of A (n x n), whose diagonal counts as ones where it is `unit`. Along the rows or the
// columns of x elements lie side by side.
struct TriangularArgs {
  int64_t n, k;
  bool upper, unit;
  Matrices a, b, x;
};

// A = Q R (m x n) by reflections: h (m x n) keeps them below its diagonal, tau (min(m, n)) belongs to them. r (r_rows x
// n) gets what is left above the diagonal; it may be without data.
struct QrArgs {
  int64_t m, n, r_rows;
  Matrices a, h, tau, r;
};
// q (m x columns): the first columns of the product of k such reflections.
struct QrFormArgs {
  int64_t m, columns, k;
  Matrices h, tau, q;
};
// X = Q B with the whole product Q (m x m) of k reflections, or Q' B where `transposed` (b and x: m x n). Along the
// rows or the columns of x elements lie side by side.
struct QrApplyArgs {
  int64_t m, n, k;
  bool transposed;
  Matrices h, tau, b, x;
};

// A = L D L' of a symmetric matrix (n x n), whose lower triangle is read: D has blocks of one or two rows, which stand
// with L in ld; zeros above. pivots (int32, n): p > 0 for a block of one row that changed places with row p - 1; -p
// twice for one of two, the second of which did. info (int32): 0, or the number of the first block that is zero.
struct LdlArgs {
  int64_t n;
  Matrices a, ld, pivots, info;
};
// A X = B (k right sides) with such factors.
struct LdlSolveArgs {
  int64_t n, k;
  Matrices ld, pivots, b, x;
};

// Eigenvalues of symmetric matrices (n x n), rising, of which one triangle is read; vectors (n x n) unless without
// data. info (int32): 0, or 1 where it does not converge, or where there are numbers that are not finite.
struct EighArgs {
  int64_t n;
  bool upper;
  Matrices a, values, vectors, info;
};

// A = U S V' (m x n): values (min(m, n)), falling; u and vh, unless without data, are square where `full`, and have
// min(m, n) columns and rows where not. info (int32): 0, -4 for numbers that are not finite, 1 where it does not
// converge.
struct SvdArgs {
  int64_t m, n;
  bool full;
  Matrices a, values, u, vh, info;
};

template <class Args> using LinalgFn = void (*)(const Args& args, int64_t begin, int64_t end);
template <class Args> using LinalgRow = FloatRow<LinalgFn<Args>>;

struct LinalgKernels {
  const LinalgRow<CholeskyArgs>& cholesky;
  const LinalgRow<LuArgs>& lu;
  const LinalgRow<LuSolveArgs>& lu_solve;
  const LinalgRow<LuDetArgs>& lu_det;
  const LinalgRow<TriangularArgs>& triangular;
  const LinalgRow<QrArgs>& qr_factor;
  const LinalgRow<QrFormArgs>& qr_form;
  const LinalgRow<QrApplyArgs>& qr_apply;
  const LinalgRow<LdlArgs>& ldl;
  const LinalgRow<LdlSolveArgs>& ldl_solve;
  const LinalgRow<EighArgs>& eigh;
  const LinalgRow<SvdArgs>& svd;
};

#ifdef GC_ISA
namespace GC_ISA {
extern const LinalgRow<CholeskyArgs> cholesky_kernels;
extern const LinalgRow<LuArgs> lu_kernels;
extern const LinalgRow<LuSolveArgs> lu_solve_kernels;
extern const LinalgRow<LuDetArgs> lu_det_kernels;
extern const LinalgRow<TriangularArgs> triangular_kernels;
extern const LinalgRow<QrArgs> qr_factor_kernels;
extern const LinalgRow<QrFormArgs> qr_form_kernels;
extern const LinalgRow<QrApplyArgs> qr_apply_kernels;
extern const LinalgRow<LdlArgs> ldl_kernels;
extern const LinalgRow<LdlSolveArgs> ldl_solve_kernels;
extern const LinalgRow<EighArgs> eigh_kernels;
extern const LinalgRow<SvdArgs> svd_kernels;
extern const LinalgKernels linalg_kernels;
}  // namespace GC_ISA
#endif

}  // namespace gradcore
