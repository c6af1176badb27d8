// Dense linear algebra: torch.linalg's functions, and torch's older names for some of them.
#include "ops/linalg.h"

#include "bindings/ops/register.h"
#include "core/warning.h"

namespace gradcore {

namespace {

constexpr Forms kLinalg{.kind = kFunction, .out = Out::Exact};

const Dims kLastTwo{-2, -1};

// What is made of other ops converts what it writes.
constexpr Forms kComposed{.kind = kFunction};

// autocast computes these in float32.
constexpr Autocast kPrecise = Autocast::Float32;
constexpr Forms kPreciseLinalg{.kind = kFunction, .out = Out::Exact, .autocast = kPrecise};
constexpr Forms kPreciseComposed{.kind = kFunction, .autocast = kPrecise};

using MaybeNumber = std::optional<double>;
std::optional<linalg::Order> order(const MaybeNumber& ord) {
  return ord ? std::optional<linalg::Order>(*ord) : std::nullopt;
}

// A function that torch keeps beside its successor: the first call warns.
constexpr const char kCholesky[] =
    "torch.cholesky is deprecated in favor of torch.linalg.cholesky, which gives L. What upper=True gave is its mH.";
constexpr const char kLu[] =
    "torch.lu is deprecated in favor of torch.linalg.lu_factor, and of torch.linalg.lu_factor_ex for get_infos=True.";
constexpr const char kLuSolve[] =
    "torch.lu_solve is deprecated in favor of torch.linalg.lu_solve, whose arguments are the other way round.";
constexpr const char kQr[] =
    "torch.qr is deprecated in favor of torch.linalg.qr, whose mode is 'reduced' for some=True, else 'complete'.";
constexpr const char kTriangularSolve[] =
    "torch.triangular_solve is deprecated in favor of torch.linalg.solve_triangular, whose arguments are the other way "
    "round and which gives no copy of A.";
template <auto Function, const char* Advice> struct Deprecated;
template <typename Result, typename... Args, Result (*Function)(Args...), const char* Advice>
struct Deprecated<Function, Advice> {
  static Result call(Args... args) {
    static std::atomic<bool> warned = false;
    warn_once(warned, Advice);
    return Function(std::forward<Args>(args)...);
  }
};
Tensor lu_solve(const Tensor& b, const Tensor& lu, const Tensor& pivots) {
  return linalg::lu_solve(lu, pivots, b, true, false);
}

constexpr OpRow kRows[] = {
    // ---- factors of symmetric matrices
    op("_linalg_cholesky(Tensor A, *, bool upper=False, Tensor? out=None) -> Tensor", fn<linalg::cholesky>,
       kPreciseLinalg),
    op("_linalg_cholesky_ex(Tensor A, *, bool upper=False, bool check_errors=False, Tensor[]? out=None) -> (Tensor L, "
       "Tensor info)",
       fn<linalg::cholesky_ex>, kPreciseLinalg),
    op("cholesky(Tensor input, bool upper=False, *, Tensor? out=None) -> Tensor",
       fn<Deprecated<linalg::legacy_cholesky, kCholesky>::call>, {.autocast = kPrecise}),

    op("_linalg_ldl_factor(Tensor A, *, bool hermitian=False, Tensor[]? out=None) -> (Tensor LD, Tensor pivots)",
       fn<linalg::ldl_factor>, kLinalg),
    op("_linalg_ldl_factor_ex(Tensor A, *, bool hermitian=False, bool check_errors=False, Tensor[]? out=None) -> "
       "(Tensor LD, Tensor pivots, Tensor info)",
       fn<linalg::ldl_factor_ex>, kLinalg),
    op("_linalg_ldl_solve(Tensor LD, Tensor pivots, Tensor B, *, bool hermitian=False, Tensor? out=None) -> Tensor",
       fn<linalg::ldl_solve>, kLinalg),

    // ---- linear equations
    op("_linalg_solve(Tensor A, Tensor B, *, bool left=True, Tensor? out=None) -> Tensor", fn<linalg::solve>,
       kPreciseLinalg),
    op("_linalg_solve_ex(Tensor A, Tensor B, *, bool left=True, bool check_errors=False, Tensor[]? out=None) -> "
       "(Tensor "
       "result, Tensor info)",
       fn<linalg::solve_ex>, kLinalg),
    op("_linalg_inv(Tensor A, *, Tensor? out=None) -> Tensor", fn<linalg::inv>, kPreciseLinalg),
    op("_linalg_inv_ex(Tensor A, *, bool check_errors=False, Tensor[]? out=None) -> (Tensor inverse, Tensor info)",
       fn<linalg::inv_ex>, kPreciseLinalg),
    op("inverse(Tensor input, *, Tensor? out=None) -> Tensor", fn<linalg::inv>,
       {.out = Out::Exact, .autocast = kPrecise}),
    op("_linalg_solve_triangular(Tensor input, Tensor B, *, bool upper, bool left=True, bool unitriangular=False, "
       "Tensor? out=None) -> Tensor",
       fn<linalg::solve_triangular>, kLinalg),

    op("triangular_solve(Tensor input, Tensor A, bool upper=True, bool transpose=False, bool unitriangular=False, *, "
       "Tensor[]? out=None) -> (Tensor solution, Tensor cloned_coefficient)",
       fn<Deprecated<linalg::triangular_solve, kTriangularSolve>::call>, {.out = Out::Exact}),

    // ---- determinants
    op("_linalg_det(Tensor A, *, Tensor? out=None) -> Tensor", fn<linalg::det>, kLinalg),
    op("_linalg_slogdet(Tensor A, *, Tensor[]? out=None) -> (Tensor sign, Tensor logabsdet)", fn<linalg::slogdet>,
       kLinalg),
    op("det(Tensor input) -> Tensor", fn<linalg::det>),
    op("slogdet(Tensor input, *, Tensor[]? out=None) -> (Tensor sign, Tensor logabsdet)", fn<linalg::slogdet>),
    op("logdet(Tensor input) -> Tensor", fn<linalg::logdet>),

    // ---- QR, eigenvalues, singular values
    op("_linalg_qr(Tensor A, str mode='reduced', *, Tensor[]? out=None) -> (Tensor Q, Tensor R)", fn<linalg::qr>,
       kPreciseLinalg),
    op("qr(Tensor input, bool some=True, *, Tensor[]? out=None) -> (Tensor Q, Tensor R)",
       fn<Deprecated<linalg::legacy_qr, kQr>::call>, {.autocast = kPrecise}),
    op("geqrf(Tensor input, *, Tensor[]? out=None) -> (Tensor a, Tensor tau)", fn<linalg::geqrf>,
       {.autocast = kPrecise}),
    op("_linalg_householder_product(Tensor input, Tensor tau, *, Tensor? out=None) -> Tensor",
       fn<linalg::householder_product>, kComposed),
    op("orgqr(Tensor input, Tensor input2, *, Tensor? out=None) -> Tensor", fn<linalg::householder_product>),
    op("ormqr(Tensor input, Tensor input2, Tensor input3, bool left=True, bool transpose=False, *, Tensor? out=None) "
       "-> "
       "Tensor",
       fn<linalg::ormqr>),
    op("_linalg_eigh(Tensor A, str UPLO='L', *, Tensor[]? out=None) -> (Tensor eigenvalues, Tensor eigenvectors)",
       fn<linalg::eigh>, kPreciseLinalg),
    op("_linalg_eigvalsh(Tensor A, str UPLO='L', *, Tensor? out=None) -> Tensor", fn<linalg::eigvalsh>, kPreciseLinalg),
    op("_linalg_svd(Tensor A, bool full_matrices=True, *, str? driver=None, Tensor[]? out=None) -> (Tensor U, Tensor "
       "S, "
       "Tensor Vh)",
       fn<linalg::svd>, kPreciseLinalg),
    op("_linalg_svdvals(Tensor A, *, str? driver=None, Tensor? out=None) -> Tensor", fn<linalg::svdvals>,
       kPreciseLinalg),
    op("svd(Tensor input, bool some=True, bool compute_uv=True, *, Tensor[]? out=None) -> (Tensor U, Tensor S, Tensor "
       "V)",
       fn<linalg::legacy_svd>, {.autocast = kPrecise}),

    // ---- what singular values decide
    op("_linalg_pinv(Tensor A, *, Operand? atol=None, Operand? rtol=None, bool hermitian=False, Tensor? out=None) -> "
       "Tensor",
       fn<linalg::pinv>, kComposed),
    op(
        "_linalg_pinv(Tensor A, Operand rcond, bool hermitian=False, *, Tensor? out=None) -> Tensor",
        [](const Tensor& a, const Operand& rcond, bool hermitian) { return linalg::pinv(a, {}, rcond, hermitian); },
        kComposed),
    op("pinverse(Tensor input, float rcond=1e-15) -> Tensor",
       [](const Tensor& a, double rcond) { return linalg::pinv(a, {}, Operand(Scalar(rcond)), false); },
       {.autocast = kPrecise}),
    op("_linalg_matrix_rank(Tensor A, *, Operand? atol=None, Operand? rtol=None, bool hermitian=False, Tensor? "
       "out=None) "
       "-> Tensor",
       fn<linalg::matrix_rank>, kPreciseComposed),
    op(
        "_linalg_matrix_rank(Tensor A, Operand tol, bool hermitian=False, *, Tensor? out=None) -> Tensor",
        [](const Tensor& a, const Operand& tol, bool hermitian) {
          return linalg::matrix_rank(a, tol, Operand(Scalar(0.0)), hermitian);
        },
        kPreciseComposed),
    op(
        "_linalg_cond(Tensor A, float? p=None, *, Tensor? out=None) -> Tensor",
        [](const Tensor& a, const MaybeNumber& p) { return linalg::cond(a, order(p)); }, kPreciseComposed),
    op(
        "_linalg_cond(Tensor A, str p, *, Tensor? out=None) -> Tensor",
        [](const Tensor& a, std::string_view p) { return linalg::cond(a, linalg::Order(p)); }, kPreciseComposed),
    op("_linalg_lstsq(Tensor A, Tensor B, float? rcond=None, *, str? driver=None, Tensor[]? out=None) -> (Tensor "
       "solution, Tensor residuals, Tensor rank, Tensor singular_values)",
       fn<linalg::lstsq>, kPreciseLinalg),

    // ---- factors as results, and what is solved with them
    op("_linalg_lu_factor(Tensor A, *, bool pivot=True, Tensor[]? out=None) -> (Tensor LU, Tensor pivots)",
       fn<linalg::lu_factor>, kLinalg),
    op("_linalg_lu_factor_ex(Tensor A, *, bool pivot=True, bool check_errors=False, Tensor[]? out=None) -> (Tensor LU, "
       "Tensor pivots, Tensor info)",
       fn<linalg::lu_factor_ex>, kLinalg),
    op("_linalg_lu(Tensor A, *, bool pivot=True, Tensor[]? out=None) -> (Tensor P, Tensor L, Tensor U)", fn<linalg::lu>,
       kLinalg),
    op("_linalg_lu_solve(Tensor LU, Tensor pivots, Tensor B, *, bool left=True, bool adjoint=False, Tensor? out=None) "
       "-> "
       "Tensor",
       fn<linalg::lu_solve>, kLinalg),
    op("lu(Tensor input, bool pivot=True, bool get_infos=False) -> Tensor[]",
       fn<Deprecated<linalg::legacy_lu, kLu>::call>, {.autocast = kPrecise}),
    op("lu_solve(Tensor input, Tensor LU_data, Tensor LU_pivots, *, Tensor? out=None) -> Tensor",
       fn<Deprecated<lu_solve, kLuSolve>::call>, {.out = Out::Exact, .autocast = kPrecise}),
    op("lu_unpack(Tensor LU_data, Tensor LU_pivots, bool unpack_data=True, bool unpack_pivots=True, *, Tensor[]? "
       "out=None) -> (Tensor P, Tensor L, Tensor U)",
       fn<linalg::lu_unpack>, {.kind = kFunction, .halves = Halves::AsFloats}),
    op("cholesky_solve(Tensor input, Tensor L, bool upper=False, *, Tensor? out=None) -> Tensor",
       fn<linalg::cholesky_solve>, {.autocast = kPrecise}),
    op("cholesky_inverse(Tensor input, bool upper=False, *, Tensor? out=None) -> Tensor", fn<linalg::cholesky_inverse>,
       {.autocast = kPrecise}),

    // ---- products
    op("_linalg_matrix_power(Tensor A, int n, *, Tensor? out=None) -> Tensor", fn<linalg::matrix_power>, kComposed),
    op("matrix_power(Tensor input, int n, *, Tensor? out=None) -> Tensor", fn<linalg::matrix_power>),
    op("_linalg_matrix_exp(Tensor A) -> Tensor", fn<linalg::matrix_exp>,
       {.kind = kFunction, .halves = Halves::AsFloats}),
    op("matrix_exp(Tensor input) -> Tensor", fn<linalg::matrix_exp>, {.halves = Halves::AsFloats}),
    op("_linalg_multi_dot(Tensor[] tensors, *, Tensor? out=None) -> Tensor", fn<linalg::multi_dot>, kLinalg),
    op("_linalg_vecdot(Tensor x, Tensor y, *, int dim=-1, Tensor? out=None) -> Tensor", fn<linalg::vecdot>,
       {.kind = kFunction, .out = Out::Exact, .autocast = Autocast::Lower}),
    op("_linalg_tensorinv(Tensor A, int ind=2, *, Tensor? out=None) -> Tensor", fn<linalg::tensorinv>,
       kPreciseComposed),
    op("_linalg_tensorsolve(Tensor A, Tensor B, int[]? dims=None, *, Tensor? out=None) -> Tensor",
       fn<linalg::tensorsolve>, kPreciseComposed),
    op("_linalg_vander(Tensor x, *, int? N=None) -> Tensor", fn<linalg::vander>, kLinalg),

    view_op("_linalg_diagonal(Tensor A, *, int offset=0, int dim1=-2, int dim2=-1) -> Tensor", fn<diagonal>,
            {.kind = kFunction}),

    // ---- norms
    op("_linalg_vector_norm(Tensor x, float ord=2, int[1]? dim=None, bool keepdim=False, *, dtype? dtype=None, Tensor? "
       "out=None) -> Tensor",
       fn<linalg::vector_norm>, kLinalg),
    op(
        "_linalg_matrix_norm(Tensor A, float ord, int[]? dim=None, bool keepdim=False, *, dtype? dtype=None, Tensor? "
        "out=None) -> Tensor",
        [](const Tensor& a, double ord, const MaybeDims& dim, bool keepdim, MaybeDType dtype) {
          return linalg::matrix_norm(a, ord, dim.value_or(kLastTwo), keepdim, dtype);
        },
        kLinalg),
    op(
        "_linalg_matrix_norm(Tensor A, str ord='fro', int[]? dim=None, bool keepdim=False, *, dtype? dtype=None, "
        "Tensor? out=None) -> Tensor",
        [](const Tensor& a, std::string_view ord, const MaybeDims& dim, bool keepdim, MaybeDType dtype) {
          return linalg::matrix_norm(a, ord, dim.value_or(kLastTwo), keepdim, dtype);
        },
        kLinalg),
    op(
        "_linalg_norm(Tensor A, float? ord=None, int[1]? dim=None, bool keepdim=False, *, Tensor? out=None, dtype? "
        "dtype=None) -> Tensor",
        [](const Tensor& a, const MaybeNumber& ord, const MaybeDims& dim, bool keepdim, MaybeDType dtype) {
          return linalg::norm(a, order(ord), dim, keepdim, dtype);
        },
        kLinalg),
    op(
        "_linalg_norm(Tensor A, str ord, int[1]? dim=None, bool keepdim=False, *, Tensor? out=None, dtype? dtype=None) "
        "-> "
        "Tensor",
        [](const Tensor& a, std::string_view ord, const MaybeDims& dim, bool keepdim, MaybeDType dtype) {
          return linalg::norm(a, linalg::Order(ord), dim, keepdim, dtype);
        },
        kLinalg),
};

}  // namespace

void register_linalg() {
  register_lapack();
  register_rows(kRows, Halves::Native);
}

}  // namespace gradcore
