// Dense linear algebra: torch.linalg's functions, and torch's older names for some of them.
#include "ops/linalg.h"

#include "bindings/ops/register.h"

namespace gradcore {

namespace {

constexpr Forms kLinalg{.kind = kFunction, .out = Out::Exact};

const Dims kLastTwo{-2, -1};

using MaybeNumber = std::optional<double>;
std::optional<linalg::Order> order(const MaybeNumber& ord) {
  return ord ? std::optional<linalg::Order>(*ord) : std::nullopt;
}

constexpr OpRow kRows[] = {
    // ---- factors of symmetric matrices
    op("_linalg_cholesky(Tensor A, *, bool upper=False, Tensor? out=None) -> Tensor", fn<linalg::cholesky>, kLinalg),
    op("_linalg_cholesky_ex(Tensor A, *, bool upper=False, bool check_errors=False, Tensor[]? out=None) -> (Tensor L, "
       "Tensor info)",
       fn<linalg::cholesky_ex>, kLinalg),
    op("cholesky(Tensor input, bool upper=False, *, Tensor? out=None) -> Tensor", fn<linalg::legacy_cholesky>),

    // ---- linear equations
    op("_linalg_solve(Tensor A, Tensor B, *, bool left=True, Tensor? out=None) -> Tensor", fn<linalg::solve>, kLinalg),
    op("_linalg_solve_ex(Tensor A, Tensor B, *, bool left=True, bool check_errors=False, Tensor[]? out=None) -> "
       "(Tensor "
       "result, Tensor info)",
       fn<linalg::solve_ex>, kLinalg),
    op("_linalg_inv(Tensor A, *, Tensor? out=None) -> Tensor", fn<linalg::inv>, kLinalg),
    op("_linalg_inv_ex(Tensor A, *, bool check_errors=False, Tensor[]? out=None) -> (Tensor inverse, Tensor info)",
       fn<linalg::inv_ex>, kLinalg),
    op("inverse(Tensor input, *, Tensor? out=None) -> Tensor", fn<linalg::inv>, {.out = Out::Exact}),
    op("_linalg_solve_triangular(Tensor input, Tensor B, *, bool upper, bool left=True, bool unitriangular=False, "
       "Tensor? out=None) -> Tensor",
       fn<linalg::solve_triangular>, kLinalg),

    // ---- determinants
    op("_linalg_det(Tensor A, *, Tensor? out=None) -> Tensor", fn<linalg::det>, kLinalg),
    op("_linalg_slogdet(Tensor A, *, Tensor[]? out=None) -> (Tensor sign, Tensor logabsdet)", fn<linalg::slogdet>,
       kLinalg),
    op("det(Tensor input) -> Tensor", fn<linalg::det>),
    op("slogdet(Tensor input, *, Tensor[]? out=None) -> (Tensor sign, Tensor logabsdet)", fn<linalg::slogdet>),
    op("logdet(Tensor input) -> Tensor", fn<linalg::logdet>),

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

void register_linalg() { register_rows(kRows); }

}  // namespace gradcore
