// Dense linear algebra on the last two dims of floating tensors; all dims before them are batches. Names without a
// prefix are torch.linalg's; the kernels are in kernels/linalg.
#pragma once
#include <optional>
#include <span>
#include <string_view>
#include <variant>
#include <vector>

#include "ops/elementwise.h"
#include "ops/results.h"

namespace gradcore {

namespace linalg {

// ---- cholesky.cpp
Tensor cholesky(const Tensor& a, bool upper);
Tensor legacy_cholesky(const Tensor& a, bool upper);  // torch.cholesky, whose messages and node have another name
Named cholesky_ex(const Tensor& a, bool upper, bool check_errors);

// ---- solve.cpp
Tensor solve(const Tensor& a, const Tensor& b, bool left);
Named solve_ex(const Tensor& a, const Tensor& b, bool left, bool check_errors);
Tensor inv(const Tensor& a);
Named inv_ex(const Tensor& a, bool check_errors);
Tensor solve_triangular(const Tensor& a, const Tensor& b, bool upper, bool left, bool unitriangular);
Named triangular_solve(const Tensor& b, const Tensor& a, bool upper, bool transpose, bool unitriangular);

// ---- det.cpp
Tensor det(const Tensor& a);
Named slogdet(const Tensor& a);
Tensor logdet(const Tensor& a);

// ---- qr.cpp
Named qr(const Tensor& a, std::string_view mode);
Named legacy_qr(const Tensor& a, bool some);
Named geqrf(const Tensor& a);

// ---- reflections.cpp
Tensor householder_product(const Tensor& a, const Tensor& tau);
Tensor ormqr(const Tensor& a, const Tensor& tau, const Tensor& other, bool left, bool transpose);

// ---- ldl.cpp
Named ldl_factor(const Tensor& a, bool hermitian);
Named ldl_factor_ex(const Tensor& a, bool hermitian, bool check_errors);
Tensor ldl_solve(const Tensor& ld, const Tensor& pivots, const Tensor& b, bool hermitian);

// ---- eigen.cpp
Named eigh(const Tensor& a, std::string_view uplo);
Tensor eigvalsh(const Tensor& a, std::string_view uplo);

// ---- svd.cpp
Named svd(const Tensor& a, bool full_matrices, const std::optional<std::string_view>& driver);
Tensor svdvals(const Tensor& a, const std::optional<std::string_view>& driver);
Named legacy_svd(const Tensor& a, bool some, bool compute_uv);

// ---- factors.cpp
Named lu_factor(const Tensor& a, bool pivot);
Named lu_factor_ex(const Tensor& a, bool pivot, bool check_errors);
std::vector<Tensor> legacy_lu(const Tensor& a, bool pivot, bool get_infos);
Named lu(const Tensor& a, bool pivot);
Named lu_unpack(const Tensor& lu, const Tensor& pivots, bool unpack_data, bool unpack_pivots);
Tensor lu_solve(const Tensor& lu, const Tensor& pivots, const Tensor& b, bool left, bool adjoint);
Tensor cholesky_solve(const Tensor& b, const Tensor& l, bool upper);
Tensor cholesky_inverse(const Tensor& l, bool upper);

// ---- powers.cpp
Tensor matrix_power(const Tensor& a, int64_t n);
Tensor matrix_exp(const Tensor& a);
Tensor multi_dot(std::span<const Tensor> tensors);
Tensor vecdot(const Tensor& x, const Tensor& y, int64_t dim);
Tensor tensorinv(const Tensor& a, int64_t ind);
Tensor tensorsolve(const Tensor& a, const Tensor& b, const MaybeDims& dims);
Tensor vander(const Tensor& x, std::optional<int64_t> n);

// ---- least_squares.cpp
// Absolute or relative; a number for all matrices or a tensor with one for each.
using Tolerance = std::optional<Operand>;
Tensor pinv(const Tensor& a, const Tolerance& atol, const Tolerance& rtol, bool hermitian);
Tensor matrix_rank(const Tensor& a, const Tolerance& atol, const Tolerance& rtol, bool hermitian);
Named lstsq(const Tensor& a, const Tensor& b, std::optional<double> rcond,
            const std::optional<std::string_view>& driver);

// ---- norms.cpp
// `ord` is a number or a name; without it, and without `dim`, it is the length of all elements as one vector.
using Order = std::variant<double, std::string_view>;
Tensor vector_norm(const Tensor& t, double ord, const MaybeDims& dim, bool keepdim, MaybeDType dtype);
Tensor matrix_norm(const Tensor& a, const Order& ord, const Dims& dim, bool keepdim, MaybeDType dtype);
Tensor cond(const Tensor& a, const std::optional<Order>& p);  // least_squares.cpp
Tensor norm(const Tensor& a, const std::optional<Order>& ord, const MaybeDims& dim, bool keepdim, MaybeDType dtype);

}  // namespace linalg

}  // namespace gradcore
